"""The hearing half of a conversation: frames in, what the person says and when they are done out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from voice.agent.events import Event, Heard, Partial, SpeechEnded, SpeechStarted, Trouble, TurnEnded
from voice.agent.listening.onset import OnsetDetector
from voice.agent.listening.recognition import Listener, OpenListener, WholeTurn, text_of
from voice.agent.work import Lane, Task
from voice.errors import VoiceError
from voice.types import Audio, Recognizer, SpeechDetector, TurnDetector, Word
from voice.vad import Hysteresis, Region, Thresholds

FAILED = 0.8  # seconds of silence that end a turn whose words could not be recognized
CLEAR = 0.8  # P(speech) below which a pause may begin, whose words should not have to wait for a partial's
ONSET = 3  # frames of an echo that may hold the beginning of somebody's speech
JUDGED = 8.0  # seconds of a turn's end from which its patience is judged
PAUSED = 2.0  # seconds of silence in a turn after which a word is waited for anew
SILENT = 5.0  # seconds of a silence inside a turn that are held at most before the recognizer is given them


@dataclass(frozen=True)
class ListeningOptions:
    """How a conversation listens, in seconds.

    A pause is already a short silence, so that the words so far can be recognized, and an answer
    prepared, while it is still open whether the turn is over.
    """

    thresholds: Thresholds = Thresholds(shortest_speech=0.064, shortest_silence=0.096)
    over: float = 0.16  # shortest silence while the agent speaks too: a word or two must not be judged apart
    echoing: float = 0.1  # shortest speech while the agent hears itself
    pre_roll: float = 0.4  # kept from before the first sure sound, so that no syllable is lost
    often: float = 0.1  # what the recognizer is given at once
    stale: float = 7.0  # a turn without a new word for so long is looked at, and ended if there is none
    longest_turn: float = 60.0
    language: str | None = None
    hotwords: tuple[str, ...] = ()


class UserTurn:
    """One person's side of one conversation.

    `text` and `words` are those of the turn so far; `known` says whether they are final for the
    speech up to now, `ready` since when (see Task.ready), and `looks` how often they were.
    """

    def __init__(
        self,
        detector: SpeechDetector,
        recognizer: Recognizer,
        turns: TurnDetector,
        hearing: ListeningOptions,
        lanes: Callable[[], Lane],
        listening: OpenListener = WholeTurn,
    ) -> None:
        self.turns, self.hearing = turns, hearing
        self.recognizer, self._listening = recognizer, listening
        self._lane, self._other_lane = lanes(), lanes()
        self._probability = detector.stream()
        self._rate, self._hop = detector.rate, detector.hop
        self._hysteresis = Hysteresis(hearing.thresholds, self._seconds(1))
        self._overheard = (False, False)
        self._suspicion = OnsetDetector()
        self.suspected = False  # whether somebody may be about to speak
        self._count = 0  # frames so far
        self._now = 0.0  # the conversation's time at the end of the last of them
        self._held: list[np.ndarray] = []  # the turn's last seconds, or the pre-roll
        self.ready = 0.0
        self._chances = [0.0, 0]  # sum and number, since the last pause
        self._forget_turn()

    def _forget_turn(self) -> None:
        self._began: float | None = None  # the turn's first sound
        self._last = 0  # frame after the last sound
        self._listener: Listener | None = None
        self._origin = 0.0  # the time of the listener's first sample
        self._unfed: list[np.ndarray] = []
        self._feeding: Task | None = None
        self._looking: Task | None = None  # for the final words so far
        self._judging: Task | None = None  # whether its sound is complete, up to frame `_judged`
        self._judged = -1
        self.patience: float | None = None  # how long a silence ends the turn, in this pause
        self.looks = 0
        self._looked: int | None = None  # the frame after the last sound of a glance ahead
        self._news = self._now  # when there was a new word
        self._stale = self._ending = False
        self._late: list[tuple[np.ndarray, float, bool]] = []  # frames since, while it is ending
        self._again = False  # whether there is more to look at than what is being looked at
        self.text, self.words = "", ()
        self.known = False

    @property
    def in_turn(self) -> bool:
        """Whether the person has begun and not yet ended a turn."""
        return self._began is not None

    @property
    def speaking(self) -> bool:
        """Whether they speak at this moment, rather than pause."""
        return self._hysteresis.speaking

    @property
    def silence(self) -> float:
        """Seconds of the pause up to now."""
        return 0.0 if self.speaking else self._seconds(self._count - self._last)

    @property
    def voiced(self) -> float:
        """Seconds of speech without a pause up to now."""
        if not self.speaking:
            return 0.0
        return self._seconds(self._count - self._hysteresis.since - self._hysteresis.quiet)

    @property
    def sure(self) -> float:
        """How likely what is heard since the last pause is speech, on average."""
        return self._chances[0] / max(1, self._chances[1])

    @property
    def looking(self) -> bool:
        """Whether the final words so far are being made."""
        return self._looking is not None

    @property
    def pending(self) -> list[Task]:
        """What is being worked on just now."""
        return [task for task in (self._feeding, self._looking, self._judging) if task]

    def overheard(self, speaks: bool, echoes: bool) -> None:
        """Whether the agent speaks at this moment, and whether it hears itself: then more makes a speech."""
        if (speaks, echoes) == self._overheard:
            return
        self._overheard, usual = (speaks, echoes), self.hearing.thresholds
        silence = max(usual.shortest_silence, self.hearing.over if speaks else 0.0)
        speech = max(usual.shortest_speech, self.hearing.echoing if speaks and echoes else 0.0)
        self._hysteresis.use(replace(usual, shortest_speech=speech, shortest_silence=silence))

    def take(self, frame: np.ndarray, now: float, echo: bool = False) -> Iterator[Event]:
        """The next (hop,) samples, which end at `now`; an `echo` is sound of our own.

        It begins no speech and, unless somebody speaks, is not kept: in a pre-roll it would be taken for
        theirs, while in the middle of speech it may be theirs after all.
        """
        self._count, self._now = self._count + 1, now
        if self._ending:  # what comes before its last words are known is no part of it
            self._late.append((frame, now, echo))
            yield from self._collect()
            return
        chance = self._probability(frame)
        self._hold(frame)
        if echo and not self.in_turn:
            del self._held[:-ONSET]
        self._sum_chances(chance)
        was_speaking = self.speaking
        returns = echo or self._overheard[1]  # a suspicion would be of our own voice too often
        self.suspected = self._suspicion(frame, 0.0 if returns else chance)
        region = self._hysteresis(0.0 if echo else chance)
        if self.speaking and not was_speaking:
            yield self._start()
        if region:
            yield from self._pause(region)
        if self.in_turn:
            if self._hysteresis.quiet == 1:
                self._look_ahead()
            if chance >= CLEAR:
                self._feed()
            elif self._seconds(len(self._unfed)) >= SILENT:
                self._feed_silence()
            yield from self._collect()
            yield from self._bounded()
        else:
            self._trim()

    def look(self) -> None:
        """Have the final words so far made now; `known` when they are there."""
        self._again = self._looking is not None
        if not self.in_turn or self._again:
            return
        sound, listener = self._taken(), self._listener
        self.known = False

        def words() -> tuple[str, tuple[Word, ...]]:
            listener.feed(sound)
            return text_of(listener.finish())

        self._looking = self._lane.start(words, self._now)
        if not self.speaking or self._stale:
            self._listen(self._count if self.speaking else self._last)

    def _look_ahead(self) -> None:
        """Perhaps a pause: five times of six it is. So its sound is judged and its words are made at once.

        While the agent speaks, who only listens says a word or two, which are not asked for twice.
        """
        end = self._count - self._hysteresis.quiet
        self._listen(end)
        if not (self._looking or self._overheard[0]):
            self.patience, self._looked = None, end
            self.look()

    def _listen(self, end: int) -> None:
        """Hear whether the turn's sound up to frame `end` is complete, unless that is under way."""
        if self._judging and self._judged == end:
            return
        turns, frames = self.turns, max(1, len(self._held) - (self._count - end))
        turn = Audio(np.concatenate(self._held[:frames]), self._rate)
        self._judged, self._judging = end, self._other_lane.start(lambda: turns.probability(turn), self._now)

    def drop(self) -> None:
        """What has been said in this turn is no turn; speech that goes on begins another.

        A turn that is over, whose last words are waited for, is one: only what came since is dropped.
        """
        self._hysteresis.finish()
        self._held = self._held[-1:]
        self._suspect_nobody()
        if self._ending:
            self._late = [(np.zeros_like(frame), now, echo) for frame, now, echo in self._late]
        else:
            self._forget_turn()

    def finish(self) -> Iterator[Event]:
        """No more will be heard for now: who was speaking is done. In threads the end comes later."""
        region = self._hysteresis.finish()
        self._suspect_nobody()
        if self.in_turn:
            self._ending = True
            if region:
                yield from self._pause(region)
            yield from self._collect()

    def use(self, hearing: ListeningOptions) -> None:
        """Listens in another way from the next turn on; where somebody speaks, thresholds stay."""
        if hearing.thresholds != self.hearing.thresholds and self._hysteresis.since is None:
            self._hysteresis = Hysteresis(hearing.thresholds, self._seconds(1), self._count)
            self._overheard = (False, False)
        self.hearing = hearing

    def idle(self) -> Iterator[Event]:
        """What the work has brought, in a moment in which nothing is heard."""
        if self.in_turn:
            yield from self._collect()

    @property
    def ending(self) -> bool:
        """Whether the turn is over and only its last words are waited for."""
        return self._ending

    def _suspect_nobody(self) -> None:
        """Else the last frame would be suspected for as long as no other comes."""
        self._suspicion.forget()
        self.suspected = False

    def _hold(self, frame: np.ndarray) -> None:
        self._held.append(frame)
        if self.in_turn:
            self._unfed.append(frame)
            del self._held[: max(0, len(self._held) - round(JUDGED / self._seconds(1)))]

    def _sum_chances(self, chance: float) -> None:
        if self._hysteresis.since is None:
            self._chances = [0.0, 0]
        self._chances[0] += chance
        self._chances[1] += 1

    def _start(self) -> Event:
        began = self._time(self._hysteresis.since)
        if not self.in_turn or began - self._time(self._last) >= PAUSED:
            self._news = began
        if not self.in_turn:
            self._began = began
            hearing = self.hearing
            self._listener = self._listening(self.recognizer, self._rate, hearing.language, hearing.hotwords)
            self._origin = self._time(self._count - len(self._held))
            self._unfed = [*self._held]
        self.known, self.patience, self._judging = False, None, None
        return SpeechStarted(self._now, began)

    def _pause(self, region: Region) -> Iterator[Event]:
        self._last = region.last
        if self._looked != region.last:
            self.patience = None
            self.look()
        yield from self._collect()
        yield SpeechEnded(self._now, self._time(region.last), self.text)

    def _feed(self) -> None:
        enough = self._seconds(len(self._unfed)) >= self.hearing.often
        if enough and self.speaking and not (self._feeding or self._looking):
            sound, listener, self.known = self._taken(), self._listener, False
            self._feeding = self._lane.start(lambda: listener.feed(sound), self._now)

    def _feed_silence(self) -> None:
        """Else a turn that only the host ends would hold all the sound of its silences."""
        if not (self.speaking or self._feeding or self._looking):
            sound, listener = self._taken(), self._listener
            self._feeding = self._lane.start(lambda: listener.feed(sound), self._now)

    def _taken(self) -> np.ndarray:
        sound = np.concatenate([np.zeros(0, np.float32), *self._unfed])
        self._unfed = []
        return sound

    def _collect(self) -> Iterator[Event]:
        """What the work has brought since the last frame."""
        try:
            if self._feeding and self._feeding.done:
                yield from self._guessed()
            if self._looking and self._looking.done:
                yield from self._understood()
                self._judge()
                if not self._ending:
                    return  # the end, if this is one, is for the next frame: first it is seen what was said
            self._judge()
        except VoiceError as error:
            yield Trouble(self._now, str(error))
            self.known, self.patience = True, FAILED
        if self._ending and not self._looking:
            yield from self._end()
        elif self.known and not self.speaking and self.patience is not None:
            if self._seconds(self._count - self._last) >= self.patience:
                yield from self._end()

    def _guessed(self) -> Iterator[Event]:
        task, self._feeding = self._feeding, None
        guess = task.result()
        if guess and not self.known:
            yield from self._new_words(guess.stable, guess.tail)

    def _understood(self) -> Iterator[Event]:
        task, self._looking = self._looking, None
        text, words = task.result()
        if self._again:
            self.look()
            return
        self.words = tuple(word.shifted(self._origin) for word in words)
        self.known, self.looks, self.ready = True, self.looks + 1, max(task.ready, self._now)
        yield from self._new_words(text, "")

    def _judge(self) -> None:
        """How long to wait in this pause, once both its words and its sound are known."""
        if self.known and self._judging and self._judging.done:
            task, self._judging = self._judging, None
            end_of_sentence = self.words[-1].end_of_sentence if self.words else None
            self.patience = self.turns.endpoint_after(self.text, task.result(), end_of_sentence)
            self.ready = max(self.ready, task.ready)

    def _new_words(self, stable: str, tail: str) -> Iterator[Event]:
        text = f"{stable} {tail}".strip()
        if text != self.text:
            self.text, self._news = text, self._now
            yield Partial(self._now, stable, tail)

    def _bounded(self) -> Iterator[Event]:
        """No turn goes on for ever, nor long without words."""
        if not self.in_turn:
            return
        if self.speaking and self._now - self._began >= self.hearing.longest_turn:
            yield from self.finish()
        elif self._stale and not self._looking and not self._judging:
            self._stale = False
            if self._now - self._news >= self.hearing.stale and self.patience != math.inf:
                yield from self.finish()
        elif self.speaking and not self._stale and self._now - self._news >= self.hearing.stale:
            self._stale = True
            self.look()

    def _end(self) -> Iterator[Event]:
        ended = self._time(self._last)
        began, text, words, late = self._began, self.text, self.words, self._late
        self._count -= len(late)
        self._held = self._held[len(self._held) - min(len(self._held), self._count - self._last) :]
        self._forget_turn()
        yield TurnEnded(self._now, began, ended)
        yield Heard(self._now, text, words)
        for each in late:
            yield from self.take(*each)

    def _trim(self) -> None:
        """Outside of a turn only the pre-roll is kept, from before what may become speech."""
        since = self._hysteresis.since
        pending = self._count - since if since is not None else 0
        del self._held[: max(0, len(self._held) - pending - round(self.hearing.pre_roll / self._seconds(1)))]

    def _seconds(self, frames: int) -> float:
        return frames * self._hop / self._rate

    def _time(self, frame: int) -> float:
        """The conversation's time at the beginning of a frame of ours."""
        return self._now - self._seconds(self._count - frame)
