"""The cases of benchmarks.agent: what is said or done to the agent, and what is measured of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from benchmarks.turn_taking.noises import RATE
from benchmarks.turn_taking.room import FRAME, Room
from benchmarks.turn_taking.sessions import Session
from benchmarks.turn_taking.sounds import DISTRACTIONS, CaseSounds
from voice.agent import ConversationOptions, ListeningOptions
from voice.agent.events import Event, Interrupted, Paused, Resumed, SpeechStarted, TurnEnded

LEAD = 0.4  # seconds of quiet before a sentence
AFTER = 1.8  # and after it: no answer comes later than this
STORY = 26.0  # seconds of the agent's shortest story that it surely speaks
BETWEEN = {"backchannels": 3.6, "coughs": 3.6, "claps": 3.6}  # seconds from one sound to the next
LONG_SOUND = 5.0  # the same for sounds of three seconds
AUDIBLE = 0.003  # peak of what can be heard


@dataclass(frozen=True, eq=False)
class Case:
    """`sound` (T,) is heard by the agent, which at the beginning answers `ask`; `marks` are when (s) what is
    measured begins, `end` when speech ends; `room` is how the agent hears itself."""

    sound: np.ndarray
    ask: str = ""
    marks: tuple[float, ...] = (0.0,)
    end: float = 0.0
    room: tuple[np.ndarray, float] | None = None
    kind: str = ""

    @property
    def seconds(self) -> float:
        return len(self.sound) / RATE


@dataclass
class Played:
    """What came of a case: the events, and when the agent could be heard (20 ms each)."""

    events: list[Event] = field(default_factory=list)
    audible: list[bool] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)  # in what was played (s)
    late: float = 0.0  # seconds that the client was behind its own time

    def of(self, *kinds: type) -> list:
        return [event for event in self.events if isinstance(event, kinds)]

    @property
    def speech_seconds(self) -> float:
        """Return the seconds from the agent's first sound to its last, pauses between words included."""
        heard = [place for place, audible in enumerate(self.audible) if audible]
        return (heard[-1] + 1 - heard[0]) / 50 if heard else 0.0

    def heard_from(self, time: float) -> float | None:
        """Return when the agent is first heard from `time` on."""
        places = (place for place in range(int(time * 50), len(self.audible)) if self.audible[place])
        return next((place / 50 for place in places), None)


def play(session: Session, case: Case) -> Played:
    """Play one case to a fresh session."""
    result, room = Played(), Room(*case.room) if case.room else None
    back = np.zeros(FRAME, np.float32)  # of what is played
    if case.ask:
        session.ask(case.ask)
    for start in range(0, len(case.sound) - FRAME + 1, FRAME):
        played, events = session.exchange(case.sound[start : start + FRAME] + back)
        result.events += events
        result.audible.append(bool(np.abs(played).max() > AUDIBLE))
        if room:
            back = room(played)
    session.close()
    return result


Pairs = Sequence[tuple[Case, Played]]
Measures = dict[str, float]


# ---- somebody speaks, and the agent is silent


