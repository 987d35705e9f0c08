"""The engine of Kokoro's voices: phonemes → durations → curves of F0 and energy → sound.

Three ONNX graphs with NumPy between them (`graphs.py`), so that durations and pitch can be asked for.
Durations are counted in frames of 25 ms, F0 in half of that.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from voice.models.kokoro import DEFAULT_VOICE
from voice.text.alphabet import CLAUSE_MARKS
from voice.text.reading import SpokenSentence
from voice.tts.engine import SentenceStream, Utterance, timed_words
from voice.tts.kokoro.graphs import Graphs, open_graphs
from voice.tts.kokoro.styles import style_table
from voice.tts.melody import melody, scale_f0
from voice.tts.pauses import FADE
from voice.tts.prosody_targets import (
    ProsodyTargets,
    apply_level,
    per_frame,
    pitch_shift,
    prosody_targets,
    target_durations,
)
from voice.types import Audio, Controls, Speech

RATE = 24000
HOP = 300  # samples of a frame of F0
SPAN = 2  # such frames in one that durations count
PAD = 0  # the token before and after a sentence
LEAST_PAUSE = 5  # frames (0.125 s): a shorter one may not be silent
SHORTEST_CLAUSE = 30  # frames (0.75 s)
MOST_TOKENS = 508  # phonemes of a sentence; the network has places for two more


@dataclass(frozen=True, eq=False)
class SentencePlan:
    """A sentence of F frames before it is sound.

    `phonemes`, L of them; `durations` (L + 2,) frames of SPAN × HOP samples, together F; `sounds` (1, 512,
    F); `f0` (2 F,) Hz, near 0 where unvoiced; `energy` (2 F,), the network's; `level` (2 F,) in dB, what is
    asked for besides.
    """

    phonemes: str
    durations: np.ndarray
    sounds: np.ndarray
    f0: np.ndarray
    energy: np.ndarray
    style: np.ndarray
    level: np.ndarray | None = None


class Kokoro:
    """An engine for `voice.tts.voice.Voice`; deterministic, and safe to share between threads."""

    rate = RATE
    languages = frozenset("en es fr hi it ja pt zh".split())

    def __init__(self, graphs: Graphs, styles: np.ndarray) -> None:
        """Take the graphs and the (T, 256) styles of a voice, row i for i + 1 tokens."""
        self._graphs, self._styles = graphs, styles

    @classmethod
    def open(cls, folder: Path, *, threads: int | None = 1, speaker: str = DEFAULT_VOICE) -> Kokoro:
        """Open a voice or a mixture with the weights in `folder`. Raises ModelMissing, ModelDamaged."""
        return cls(_shared_graphs(Path(folder), threads or 1), style_table(speaker))

    def render(self, reading: SpokenSentence, controls: Controls = Controls()) -> Speech:
        """Return a sentence as speech, its written words timed by the durations of their phonemes."""
        sentence = self.stream(reading, controls)
        return Speech(Audio(np.concatenate([*sentence.pieces]), RATE), reading.text, sentence.words)

    def stream(self, reading: SpokenSentence, controls: Controls = Controls()) -> SentenceStream:
        """Return the same sentence clause by clause, each made when it is asked for."""
        plan, durations = self._plan_known(reading.phonemes, prosody_targets(reading, controls))
        words = timed_words(reading, durations * (HOP / RATE))
        return SentenceStream(words, self.decode_clauses(plan))

    def render_phonemes(self, phonemes: str, targets: ProsodyTargets | None = None) -> Utterance:
        """Speak `phonemes` with `targets`; unknown ones are left out, with a warning."""
        plan, durations = self._plan_known(phonemes, targets)
        return Utterance(np.concatenate([*self.decode_clauses(plan)]), durations, plan.f0)

    def _plan_known(self, phonemes: str, targets: ProsodyTargets | None) -> tuple[SentencePlan, np.ndarray]:
        """Plan those of L `phonemes` that are known; return (L + 2,) frames of HOP samples too."""
        known = [i for i, phoneme in enumerate(phonemes) if phoneme in symbols()][:MOST_TOKENS]
        missing = sorted(set(phonemes) - set(symbols()))
        if missing:
            warnings.warn(f"Kokoro has no sound for {' '.join(missing)}", stacklevel=4)
        plan = self.plan("".join(phonemes[i] for i in known), targets.of(known) if targets else None)
        durations = np.zeros(len(phonemes) + 2, np.int64)
        durations[[0, *(i + 1 for i in known), -1]] = plan.durations * SPAN
        return plan, durations

    def plan(self, phonemes: str, targets: ProsodyTargets | None = None) -> SentencePlan:
        """Look at the whole of at most MOST_TOKENS known phonemes once."""
        tokens = np.array([[PAD, *(symbols()[phoneme] for phoneme in phonemes), PAD]], np.int64)
        style = self._styles[max(0, min(len(phonemes), len(self._styles)) - 1)][None]
        lengths, hidden, sounds = self._graphs.text.run(None, {"tokens": tokens, "style": style})
        durations = np.maximum(np.round(lengths[0]), 1).astype(np.int64)
        if targets:
            targets = targets.with_edges()
            durations = target_durations(phonemes, durations, durations, targets, SPAN * HOP / RATE)
        frames = np.ascontiguousarray(np.repeat(hidden, durations, axis=1).transpose(0, 2, 1))
        f0, energy = (curve[0] for curve in self._graphs.curves.run(None, {"hidden": frames, "style": style}))
        sounds = np.repeat(sounds, durations, axis=2)
        if not targets:
            return SentencePlan(phonemes, durations, sounds, f0, energy, style)
        semitones = pitch_shift(targets, durations * SPAN, melody(f0))
        if semitones is not None:
            f0 = scale_f0(f0, 2 ** (semitones / 12))
        level = per_frame(targets.energy, durations * SPAN)
        return SentencePlan(phonemes, durations, sounds, f0, energy, style, level)

    def decode_clauses(self, plan: SentencePlan) -> Iterator[np.ndarray]:
        """Yield the samples of each clause when they are asked for.

        Every clause is decoded by itself: the network normalizes over all that it is given at once, and
        pieces that are cut in silence fit whatever it made of the others.
        """
        start, ends = 0, clause_ends(plan.phonemes, plan.durations, plan.energy)
        for end in ends:
            fine = slice(start * SPAN, end * SPAN)
            given = {
                "sounds": plan.sounds[:, :, start:end], "f0": plan.f0[None, fine],
                "energy": plan.energy[None, fine], "style": plan.style,
            }  # fmt: skip
            (samples,) = self._graphs.decoder.run(None, given)
            if plan.level is not None:
                samples = apply_level(samples, plan.level[fine], HOP)
            yield _fade(np.clip(samples, -1.0, 1.0), start > 0, end < ends[-1])
            start = end


def clause_ends(phonemes: str, durations: np.ndarray, energy: np.ndarray) -> list[int]:
    """Return the frames at which the clauses of a sentence of F frames end, the last of them F.

    `durations` (L + 2,) are those of the silence before, each of the `phonemes`, the silence after; `energy`
    (2 F,) is the network's. Clauses end in the softest frame of a pause at a mark; short ones join the next.
    """
    starts = np.cumsum(durations) - durations
    whole, ends, begun = int(durations.sum()), list[int](), 0
    softness = -energy.reshape(-1, SPAN).max(axis=1)
    for i, phoneme in enumerate(phonemes, start=1):
        if phoneme not in CLAUSE_MARKS:
            continue
        first, stop = int(starts[i]), int(starts[i + 2 if phonemes[i : i + 1] == " " else i + 1])
        if stop - first < LEAST_PAUSE:
            continue
        end = first + 1 + int(np.argmax(softness[first + 1 : stop - 1]))
        if end - begun >= SHORTEST_CLAUSE <= whole - end:
            ends.append(end)
            begun = end
    return [*ends, whole]


def _fade(samples: np.ndarray, begins: bool, ends: bool) -> np.ndarray:
    """Return samples that rise from silence or fall to it where they were cut."""
    ramp = np.linspace(0.0, 1.0, min(round(FADE * RATE), len(samples) // 2), dtype=np.float32)
    samples = samples.copy()
    if begins:
        samples[: len(ramp)] *= ramp
    if ends:
        samples[len(samples) - len(ramp) :] *= ramp[::-1]
    return samples


@cache
def symbols() -> dict[str, int]:
    """Return the number of each phoneme and mark that the network knows."""
    listed: dict[str, int] = json.loads(Path(__file__).with_name("symbols.json").read_text("utf-8"))
    return listed


@cache
def _shared_graphs(folder: Path, threads: int) -> Graphs:
    """Return the graphs, which all voices share."""
    return open_graphs(folder, threads)
