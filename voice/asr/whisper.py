"""Whisper (Radford et al. 2022) on CTranslate2: speech of at most 30 s → words with times.

The encoder runs once; language, words and their times all come from its output. What the
decoder makes of sound that is no speech is caught by three guards: how likely the model
finds silence, how sure it is of its words, and how much they repeat.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from voice import audio
from voice.asr.vocabulary import Vocabulary
from voice.asr.words import segmented, timed_words
from voice.errors import AudioError, ModelDamaged, ModelMissing, VoiceError
from voice.features import WHISPER_HOP, WHISPER_RATE, whisper_log_mel
from voice.types import Audio, Segment, Transcript

WINDOW = 30.0  # seconds that the encoder was trained on
FULL_FRAMES = round(WINDOW * WHISPER_RATE) // WHISPER_HOP
LONGEST_OUTPUT = 448

Context = Literal["full", "utterance"]


@dataclass(frozen=True)
class Decoding:
    """How tokens are searched for, and when a result is not believed.

    `beam` 1 is greedy. A result whose mean log-probability is below `unsure` or whose text
    compresses more than `compression` times is searched again with `second_beam` and no repeated
    trigram. It counts as silence if the mean log-probability is below `nonsense`; and where
    P(no speech) is above `no_speech` already if it is below `mumbled`, or for a word or two (at
    most `brief` tokens) below `murmured`. (Set on noise and
    single words with tiny.en and base: of noise they make words at -0.7 and less where P(no
    speech) is above 0.5, at -1.4 and less elsewhere; of single words at -1.3 and more, with it
    below 0.4.)
    """

    beam: int = 1
    second_beam: int = 5
    unsure: float = -1.0
    compression: float = 2.4
    no_speech: float = 0.5
    mumbled: float = -0.7
    murmured: float = -0.3
    brief: int = 4
    nonsense: float = -1.5
    tokens_per_second: float = 12.0
    margin: float = 0.3  # seconds after the utterance that the "utterance" context shows
    left_off: float = 0.5  # seconds of speech after the time where it says that it left off: hear them too
    unheard: float = 3.0  # seconds of speech after the time where it believes that all was said: likewise


@dataclass(frozen=True)
class _Guess:
    tokens: tuple[int, ...]
    log_probability: float  # mean over the tokens, the end included
    no_speech: float
    compression: float
    until: float | None = None  # seconds; what comes after them has to be heard by itself
    left_off: bool = False  # by its own account


class Whisper:
    """A recognizer: holds the weights and no state between calls.

    `context` is what the encoder sees: "full" pads to 30 s as the original was trained,
    "utterance" only adds a margin (for models tuned to that, many times faster on short speech).
    """

    rate = WHISPER_RATE
    longest = WINDOW

    def __init__(
        self, model, vocabulary: Vocabulary, context: Context, decoding: Decoding, only: str | None = None
    ) -> None:
        self._model = model
        self._only = only
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
        only: str | None = None,
    ) -> Whisper:
        """Load a CTranslate2 folder; `only` is the one language it was tuned to, if it was.

        Raises ModelMissing or ModelDamaged.
        """
        import ctranslate2

        folder = Path(folder)
        if not (folder / "model.bin").is_file():
            hint = "fetch a recognizer with `voice models get whisper-base`"
            raise ModelMissing(f"{folder} holds no model.bin; {hint}")
        threads = threads or _cores()
        try:
            model = ctranslate2.models.Whisper(str(folder), compute_type=compute_type, intra_threads=threads)
        except (RuntimeError, ValueError) as error:
            raise ModelDamaged(f"{folder} is no Whisper model: {error}; fetch it again") from error
        return cls(model, Vocabulary(folder, multilingual=model.is_multilingual), context, decoding, only)

    @property
    def languages(self) -> frozenset[str]:
        """The languages that it knows, as ISO 639-1 codes."""
        return frozenset({self._only}) if self._only else self._vocabulary.languages

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
        return self.transcribe_batch(
            [speech], language=language, hotwords=hotwords, task=task, words=words
        )[0]

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
        self._refuse_others(language, task)
        language = language or self._only
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
            heard = [_heard(speech, guess.until) for speech, guess in zip(group, guesses, strict=True)]
            parts = self._transcripts(encoded, start, guesses, heard, language, words)
            for part, speech in zip(parts, group, strict=True):
                if part.duration < speech.duration:
                    unheard = speech.cut(part.duration, speech.duration)
                    rest = self.transcribe(unheard, language=language, hotwords=hotwords, task=task, words=words)
                    part = _joined(part, rest)
                transcripts.append(part)
        return transcripts

    def _refuse_others(self, language: str | None, task: str) -> None:
        """Raises VoiceError for what a model tuned to one language would answer with invented words."""
        if self._only and (language not in (None, self._only) or task != "transcribe"):
            raise VoiceError(f"this recognizer only transcribes {self._only!r}; use whisper-base for the rest")

    def _encode(self, speeches: Sequence[Audio]) -> np.ndarray:
        """Speech → encoder output (B, frames / 2, D)."""
        features = np.stack([self._features(speech) for speech in speeches])  # (B, 80, frames)
        return np.asarray(self._model.encode(_view(features), to_cpu=True))

    def _features(self, speech: Audio) -> np.ndarray:
        """(80, frames) of the speech and the silence that the context asks for."""
        if self._context == "full":
            return _padded(speech.samples)
        shown = (speech.duration + self._decoding.margin) * WHISPER_RATE / WHISPER_HOP
        frames = min(FULL_FRAMES, 2 * max(1, round(shown / 2)))  # the encoder halves them
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
            alone = encoded[row : row + 1]
            guesses[row] = self._search(alone, prompt, limit, self._decoding.second_beam, no_repeat=3)[0]
        believed = [_SILENCE if self._is_silence(guess) else guess for guess in guesses]
        return [self._bounded(guess, speech) for guess, speech in zip(believed, speeches, strict=True)]

    def _bounded(self, guess: _Guess, speech: Audio) -> _Guess:
        """`until` only where enough of the speech is left and there is progress."""
        if guess.until is None or guess.until < self._decoding.left_off:
            return replace(guess, until=None)
        spare = self._decoding.left_off if guess.left_off else self._decoding.unheard
        return guess if speech.duration - guess.until > spare else replace(guess, until=None)

    def _search(
        self, encoded: np.ndarray, prompt: list[int], limit: int, beam: int, no_repeat: int = 0
    ) -> list[_Guess]:
        # The original may write times between the words, as faster-whisper has it; tuned models do not.
        last = [] if self._context == "full" else [self._vocabulary.without_times]
        results = self._model.generate(
            _view(encoded),
            [[*prompt, *last]] * len(encoded),
            beam_size=beam,
            # Of its max_length CTranslate2 gives the output half, or what the prompt leaves if that is less.
            max_length=min(LONGEST_OUTPUT, max(2 * limit, len(prompt) + 1 + limit)),
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
        until, left_off = self._vocabulary.last_time(found)
        mean = total / (len(found) + 1)
        return _Guess(tokens, mean, result.no_speech_prob, compression, until or None, left_off)

    def _is_doubtful(self, guess: _Guess) -> bool:
        repeats = guess.compression > self._decoding.compression
        return repeats or guess.log_probability < self._decoding.unsure

    def _is_silence(self, guess: _Guess) -> bool:
        limits = self._decoding
        if guess.no_speech <= limits.no_speech:
            return guess.log_probability < limits.nonsense
        brief = len(guess.tokens) <= limits.brief
        return guess.log_probability < (limits.murmured if brief else limits.mumbled)

    def _transcripts(
        self,
        encoded: np.ndarray,
        start: list[int],
        guesses: Sequence[_Guess],
        speeches: Sequence[Audio],
        language: str,
        words: bool,
    ) -> list[Transcript]:
        texts = [self._vocabulary.text(guess.tokens).strip() for guess in guesses]
        said = [row for row, text in enumerate(texts) if text]
        if words and said:
            tokens = [list(guesses[row].tokens) for row in said]
            found = self._aligned(encoded[said], start, tokens, [speeches[row] for row in said], language)
        else:
            found = [(Segment(texts[row], 0.0, speeches[row].duration),) for row in said]
        segments = dict(zip(said, found, strict=True))
        return [
            Transcript(segments.get(row, ()), language, speech.duration)
            for row, speech in enumerate(speeches)
        ]

    def _aligned(
        self,
        encoded: np.ndarray,
        start: list[int],
        tokens: list[list[int]],
        speeches: Sequence[Audio],
        language: str,
    ) -> list[tuple[Segment, ...]]:
        """Segments with word times, from the cross-attention of the decoder's alignment heads."""
        shown = 2 * encoded.shape[1]  # mel frames
        frames = [max(2, min(shown, round(speech.duration * 100))) for speech in speeches]
        results = self._model.align(_view(encoded), start, tokens, frames)
        return [
            self._segments(row, language, result, speech)
            for row, result, speech in zip(tokens, results, speeches, strict=True)
        ]

    def _segments(self, tokens: Sequence[int], language: str, result, speech: Audio) -> tuple[Segment, ...]:
        written = self._vocabulary.words(tokens, language)
        words = timed_words(written, result.alignments, result.text_token_probs, speech)
        return tuple(segmented((word.text for word in written), words))


