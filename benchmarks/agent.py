"""How the agent takes turns: real recordings are said to it, while it speaks where the case asks for it.

    python -m benchmarks.agent [--corpora ../shared/corpora] [--split dev] [--count 30] [--only NAME…]

Beside it, in the same run, a plain detector of 800 ms of silence. Each row is a measure of the agent
with what it must show. A session is one call, `exchange`: what the microphone hears in 20 ms in, what
the loudspeaker plays in them and what happened out, so that the same cases can be played through a
socket in real time. Here time is that of the samples, and computing counts its processor time as if it
ran beside them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from benchmarks.sounds import RATE, Sounds
from voice.agent import Conversation, Hearing, Manners, Models
from voice.agent.events import (
    Event,
    Heard,
    Interrupted,
    Latency,
    Paused,
    Resumed,
    Speaking,
    SpeechStarted,
    TurnEnded,
)
from voice.agent.listener import live
from voice.audio import resample
from voice.types import Message
from voice.vad import Hysteresis, Thresholds

FRAME = RATE // 50
STORY = (
    "I can tell you about that. A mile has five thousand two hundred and eighty feet, and a kilometer has"
    " a thousand meters, so a mile is longer. The weather tomorrow will be mostly sunny, with a light"
    " breeze from the west. Violins are made of spruce and maple, since spruce is light and stiff. Once upon"
    " a time there was a small village by the sea, where every house had a blue door and a cat on the roof."
)


class Session(Protocol):
    """One conversation: (FRAME,) heard → (FRAME,) played, and the events meanwhile."""

    def exchange(self, heard: np.ndarray) -> tuple[np.ndarray, list[Event]]: ...


@dataclass
class Player:
    """What a client plays of an agent's events, in their own time."""

    track: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))  # not yet played
    held: bool = False

    def take(self, event: Event) -> None:
        if isinstance(event, Speaking):
            self.track = np.concatenate((self.track, resample(event.speech.audio, RATE).samples))
        elif isinstance(event, Paused | Resumed):
            self.held = isinstance(event, Paused)
        elif isinstance(event, Interrupted):
            self.track, self.held = self.track[:0], False

    def play(self) -> np.ndarray:
        if self.held:
            return np.zeros(FRAME, np.float32)
        frame, self.track = self.track[:FRAME], self.track[FRAME:]
        return np.pad(frame, (0, FRAME - len(frame)))


