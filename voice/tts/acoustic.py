"""Our own voices: phonemes → durations, pitch, energy → curves of pitch and loudness → sound.

Three ONNX graphs with NumPy between them. `text.onnx` looks at the whole sentence once and says how each
token sounds, how long, how high and how loud it is; the lengths are made here, where speed and other
controls act on plain arrays; `curves.onnx` draws fine pitch, loudness and voicing; `sounds.onnx` makes of all
that a spectrum, which is heard as a vocoder's is. The recipe that trains them is `recipes/tts`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voice.errors import ModelDamaged, ModelMissing
from voice.features import VOICE_HOP, VOICE_RATE
from voice.models.card import read_card
from voice.text.alphabet import BOUNDARY, MARKS, MODIFIERS, SYMBOLS
from voice.text.reading import SpokenSentence
from voice.tts.engine import SentenceStream, Utterance, timed_words
from voice.tts.graphs import open_graph, reach_of
from voice.tts.prosody_targets import (
    ProsodyTargets,
    apply_level,
    per_frame,
    pitch_shift,
    prosody_targets,
    target_lengths,
)
from voice.tts.streaming import cuts
from voice.tts.vocoder import Vocoder
from voice.types import Audio, Controls, Speech

FEATURES = 8  # what `frame_features` says of a frame
PITCH, LOUDNESS = 6, 7  # the places of these two among them
SEMITONE = np.float32(np.log(2) / 12)  # of log-F0
EDGE = 8  # frames of silence at either end; the pauses between sentences are made elsewhere
# Of these, how many beside the speech are heard; the others are silent, whatever a room adds.
BEFORE, AFTER = 2, 4
SHORTEST_PAUSE = 3  # frames; in training a pause has as many or none
LONGEST_TOKEN = 160  # frames (2 s) that one token may take
CURVES_REACH = 9  # frames on both sides of each that `curves.onnx` sees, unless it says otherwise
TEXT_FILE, CURVES_FILE, SOUNDS_FILE = "text.onnx", "curves.onnx", "sounds.onnx"


@dataclass(frozen=True)
class SpeakerStats:
    """How a speaker speaks: mean and standard deviation of log-F0, of voiced frames, and of the logarithm of
    a frame's amplitude; factors on the predicted pitch's departures from its mean (`liveliness`), on
    durations (`pace`) and on samples (`gain`). Raises ValueError for numbers that nobody speaks with."""

    pitch_mean: float
    pitch_spread: float
    energy_mean: float
    energy_spread: float
    liveliness: float = 1.0
    pace: float = 1.0
    gain: float = 1.0

    def __post_init__(self) -> None:
        usual = all(isinstance(value, int | float) and abs(value) <= 100 for value in vars(self).values())
        if not usual or not 0.1 <= self.pace <= 10:
            raise ValueError(f"{self} is out of range")


@dataclass(frozen=True, eq=False)
class Plan:
    """All that is needed to draw any of the F frames of a sentence: (L,) frames of each of its symbols,
    what the text network makes of them for the curves and for the sounds, (1, L, width) each, and per frame
    its symbol and FEATURES; where more is asked, (F,) semitones to move F0 by, and (F,) dB."""

    durations: np.ndarray
    hidden: np.ndarray
    sounds: np.ndarray
    token: np.ndarray
    features: np.ndarray
    moved: np.ndarray | None = None
    energy: np.ndarray | None = None


class Acoustic:
    """An engine for `voice.tts.voice.Voice`; deterministic, and safe to share between threads."""

    rate = VOICE_RATE

    def __init__(
        self,
        text: Any,
        curves: Any,
        decoder: Vocoder,
        speaker: int,
        manner: SpeakerStats,
        reach: int = CURVES_REACH,
    ) -> None:
        self._text, self._curves, self._decoder = text, curves, decoder
        self._speaker, self._manner, self._reach = speaker, manner, reach

    @classmethod
    def open(cls, folder: Path, *, threads: int | None = 1, speaker: str | None = None) -> Acoustic:
        """The voice that `recipes/tts/export.py` wrote to `folder`, speaking as its card says (the first of
        the model's speakers) unless told otherwise. Raises ModelMissing, ModelDamaged."""
        folder, threads = Path(folder), threads or 1
        speakers, options = _speakers(folder), read_card(folder).options
        speaker = speaker or options.get("speaker") or next(iter(speakers))
        if not isinstance(speaker, str) or speaker not in speakers:
            raise ModelMissing(f"{folder} has no speaker {speaker}; it has {', '.join(speakers)}")
        folder = folder / options.get("graphs", ".")  # voices of one model share them
        text, curves = (open_graph(folder / name, threads=threads) for name in (TEXT_FILE, CURVES_FILE))
        index = list(speakers).index(speaker)
        decoder = Vocoder.open(folder / SOUNDS_FILE, threads=threads, speaker=index)
        return cls(text, curves, decoder, index, speakers[speaker], reach_of(curves, CURVES_REACH))

    def render(self, reading: SpokenSentence, controls: Controls = Controls()) -> Speech:
        """A sentence as speech, its written words timed by the durations of their phonemes."""
        made = self.render_phonemes(reading.phonemes, prosody_targets(reading, controls))
        words = timed_words(reading, made.durations * (VOICE_HOP / VOICE_RATE))
        return Speech(Audio(made.samples, VOICE_RATE), reading.text, words)

    def stream(self, reading: SpokenSentence, controls: Controls = Controls()) -> SentenceStream:
        """The same sentence in pieces, each drawn when it is asked for; together what `render` gives."""
        symbols, every, targets = self._symbols(reading.phonemes, prosody_targets(reading, controls))
        plan = self.plan(symbols, targets)
        words = timed_words(reading, every(plan.durations) * (VOICE_HOP / VOICE_RATE))
        ends = cuts(words, len(plan.token) * VOICE_HOP / VOICE_RATE)
        return SentenceStream(
            words, self._pieces(plan, [round(end * VOICE_RATE / VOICE_HOP) for end in ends])
        )

    def _pieces(self, plan: Plan, ends: Sequence[int]) -> Iterator[np.ndarray]:
        """Samples up to each of the frames `ends`, no frame drawn before it is needed."""
        flow, seen, made = self._decoder.begin(), 0, 0
        for end in ends:
            stop = min(end + self._decoder.lookahead, len(plan.token)) if end < ends[-1] else end
            samples = flow.push(*self.frames(plan, seen, stop), last=end == ends[-1])
            yield self._leveled(samples, plan, made)
            seen, made = stop, made + len(samples)

    def render_phonemes(self, phonemes: str, targets: ProsodyTargets | None = None) -> Utterance:
        """Speak `phonemes` with `targets`; unknown ones are left out, with a warning."""
        symbols, every, targets = self._symbols(phonemes, targets)
        plan = self.plan(symbols, targets)
        frames, f0 = self.frames(plan, 0, len(plan.token))
        return Utterance(self._leveled(self._decoder(frames, f0), plan), every(plan.durations), f0)

    def _leveled(self, samples: np.ndarray, plan: Plan, first: int = 0) -> np.ndarray:
        """Samples from the `first` one of the sentence on, at the speaker's level and what else is asked."""
        samples = samples * (edges(plan.durations, first, len(samples)) * np.float32(self._manner.gain))
        if plan.energy is not None:
            samples = apply_level(samples, plan.energy, VOICE_HOP, first)
        return np.clip(samples, -1.0, 1.0)

    def _symbols(
        self, phonemes: str, targets: ProsodyTargets | None
    ) -> tuple[str, Callable[[np.ndarray], np.ndarray], ProsodyTargets | None]:
        """What can be drawn of `phonemes`, what makes its durations those of all, and what is asked of it,
        with the silent ends."""
        known = [i for i, p in enumerate(phonemes) if p in SYMBOLS]
        if len(known) < len(phonemes):
            missing = sorted(set(phonemes) - set(SYMBOLS))
            warnings.warn(f"this voice has no sound for {' '.join(missing)}", stacklevel=4)

        def every(durations: np.ndarray) -> np.ndarray:
            found = np.zeros(len(phonemes) + 2, np.int64)
            found[[0, *(i + 1 for i in known), -1]] = durations
            return found

        symbols = BOUNDARY + "".join(phonemes[i] for i in known) + BOUNDARY
        return symbols, every, targets.of(known).with_edges() if targets else None

    def draw(
        self, symbols: str, targets: ProsodyTargets | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """L symbols, a BOUNDARY at both ends → (L,) frames of each, and what `frames` gives for all of
        them."""
        plan = self.plan(symbols, targets)
        return plan.durations, *self.frames(plan, 0, len(plan.token))

    def plan(self, symbols: str, targets: ProsodyTargets | None = None) -> Plan:
        """One look at the whole sentence; `targets` have as many entries as it has symbols."""
        tokens = np.array([[SYMBOLS.index(s) for s in symbols]], np.int64)
        speaker = np.array([self._speaker], np.int64)
        hidden, sounds, durations, pitch, energy = self._text.run(
            None, {"tokens": tokens, "speaker": speaker}
        )
        lengths = np.expm1(durations[0]) * self._manner.pace
        if targets:
            lengths = target_lengths(lengths, targets, VOICE_HOP / VOICE_RATE)
        durations = token_frames(symbols, lengths)
        token, features = frame_features(durations, pitch[0] * self._manner.liveliness, energy[0])
        if not targets:
            return Plan(durations, hidden, sounds, token, features)
        melody = features[:, PITCH] * (self._manner.pitch_spread / SEMITONE)
        moved, energy = pitch_shift(targets, durations, melody), per_frame(targets.energy, durations)
        return Plan(durations, hidden, sounds, token, features, moved, energy)

    def frames(self, plan: Plan, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """Frames `first` to `last` of a sentence: (C, F) its symbols' sounds and, last, the logarithm of its
        amplitude; (F,) Hz, 0 unvoiced. What lies further than the network's reach and one frame beyond them,
        for steady voicing, makes no difference. F0 moves by exactly what is asked."""
        low, high = max(0, first - self._reach - 1), min(len(plan.token), last + self._reach + 1)
        given = {"hidden": plan.hidden[:, plan.token[low:high]], "features": plan.features[None, low:high]}
        (curves,) = self._curves.run(None, given)
        pitch, loudness, voicing = curves[0].T
        manner, kept = self._manner, slice(first - low, last - low)
        log_f0 = pitch * manner.pitch_spread + manner.pitch_mean
        if plan.moved is not None:
            log_f0 = log_f0 + plan.moved[low:high] * SEMITONE
        f0 = np.where(steady(voicing) > 0, np.exp(log_f0), 0.0).astype(np.float32)
        loud = (loudness * manner.energy_spread + manner.energy_mean).astype(np.float32)
        sounds = plan.sounds[0, plan.token[first:last]].T
        return np.concatenate([sounds, loud[None, kept]]), f0[kept]


def _speakers(folder: Path) -> Mapping[str, SpeakerStats]:
    """The speakers of the card, in the order of the model's table."""
    speakers = read_card(folder).options.get("speakers")
    try:
        manners = {name: SpeakerStats(**manner) for name, manner in speakers.items()}
        if not manners:
            raise ValueError("nobody speaks")
        return manners
    except (AttributeError, TypeError, ValueError) as error:
        problem = "its card does not say how its speakers speak; export it again"
        raise ModelDamaged(f"{folder}: {problem}") from error


def frame_features(
    durations: np.ndarray, pitch: np.ndarray, energy: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Lengths the tokens to frames.

    durations: (L,) whole frames, together F; pitch, energy: (L,) in standard deviations.
    Returns (F,) the token of each frame, and (F, FEATURES): where in its token the frame lies,
    how long that is, and the pitch and energy, drawn as lines through the middles of the tokens.
    """
    token = np.repeat(np.arange(len(durations)), durations)
    starts = np.cumsum(durations) - durations
    length = durations[token]
    since = np.arange(len(token)) - starts[token] + 0.5
    share = since / np.maximum(length, 1)
    spoken = durations > 0
    middles = (starts + durations / 2)[spoken]
    frames = np.arange(len(token)) + 0.5
    columns = [
        share,
        np.sin(np.pi * share),
        np.minimum(since / 8, 2.0),
        np.minimum((length - since) / 8, 2.0),
        np.log(np.maximum(length, 1)) / 2,
        np.ones(len(token)),
        np.interp(frames, middles, pitch[spoken]),
        np.interp(frames, middles, energy[spoken]),
    ]
    return token, np.stack(columns, 1).astype(np.float32)


def token_frames(symbols: str, lengths: np.ndarray) -> np.ndarray:
    """(L,) predicted lengths of `symbols` in frames → (L,) whole frames that make sense.

    Marks take no time, a pause is none at all or long enough to be one, a phoneme has at least a
    frame, and both ends are EDGE frames of silence.
    """
    timeless, pausing, ends = (
        np.array([s in kind for s in symbols]) for kind in (MODIFIERS, MARKS, BOUNDARY)
    )
    pauses = np.where(lengths < SHORTEST_PAUSE / 2, 0.0, np.maximum(lengths, SHORTEST_PAUSE))
    lengths = np.where(pausing, pauses, np.maximum(lengths, 1.0))
    return whole_frames(np.where(timeless, 0.0, np.where(ends, EDGE, lengths)))


def edges(durations: np.ndarray, first: int, count: int) -> np.ndarray:
    """(count,) float32 factors of samples from the `first` one of a sentence on: 1, and 0 at the silent
    ends."""
    start = (int(durations[0]) - BEFORE) * VOICE_HOP
    end = (int(durations.sum()) - int(durations[-1]) + AFTER) * VOICE_HOP
    places = np.arange(first, first + count)
    return np.clip(np.minimum(places - start, end - places) / VOICE_HOP, 0.0, 1.0).astype(np.float32)


def steady(values: np.ndarray) -> np.ndarray:
    """(F,) → (F,) the median of each value and its neighbors, for voicing does not flicker."""
    padded = np.pad(values, 1, mode="edge")
    return np.median([padded[:-2], values, padded[2:]], axis=0)


def whole_frames(lengths: np.ndarray) -> np.ndarray:
    """(L,) real lengths in frames → (L,) whole ones whose running sum stays within half a frame."""
    ends = np.floor(np.cumsum(np.minimum(lengths, LONGEST_TOKEN)) + 0.5).astype(np.int64)
    return np.diff(ends, prepend=0)