def onset_cases(sounds: CaseSounds, count: int) -> Iterator[Case]:
    """Yield cases whose speech starts with the click."""
    for said in sounds.sentences(count):
        lead = np.zeros(RATE // 4, np.float32)
        yield Case(np.concatenate((lead, said.sound[: RATE * 2])), marks=(0.25,))


def onsets(pairs: Pairs) -> Measures:
    """Return the share of cases of which all is kept."""
    began = [(case, [event.began for event in played.of(SpeechStarted)]) for case, played in pairs]
    whole = [bool(times) and times[0] - ListeningOptions().pre_roll <= case.marks[0] for case, times in began]
    return {"onset recall, %": _percent(whole)}


def sentence_cases(sounds: CaseSounds, count: int, skip: int = 0) -> Iterator[Case]:
    """Yield single sentences with natural pauses."""
    for said in [*sounds.sentences(skip + count)][skip:]:
        sound = np.concatenate((sounds.quiet(LEAD), said.sound, sounds.quiet(AFTER)))
        yield Case(sound, end=LEAD + said.end)


def sentences(pairs: Pairs, name: str = "") -> Measures:
    """Return how many were cut off, and the time from their last sound to the first of the answer."""
    cut, broken, answered, waits = [], [], [], []
    for case, played in pairs:
        before = sum(played.audible[: int(case.end * 50)]) / 50  # seconds of the agent in the middle of it
        cut.append(before > 0)
        broken.append(
            before > ConversationOptions().merge_below
        )  # less, and what was said is taken up as one turn
        heard = played.heard_from(case.end)
        answered.append(heard is not None)
        if heard is not None and not before:
            waits.append(1000 * (heard - case.end))
    return {
        f"answer p50{name}, ms": _percentile(waits, 50),
        f"answer p95{name}, ms": _percentile(waits, 95),
        f"answer mean{name}, ms": float(np.mean(waits or [np.nan])),
        f"cut off{name}, %": _percent(cut),
        f"cut off and not made good{name}, %": _percent(broken),
        f"answered{name}, %": _percent(answered),
    }


# ---- something is heard while the agent speaks


def interruption_cases(sounds: CaseSounds, count: int, echo: bool = False) -> Iterator[Case]:
    """Yield cases in which somebody speaks over the agent, which may hear itself too."""
    for number, said in enumerate(sounds.interruptions(count)):
        at = 2.5 + (number % 5) * 0.37
        track = np.concatenate((sounds.quiet(at), said.sound, sounds.quiet(2.0)))
        room = sounds.room(number) if echo else None
        yield Case(track, f"tell story {number}", (at,), at + said.end, room)


def interruptions(pairs: Pairs, name: str = "") -> Measures:
    """Return how many interruptions are caught, and how soon the agent is silent."""
    caught, waits, again = [], [], []
    for case, played in pairs:
        (at,) = case.marks
        stopped = any(at <= event.time <= case.end + 1.5 for event in played.of(Interrupted))
        halted = [event.time for event in played.of(Paused, Interrupted) if event.time >= at]
        caught.append(stopped)
        if stopped:
            waits.append(1000 * (halted[0] - at))  # from the next frame on it is silent
            ended = min(event.time for event in played.of(Interrupted) if event.time >= at)
            again.append(any(at <= event.time <= ended for event in played.of(Resumed)))
    return {
        f"interruptions caught{name}, %": _percent(caught),
        f"silent p50{name}, ms": _percentile(waits, 50),
        f"silent p95{name}, ms": _percentile(waits, 95),
        f"spoke again meanwhile{name}, %": _percent(again),
    }


def distraction_cases(sounds: CaseSounds, count: int) -> Iterator[Case]:
    """Yield sounds that should not stop the agent, several over each story."""
    for kind in DISTRACTIONS:
        between = BETWEEN.get(kind, LONG_SOUND)
        at_once = int((STORY - 2.5) / between)
        noises = [*sounds.distractions(kind, count)]
        for start in range(0, count, at_once):
            track = sounds.quiet(STORY)
            marks = []
            for place, noise in enumerate(noises[start : start + at_once]):
                at = 2.5 + place * between
                track[round(at * RATE) :][: len(noise)] += noise[: len(track) - round(at * RATE)]
                marks.append(at)
            yield Case(track, f"tell story {start}", tuple(marks), kind=kind)


def distractions(pairs: Pairs) -> Measures:
    """Return how often distractions stop the agent, by kind, and how long it hesitates at most."""
    stopped: dict[str, list[bool]] = defaultdict(list)
    held = [0.0]
    for case, played in pairs:
        first = min((event.time for event in played.of(Interrupted)), default=np.inf)
        for mark, until in zip(case.marks, (*case.marks[1:], np.inf), strict=True):
            if mark < first:  # the others found it silent
                stopped[case.kind].append(first < until)
        held += _hesitations(played)
    rows = {f"{kind} stop it, % of {len(each)}": _percent(each) for kind, each in stopped.items()}
    return rows | {"hesitated at most, s": max(held)}


def _hesitations(played: Played) -> Iterator[float]:
    """Yield the seconds from each halt to where the agent goes on."""
    since = 0.0
    for event in played.of(Paused, Resumed):
        if isinstance(event, Resumed):
            yield event.time - since
        since = event.time


def own_voice_cases(sounds: CaseSounds, count: int) -> Iterator[Case]:
    """Yield cases in which nobody speaks but the agent, which hears itself in one room after another."""
    for number in range(count):
        yield Case(sounds.quiet(STORY + 2), f"tell story {number}", room=sounds.room(number))


def own_voice(pairs: Pairs) -> Measures:
    """Return how often the agent interrupts itself, and gaps in what it says."""
    plays = [played for _, played in pairs]
    return {
        "own voice, minutes": sum(played.speech_seconds for played in plays) / 60,
        "own voice stops it": sum(len(played.of(Interrupted, TurnEnded)) for played in plays),
        "own voice halts it": sum(len(played.of(Paused)) for played in plays),
        "gaps over 20 ms": sum(gap > 0.02 for played in plays for gap in played.gaps),
        "the client itself late at most, ms": 1000 * max(played.late for played in plays),
    }


@dataclass(frozen=True)
class Part:
    """One of the measures: its cases, how many, how many at once, how late the line is at most (s)."""

    cases: Callable[[CaseSounds, int], Iterator[Case]]
    measure: Callable[[Pairs], Measures]
    count: int
    lanes: int = 1
    jitter: float = 0.0


OVER, AT_ONCE = " over echo", ", four at once"
PARTS = {
    "onsets": Part(onset_cases, onsets, 32, lanes=4),
    "sentences": Part(sentence_cases, sentences, 40),
    "sentences-at-once": Part(
        partial(sentence_cases, skip=40), partial(sentences, name=AT_ONCE), 80, lanes=4
    ),
    "interruptions": Part(interruption_cases, interruptions, 50, lanes=2),
    "over-echo": Part(partial(interruption_cases, echo=True), partial(interruptions, name=OVER), 40, lanes=4),
    "distractions": Part(distraction_cases, distractions, 36, lanes=4),
    "own-voice": Part(own_voice_cases, own_voice, 72, lanes=4, jitter=0.05),
}
MUST = {
    "onset recall, %": "≥ 99.5", "answer p50, ms": "≤ 450", "answer p95, ms": "≤ 800", "cut off, %": "≤ 2",
    f"cut off{AT_ONCE}, %": "≤ 2", "interruptions caught, %": "≥ 98", "silent p95, ms": "≤ 200",
    "own voice, minutes": "≥ 30", "own voice stops it": "0", "gaps over 20 ms": "0",
}  # fmt: skip


def requirement(measure: str) -> str:
    """Return what the agent has to show, or nothing."""
    return "≤ 2" if " stop it, %" in measure else MUST.get(measure, "")


def _percent(values: Sequence[bool]) -> float:
    return 100 * sum(values) / max(1, len(values))


def _percentile(values: Sequence[float], share: float) -> float:
    return float(np.percentile(values or [np.nan], share))