class Direct:
    """A session without a transport."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation, self._player = conversation, Player()

    def exchange(self, heard: np.ndarray) -> tuple[np.ndarray, list[Event]]:
        played = self._player.play()
        events = list(self._conversation.hear(heard))
        for event in events:
            self._player.take(event)
        return played, events


class Plain:
    """The peer: a turn ends after 800 ms of silence, and any speech stops the agent."""

    def __init__(self, models: Models, answer: str) -> None:
        self._probability, self._hop = models.detector.stream(), models.detector.hop
        self._hysteresis = Hysteresis(Thresholds(shortest_silence=0.8), self._hop / RATE)
        self._synthesizer, self._answer, self._player = models.synthesizer, answer, Player()
        self._rest, self._time = np.zeros(0, np.float32), 0.0

    def exchange(self, heard: np.ndarray) -> tuple[np.ndarray, list[Event]]:
        played, events = self._player.play(), []
        self._rest = np.concatenate((self._rest, heard))
        while len(self._rest) >= self._hop:
            frame, self._rest = self._rest[: self._hop], self._rest[self._hop :]
            self._time += self._hop / RATE
            events += self._heard(frame)
        for event in events:
            self._player.take(event)
        return played, events

    def _heard(self, frame: np.ndarray) -> Iterator[Event]:
        was = self._hysteresis.speaking
        region = self._hysteresis(self._probability(frame))
        if self._hysteresis.speaking and not was:
            if len(self._player.track):
                yield Interrupted(self._time, "")
            yield SpeechStarted(self._time, self._time - 0.1)
        if region:
            ended = self._time - 0.8
            yield TurnEnded(self._time, 0.0, ended)
            yield Heard(self._time, "…")
            yield Latency(self._time, 0.8, 0.8, 0.8)
            for speech in self._synthesizer.speak(self._answer):
                yield Speaking(self._time, self._time, speech)


@dataclass(frozen=True)
class Stories:
    """A brain that always has something long to say."""

    text: str = STORY

    def reply(self, messages: Sequence[Message]) -> Iterator[str]:
        yield self.text


# ---- playing a case


@dataclass(frozen=True)
class Echo:
    """How the loudspeaker is heard by the microphone."""

    room: np.ndarray  # (T,) impulse response, scaled
    delay: float  # s


@dataclass
class Played:
    """What came of a case: (time, event), and when the agent could be heard (20 ms each)."""

    events: list[Event] = field(default_factory=list)
    audible: list[bool] = field(default_factory=list)

    def of(self, *kinds: type) -> list:
        return [event for event in self.events if isinstance(event, kinds)]

    def silent_from(self, time: float) -> float | None:
        """The first moment from `time` on in which the agent was silent for a tenth of a second."""
        for start in range(int(time * 50), len(self.audible) - 5):
            if not any(self.audible[start : start + 5]):
                return start / 50
        return None


def play(session: Session, sound: np.ndarray, echo: Echo | None = None) -> Played:
    """Says `sound` (T,) to a session, which may hear itself too."""
    result = Played()
    back = np.zeros(len(sound) + RATE * 8, np.float32)  # what comes back of what is played
    for start in range(0, len(sound) - FRAME + 1, FRAME):
        heard = sound[start : start + FRAME] + back[start : start + FRAME]
        played, events = session.exchange(heard)
        result.events += events
        result.audible.append(bool(np.abs(played).max() > 0.003))
        if echo is not None and played.any():
            wet = np.convolve(played, echo.room)
            at = start + FRAME + round(echo.delay * RATE)
            wet = wet[: max(0, len(back) - at)]
            back[at : at + len(wet)] += wet
    return result


class Table:
    """Sessions for cases, and what is measured on them."""

    def __init__(self, models: Models, sounds: Sounds, count: int, plain: bool) -> None:
        self.models, self.sounds, self.count, self._plain = models, sounds, count, plain

    def session(self, brain: object | None = None) -> Session:
        if self._plain:
            return Plain(self.models, STORY)
        models = self.models
        conversation = Conversation(
            models.detector, models.recognizer, models.synthesizer, brain or Stories(),
            turns=models.turns, listening=live(models.detector), hearing=Hearing(language="en"),
            stopwatch=time.process_time,
        )  # fmt: skip
        return Direct(conversation)

    def onsets(self) -> dict[str, float]:
        """Speech that starts with the click: the share of which all is kept."""
        whole = []
        for said in self.sounds.sentences(self.count):
            lead = np.zeros(RATE // 4, np.float32)
            played = play(self.session(), np.concatenate((lead, said.sound[: RATE * 2])))
            began = [event.began for event in played.of(SpeechStarted)]
            whole.append(bool(began) and began[0] - Hearing().pre_roll <= 0.25)
        return {"onset recall, %": _percent(whole)}

    def turns(self) -> dict[str, float]:
        """Single sentences with natural pauses: cut off, and the time to the answer after them."""
        cut, spoken_into, answered, latencies = [], [], [], []
        for said in self.sounds.sentences(self.count):
            silence = self.sounds.quiet(2.5)
            sound = np.concatenate((self.sounds.quiet(0.4), said.sound, silence))
            end = 0.4 + said.end
            played = play(self.session(), sound)
            before = sum(played.audible[: int(end * 50)]) / 50  # seconds of the agent in the middle of it
            spoken_into.append(before > 0)
            cut.append(before > Manners().merged)  # less, and what was said is taken up as one turn
            latencies += [event.total for event in played.of(Latency)[-1:] if event.time > end]
            answered.append(any(event.time > end - 0.05 for event in played.of(TurnEnded)))
        return {
            "cut off, %": _percent(cut),
            "spoken into, %": _percent(spoken_into),
            "answered, %": _percent(answered),
            "answer p50, ms": 1000 * float(np.percentile(latencies or [0], 50)),
            "answer p95, ms": 1000 * float(np.percentile(latencies or [0], 95)),
        }

    def interruptions(self, echo: bool = False) -> dict[str, float]:
        """Somebody speaks over the agent: caught, and how soon it is silent."""
        caught, silences = [], []
        for number, said in enumerate(self.sounds.interruptions(self.count)):
            played, at = self._over(said.sound, number, echo)
            quiet = played.silent_from(at)
            stopped = any(at <= event.time <= at + said.end + 1.5 for event in played.of(Interrupted))
            caught.append(stopped)
            if stopped and quiet is not None:
                silences.append(1000 * (quiet - at))
        name = " over echo" if echo else ""
        return {
            f"interruptions{name} caught, %": _percent(caught),
            f"silent{name} p50, ms": float(np.percentile(silences or [0], 50)),
            f"silent{name} p95, ms": float(np.percentile(silences or [0], 95)),
        }

    def distractions(self, kind: str) -> dict[str, float]:
        """Sounds that should not stop the agent: how often they do, and how long it hesitates at most."""
        stopped, held = [], [0.0]
        for number, sound in enumerate(self.sounds.distractions(kind, self.count)):
            played, at = self._over(sound, number, False)
            stopped.append(any(event.time >= at for event in played.of(Interrupted)))
            times = [event.time for event in played.of(Paused, Resumed)]
            held += [after - before for before, after in zip(times[::2], times[1::2], strict=False)]
        return {f"{kind} stop it, %": _percent(stopped), f"{kind}: held at most, s": max(held)}

    def own_voice(self) -> dict[str, float]:
        """Nobody speaks but the agent, heard by itself: how often it interrupts itself."""
        stopped = paused = 0
        minutes = 0.0
        for number in range(self.count):
            played, at = self._over(np.zeros(RATE * 12, np.float32), number, True)
            stopped += len([event for event in played.of(Interrupted, TurnEnded) if event.time > at - 1])
            paused += len(played.of(Paused))
            minutes += sum(played.audible) / 50 / 60
        return {"own voice, min": minutes, "own voice stops it": stopped, "own voice halts it": paused}

    def _over(self, sound: np.ndarray, number: int, echo: bool) -> tuple[Played, float]:
        """A question, and `sound` while the agent answers; (what came of it, when the sound began)."""
        sounds = self.sounds
        question = sounds.question()
        at = len(question) / RATE + 2.5 + (number % 5) * 0.37
        track = np.concatenate((question, sounds.quiet(at - len(question) / RATE), sound, sounds.quiet(2.5)))
        way = Echo(*sounds.way_back(number)) if echo else None
        return play(self.session(), track, way), at


def _percent(values: Sequence[bool]) -> float:
    return 100 * sum(values) / max(1, len(values))


MUST = {
    "onset recall, %": "≥ 99.5", "cut off, %": "≤ 2", "answer p50, ms": "≤ 450", "answer p95, ms": "≤ 800",
    "interruptions caught, %": "≥ 98", "silent p95, ms": "≤ 200", "interruptions over echo caught, %": "≥ 98",
    "silent over echo p95, ms": "≤ 200", "own voice stops it": "0", "backchannels stop it, %": "≤ 2",
    "coughs stop it, %": "≤ 2", "claps stop it, %": "≤ 2", "typing stop it, %": "≤ 2",
}  # fmt: skip
PARTS = {
    "onsets": Table.onsets,
    "turns": Table.turns,
    "interruptions": Table.interruptions,
    "over-echo": lambda table: table.interruptions(echo=True),
    "backchannels": lambda table: table.distractions("backchannels"),
    "coughs": lambda table: table.distractions("coughs"),
    "claps": lambda table: table.distractions("claps"),
    "typing": lambda table: table.distractions("typing"),
    "own-voice": Table.own_voice,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"))
    parser.add_argument("--split", default="dev", help="dev to tune on, test to measure on")
    parser.add_argument("--count", type=int, default=30, help="cases of each kind")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--no-peer", action="store_true", help="leave the plain detector out")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    models = Models.load(threads=1)
    sounds = Sounds(options.corpora, options.split, models.synthesizer)
    for part in options.only:
        ours = PARTS[part](Table(models, sounds, options.count, False))
        peer = {} if options.no_peer else PARTS[part](Table(models, sounds, options.count, True))
        for name, value in ours.items():
            row = {"measure": name, "agent": round(value, 2), "must": MUST.get(name, "")}
            row["800 ms of silence"] = round(peer[name], 2) if name in peer else ""
            print(json.dumps(row) if options.json else _line(row), flush=True)


def _line(row: dict[str, object]) -> str:
    measure, agent, must, peer = row["measure"], row["agent"], row["must"], row["800 ms of silence"]
    return f"{measure:40} {agent!s:>8}  must be {must:8} 800 ms of silence: {peer}"


if __name__ == "__main__":
    main()
