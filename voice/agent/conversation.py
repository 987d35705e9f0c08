"""A conversation: audio frames in, events out, with no clock, socket or page of its own.

Time is counted in samples of what is heard, so that a recording replays identically, however
it is cut into frames. Models are shared; all state is here, one object for each conversation.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import numpy as np

from voice.agent.events import Event, Heard, LatencyMeter, Paused, Rang, Resumed, Spoken, Trouble, TurnEnded
from voice.agent.listening.barge_in import BargeIn, Verdict
from voice.agent.listening.echo import Echo
from voice.agent.listening.endpointing import SilenceEndpointer, as_turn_detector
from voice.agent.listening.options import ListeningOptions
from voice.agent.listening.recognition import OpenListener, WholeTurn
from voice.agent.listening.user import User
from voice.agent.options import ConversationOptions
from voice.agent.responder import Responder
from voice.agent.speaking.playback import Playback
from voice.agent.timers import Timers, ring_text
from voice.agent.work import INLINE, Work
from voice.errors import AudioError
from voice.types import Brain, Controls, Message, Recognizer, SpeechDetector, Synthesizer, TurnDetector


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
        """Begin; `work` is where recognizing, thinking and speaking run: INLINE, or THREADS for live sound.

        `listener` opens what recognizes the words of one turn: recognition.live, or WholeTurn for recognizers
        without partial words. The brain's skills set `timers`; `stopwatch` times computing, nothing else.
        """
        self.rate, self._hop = detector.rate, detector.hop
        self.timers = timers or Timers()
        lanes = partial(work.lane, stopwatch)
        turns = as_turn_detector(turns)
        self._user = User(detector, recognizer, turns, listening_options, lanes, listener)
        self._playback = Playback(synthesizer, controls, options.buffer_ahead, self.rate, lanes)
        self._responder = Responder(brain, self._playback, options)
        self._echo = Echo(self.rate)
        self._barge_in = BargeIn(options.barge_in)
        self._withheld: list[Event] = []  # of the person, while it is open whether they take the turn
        self._rest = np.zeros(0, np.float32)  # samples not taken yet: less than a frame
        self._frames = 0

    @property
    def time(self) -> float:
        """Seconds since the beginning."""
        return self._frames * self._hop / self.rate

    @property
    def messages(self) -> list[Message]:
        """What has been said and heard by both; the host may change it."""
        return self._responder.messages

    @property
    def answering(self) -> bool:
        """Whether the agent speaks, or is about to."""
        return self._playback.busy or (self._responder.has_announcements and not self._user.in_turn)

    @property
    def all_said(self) -> bool:
        """Whether all of the present answer's sound has been passed on, though not yet played."""
        return self._playback.busy and self._playback.all_made

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
        """Speak, think, or listen in another way from now on: in the next answers, the next turns."""
        if controls:
            self._playback.change(controls)
        self._responder.brain = brain or self._responder.brain
        self._responder.options = options or self._responder.options
        if turns:
            self._user.turn_detector = as_turn_detector(turns)
        self._user.recognizer = recognizer or self._user.recognizer
        if listening_options:
            self._user.use(listening_options)
        self._responder.drop_prepared()

    def hear(self, frame: np.ndarray) -> Iterator[Event]:
        """Take the next samples, (T,) float32 at `rate`, of any length; yield what happens meanwhile.

        The samples count as heard even if the events are not taken. Raises AudioError for what is no sound.
        """
        frame = np.asarray(frame, np.float32)
        if frame.ndim != 1 or not np.isfinite(frame).all():
            raise AudioError(f"a frame is (T,) finite samples, not {frame.shape}; mix to one channel first")
        self._rest = np.concatenate((self._rest, frame))
        return self._take_frames()

    def collect(self) -> Iterator[Event]:
        """Yield what work in threads has brought since the last frame; else it waits for the next."""
        yield from self._follow_user(self._user.idle())
        yield from self._pass_time()

    def finish(self) -> Iterator[Event]:
        """End the person's turn and wait for the end of the answer; the conversation can go on afterwards."""
        missing = -len(self._rest) % self._hop
        yield from self.hear(np.zeros(missing, np.float32))
        yield from self.commit()
        yield from self.wait()

    def wait(self, seconds: float | None = None) -> Iterator[Event]:
        """Let time pass in which nothing is heard: `seconds`, or until the agent has said everything.

        It passes as fast as the work allows, so this is for recordings, not for live sound.
        """
        end = None if seconds is None else self.time + seconds
        while (self.answering or self._user.ending) if end is None else self.time < end:
            for task in (*self._user.pending, *self._playback.pending):
                task.wait()
            self._frames += 1
            self._playback.play(self._hop)
            yield from self.collect()

    def commit(self) -> Iterator[Event]:
        """End the person's turn, as with a button that is let go; it is answered if `options.answers`.

        Events of it may still come with later frames, where work runs in threads.
        """
        yield from self.settle()
        yield from self._follow_user(self._user.finish())

    def settle(self) -> Iterator[Event]:
        """Wait for the last words of a turn that is over, if there is one: the next would run into it."""
        while self._user.ending:
            for task in self._user.pending:
                task.wait()
            yield from self._follow_user(self._user.idle())

    def forget(self) -> None:
        """Count what is being said as not said, unless its turn is over."""
        self._rest = np.zeros_like(self._rest)
        self._user.drop()
        self._withheld = []
        self._responder.drop_prepared()

    def answer(
        self, messages: Sequence[Message] | None = None, instructions: str | None = None
    ) -> Iterator[Event]:
        """Answer `messages` as they stand (a host may have added some), as if a turn had ended.

        `messages` and `instructions` replace in this one answer what the brain is usually shown.
        """
        yield from self.interrupt()
        del self.messages[: -self._responder.options.max_messages]
        self._responder.meter = LatencyMeter(self.time, self.time)
        self._responder.reply(self.time, messages, instructions)
        yield from self._speak()

    def interrupt(self) -> Iterator[Event]:
        """Fall silent, as the host wants it: Interrupted, if there was an answer."""
        if self._playback.busy:
            yield self._stop()
            yield from self._release()

    def report_played(self, seconds: float) -> None:
        """Note how many seconds of this answer the host has played; what counts as heard follows that."""
        self._playback.report_played(seconds)

    def played(self, seconds: float) -> None:
        """Call `report_played`; the old name, for one more version."""
        warnings.warn("Conversation.played is now report_played", DeprecationWarning, stacklevel=2)
        self.report_played(seconds)

    def close(self) -> None:
        """Throw away the replies and speech in the making: nobody listens any more."""
        self.forget()
        self._playback.stop()

    def _take_frames(self) -> Iterator[Event]:
        while len(self._rest) >= self._hop:
            frame, self._rest = self._rest[: self._hop], self._rest[self._hop :]
            self._frames += 1
            echo = self._echo(frame, self._playback.play(self._hop))
            self._user.overheard(self._playback.busy, self._echo.returning)
            if self._playback.paused and self._user.in_turn:
                echo = False  # what is still heard of us dies away: the rest is theirs
            yield from self._follow_user(self._user.take(frame, self.time, echo))
            yield from self._pass_time()

    # ---- what the person does

    def _follow_user(self, heard: Iterable[Event]) -> Iterator[Event]:
        """Yield what the person does at a moment; withhold it while it is open who has the turn."""
        if not self._playback.busy or not self._responder.options.allow_barge_in:
            for event in [*heard]:
                yield from self._consider(event)
            self._prepare()
            return
        self._withheld += heard
        played = self._playback.audible_text() if self._echo.returning else ""
        asked = self._responder.expects_answer
        judgement = self._barge_in.judge(self.time, self._user, self._withheld, asked, played)
        if judgement.look:
            self._user.look()
        match judgement.verdict:
            case Verdict.PAUSE:
                self._playback.paused = True
                yield Paused(self.time, self._playback.position)
            case Verdict.RESUME:
                yield from self._resume()
            case Verdict.INTERRUPT:
                yield self._stop(self._responder.options.merge_below)
                yield from self._release()

    def _consider(self, event: Event) -> Iterator[Event]:
        """Pass on what the person does, and answer a turn that is over."""
        yield event
        if isinstance(event, TurnEnded):
            self._responder.meter = LatencyMeter(event.ended, max(event.time, self._user.ready))
        elif isinstance(event, Heard) and event.text:
            self._responder.hear(event.text, self.time, event.language)

    def _prepare(self) -> None:
        """Begin the answer at a likely end of the turn."""
        options = self._responder.options
        text = self._user.text_before_likely_end(options.prepare_within)
        if text and options.answers and not self._playback.busy:
            self._responder.prepare(text, max(self.time, self._user.ready), self._user.language)

    def _resume(self) -> Iterator[Event]:
        """Go on speaking: the sound was nothing."""
        if self._playback.paused:
            self._playback.paused = False
            yield Resumed(self.time, self._playback.position)
        turn = self._user.turn
        if turn and turn.recognition.finishing:
            return  # its words are still waited for
        if turn:  # else somebody may still begin
            self._user.drop()
        yield from (event for event in self._withheld if isinstance(event, Trouble))
        self._withheld = []

    def _stop(self, unless_before: float = 0.0) -> Event:
        self._barge_in.reset()
        return self._responder.stop(self.time, unless_before)

    def _release(self) -> Iterator[Event]:
        """Pass on what was withheld: the turn is the person's."""
        events, self._withheld = self._withheld, []
        for event in events:
            yield from self._consider(event)

    # ---- what the agent does

    def _pass_time(self) -> Iterator[Event]:
        """Do what happens by itself at this moment: timers, the answer, its end."""
        for timer in self.timers.ring(self.time):
            yield Rang(self.time, timer)
            self._responder.announce(ring_text(timer))
        if not self._playback.busy and not self._user.in_turn:
            self._responder.say_what_waits(self.time)
        if self._playback.busy:
            yield from self._speak()

    def _speak(self) -> Iterator[Event]:
        for event in self._responder.speak(self.time):
            yield event
            if isinstance(event, Spoken):
                if self._user.in_turn:  # they began as we ended: the turn is theirs
                    yield from self._release()
                self._withheld = []
                self._barge_in.reset()
