"""Whisper's encoder, and the CTC head that reads letters from its output: speech → `EncodedSpeech`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from voice.asr.ctc.alphabet import FRAME
from voice.asr.ctc.head import CTCHead, greedy_letters
from voice.asr.whisper.windows import (
    MARGIN,
    WINDOW_SAMPLES,
    features,
    full_window_features,
    length_buckets,
)
from voice.errors import VoiceError
from voice.features import WHISPER_HOP
from voice.types import Audio

GROUP = 6  # utterances encoded at once where the context is the utterance
MAX_SPREAD = 0.7  # seconds by which their lengths may differ: the shorter get that much more silence

Context = Literal["full", "utterance"]


@dataclass(frozen=True, eq=False)
class CTCOutput:
    """What a CTC head reads in speech: `log_probs` (F, 29), and the `letters` of a greedy reading.

    `is_spelled` says that the head knows the spelling of the language, so that its letters can be
    compared with those of a text. Otherwise they only tell how much was said, and how often.
    """

    log_probs: np.ndarray
    letters: str
    is_spelled: bool


@dataclass(frozen=True, eq=False)
class EncodedSpeech:
    """Speech, the output of the encoder for it (F, D), and that of the CTC head if there is one."""

    speech: Audio
    encoded: np.ndarray
    ctc: CTCOutput | None = None

    @property
    def log_probs(self) -> np.ndarray | None:
        """Return the (F, 29) log-probabilities of letters, if a head knows how the language is spelled."""
        return self.ctc.log_probs if self.ctc is not None and self.ctc.is_spelled else None

    def until(self, seconds: float | None) -> EncodedSpeech:
        """Return the beginning of the speech, with its letters; the encoder's output stays whole."""
        if seconds is None:
            return self
        ctc = self.ctc and replace(self.ctc, log_probs=self.ctc.log_probs[: math.ceil(seconds / FRAME)])
        return replace(self, speech=self.speech.cut(0.0, seconds), ctc=ctc)


class WhisperEncoder:
    """The encoder of `model`, with the `head` on it if there is one. It holds no state between calls.

    `context` is what the encoder sees: "full" pads to 30 s as the original was trained, "utterance"
    only adds a margin.
    """

    def __init__(self, model: Any, context: Context, head: CTCHead | None) -> None:
        self._model, self._context, self._head = model, context, head

    @property
    def has_head(self) -> bool:
        """Tell whether there is a CTC head."""
        return self._head is not None

    def groups(self, speeches: Sequence[Audio]) -> Iterator[list[int]]:
        """Yield the indexes of speeches to encode together: all, or those of like length."""
        if self._context == "utterance":
            yield from length_buckets([speech.duration for speech in speeches], MAX_SPREAD, GROUP)
        elif speeches:
            yield list(range(len(speeches)))

    def encode(self, speeches: Sequence[Audio]) -> np.ndarray:
        """Compute the encoder's output (B, F, D), a row for each 20 ms."""
        bands = self._model.n_mels
        if self._context == "full":
            rows = [full_window_features(speech.samples, bands) for speech in speeches]
        else:
            frames = 2 * max(self._frames(speech) for speech in speeches)  # of the spectrum
            length = min(WINDOW_SAMPLES, frames * WHISPER_HOP)
            rows = [features(speech.samples, length, bands) for speech in speeches]
        return np.asarray(self._model.encode(storage_view(np.stack(rows)), to_cpu=True))

    def read(
        self, speeches: Sequence[Audio], encoded: np.ndarray, *, is_spelled: bool
    ) -> list[EncodedSpeech]:
        """Pair each speech with its row of `encoded` (B, F, D) and the letters that the head reads there."""
        if self._head is None:
            return [EncodedSpeech(speech, row) for speech, row in zip(speeches, encoded, strict=True)]
        counts = [self._frames(speech) for speech in speeches]
        log_probs = self._head(np.ascontiguousarray(encoded[:, : max(counts)]))
        found = [row[:count] for row, count in zip(log_probs, counts, strict=True)]
        outputs = [CTCOutput(row, greedy_letters(row), is_spelled) for row in found]
        return [EncodedSpeech(*each) for each in zip(speeches, encoded, outputs, strict=True)]

    def detect_language(self, encoded: np.ndarray) -> str:
        """Return the code of the likeliest language of all rows of `encoded` (B, F, D) together."""
        if not self._model.is_multilingual:
            return "en"
        probabilities: dict[str, float] = {}
        for ranking in self._model.detect_language(storage_view(encoded)):
            for token, probability in ranking:
                code = token[2:-2]
                probabilities[code] = probabilities.get(code, 0.0) + probability
        return max(probabilities, key=lambda code: probabilities[code])

    def letter_log_probs(self, speech: Audio) -> np.ndarray:
        """Compute (F, 29) log-probabilities of letters in one speech and the margin after it.

        Raises VoiceError without a head.
        """
        if self._head is None:
            raise VoiceError("this recognizer has no CTC head; use quick")
        log_probs: np.ndarray = self._head(self.encode([speech]))[0]
        return log_probs[: self._frames(speech)]

    def _frames(self, speech: Audio) -> int:
        """Return how many frames of the encoder the speech and the margin after it take."""
        return max(1, round((speech.duration + MARGIN) / FRAME))


def storage_view(array: np.ndarray) -> Any:
    """Build the `ctranslate2.StorageView` of an array, float32."""
    import ctranslate2

    return ctranslate2.StorageView.from_array(np.ascontiguousarray(array, np.float32))
