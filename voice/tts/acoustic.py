"""Our own voices: phonemes → durations, pitch, energy → curves of pitch and loudness → sound.

Three ONNX graphs with NumPy between them. `text.onnx` looks at the whole sentence once: it predicts the
sound, duration, pitch and energy of each token. Durations become whole frames here, where speed and other
controls act on plain arrays. `curves.onnx` predicts pitch, loudness and voicing of each frame; `sounds.onnx`
makes a spectrum of all that, from which the vocoder makes samples. `recipes/tts` trains them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voice.features import VOICE_HOP, VOICE_RATE
from voice.models.card import read_card
from voice.text.alphabet import SYMBOLS
from voice.text.reading import SpokenSentence
from voice.tts.engine import SentenceStream, Utterance, known_symbols, scale_level, speech_of, timed_words
from voice.tts.frames import PITCH, frame_features, steady, token_frames
from voice.tts.graphs import open_graph, reach_of
from voice.tts.melody import SEMITONE
from voice.tts.prosody_targets import (
    ProsodyTargets,
    per_frame,
    pitch_shift,
    prosody_targets,
    target_lengths,
)
from voice.tts.speakers import check_speaker, find_speaker
from voice.tts.streaming import cuts
from voice.tts.vocoder import Vocoder
from voice.types import Controls, Speech

CURVES_REACH = 9  # frames on both sides of each that `curves.onnx` sees, unless it says otherwise
TEXT_FILE, CURVES_FILE, SOUNDS_FILE = "text.onnx", "curves.onnx", "sounds.onnx"


@dataclass(frozen=True)
class SpeakerStats:
    """Statistics of how a speaker speaks, and factors on what the networks predict.

    Means and standard deviations are those of log-F0 in voiced frames and of the logarithm of a frame's
    amplitude. `liveliness` scales how far the predicted pitch departs from its mean, `pace` durations, `gain`
    samples. Raises ValueError for numbers that nobody speaks with.
    """

    pitch_mean: float
    pitch_spread: float
    energy_mean: float
    energy_spread: float
    liveliness: float = 1.0
    pace: float = 1.0
    gain: float = 1.0

    def __post_init__(self) -> None:
        check_speaker(self)


@dataclass(frozen=True, eq=False)
class Plan:
    """All that is needed to render any of the F frames of a sentence.

    `durations` (L,) are the frames of each symbol; `hidden` and `sounds`, (1, L, width) each, are the text
    network's output for the curves and for the spectrum; `token` (F,) is the symbol of each frame, `features`
    (F, FEATURES) describe its place in it. With prosody targets, `semitones` (F,) move F0 and `energy` (F,)
    in dB scales the level.
    """

    durations: np.ndarray
    hidden: np.ndarray
    sounds: np.ndarray
    token: np.ndarray
    features: np.ndarray
    semitones: np.ndarray | None = None
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
        stats: SpeakerStats,
        reach: int = CURVES_REACH,
    ) -> None:
        self._text, self._curves, self._decoder = text, curves, decoder
        self._speaker, self._stats, self._reach = speaker, stats, reach

    @classmethod
    def open(cls, folder: Path, *, threads: int | None = 1, speaker: str | None = None) -> Acoustic:
        """Open the voice that `recipes/tts/export.py` wrote to `folder`.

        `speaker` is by default the one that the card names, else the first of the model's speakers. Raises
        ModelMissing, ModelDamaged.
        """
        folder, threads = Path(folder), threads or 1
        index, stats = find_speaker(folder, SpeakerStats, speaker)
        folder = folder / read_card(folder).options.get("graphs", ".")  # voices of one model share them
        text, curves = (open_graph(folder / name, threads=threads) for name in (TEXT_FILE, CURVES_FILE))
        decoder = Vocoder.open(folder / SOUNDS_FILE, threads=threads, speaker=index)
        return cls(text, curves, decoder, index, stats, reach_of(curves, CURVES_REACH))

    def render(self, reading: SpokenSentence, controls: Controls = Controls()) -> Speech:
        """Return a sentence as speech, its written words timed by the durations of their phonemes."""
        utterance = self.render_phonemes(reading.phonemes, prosody_targets(reading, controls))
        return speech_of(reading, utterance, VOICE_HOP, VOICE_RATE)

    def stream(self, reading: SpokenSentence, controls: Controls = Controls()) -> SentenceStream:
        """Return the same sentence in pieces, each made when it is asked for; joined they are the whole."""
        symbols, for_all, targets = known_symbols(reading.phonemes, prosody_targets(reading, controls))
        plan = self.plan(symbols, targets)
        words = timed_words(reading, for_all(plan.durations) * (VOICE_HOP / VOICE_RATE))
        ends = cuts(words, len(plan.token) * VOICE_HOP / VOICE_RATE)
        return SentenceStream(
            words, self._pieces(plan, [round(end * VOICE_RATE / VOICE_HOP) for end in ends])
        )

    def _pieces(self, plan: Plan, ends: Sequence[int]) -> Iterator[np.ndarray]:
        """Yield the samples up to each of the frames `ends`; no frame is rendered before it is needed."""
        stream, rendered, decoded = self._decoder.begin(), 0, 0
        for end in ends:
            stop = min(end + self._decoder.lookahead, len(plan.token)) if end < ends[-1] else end
            samples = stream.push(*self.frames(plan, rendered, stop), last=end == ends[-1])
            yield self._with_level(samples, plan, decoded)
            rendered, decoded = stop, decoded + len(samples)

    def render_phonemes(self, phonemes: str, targets: ProsodyTargets | None = None) -> Utterance:
        """Speak `phonemes` with `targets`; unknown ones are left out, with a warning."""
        symbols, for_all, targets = known_symbols(phonemes, targets)
        plan = self.plan(symbols, targets)
        frames, f0 = self.frames(plan, 0, len(plan.token))
        return Utterance(self._with_level(self._decoder(frames, f0), plan), for_all(plan.durations), f0)

    def _with_level(self, samples: np.ndarray, plan: Plan, first: int = 0) -> np.ndarray:
        """Scale samples, from the `first` of the sentence on, to the level that is asked for."""
        return scale_level(samples, plan.durations, self._stats.gain, plan.energy, first)

    def draw(
        self, symbols: str, targets: ProsodyTargets | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (L,) durations of L symbols, a BOUNDARY at both ends, and all that `frames` gives."""
        plan = self.plan(symbols, targets)
        return plan.durations, *self.frames(plan, 0, len(plan.token))

    def plan(self, symbols: str, targets: ProsodyTargets | None = None) -> Plan:
        """Look at the whole sentence once; `targets` have as many entries as it has symbols."""
        tokens = np.array([[SYMBOLS.index(s) for s in symbols]], np.int64)
        speaker = np.array([self._speaker], np.int64)
        hidden, sounds, durations, pitch, energy = self._text.run(
            None, {"tokens": tokens, "speaker": speaker}
        )
        lengths = np.expm1(durations[0]) * self._stats.pace
        if targets:
            lengths = target_lengths(lengths, targets, VOICE_HOP / VOICE_RATE)
        durations = token_frames(symbols, lengths)
        token, features = frame_features(durations, pitch[0] * self._stats.liveliness, energy[0])
        if not targets:
            return Plan(durations, hidden, sounds, token, features)
        melody = features[:, PITCH] * (self._stats.pitch_spread / SEMITONE)
        semitones, energy = pitch_shift(targets, durations, melody), per_frame(targets.energy, durations)
        return Plan(durations, hidden, sounds, token, features, semitones, energy)

    def frames(self, plan: Plan, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """Return frames `first` to `last` of a sentence: (C, F) inputs of the decoder, and (F,) Hz.

        The inputs are the sounds of the symbols and, in the last row, the logarithm of the amplitude. F0 is 0
        where unvoiced and moves by exactly what the targets ask. What lies further away than the network's
        reach, and one frame more that `steady` looks at, makes no difference.
        """
        low, high = max(0, first - self._reach - 1), min(len(plan.token), last + self._reach + 1)
        given = {"hidden": plan.hidden[:, plan.token[low:high]], "features": plan.features[None, low:high]}
        (curves,) = self._curves.run(None, given)
        pitch, loudness, voicing = curves[0].T
        stats, kept = self._stats, slice(first - low, last - low)
        log_f0 = pitch * stats.pitch_spread + stats.pitch_mean
        if plan.semitones is not None:
            log_f0 = log_f0 + plan.semitones[low:high] * SEMITONE
        f0 = np.where(steady(voicing) > 0, np.exp(log_f0), 0.0).astype(np.float32)
        loud = (loudness * stats.energy_spread + stats.energy_mean).astype(np.float32)
        sounds = plan.sounds[0, plan.token[first:last]].T
        return np.concatenate([sounds, loud[None, kept]]), f0[kept]
