"""One client's session: its commands in, the protocol's events out, a conversation in the middle.

No socket and no thread of its own: whoever runs it calls `take` for each command and `tick` when
`patience` seconds have passed without one. Time is the client's sound; where none comes, the clock's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from voice.agent.events import Event, Interrupted, SpeechStarted, Spoken, TurnEnded
from voice.errors import VoiceError
from voice.serve.realtime import client_events as client
from voice.serve.realtime.audio_formats import InputDecoder
from voice.serve.realtime.clock import AudioClock
from voice.serve.realtime.configuration import (
    Configuration,
    Voices,
    chosen_voice,
    modality,
    offered,
    rendered,
    sound_format,
    updated,
)
from voice.serve.realtime.event_sender import EventSender
from voice.serve.realtime.fields import Fields, ProtocolError
from voice.serve.realtime.items import heard_only, new_id, read_item
from voice.serve.realtime.response import RealtimeResponse
from voice.serve.realtime.response_events import ResponseEvents
from voice.serve.realtime.session_agent import Agent, Asked
from voice.serve.realtime.user_turn_events import UserTurnEvents
from voice.types import Message

SPEAKING_STALL = 1.0  # seconds without a client's sound, while it speaks, that are silence rather than delay
LISTENING_STALL = 0.25  # the same while it only listens
TICK = 0.02  # seconds between two looks at an answer that no sound of the client drives
IDLE_TICK = 0.5  # the same where only timers run
MAX_TICK = 1.0  # seconds that pass in one tick at most
MIN_COMMIT = 0.1  # seconds that a client can commit at least, as the protocol has it
_IDLE_PROMPT = "The person has said nothing for a while. Ask briefly whether they are still there."
_CHUNK = 0.1  # seconds of appended sound that are heard at once, so that answers flow in between


class Session:
    """The state of one connection. All methods belong to one thread."""

    def __init__(
        self,
        agent: Agent,
        line: EventSender,
        *,
        voices: Voices,
        beta: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`line` takes server events; `voices` knows ours by the client's names for them; `beta` shows
        settings in their old shape; `clock` gives seconds."""
        self.id, self._beta = new_id("sess"), beta
        self._agent, self._talk, self._line = agent, agent.conversation, line
        self._voices, self._clock = voices, clock
        self._inlet = InputDecoder(line.configuration.input, self._talk.rate)
        self._sent = AudioClock(self._talk.rate)
        self._turns = UserTurnEvents(line, self._sent, lambda: agent.understood(line.configuration))
        self._speech = ResponseEvents(line, self._turns.items)
        self._appended = 0.0  # seconds since the last turn
        self._wanted: Fields | None = None  # a response to a turn that is still being recognized
        self._passed = clock()  # up to when the conversation has been told of time
        self._heard = -np.inf  # when the client's sound last came
        self._idle_since: float | None = None  # when the last answer ended, by the conversation's time

    def start(self) -> None:
        shown = rendered(self._settings, self.id, self._beta)
        self._line.send({"type": "session.created", "session": shown})
        about = {"id": "conversation", "object": "realtime.conversation"}
        self._line.send({"type": "conversation.created", "conversation": about})

    def close(self) -> None:
        """Nobody listens any more."""
        self._agent.tools.go_on()
        self._talk.close()

    def take(self, command: client.ClientEvent) -> None:
        """Does what a client asks. What cannot be done becomes an `error` event."""
        try:
            self._follow(command)
            self._flow()
        except ProtocolError as error:
            error.event_id = error.event_id or command.id
            self.refuse(error)
        except VoiceError as error:
            self.refuse(ProtocolError(str(error), event_id=command.id))

    def refuse(self, error: ProtocolError, kind: str = "invalid_request_error") -> None:
        """Tells the client what was wrong."""
        about = {"type": kind, "code": error.code, "message": str(error)}
        about |= {"param": error.param or None, "event_id": error.event_id or None}
        self._line.send({"type": "error", "error": about})

    @property
    def patience(self) -> float | None:
        """Seconds after which `tick` is due; None while nothing happens by itself."""
        talk = self._talk
        active = talk.answering or self._speech.answer or self._turns.awaited
        active = active or (talk.listening and not self._manual)
        if not active and not talk.timers.pending and not self._waits_for_the_person:
            return None
        beat = TICK if active else IDLE_TICK
        return max(beat, self._heard + self._stall - self._clock())

    def tick(self) -> None:
        """Takes up what is done by now, and lets time pass if the client's sound does not."""
        self._take_up(self._talk.collect)
        now = self._clock()
        if self.patience is None or now - self._heard < self._stall:
            return
        seconds = min(MAX_TICK, now - self._passed)
        self._passed = now
        silence = np.zeros(round(seconds * self._talk.rate), np.float32)
        self._sent.silence(len(silence))
        self._take_up(lambda: self._talk.hear(silence))

    def _take_up(self, happened: Callable[[], Iterable[Event]]) -> None:
        try:
            self._happened(happened())
            self._flow()
        except VoiceError as error:
            self.refuse(ProtocolError(str(error), "failed"), "server_error")

    @property
    def _settings(self) -> Configuration:
        return self._line.configuration

    @property
    def _manual(self) -> bool:
        """Whether the client says where turns end, so that its silence means nothing."""
        return self._settings.detection is None

    @property
    def _waits_for_the_person(self) -> bool:
        """Whether an answer has ended, after which a long silence is answered too."""
        detection = self._settings.detection
        idles = detection is not None and detection.kind == "server_vad" and detection.idle is not None
        return idles and self._settings.answers and self._idle_since is not None

    @property
    def _stall(self) -> float:
        return SPEAKING_STALL if self._talk.listening else LISTENING_STALL

    def _follow(self, command: client.ClientEvent) -> None:
        match command:
            case client.AppendAudio(audio=audio):
                self._hear(audio)
            case client.UpdateSession(session=session):
                self._update(session)
            case client.CommitAudio():
                self._commit()
            case client.ClearAudio():
                self._clear()
            case client.CreateItem(item=item, after=after):
                self._turns.create(item, after)
                self._agent.tools.told(item.call, item.text)
                self._remember()
            case client.DeleteItem(item=item):
                self._turns.items.delete(item)
                self._line.send({"type": "conversation.item.deleted", "item_id": item})
                self._remember()
            case client.RetrieveItem(item=item):
                shown = self._turns.items.get(item).rendered()
                self._line.send({"type": "conversation.item.retrieved", "item": shown})
            case client.TruncateItem(item=item, end=end):
                self._truncate(item, end)
            case client.CreateResponse(wanted=wanted):
                self._respond(wanted)
            case client.CancelResponse() | client.ClearOutput():
                self._silence(command)
            case client.AudioPlayed(item=item, seconds=seconds):
                if self._speech.answer and item in ("", self._speech.answer.item.id):
                    self._talk.played(seconds)

    # ---- the client's sound

    def _hear(self, audio: bytes) -> None:
        form = self._settings.input
        size = form.width * round(_CHUNK * form.rate)
        if self._talk.answering and self._clock() - self._heard > MAX_TICK:
            self.tick()  # what passed before this sound came
        for at in range(0, len(audio), size):
            piece = audio[at : at + size]
            samples = self._inlet(piece)
            self._appended += form.seconds(piece)
            self._sent.audio(form.seconds(piece), len(samples))
            self._turns.level(samples, self._talk.rate)
            self._heard = self._passed = self._clock()
            self._happened(self._talk.hear(samples))
            self._flow()

    def _commit(self) -> None:
        if self._appended < MIN_COMMIT:
            raise ProtocolError(
                "there is less than 0.1 s of sound to commit; append some first",
                "input_audio_buffer_commit_empty",
            )
        self._happened(self._talk.settle())  # the turn committed before, which is not part of this one
        if self._talk.listening and self._settings.yields:
            self._happened(self._talk.interrupt())  # what is committed is a turn, whoever else speaks
        self._turns.commit(self._talk.listening, self._appended)
        self._appended = 0.0
        self._happened(self._talk.commit())

    def _clear(self) -> None:
        self._talk.forget()
        self._turns.forget(ending=self._talk.listening)
        self._appended = 0.0
        self._inlet = InputDecoder(self._settings.input, self._talk.rate)
        self._line.send({"type": "input_audio_buffer.cleared"})

    # ---- answers

    def _respond(self, wanted: Fields) -> None:
        if self._settings.kind == "transcription":
            raise ProtocolError("a transcription session gives no responses", "invalid_request")
        if self._speech.waiting and self._talk.answering:
            self._speech.begin(
                RealtimeResponse(self._configured(wanted), metadata=wanted.values.get("metadata"))
            )
            self._agent.tools.go_on()
            return
        if self._speech.answer or self._wanted or self._talk.answering:
            raise ProtocolError(
                "there is a response already; cancel it or wait for response.done",
                "conversation_already_has_active_response",
            )
        configuration = self._configured(wanted)  # raises before anything is begun
        if self._turns.awaited:
            self._wanted = wanted
            return
        own = wanted.text("instructions", "") if "instructions" in wanted else None
        shown = self._shown(wanted)
        apart = wanted.choice("conversation", ("auto", "none"), "auto") == "none"
        self._begin(RealtimeResponse(configuration, apart, wanted.values.get("metadata")), Asked(own, shown))

    def _begin(self, answer: RealtimeResponse, asked: Asked) -> None:
        """A response that no turn of the person's has asked for."""
        now, agent = answer.configuration, self._agent
        agent.mind.asked = asked
        agent.throat.silent = now.modality == "text"
        agent.throat.voice = agent.voice(now.voice)
        agent.offer(now)
        self._idle_since = None
        self._speech.begin(answer)
        self._passed = self._clock()
        self._happened(self._talk.answer())

    def _answer_silence(self) -> None:
        """Ask whether the person is still there, where they have said nothing for long."""
        busy = self._talk.answering or self._talk.listening or self._speech.answer or self._turns.awaited
        if not self._waits_for_the_person or busy:
            return
        since = self._idle_since
        if self._talk.time - since >= self._settings.detection.idle:
            self._turns.time_out(since)
            shown = (*self._turns.items.messages(), Message("system", _IDLE_PROMPT), Message("user", ""))
            self._begin(RealtimeResponse(self._settings), Asked(None, shown))

    def _shown(self, wanted: Fields) -> tuple[Message, ...] | None:
        """What a response is to answer instead of the conversation; None for the conversation."""
        if wanted.values.get("input") is None:
            return None
        items = []
        for each in wanted.each("input", 200):
            refers = each.values.get("type") == "item_reference"
            items.append(self._turns.items.get(each.text("id")) if refers else read_item(each))
        return tuple(message for item in items if (message := item.message()))

    def _configured(self, wanted: Fields) -> Configuration:
        """The session's settings with those of one response."""
        audio = wanted.inner("audio")
        output = (audio.inner("output") if audio else None) or wanted
        form = sound_format(output, "format", self._settings.output)
        voice = chosen_voice(output, self._settings.voice, self._voices)
        kind = modality(wanted, self._settings.modality)
        tools = offered(wanted, self._settings)
        return replace(self._settings, modality=kind, voice=voice, output=form, **tools)

    def _silence(self, command: client.CancelResponse | client.ClearOutput) -> None:
        active = self._speech.answer
        cancels = isinstance(command, client.CancelResponse)
        if cancels and (not active or command.response not in ("", active.id)):
            raise ProtocolError("there is no such response under way", "response_cancel_not_active")
        self._interrupt()
        if not cancels:
            about = {"response_id": active.id if active else ""}
            self._line.send({"type": "output_audio_buffer.cleared"} | about)

    def _interrupt(self) -> None:
        self._happened(self._talk.interrupt(), "client_cancelled")
        self._speech.cancel("client_cancelled")  # where there was nothing yet to interrupt
        self._settle()

    def _truncate(self, item: str, end: float) -> None:
        if self._speech.answer and self._speech.answer.item.id == item:
            self._talk.played(end)
            self._interrupt()
        whole = self._turns.items.get(item)
        if whole.role != "assistant":
            raise ProtocolError("only what the assistant said can be truncated", param="item_id")
        self._turns.items.put(heard_only(whole, self._speech.heard(whole, end)))
        self._line.send(
            {
                "type": "conversation.item.truncated",
                "item_id": item,
                "content_index": 0,
                "audio_end_ms": round(end * 1000),
            }
        )
        self._remember()

    # ---- settings and what follows from events

    def _update(self, session: Fields) -> None:
        after = updated(self._settings, session, self._voices)
        self._agent.use(after)  # which may refuse it
        if after.input is not self._settings.input:
            self._inlet = InputDecoder(after.input, self._talk.rate)
        self._line.configuration = after
        self._line.send({"type": "session.updated", "session": rendered(after, self.id, self._beta)})

    def _happened(self, events: Iterable[Event], reason: str = "turn_detected") -> None:
        for event in events:
            if isinstance(event, TurnEnded) and not self._turns.committed:
                self._appended = 0.0
            if isinstance(event, Interrupted | Spoken):
                self._agent.tools.go_on()
            if isinstance(event, SpeechStarted | Spoken):
                self._idle_since = event.time if isinstance(event, Spoken) else None
            self._turns.follow(event)
            self._speech.follow(event, reason)
        if self._wanted and not self._turns.awaited:
            wanted, self._wanted = self._wanted, None
            self._respond(wanted)

    def _flow(self) -> None:
        """Passes on the sound that is due and calls, and ends an answer that came to nothing."""
        for call in self._agent.tools.asked():
            self._speech.call(call)
        answer = self._speech.answer
        self._speech.flow(self._talk.time, self._talk.all_said)
        if answer and self._speech.answer is answer and not self._talk.answering:
            self._speech.finish()
        if not self._speech.answer:
            self._settle()
            self._answer_silence()

    def _settle(self) -> None:
        """After a response of its own kind, the session's settings hold again."""
        mind, throat = self._agent.mind, self._agent.throat
        if mind.asked is not None and not self._wanted:
            mind.asked = None
            throat.silent = self._settings.modality == "text"
            throat.voice = self._agent.voice(self._settings.voice)
            self._agent.offer(self._settings)
            self._remember()

    def _remember(self) -> None:
        """What the brain is shown follows what the client made of the conversation."""
        self._talk.messages[:] = self._turns.items.messages()
