"""Conversations put together from the clips of many people, and the diarization errors of a hypothesis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np

from voice import audio
from voice.asr.diarization.speakers import SpeakerTurn
from voice.manifest import Clip, read_manifest
from voice.silero import Silero
from voice.vad import Thresholds, find_speech

RATE = 16_000
FRAME = 0.01  # seconds
SHORT, LONG = 1.0, 8.0  # seconds of a turn, as far as the clip at hand lasts
GAP = (-0.6, 1.2)  # seconds from the end of a turn to the next one; below zero they overlap
NOISE = (15.0, 30.0)  # dB that the room lies below the speech
LEVEL = 0.05  # root mean square


@dataclass(frozen=True, eq=False)
class Talk:
    """A conversation: `samples` (T,) at 16 kHz of `people`, and their true turns."""

    samples: np.ndarray
    people: int
    turns: tuple[SpeakerTurn, ...]


@dataclass(frozen=True)
class Errors:
    """Seconds of speech; of speech that was missed, invented, and confused with that of another person."""

    speech: float
    missed: float
    invented: float
    confused: float

    @property
    def rate(self) -> float:
        """Return the diarization error rate."""
        return (self.missed + self.invented + self.confused) / max(self.speech, FRAME)


def talks(manifest: Path, count: int, people: Sequence[int], rounds: int, seed: int) -> Iterator[Talk]:
    """Yield `count` conversations of as many people as `people` says, each with up to `rounds` turns."""
    clips = [clip for clip in read_manifest(manifest) if clip.speaker and clip.duration >= 2.0]
    names = sorted({clip.speaker for clip in clips})
    detector = Silero.open()
    for number in range(count):
        draw = np.random.default_rng([seed, number])
        chosen = draw.choice(names, people[number % len(people)], replace=False)
        own = [[clip for clip in clips if clip.speaker == name] for name in chosen]
        yield _talk(own, rounds, draw, detector)


def _talk(own: Sequence[Sequence[Clip]], rounds: int, draw: np.random.Generator, detector: Silero) -> Talk:
    """Return a conversation of everyone in a random order in which nobody follows themselves."""
    voices = [_pieces(clips, rounds, draw) for clips in own]
    order = _order([len(pieces) for pieces in voices], draw)
    laid_out: list[tuple[int, int, np.ndarray]] = []
    clock = int(0.5 * RATE)
    for person in order:
        sound = voices[person].pop()
        begin = max(clock + int(draw.uniform(*GAP) * RATE), laid_out[-1][1] + RATE // 2 if laid_out else 0)
        laid_out.append((person, begin, sound))
        clock = max(clock, begin + len(sound))
    samples = np.zeros(clock + RATE // 2, np.float32)
    turns = []
    for person, begin, sound in laid_out:
        samples[begin : begin + len(sound)] += sound
        turns += [
            SpeakerTurn(person, begin / RATE + a, begin / RATE + b) for a, b in _speech_times(sound, detector)
        ]
    noise = LEVEL * 10 ** (-draw.uniform(*NOISE) / 20) * draw.normal(size=len(samples))
    return Talk((samples + noise).astype(np.float32), len(own), tuple(turns))


def _pieces(clips: Sequence[Clip], rounds: int, draw: np.random.Generator) -> list[np.ndarray]:
    """Return at most `rounds` pieces of 1 to 8 s, none used twice, at a loudness of this person's own."""
    loudness = LEVEL * 10 ** (draw.uniform(-4, 4) / 20)
    found: list[np.ndarray] = []
    for place in draw.permutation(len(clips)):
        sound = audio.read(clips[place].audio, RATE).samples
        while len(sound) >= SHORT * RATE and len(found) < rounds:
            length = int(draw.uniform(SHORT, LONG) * RATE)
            piece, sound = sound[:length], sound[length:]
            found.append(piece * np.float32(loudness / (np.sqrt(np.mean(piece**2)) + 1e-6)))
    return found


def _order(counts: Sequence[int], draw: np.random.Generator) -> list[int]:
    """Return the order of speakers, each as often as `counts` says, if possible never twice in a row."""
    left, order = np.array(counts), []
    while left.any():
        able = [p for p in np.flatnonzero(left) if not order or p != order[-1]] or list(np.flatnonzero(left))
        order.append(int(draw.choice(able, p=left[able] / left[able].sum())))
        left[order[-1]] -= 1
    return order


def _speech_times(sound: np.ndarray, detector: Silero) -> list[tuple[float, float]]:
    """Return start and end of each stretch of speech, in seconds."""
    quick = Thresholds(shortest_silence=0.3)
    return [(s.start, s.end) for s in find_speech([sound], detector, thresholds=quick, pad=0.0)]


def errors(
    reference: Sequence[SpeakerTurn], hypothesis: Sequence[SpeakerTurn], collar: float = 0.25
) -> Errors:
    """Count diarization errors under the best matching of people, without moments near a true boundary."""
    length = max((turn.end for turn in (*reference, *hypothesis)), default=0.0)
    true, found = _frames(reference, length), _frames(hypothesis, length)
    counted = np.ones(len(true), bool)
    for moment in (time for turn in reference for time in (turn.start, turn.end)):
        counted[max(0, round((moment - collar) / FRAME)) : round((moment + collar) / FRAME)] = False
    true, found = true[counted].astype(int), found[counted].astype(int)
    real, claimed = true.sum(axis=1), found.sum(axis=1)
    right = _best_match(true.T @ found)
    both = np.minimum(real, claimed).sum()
    missed, invented = np.maximum(real - claimed, 0).sum(), np.maximum(claimed - real, 0).sum()
    return Errors(*(float(n) * FRAME for n in (real.sum(), missed, invented, both - right)))


def _frames(turns: Sequence[SpeakerTurn], length: float) -> np.ndarray:
    """Turn speaker turns into (frames, people) bool."""
    speaking = np.zeros((round(length / FRAME) + 1, max((t.speaker for t in turns), default=-1) + 1), bool)
    for turn in turns:
        speaking[round(turn.start / FRAME) : round(turn.end / FRAME), turn.speaker] = True
    return speaking


def _best_match(together: np.ndarray) -> int:
    """Return the most frames of (people, speakers) that agree if each person is at most one speaker."""
    if not together.size:
        return 0
    few, many = (together, together.T)[:: 1 if together.shape[0] <= together.shape[1] else -1]
    largest = np.argsort(-few.sum(axis=0), kind="stable")
    few = few[:, largest[: max(8, len(few))]]  # what comes after these holds little
    choices = map(list, permutations(range(few.shape[1]), len(few)))
    return max(int(sum(few[range(len(few)), choice])) for choice in choices)
