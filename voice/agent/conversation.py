"""A conversation: audio frames in, events out, with no clock, socket or page of its own.

Time is counted in samples of what is heard, so that a recording replays identically, however
it is cut into frames. Models are shared; all state is here, one object for each conversation.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np

from voice.agent.events import (
    Event,
    Heard,
    Interrupted,
    LatencyMeter,
    Paused,
    Rang,
    Reply,
    Resumed,
    Speaking,
    Spoken,
    Trouble,
    TurnEnded,
)
from voice.agent.listening.barge_in import BargeIn, Verdict
from voice.agent.listening.echo import Echo
from voice.agent.listening.endpointing import SilenceEndpointer, as_turn_detector
from voice.agent.listening.options import ListeningOptions
from voice.agent.listening.recognition import OpenListener, WholeTurn
from voice.agent.listening.user import User
from voice.agent.options import ConversationOptions
from voice.agent.speaking.playback import Playback
from voice.agent.speaking.response import Response
from voice.agent.speculative import Prepared, prepare
from voice.agent.timers import Timers, ring_text
from voice.agent.work import INLINE, Work
from voice.errors import AudioError, BrainError, VoiceError
from voice.types import (
    Brain,
    Controls,
    Message,
    Recognizer,
    SpeculativeReply,
    SpeechDetector,
    Synthesizer,
    TurnDetector,
)

APOLOGY = "Sorry, I can't think of an answer just now. Please try again."
Messages = tuple[Message, ...]


class Conversation:
    """One person and the agent. `rate` is that of the samples it hears (Hz)."""

    def __init__(
        self,
        detector: SpeechDetector,
        recognizer: Recognizer,
        synthesizer: Synthesizer,
        brain: Brain,
        *,
        turns: TurnDetector = SilenceEndpointer(),
        timers: Timers | None = None,
        controls: Controls = Controls(),
        listening_options: ListeningOptions = ListeningOptions(),
        options: ConversationOptions = ConversationOptions(),
        work: Work = INLINE,
        listener: OpenListener = WholeTurn,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`work` is where recognizing, thinking and speaking run: INLINE, or THREADS for live sound.

        `listener` opens what recognizes the words of one turn: recognition.live, or WholeTurn for
        recognizers without partial words. `timers` are those that the brain's skills set; `stopwatch` times
        computing, nothing else.
        """
        self.rate, self._hop = detector.rate, detector.hop
        self.messages: list[Message] = []  # what has been said and heard by both
        self.timers = timers or Timers()
        self._brain, self._options = brain, options
        lanes = partial(work.lane, stopwatch)
        self._user = User(detector, recognizer, as_turn_detector(turns), listening_options, lanes, listener)
        self._playback = Playback(synthesizer, controls, options.ahead, self.rate, lanes)
        self._echo = Echo(self.rate)
        self._barge_in = BargeIn(options.barge_in)
        self._withheld: list[Event] = []  # of the person, while it is open whether they take the turn
        self._prepared: tuple[Messages, Response] | None = None  # what may be asked, and the answer to it
        self._owed = False  # an answer to what was said while the agent did not yield
        self._announcements: list[str] = []
        self._rest = np.zeros(0, np.float32)
        self._frames = 0
        self._latency: LatencyMeter | None = None  # the turn being answered

    @property
    def time(self) -> float:
        """Seconds since the beginning."""
        return self._frames * self._hop / self.rate

    @property
    def answering(self) -> bool:
        """Whether the agent speaks, or is about to."""
        return self._playback.busy or bool(self._announcements and not self._user.in_turn)

    @property
    def all_said(self) -> bool:
        """Whether all of the present answer's sound has been passed on, though not yet played."""
        return self._playback.busy and self._playback.whole

    @property
    def listening(self) -> bool:
        """Whether the person is in the middle of a turn."""
        return self._user.in_turn

    def use(
        self,
        controls: Controls | None = None,
        *,
        brain: Brain | None = None,
        turns: TurnDetector | None = None,
        options: ConversationOptions | None = None,
        listening_options: ListeningOptions | None = None,
        recognizer: Recognizer | None = None,
    ) -> None:
        """From now on speaks, thinks, or listens in another way: the next answers, the next turns."""
        if controls:
            self._playback.change(controls)
        self._brain = brain or self._brain
        self._options = options or self._options
        if turns:
            self._user.turn_detector = as_turn_detector(turns)
        self._user.recognizer = recognizer or self._user.recognizer
        if listening_options:
            self._user.use(listening_options)
        self._unprepare()

    def hear(self, frame: np.ndarray) -> Iterator[Event]:
        """The next samples, (T,) float32 at `rate`, of any length; what happens meanwhile.

        The samples count as heard even if the events are not taken. Raises AudioError where the
        samples are no sound.
        """
        frame = np.asarray(frame, np.float32)
        if frame.ndim != 1 or not np.isfinite(frame).all():
            raise AudioError(f"a frame is (T,) finite samples, not {frame.shape}; mix to one channel first")
        self._rest = np.concatenate((self._rest, frame))
        return self._work()

    def collect(self) -> Iterator[Event]:
        """What work in threads has brought since the last frame; else it waits for the next."""
        yield from self._take(self._user.idle())
        yield from self._pass_time()

    def finish(self) -> Iterator[Event]:
        """No more is said for now: who was speaking is done, and hears the answer to its end.

        The conversation can go on afterwards.
        """
        missing = -len(self._rest) % self._hop
        yield from self.hear(np.zeros(missing, np.float32))
        yield from self.commit()
        yield from self.wait()

    def wait(self, seconds: float | None = None) -> Iterator[Event]:
        """Time in which nothing is heard: `seconds` of it, or until the agent has said everything.

        It passes as fast as the work allows, so this is for recordings, not for live sound.
        """
        end = None if seconds is None else self.time + seconds
        while self._unsaid if end is None else self.time < end:
            for task in (*self._user.pending, *self._playback.pending):
                task.wait()
            self._frames += 1
            self._playback.play(self._hop)
            yield from self.collect()

    def commit(self) -> Iterator[Event]:
        """The person's turn is over, as by a button that is let go; it is answered if `options.answers`.

        Events of it may still come with later frames, where work runs in threads.
        """
        yield from self.settle()
        yield from self._take(self._user.finish())

    def settle(self) -> Iterator[Event]:
        """Waits for the last words of a turn that is over, if there is one: the next would run into it."""
        while self._user.ending:
            for task in self._user.pending:
                task.wait()
            yield from self._take(self._user.idle())

    def forget(self) -> None:
        """What is being said counts as not said, unless its turn is over."""
        self._rest = np.zeros_like(self._rest)
        self._user.drop()
        self._withheld = []
        self._unprepare()

    def answer(self) -> Iterator[Event]:
        """Answers `messages` as they stand (a host may have added some), as if a turn had ended."""
        yield from self.interrupt()
        del self.messages[: -self._options.memory]
        self._latency = LatencyMeter(self.time, self.time)
        self._reply(tuple(self.messages))
        yield from self._speak()

    def interrupt(self) -> Iterator[Event]:
        """The host wants silence: Interrupted, if there was an answer."""
        if self._playback.busy:
            yield self._stop()
            yield from self._released()

    def played(self, seconds: float) -> None:
        """The host has truly played so much of the present answer's sound, asides included.

        What counts as heard after an interruption follows the last report, if there ever is one.
        """
        self._playback.played(seconds)

    def close(self) -> None:
        """Nobody listens any more: what is thought or spoken is thrown away."""
        self.forget()
        self._playback.stop()

    @property
    def _unsaid(self) -> bool:
        return self.answering or self._user.ending

    def _work(self) -> Iterator[Event]:
        while len(self._rest) >= self._hop:
            frame, self._rest = self._rest[: self._hop], self._rest[self._hop :]
            self._frames += 1
            echo = self._echo(frame, self._playback.play(self._hop))
            self._user.overheard(self._playback.busy, self._echo.returning)
            if self._playback.paused and self._user.in_turn:
                echo = False  # what is still heard of us dies away: the rest is theirs
            yield from self._take(self._user.take(frame, self.time, echo))
            yield from self._pass_time()

    # ---- what the person does

    def _take(self, heard: Iterable[Event]) -> Iterator[Event]:
        """What the ear has made of a moment; withheld while it is open who has the turn."""
        events = list(heard)
        if not self._playback.busy or not self._options.yields:
            for event in events:
                yield from self._consider(event)
            self._prepare()
            return
        self._withheld += events
        played = self._playback.sounding() if self._echo.returning else ""
        judgement = self._barge_in.judge(self.time, self._user, self._withheld, self._asked(), played)
        if judgement.look:
            self._user.look()
        match judgement.verdict:
            case Verdict.PAUSE:
                self._playback.paused = True
                yield Paused(self.time, self._playback.position)
            case Verdict.RESUME:
                yield from self._resume()
            case Verdict.INTERRUPT:
                yield self._stop(self._options.merged)
                yield from self._released()

    def _consider(self, event: Event) -> Iterator[Event]:
        yield event
        if isinstance(event, TurnEnded):
            self._latency = LatencyMeter(event.ended, max(event.time, self._user.ready))
        elif isinstance(event, Heard) and event.text:
            self._messages_with(event.text)
            if self._playback.busy:
                self._owed = True
            elif self._options.answers:
                self._reply(tuple(self.messages))

    def _asked(self) -> bool:
        """Whether the agent has all but ended with a question, so that "yes" is an answer."""
        return self._playback.remaining < 1.0 and self._playback.said.rstrip().endswith("?")

    def _resume(self) -> Iterator[Event]:
        if self._playback.paused:
            self._playback.paused = False
            yield Resumed(self.time, self._playback.position)
        turn = self._user.turn
        if not (turn and turn.recognition.finishing):  # else its words are still waited for
            if self._user.in_turn:  # else somebody may still begin
                self._user.drop()
            yield from (event for event in self._withheld if isinstance(event, Trouble))
            self._withheld = []

    def _stop(self, unless_before: float = 0.0) -> Event:
        position, heard = self._playback.position, self._playback.stop()
        self._barge_in.reset()
        self._latency = None
        if heard and position >= unless_before:
            self.messages.append(Message("assistant", heard))
        return Interrupted(self.time, heard, position)

    def _released(self) -> Iterator[Event]:
        events, self._withheld = self._withheld, []
        for event in events:
            yield from self._consider(event)

    # ---- what the agent does

    def _messages_with(self, text: str) -> None:
        """The person has said something; before a word of an answer to it, they have only gone on."""
        if self.messages and self.messages[-1].role == "user" and self._options.answers:
            text = f"{self.messages.pop().content} {text}"
        self.messages.append(Message("user", text))
        del self.messages[: -self._options.memory]

    def _prepare(self) -> None:
        """Begins the answer at a likely end of the turn, to be thrown away if the person goes on."""
        user, turn = self._user, self._user.turn
        if turn is None or not (turn.recognition.is_final and turn.recognition.text):
            return
        if user.speaking or self._playback.busy or not self._options.answers:
            return
        endpoint = turn.pause.endpoint_after
        if endpoint is None or endpoint - user.silence > self._options.likely:
            return
        asked, messages = self.messages, list(self.messages)
        self.messages = messages
        self._messages_with(turn.recognition.text)
        self.messages, messages = asked, tuple(messages)
        if not self._prepared or self._prepared[0] != messages:
            self._unprepare()
            self._prepared = messages, self._begun(messages, max(self.time, user.ready))

    def _unprepare(self) -> None:
        if self._prepared:
            self._prepared[1].close()
        self._prepared = None

    def _reply(self, messages: Messages) -> None:
        if self._prepared and self._prepared[0] == messages:
            answer, self._prepared = self._prepared[1], None
        else:
            self._unprepare()
            answer = self._begun(messages, self._latency.turn_end if self._latency else self.time)
        self._owed = False
        self._playback.say(answer, self.time)

    def _begun(self, messages: Messages, now: float) -> Response:
        brain = self._brain
        return self._playback.prepare(lambda: prepare(brain, messages), now)

    def _announce(self, text: str) -> None:
        self._playback.say(self._playback.prepare(lambda: _said(text), self.time), self.time)

    def _pass_time(self) -> Iterator[Event]:
        """What happens by itself at this moment: timers, the answer, its end."""
        for timer in self.timers.ring(self.time):
            yield Rang(self.time, timer)
            self._announcements.append(ring_text(timer))
        if not self._playback.busy and not self._user.in_turn:
            if self._announcements:
                self._announce(self._announcements.pop(0))
            elif self._owed and self._options.answers:
                self._reply(tuple(self.messages))
        if self._playback.busy:
            yield from self._speak()

    def _speak(self) -> Iterator[Event]:
        try:
            for event, ready in self._playback.speak(self.time):
                yield event
                yield from self._measure(event, ready)
        except VoiceError as error:
            yield Trouble(self.time, str(error))
            if isinstance(error, BrainError) and not self._playback.said:
                self._announce(error.sayable or APOLOGY)
        yield from self._playback.fill(self.time, self._options.filler_after)
        if self._playback.finished():
            yield from self._spoken()

    def _spoken(self) -> Iterator[Event]:
        said = self._playback.said.strip()
        if said or (self.messages and self.messages[-1].role == "user"):  # silence may be the answer
            self.messages.append(Message("assistant", said))
        yield Spoken(self.time, said)
        if self._user.in_turn:  # they began as we ended: the turn is theirs
            yield from self._released()
        self._withheld = []
        self._barge_in.reset()

    def _measure(self, event: Event, ready: float) -> Iterator[Event]:
        meter = self._latency
        if meter and isinstance(event, Reply):
            meter.first_words = meter.first_words or ready
        elif meter and isinstance(event, Speaking):
            self._latency = None
            yield meter.measure(self.time, ready)


def _said(text: str) -> SpeculativeReply:
    return Prepared(lambda turn: (piece for piece in (text,)))
