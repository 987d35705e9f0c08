"""One client's session: client events in, server events out, a conversation in between.

It has no socket and no thread of its own: the owner calls `take` for each client event, and `tick` when
`patience` seconds have passed without one. Time is that of the client's audio; without audio, the clock's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from voice.agent.events import Event, Interrupted, SpeechStarted, Spoken, TurnEnded
from voice.errors import VoiceError
from voice.serve.realtime.clock import AudioClock
from voice.serve.realtime.event_sender import EventSender
from voice.serve.realtime.protocol import client_events as client
from voice.serve.realtime.protocol.audio_formats import InputDecoder
from voice.serve.realtime.protocol.configuration import Configuration, session_object
from voice.serve.realtime.protocol.fields import Fields, ProtocolError
from voice.serve.realtime.protocol.items import new_id, with_heard_text
from voice.serve.realtime.protocol.updates import FindVoice, update_configuration
from voice.serve.realtime.response_requests import ResponseRequests
from voice.serve.realtime.session_agent import SessionAgent
from voice.serve.realtime.user_turn_events import UserTurnEvents
from voice.types import Message, Samples

SPEAKING_STALL = 1.0  # seconds without audio, while the client speaks, that are silence rather than delay
LISTENING_STALL = 0.25  # the same while the client only listens
TICK = 0.02  # seconds between two looks at an answer while no audio of the client comes
IDLE_TICK = 0.5  # the same where only timers run
MAX_TICK = 1.0  # seconds that pass in one tick at most
MIN_COMMIT = 0.1  # seconds of audio that a client can commit at least, as in the protocol
_CHUNK = 0.1  # seconds of appended audio that are heard at once, so that answers flow in between


class Session:
    """The state of one connection. All methods belong to one thread."""

    def __init__(
        self,
        agent: SessionAgent,
        sender: EventSender,
        *,
        find_voice: FindVoice,
        beta: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Send server events to `sender`; `find_voice` knows our voices by the names that clients use.

        `beta` shows settings in their old shape; `clock` gives seconds.
        """
        self.id, self._beta = new_id("sess"), beta
        self._agent, self._conversation, self._sender = agent, agent.conversation, sender
        self._find_voice, self._clock = find_voice, clock
        self._decoder = InputDecoder(self._settings.input, self._conversation.rate)
        self._audio_clock = AudioClock(self._conversation.rate)
        self._turns = UserTurnEvents(sender, self._audio_clock, lambda: agent.languages(self._settings))
        self._requests = ResponseRequests(agent, sender, self._turns, find_voice, self._answer)
        self._responses = self._requests.events
        self._appended = 0.0  # seconds since the last turn
        self._passed = clock()  # up to when the conversation has been told of time
        self._last_audio = -np.inf  # when the client's audio last came

    def start(self) -> None:
        """Tell the client that the session has begun."""
        session = session_object(self._settings, self.id, self._beta)
        self._sender.send({"type": "session.created", "session": session})
        conversation = {"id": "conversation", "object": "realtime.conversation"}
        self._sender.send({"type": "conversation.created", "conversation": conversation})

    def close(self) -> None:
        """Give up what is under way, because nobody listens any more."""
        self._agent.functions.resume()
        self._conversation.close()

    def take(self, event: client.ClientEvent) -> None:
        """Do what a client asks. What cannot be done becomes an `error` event."""
        try:
            self._handle(event)
            self._flow()
        except ProtocolError as error:
            error.event_id = error.event_id or event.id
            self.refuse(error)
        except VoiceError as error:
            self.refuse(ProtocolError(str(error), event_id=event.id))

    def refuse(self, error: ProtocolError, kind: str = "invalid_request_error") -> None:
        """Tell the client what was wrong."""
        about: dict[str, str | None] = {"type": kind, "code": error.code, "message": str(error)}
        about |= {"param": error.param or None, "event_id": error.event_id or None}
        self._sender.send({"type": "error", "error": about})

    @property
    def patience(self) -> float | None:
        """Seconds after which `tick` is due; None while nothing happens by itself."""
        conversation = self._conversation
        active = conversation.answering or self._responses.current or self._turns.awaits_transcript
        active = active or (conversation.listening and not self._is_manual)
        if not active and not conversation.timers.pending and not self._requests.awaits_user:
            return None
        tick = TICK if active else IDLE_TICK
        return float(max(tick, self._last_audio + self._stall - self._clock()))

    def tick(self) -> None:
        """Take up what is done by now, and let time pass if no audio of the client does."""
        self._dispatch_safely(self._conversation.collect)
        now = self._clock()
        if self.patience is None or now - self._last_audio < self._stall:
            return
        seconds = min(MAX_TICK, now - self._passed)
        self._passed = now
        silence: Samples = np.zeros(round(seconds * self._conversation.rate), np.float32)
        self._audio_clock.silence(len(silence))
        self._dispatch_safely(lambda: self._conversation.hear(silence))

    def _dispatch_safely(self, work: Callable[[], Iterable[Event]]) -> None:
        try:
            self._dispatch(work())
            self._flow()
        except VoiceError as error:
            self.refuse(ProtocolError(str(error), "failed"), "server_error")

    @property
    def _settings(self) -> Configuration:
        return self._sender.configuration

    @property
    def _is_manual(self) -> bool:
        """Whether the client says where turns end, so that its silence means nothing."""
        return self._settings.detection is None

    @property
    def _stall(self) -> float:
        return SPEAKING_STALL if self._conversation.listening else LISTENING_STALL

    def _handle(self, event: client.ClientEvent) -> None:
        match event:
            case client.AppendAudio(audio=audio):
                self._hear(audio)
            case client.UpdateSession(session=session):
                self._update(session)
            case client.CommitAudio():
                self._commit()
            case client.ClearAudio():
                self._clear()
            case client.CreateItem(item=item, after=after):
                self._turns.create_item(item, after)
                self._agent.functions.add_result(item.call, item.text)
                self._requests.show_items()
            case client.DeleteItem(item=item):
                self._turns.items.delete(item)
                self._sender.send({"type": "conversation.item.deleted", "item_id": item})
                self._requests.show_items()
            case client.RetrieveItem(item=item):
                found = self._turns.items.get(item).to_dict()
                self._sender.send({"type": "conversation.item.retrieved", "item": found})
            case client.TruncateItem(item=item, end=end):
                self._truncate(item, end)
            case client.CreateResponse(wanted=wanted):
                self._requests.create(wanted)
            case client.CancelResponse(response=response):
                self._cancel(response)
            case client.ClearOutput():
                self._clear_output()
            case client.AudioPlayed(item=item, seconds=seconds):
                current = self._responses.current
                if current and item in ("", current.item.id):
                    self._conversation.report_played(seconds)

    # ---- the client's audio

    def _hear(self, audio: bytes) -> None:
        form = self._settings.input
        size = form.width * round(_CHUNK * form.rate)
        if self._conversation.answering and self._clock() - self._last_audio > MAX_TICK:
            self.tick()  # what passed before this audio came
        for at in range(0, len(audio), size):
            chunk = audio[at : at + size]
            samples = self._decoder(chunk)
            self._appended += form.seconds(chunk)
            self._audio_clock.audio(form.seconds(chunk), len(samples))
            self._turns.measure_level(samples, self._conversation.rate)
            self._last_audio = self._passed = self._clock()
            self._dispatch(self._conversation.hear(samples))
            self._flow()

    def _commit(self) -> None:
        if self._appended < MIN_COMMIT:
            raise ProtocolError(
                "there is less than 0.1 s of sound to commit; append some first",
                "input_audio_buffer_commit_empty",
            )
        self._dispatch(self._conversation.settle())  # the turn committed before is no part of this one
        if self._conversation.listening and self._settings.yields:
            self._dispatch(self._conversation.interrupt())  # what is committed is a turn, whoever else speaks
        self._turns.commit(self._conversation.listening, self._appended)
        self._appended = 0.0
        self._dispatch(self._conversation.commit())

    def _clear(self) -> None:
        self._conversation.forget()
        self._turns.forget(ending=self._conversation.listening)
        self._appended = 0.0
        self._decoder = InputDecoder(self._settings.input, self._conversation.rate)
        self._sender.send({"type": "input_audio_buffer.cleared"})

    # ---- responses

    def _answer(self, messages: Sequence[Message] | None, instructions: str | None) -> None:
        """Let the conversation answer what no turn of the person has asked for."""
        self._passed = self._clock()
        self._dispatch(self._conversation.answer(messages, instructions))

    def _cancel(self, response: str) -> None:
        """Cancel the response with an id, or with "" the current one."""
        current = self._responses.current
        if not current or response not in ("", current.id):
            raise ProtocolError("there is no such response under way", "response_cancel_not_active")
        self._interrupt()

    def _clear_output(self) -> None:
        current = self._responses.current
        self._interrupt()
        about = {"response_id": current.id if current else ""}
        self._sender.send({"type": "output_audio_buffer.cleared"} | about)

    def _interrupt(self) -> None:
        self._dispatch(self._conversation.interrupt(), "client_cancelled")
        self._responses.cancel("client_cancelled")  # where there was nothing yet to interrupt
        self._requests.restore_settings()

    def _truncate(self, item: str, end: float) -> None:
        current = self._responses.current
        if current and current.item.id == item:
            self._conversation.report_played(end)
            self._interrupt()
        whole = self._turns.items.get(item)
        if whole.role != "assistant":
            raise ProtocolError("only what the assistant said can be truncated", param="item_id")
        self._turns.items.put(with_heard_text(whole, self._responses.heard_until(whole, end)))
        about = {"item_id": item, "content_index": 0, "audio_end_ms": round(end * 1000)}
        self._sender.send({"type": "conversation.item.truncated"} | about)
        self._requests.show_items()

    # ---- settings, and what follows from events of the conversation

    def _update(self, session: Fields) -> None:
        after = update_configuration(self._settings, session, self._find_voice)
        self._agent.use(after)  # which may refuse it
        if after.input is not self._settings.input:
            self._decoder = InputDecoder(after.input, self._conversation.rate)
        self._sender.configuration = after
        self._sender.send({"type": "session.updated", "session": session_object(after, self.id, self._beta)})

    def _dispatch(self, events: Iterable[Event], reason: str = "turn_detected") -> None:
        """Tell the client of the conversation's events; `reason` is why a response was interrupted."""
        for event in events:
            if isinstance(event, TurnEnded) and not self._turns.committed:
                self._appended = 0.0
            if isinstance(event, Interrupted | Spoken):
                self._agent.functions.resume()
            if isinstance(event, SpeechStarted | Spoken):
                self._requests.idle_since = event.time if isinstance(event, Spoken) else None
            self._turns.follow(event)
            self._responses.follow(event, reason)
        self._requests.create_pending()

    def _flow(self) -> None:
        """Pass on the sound that is due and calls of functions, and end an answer that came to nothing."""
        for call in self._agent.functions.new_calls():
            self._responses.call_function(call)
        before = self._responses.current
        self._responses.flow(self._conversation.time, self._conversation.all_said)
        if before and self._responses.current is before and not self._conversation.answering:
            self._responses.finish()
        if not self._responses.current:
            self._requests.restore_settings()
            self._requests.answer_silence()
