"""A recognizer whose encoder writes by connectionist temporal classification alone, as recipes/ctc trains it.

Sound → features → `encoder.onnx` → log-probabilities of units → beam search → words, timed by forced
alignment to the same log-probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from voice.abilities import Traits
from voice.asr.batching import refuse_translation
from voice.asr.ctc.beam_search import BeamSearch, SearchOptions
from voice.asr.ctc.head import align_labels
from voice.asr.ctc.ngram import NgramModel
from voice.asr.ctc.units import Units
from voice.asr.segmenting import separate_times, split_segments
from voice.audio import resample
from voice.errors import AudioError, ModelDamaged, ModelMissing
from voice.features import kaldi_log_mel, whisper_log_mel
from voice.models.sessions import open_session
from voice.types import Audio, Frames, LogProbs, Samples, Segment, Transcript, Word

ENCODER_FILE = "encoder.onnx"
SAMPLE_RATE = 16_000
LONGEST_SPEECH = 30.0  # seconds in one call
SHORTEST_SPEECH = 0.1  # seconds; shorter sound is filled up with silence
SCALE_16_BIT = 32768.0  # Kaldi's filter bank takes samples as 16-bit numbers
INPUTS, OUTPUTS = ["features", "frames", "chunk"], ["log_probs", "out_frames"]
WHOLE = 1 << 20  # frames of a chunk that no utterance fills: each frame sees all others

FeatureKind = Literal["kaldi", "whisper", "samples"]


@dataclass(frozen=True)
class CTCOptions:
    """What the card says of a model.

    `frame` is the time in seconds between two outputs. `chunk` is the seconds after which a frame sees no
    further: 0 is the whole utterance. `lead` is how long before its first output a word begins.
    """

    features: FeatureKind = "kaldi"
    frame: float = 0.04
    chunk: float = 0.0
    lead: float = 0.04
    search: SearchOptions = field(default_factory=SearchOptions)


class OnnxCTCRecognizer:
    """A recognizer for voice.types, voice.abilities and everything above. It holds no state between calls."""

    rate = SAMPLE_RATE
    traits = Traits(longest=LONGEST_SPEECH, packed=20.0, uncut=LONGEST_SPEECH, batch=4)

    def __init__(
        self, session: Any, units: Units, options: CTCOptions, language: str,
        language_model: NgramModel | None = None,
    ) -> None:  # fmt: skip
        self._session, self._options = session, options
        self.units, self.language_model = units, language_model
        self._search = BeamSearch(units, options.search, language_model)
        self._language = language

    @classmethod
    def open(
        cls, folder: Path, options: CTCOptions, language: str, *,
        language_model: Path | None = None, threads: int | None = None,
    ) -> OnnxCTCRecognizer:  # fmt: skip
        """Load a model's folder. Raises ModelMissing or ModelDamaged."""
        path = folder / ENCODER_FILE
        if not path.is_file():
            raise ModelMissing(f"{path} is missing; export the model again")
        units = Units.read(folder)
        try:
            session = open_session(path, threads=threads or 0)
            names = [[each.name for each in side] for side in (session.get_inputs(), session.get_outputs())]
            classes = session.get_outputs()[0].shape[-1]
        except Exception as error:  # the library's own errors share no base
            raise ModelDamaged(f"{path} cannot be read ({error}); export the model again") from error
        if names != [INPUTS, OUTPUTS]:
            raise ModelDamaged(f"{path} maps {names[0]} to {names[1]}; an encoder maps {INPUTS} to {OUTPUTS}")
        if classes != units.classes:
            raise ModelDamaged(f"{path} has {classes} classes and units.json {units.classes - 1} units")
        model = NgramModel.read(language_model) if language_model else None
        return cls(session, units, options, language, model)

    @property
    def languages(self) -> tuple[str, ...]:
        """Return the languages that the model knows: one."""
        return (self._language,)

    def transcribe(
        self, speech: Audio, *, language: str | None = None, hotwords: Sequence[str] = ()
    ) -> Transcript:
        """Transcribe speech of at most 30 s. Raises AudioError if it is longer."""
        return self.transcribe_batch([speech], language=language, hotwords=hotwords, task="transcribe")[0]

    def transcribe_batch(
        self, speeches: Sequence[Audio], *, language: str | None, hotwords: Sequence[str], task: str
    ) -> list[Transcript]:
        """Transcribe windows of one recording. Raises AudioError or VoiceError, as voice.abilities says."""
        refuse_translation(task)
        if not speeches:
            return []
        sounds = [resample(speech, self.rate) for speech in speeches]
        for speech in sounds:
            if speech.duration > LONGEST_SPEECH:
                raise AudioError(f"{speech.duration:.1f} s of speech; one call takes {LONGEST_SPEECH:g} s")
        log_probs = self.log_probs([speech.samples for speech in sounds])
        return [
            self._transcript(each, speech.duration, hotwords)
            for each, speech in zip(log_probs, sounds, strict=True)
        ]

    def log_probs(self, sounds: Sequence[Samples]) -> list[LogProbs]:
        """Compute the log-probabilities (F, C) of sounds (T,) at 16 kHz."""
        features = [features_of(samples, self._options.features) for samples in sounds]
        lengths = np.array([len(each) for each in features], np.int64)
        padded = np.zeros((len(features), lengths.max(), features[0].shape[1]), np.float32)
        for row, each in zip(padded, features, strict=True):
            row[: len(each)] = each
        chunk = round(self._options.chunk / self._options.frame) or WHOLE
        given = dict(zip(INPUTS, (padded, lengths, np.array(chunk, np.int64)), strict=True))
        found, frames = self._session.run(OUTPUTS, given)
        return [each[:count] for each, count in zip(found, frames, strict=True)]

    def _transcript(self, log_probs: LogProbs, duration: float, hotwords: Sequence[str]) -> Transcript:
        """Search the words of one window and time them."""
        words = self._words(log_probs, duration, self._search(log_probs, hotwords))
        segments: tuple[Segment, ...] = ()
        if words:
            segments = tuple(split_segments([f" {word.text}" for word in words], words))
        return Transcript(segments, self._language, duration)

    def _words(self, log_probs: LogProbs, duration: float, labels: Sequence[int]) -> list[Word]:
        """Return the words of labels with their times and their confidence."""
        spans = align_labels(log_probs, np.array(labels, np.int64))
        frame, lead = self._options.frame, self._options.lead
        found = []
        for word in self.units.words(labels):
            own = spans[word.first : word.last]
            start, end = own[0, 0] * frame - lead, own[-1, 1] * frame
            likely = [
                log_probs[first, label]
                for (first, _), label in zip(own, labels[word.first : word.last], strict=True)
                if first < len(log_probs)
            ]
            confidence = float(np.exp(np.mean(likely))) if likely else 0.0
            found.append(Word(word.text, max(0.0, float(start)), float(end), confidence))
        return separate_times(found, 0.0, duration)


def features_of(samples: Samples, kind: FeatureKind) -> Frames:
    """Compute the features (T, D) of samples at 16 kHz, at least one frame.

    "kaldi": log-mel of frames of 25 ms, 10 ms apart, (T, 80). "whisper": Whisper's, which are relative to
    the loudest frame. "samples": (T, 1), of zero mean and unit variance, as wav2vec 2.0 takes them.
    """
    shortage = round(SHORTEST_SPEECH * SAMPLE_RATE) - len(samples)
    samples = np.pad(np.asarray(samples, np.float32), (0, max(0, shortage)))
    if kind == "samples":
        normal: Frames = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
        return normal[:, None]
    if kind == "whisper":
        return np.ascontiguousarray(whisper_log_mel(samples).T)
    return kaldi_log_mel(samples * np.float32(SCALE_16_BIT))


FEATURE_WIDTHS: Mapping[FeatureKind, int] = {
    "kaldi": 80,
    "whisper": 80,
    "samples": 1,
}  # numbers in each frame
