"""Voices that draw a mel spectrum by flow matching: phonemes → durations → frames → the vocoder.

Three ONNX graphs with NumPy between them. `text.onnx` looks at the whole sentence once: what is known of each
token, and how long it takes. `flow.onnx` leads from noise to a sample of all frames at once, mel, pitch and
voicing; `vocoder.onnx` makes sound of them. `recipes/tts/flow` trains the first two, `recipes/vocoder` the
third. After Matcha-TTS (Mehta et al. 2024).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voice.features import VOICE_BANDS, VOICE_HOP, VOICE_RATE
from voice.text.alphabet import SYMBOLS
from voice.text.reading import SpokenSentence
from voice.tts.engine import SentenceStream, Utterance, known_symbols, scale_level, speech_of, timed_words
from voice.tts.frames import frame_features, steady, token_frames
from voice.tts.graphs import open_graph
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
from voice.tts.vocoder import FILE as VOCODER_FILE
from voice.tts.vocoder import Vocoder
from voice.types import Controls, Speech

TEXT_FILE, FLOW_FILE = "text.onnx", "flow.onnx"
PITCH, VOICING = VOICE_BANDS, VOICE_BANDS + 1  # channels after the bands of the mel
CHANNELS = VOICE_BANDS + 2


@dataclass(frozen=True)
class FlowSpeaker:
    """Mean and standard deviation of a speaker's log-F0, and how the voice speaks as this speaker.

    `temperature` scales the noise that the flow begins with, `liveliness` how far the pitch departs from its
    mean, `pace` durations, `gain` samples. Raises ValueError for numbers that nobody speaks with.
    """

    pitch_mean: float
    pitch_spread: float
    temperature: float = 0.667
    liveliness: float = 1.0
    pace: float = 1.0
    gain: float = 1.0

    def __post_init__(self) -> None:
        check_speaker(self)


@dataclass(frozen=True, eq=False)
class Frames:
    """A sentence of F frames: `durations` (L,) of its symbols, mel (100, F), F0 (F,) Hz, 0 where unvoiced.

    With prosody targets, `energy` (F,) in dB scales the level.
    """

    durations: np.ndarray
    mel: np.ndarray
    f0: np.ndarray
    energy: np.ndarray | None = None


class FlowMatching:
    """An engine for `voice.tts.voice.Voice`; deterministic, and safe to share between threads."""

    rate = VOICE_RATE

    def __init__(self, text: Any, flow: Any, vocoder: Vocoder, number: int, speaker: FlowSpeaker) -> None:
        """Speak as the speaker of that `number` in the table of `text`."""
        self._text, self._flow, self._vocoder = text, flow, vocoder
        self._number, self._speaker = number, speaker

    @classmethod
    def open(cls, folder: Path, *, threads: int | None = 1) -> FlowMatching:
        """Open the voice that `recipes/tts/flow/export.py` wrote to `folder`.

        Raises ModelMissing, ModelDamaged.
        """
        folder, threads = Path(folder), threads or 1
        number, speaker = find_speaker(folder, FlowSpeaker)
        text, flow = (open_graph(folder / file, threads=threads) for file in (TEXT_FILE, FLOW_FILE))
        vocoder = Vocoder.open(folder / VOCODER_FILE, threads=threads)
        return cls(text, flow, vocoder, number, speaker)

    def render(self, reading: SpokenSentence, controls: Controls = Controls()) -> Speech:
        """Return a sentence as speech, its written words timed by the durations of their phonemes."""
        utterance = self.render_phonemes(reading.phonemes, prosody_targets(reading, controls))
        return speech_of(reading, utterance, VOICE_HOP, VOICE_RATE)

    def render_phonemes(self, phonemes: str, targets: ProsodyTargets | None = None) -> Utterance:
        """Speak `phonemes` with `targets`; unknown ones are left out, with a warning."""
        symbols, for_all, targets = known_symbols(phonemes, targets)
        frames = self.draw(symbols, targets)
        samples = self._with_level(self._vocoder(frames.mel, frames.f0), frames)
        return Utterance(samples, for_all(frames.durations), frames.f0)

    def stream(self, reading: SpokenSentence, controls: Controls = Controls()) -> SentenceStream:
        """Return the same sentence in pieces; joined they are the whole.

        The frames of all of it are drawn before the first piece, its samples piece by piece.
        """
        symbols, for_all, targets = known_symbols(reading.phonemes, prosody_targets(reading, controls))
        frames = self.draw(symbols, targets)
        words = timed_words(reading, for_all(frames.durations) * (VOICE_HOP / VOICE_RATE))
        ends = cuts(words, len(frames.f0) * VOICE_HOP / VOICE_RATE)
        return SentenceStream(
            words, self._pieces(frames, [round(end * VOICE_RATE / VOICE_HOP) for end in ends])
        )

    def _pieces(self, frames: Frames, ends: Sequence[int]) -> Iterator[np.ndarray]:
        """Yield the samples up to each of the frames `ends`; none is made before it is needed."""
        stream, given, made = self._vocoder.begin(), 0, 0
        for end in ends:
            last = end == ends[-1]
            stop = end if last else min(end + self._vocoder.lookahead, len(frames.f0))
            samples = stream.push(frames.mel[:, given:stop], frames.f0[given:stop], last=last)
            yield self._with_level(samples, frames, made)
            given, made = stop, made + len(samples)

    def draw(self, symbols: str, targets: ProsodyTargets | None = None) -> Frames:
        """Return the frames of L symbols, a BOUNDARY at both ends; `targets` have as many entries."""
        given = {
            "tokens": np.array([[SYMBOLS.index(symbol) for symbol in symbols]], np.int64),
            "speaker": np.array([self._number], np.int64),
        }
        hidden, lengths = self._text.run(None, given)
        frames = np.expm1(lengths[0]) * self._speaker.pace
        if targets:
            frames = target_lengths(frames, targets, VOICE_HOP / VOICE_RATE)
        durations = token_frames(symbols, frames)
        nothing = np.zeros(len(symbols))  # pitch and loudness are the flow's to find
        token, features = frame_features(durations, nothing, nothing)
        noise = np.random.default_rng(0).standard_normal((1, len(token), CHANNELS), np.float32)
        (drawn,) = self._flow.run(
            None,
            {
                "hidden": hidden[:, token],
                "features": features[None],
                "noise": noise * np.float32(self._speaker.temperature),
            },
        )
        return self._frames(drawn[0], durations, targets)

    def _frames(self, drawn: np.ndarray, durations: np.ndarray, targets: ProsodyTargets | None) -> Frames:
        """Return the frames that (F, CHANNELS) of the flow mean, moved as the targets ask."""
        speaker, voiced = self._speaker, steady(drawn[:, VOICING]) > 0
        melody = steady(drawn[:, PITCH]) * (speaker.liveliness * speaker.pitch_spread)
        log_f0, energy = speaker.pitch_mean + melody, None
        if targets:
            shift = pitch_shift(targets, durations, melody / SEMITONE)
            log_f0 = log_f0 if shift is None else log_f0 + shift * SEMITONE
            energy = per_frame(targets.energy, durations)
        f0 = np.where(voiced, np.exp(log_f0), 0.0).astype(np.float32)
        return Frames(durations, np.ascontiguousarray(drawn[:, :VOICE_BANDS].T), f0, energy)

    def _with_level(self, samples: np.ndarray, frames: Frames, first: int = 0) -> np.ndarray:
        """Scale samples, from the `first` of the sentence on, to the level that is asked for."""
        return scale_level(samples, frames.durations, self._speaker.gain, frames.energy, first)
