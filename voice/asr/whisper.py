"""Whisper (Radford et al. 2022) on CTranslate2: speech of at most 30 s → words with times.

The encoder runs once; language, words and their times all come from its output. What the
decoder makes of sound that is no speech is caught by three guards: how likely the model
finds silence, how sure it is of its words, and how much they repeat.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from voice import audio
from voice.asr.vocabulary import Vocabulary
from voice.asr.words import segmented, timed_words
from voice.errors import AudioError, ModelDamaged, ModelMissing
from voice.features import WHISPER_BANDS, WHISPER_HOP, WHISPER_RATE, whisper_log_mel
from voice.types import Audio, Segment, Transcript

WINDOW = 30.0  # seconds that the encoder was trained on
FULL_FRAMES = round(WINDOW * WHISPER_RATE) // WHISPER_HOP
LONGEST_OUTPUT = 448

Context = Literal["full", "utterance"]


@dataclass(frozen=True)
class Decoding:
    """How tokens are searched for, and when a result is not believed.

    `beam` 1 is greedy. A result whose mean log-probability is below `log_probability` or whose
    text compresses more than `compression` times is searched again with `second_beam` and no
    repeated trigram. It counts as silence if P(no speech) is above `no_speech` and the mean
    log-probability below `log_probability`, or if the second search repeats itself too.
    """

    beam: int = 1
    second_beam: int = 5
    no_speech: float = 0.6
    log_probability: float = -1.0
    compression: float = 2.4
    tokens_per_second: float = 12.0
    margin: float = 0.3  # seconds after the utterance that the "utterance" context shows


@dataclass(frozen=True)
class _Guess:
    tokens: tuple[int, ...]
    log_probability: float  # mean over the tokens, the end included
    no_speech: float
    compression: float


class Whisper:
    """A recognizer: holds the weights and no state between calls.

    `context` is what the encoder sees: "full" pads to 30 s as the original was trained,
    "utterance" only adds a margin (for models tuned to that, many times faster on short speech).
    """

    rate = WHISPER_RATE
    longest = WINDOW

    def __init__(self, model, vocabulary: Vocabulary, context: Context, decoding: Decoding) -> None:
        self._model = model
        self._vocabulary = vocabulary
        self._context = context
        self._decoding = decoding

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        threads: int | None = None,
        context: Context = "full",
        decoding: Decoding = Decoding(),
        compute_type: str = "int8",
    ) -> Whisper:
        """Load a CTranslate2 folder. Raises ModelMissing or ModelDamaged."""
        import ctranslate2

        folder = Path(folder)
        if not (folder / "model.bin").is_file():
            raise ModelMissing(f"{folder} holds no model.bin; fetch a recognizer with `voice models get whisper-base`")
        threads = threads or len(os.sched_getaffinity(0))
        try:
            model = ctranslate2.models.Whisper(str(folder), compute_type=compute_type, intra_threads=threads)
        except (RuntimeError, ValueError) as error:
            raise ModelDamaged(f"{folder} is no Whisper model that can be loaded ({error}); fetch it again") from error
        return cls(model, Vocabulary(folder, multilingual=model.is_multilingual), context, decoding)

    @property
    def languages(self) -> frozenset[str]:
        """The languages that it knows, as ISO 639-1 codes."""
        return self._vocabulary.languages

    def transcribe(
        self,
        speech: Audio,
        *,
        language: str | None = None,
        hotwords: Sequence[str] = (),
        task: str = "transcribe",
        words: bool = True,
    ) -> Transcript:
        """The words of one stretch of speech of at most 30 s.

        `language` None detects it; `hotwords` are expected words; `task` "translate" answers in
        English; without `words` there is one segment without times inside.
        Raises AudioError for more than 30 s, VoiceError for a language or task that it does not know.
        """
        return self.transcribe_batch([speech], language=language, hotwords=hotwords, task=task, words=words)[0]

    def transcribe_batch(
        self,
        speeches: Sequence[Audio],
        *,
        language: str | None = None,
        hotwords: Sequence[str] = (),
        task: str = "transcribe",
        words: bool = True,
    ) -> list[Transcript]:
        """As `transcribe`, for stretches of one recording: a detected language holds for all of them."""
        speeches = [audio.resample(_not_too_long(speech), WHISPER_RATE) for speech in speeches]
        together = [speeches] if self._context == "full" else [[speech] for speech in speeches]
        transcripts: list[Transcript] = []
        for group in together:
            if not group:
                continue
            encoded = self._encode(group)
            language = language or self._detect(encoded)
            start = self._vocabulary.start_sequence(language, task)
            guesses = self._decode(encoded, [*self._vocabulary.prompt(hotwords), *start], group)
            transcripts += self._transcripts(encoded, start, guesses, group, language, words)
        return transcripts

    def _encode(self, speeches: Sequence[Audio]) -> np.ndarray:
        """Speech → encoder output (B, frames / 2, D)."""
        features = np.stack([self._features(speech) for speech in speeches])  # (B, 80, frames)
        return np.asarray(self._model.encode(_view(features), to_cpu=True))

    def _features(self, speech: Audio) -> np.ndarray:
        """(80, frames) of the speech and the silence that the context asks for."""
        frames = FULL_FRAMES
        if self._context == "utterance":
            shown = (speech.duration + self._decoding.margin) * WHISPER_RATE / WHISPER_HOP
            frames = min(frames, 2 * max(1, round(shown / 2)))  # the encoder halves them
        samples = np.zeros(frames * WHISPER_HOP, np.float32)
        samples[: len(speech.samples)] = speech.samples[: len(samples)]
        return whisper_log_mel(samples)

    def _detect(self, encoded: np.ndarray) -> str:
        if not self._model.is_multilingual:
            return "en"
        chances: dict[str, float] = {}
        for ranking in self._model.detect_language(_view(encoded)):
            for token, chance in ranking:
                chances[token[2:-2]] = chances.get(token[2:-2], 0.0) + chance
        return max(chances, key=lambda code: chances[code])

    def _decode(self, encoded: np.ndarray, prompt: list[int], speeches: Sequence[Audio]) -> list[_Guess]:
        """The believed tokens of each row; none where it is silence."""
        limit = 24 + round(self._decoding.tokens_per_second * max(speech.duration for speech in speeches))
        guesses = self._search(encoded, prompt, limit, self._decoding.beam)
        for row, guess in enumerate(guesses):
            if self._is_silence(guess) or not self._is_doubtful(guess):
                continue
            again = self._search(encoded[row : row + 1], prompt, limit, self._decoding.second_beam, no_repeat=3)[0]
            guesses[row] = again
        return [_SILENCE if self._is_silence(guess) else guess for guess in guesses]

    def _search(
        self, encoded: np.ndarray, prompt: list[int], limit: int, beam: int, no_repeat: int = 0
    ) -> list[_Guess]:
        results = self._model.generate(
            _view(encoded),
            [[*prompt, self._vocabulary.without_times]] * len(encoded),
            beam_size=beam,
            max_length=min(LONGEST_OUTPUT, len(prompt) + 1 + limit),
            no_repeat_ngram_size=no_repeat,
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [self._guess(result) for result in results]

    def _guess(self, result) -> _Guess:
        found = result.sequences_ids[0]
        tokens = tuple(token for token in found if token < self._vocabulary.end)
        total = result.scores[0] * len(found)  # scores are means over the tokens without the end
        text = self._vocabulary.text(tokens).strip().encode()
        compression = len(text) / len(zlib.compress(text)) if text else 0.0
        return _Guess(tokens, total / (len(found) + 1), result.no_speech_prob, compression)

    def _is_doubtful(self, guess: _Guess) -> bool:
        unsure = guess.log_probability < self._decoding.log_probability
        return unsure or guess.compression > self._decoding.compression

    def _is_silence(self, guess: _Guess) -> bool:
        unsure = guess.log_probability < self._decoding.log_probability
        return unsure and guess.no_speech > self._decoding.no_speech

    def _transcripts(
        self,
        encoded: np.ndarray,
        start: list[int],
        guesses: Sequence[_Guess],
        speeches: Sequence[Audio],
        language: str,
        words: bool,
    ) -> list[Transcript]:
        segments: list[tuple[Segment, ...]] = [()] * len(guesses)
        spoken = [row for row, guess in enumerate(guesses) if self._vocabulary.text(guess.tokens).strip()]
        if words and spoken:
            aligned = self._align(encoded[spoken], start, [guesses[row] for row in spoken], [speeches[row] for row in spoken], language)
            segments = [aligned.pop(0) if row in spoken else () for row in range(len(guesses))]
        elif spoken:
            for row in spoken:
                text = self._vocabulary.text(guesses[row].tokens).strip()
                segments[row] = (Segment(text, 0.0, speeches[row].duration),)
        return [
            Transcript(parts, language, speech.duration) for parts, speech in zip(segments, speeches, strict=True)
        ]

    def _align(
        self, encoded: np.ndarray, start: list[int], guesses: Sequence[_Guess], speeches: Sequence[Audio], language: str
    ) -> list[tuple[Segment, ...]]:
        """Segments with word times, from the cross-attention of the decoder's alignment heads."""
        frames = [max(2, min(len(row) * 2, round(s.duration * 100))) for row, s in zip(encoded, speeches, strict=True)]
        tokens = [list(guess.tokens) for guess in guesses]
        results = self._model.align(_view(encoded), start, tokens, frames, median_filter_width=7)
        return [
            self._segments(row, language, result, speech)
            for row, result, speech in zip(tokens, results, speeches, strict=True)
        ]

    def _segments(self, tokens: Sequence[int], language: str, result, speech: Audio) -> tuple[Segment, ...]:
        written = self._vocabulary.words(tokens, language)
        words = timed_words(written, result.alignments, result.text_token_probs, speech)
        return tuple(segmented((word.text for word in written), words))


_SILENCE = _Guess((), 0.0, 1.0, 0.0)


def _view(array: np.ndarray):
    import ctranslate2

    return ctranslate2.StorageView.from_array(np.ascontiguousarray(array, np.float32))


def _not_too_long(speech: Audio) -> Audio:
    if speech.duration > WINDOW + 0.01:
        raise AudioError(f"{speech.duration:.1f} s are too long for one call; use voice.transcribe, which finds pauses")
    return speech
