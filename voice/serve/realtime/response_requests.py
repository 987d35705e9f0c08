"""Responses that no turn of the person asks for: on `response.create`, or after a long silence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from voice.serve.realtime.event_sender import EventSender
from voice.serve.realtime.protocol.configuration import Configuration
from voice.serve.realtime.protocol.fields import Fields, ProtocolError
from voice.serve.realtime.protocol.items import read_item
from voice.serve.realtime.protocol.updates import FindVoice, response_configuration
from voice.serve.realtime.response import RealtimeResponse
from voice.serve.realtime.response_events import ResponseEvents
from voice.serve.realtime.session_agent import SessionAgent
from voice.serve.realtime.user_turn_events import UserTurnEvents
from voice.types import Message

_IDLE_PROMPT = "The person has said nothing for a while. Ask briefly whether they are still there."
# Answers these messages with these instructions, or the conversation as it stands where they are None.
StartAnswer = Callable[[Sequence[Message] | None, str | None], None]


class ResponseRequests:
    """Begins responses with settings of their own, and restores the session's once they have ended."""

    def __init__(
        self,
        agent: SessionAgent,
        sender: EventSender,
        turns: UserTurnEvents,
        find_voice: FindVoice,
        answer: StartAnswer,
    ) -> None:
        self.events = ResponseEvents(sender, turns.items)
        self.idle_since: float | None = None  # when the last answer ended, by the conversation's time
        self._agent, self._sender, self._turns = agent, sender, turns
        self._find_voice, self._answer = find_voice, answer
        self._pending: Fields | None = None  # a response to a turn that is still being recognized
        self._own_settings = False  # whether the response under way has settings of its own

    @property
    def awaits_user(self) -> bool:
        """Whether an answer has ended, after which a long silence is answered too."""
        return self.idle_since is not None and self._idle_limit is not None

    @property
    def _idle_limit(self) -> float | None:
        """The seconds of silence that are answered; None where none is."""
        detection = self._settings.detection
        if detection is None or detection.kind != "server_vad" or not self._settings.answers:
            return None
        return detection.idle

    @property
    def _settings(self) -> Configuration:
        return self._sender.configuration

    def create(self, wanted: Fields) -> None:
        """Begin the response that a client asks for. Raises ProtocolError."""
        conversation = self._agent.conversation
        if self._settings.kind == "transcription":
            raise ProtocolError("a transcription session gives no responses", "invalid_request")
        if self.events.awaits_result and conversation.answering:
            configuration, metadata = self._configuration(wanted), wanted.values.get("metadata")
            self.events.begin(RealtimeResponse(configuration, metadata=metadata))
            self._agent.functions.resume()
            return
        if self.events.current or self._pending or conversation.answering:
            raise ProtocolError(
                "there is a response already; cancel it or wait for response.done",
                "conversation_already_has_active_response",
            )
        configuration = self._configuration(wanted)  # raises before anything is begun
        if self._turns.awaits_transcript:
            self._pending = wanted
            return
        instructions = wanted.text("instructions", "") if "instructions" in wanted else None
        messages = self._messages(wanted)
        apart = wanted.choice("conversation", ("auto", "none"), "auto") == "none"
        response = RealtimeResponse(configuration, apart, wanted.values.get("metadata"))
        self._begin(response, messages, instructions)

    def create_pending(self) -> None:
        """Begin the response that waited for the words of a turn, once they are there."""
        if self._pending and not self._turns.awaits_transcript:
            wanted, self._pending = self._pending, None
            self.create(wanted)

    def answer_silence(self) -> None:
        """Ask whether the person is still there, where they have said nothing for long."""
        conversation, since, limit = self._agent.conversation, self.idle_since, self._idle_limit
        if since is None or limit is None or conversation.time - since < limit:
            return
        busy = conversation.answering or conversation.listening
        if busy or self.events.current or self._turns.awaits_transcript:
            return
        self._turns.time_out(since)
        prompt = Message("system", _IDLE_PROMPT), Message("user", "")
        self._begin(RealtimeResponse(self._settings), (*self._turns.items.messages(), *prompt), None)

    def restore_settings(self) -> None:
        """Use the session's settings again after a response with settings of its own."""
        if self._own_settings and not self._pending:
            self._own_settings = False
            self._agent.use_for_response(self._settings)
            self.show_items()

    def show_items(self) -> None:
        """Show the brain what the client made of the conversation."""
        self._agent.conversation.messages[:] = self._turns.items.messages()

    def _begin(
        self, response: RealtimeResponse, messages: Sequence[Message] | None, instructions: str | None
    ) -> None:
        self._own_settings = True
        self._agent.use_for_response(response.configuration)
        self.idle_since = None
        self.events.begin(response)
        self._answer(messages, instructions)

    def _configuration(self, wanted: Fields) -> Configuration:
        return response_configuration(wanted, self._settings, self._find_voice)

    def _messages(self, wanted: Fields) -> tuple[Message, ...] | None:
        """Return what a response is to answer instead of the conversation; None for the conversation."""
        if wanted.values.get("input") is None:
            return None
        items = []
        for each in wanted.each("input", 200):
            refers = each.values.get("type") == "item_reference"
            items.append(self._turns.items.get(each.text("id")) if refers else read_item(each))
        return tuple(message for item in items if (message := item.message()))