_SILENCE = _Guess((), 0.0, 1.0, 0.0)


def _heard(speech: Audio, until: float | None) -> Audio:
    return speech if until is None else speech.cut(0.0, until)


def _joined(part: Transcript, rest: Transcript) -> Transcript:
    segments = part.segments + tuple(segment.shifted(part.duration) for segment in rest.segments)
    return Transcript(segments, part.language, part.duration + rest.duration)


def _padded(samples: np.ndarray) -> np.ndarray:
    """(80, 3000) features as faster-whisper makes them, so that the same speech gives the same words."""
    frames = min(len(samples) // WHISPER_HOP, FULL_FRAMES)
    features = whisper_log_mel(np.pad(samples, (0, WHISPER_HOP)))[:, :frames]
    return np.pad(features, ((0, 0), (0, FULL_FRAMES - frames)))


def _cores() -> int:
    """How many processor cores this process may use; not every system tells of a process."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _view(array: np.ndarray):
    import ctranslate2

    return ctranslate2.StorageView.from_array(np.ascontiguousarray(array, np.float32))


def _not_too_long(speech: Audio) -> Audio:
    if speech.duration > WINDOW + 0.01:
        raise AudioError(f"{speech.duration:.1f} s are too much for one call; use voice.transcribe")
    return speech
