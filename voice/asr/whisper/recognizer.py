"""Whisper (Radford et al. 2022) on CTranslate2: speech of at most 30 s → words with times.

The encoder runs once; language, words, their times and how sure they are all come from its output.
A model with a CTC head reads letters from it as well: they place the words in time, and tell where
the decoder made up what nobody said.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from voice import audio
from voice.abilities import Traits
from voice.asr.ctc.alphabet import FRAME
from voice.asr.ctc.forced_alignment import place
from voice.asr.ctc.head import Head
from voice.asr.ctc.head import greedy as read_greedily
from voice.asr.ctc.hotwords import Hotwords
from voice.asr.ctc.hotwords import hotwords as expected
from voice.asr.ctc.keyword_spotting import apply
from voice.asr.whisper.checkpoint import open_checkpoint
from voice.asr.whisper.confidence import Confidence, likelihood, weighed
from voice.asr.whisper.decoding import Decoding, Hypothesis, Reading, is_babble
from voice.asr.whisper.end_of_turn import Ending, pooled
from voice.asr.whisper.greedy import GreedyDecoder, open_greedy
from voice.asr.whisper.search import Search, storage_view
from voice.asr.whisper.timestamps import segmented, timed_apart, timed_words
from voice.asr.whisper.tokenizer import Tokenizer, WordTokens
from voice.asr.whisper.windows import (
    MARGIN,
    WINDOW,
    WINDOW_SAMPLES,
    Sound,
    features,
    full_window_features,
    length_buckets,
)
from voice.errors import AudioError, ModelMissing, VoiceError
from voice.features import WHISPER_HOP, WHISPER_RATE
from voice.models.sessions import cores
from voice.text.languages import parse_language
from voice.types import Audio, LogProbs, Segment, Transcript, Word

__all__ = ["Context", "Decoding", "Whisper"]

HEAD = "head.onnx"
PACKED = 12.0  # seconds of a window where the context is the utterance: attention's cost is quadratic
UNCUT = 20.0  # seconds of speech without a pause that stay in one piece even so: words at a cut get lost
WORKERS = 2  # batches at once: one is encoded, on all threads, while another is written token by token
TOGETHER = 6  # utterances encoded at once where the context is the utterance
ALIKE = 0.7  # seconds that their lengths may differ by: the shorter are shown that much more silence

Context = Literal["full", "utterance"]


@dataclass(frozen=True)
class _Request:
    """What is asked of every stretch; `language` None is that of the first one."""

    language: str | None
    hotwords: Hotwords | None
    task: str
    words: bool


class Whisper:
    """A recognizer: holds the weights and no state between calls.

    `context` is what the encoder sees: "full" pads to 30 s as the original was trained,
    "utterance" only adds a margin (for models tuned to that, many times faster on short speech).
    `confidence` judges the words, `ending` whether a sentence is complete.
    """

    rate = WHISPER_RATE

    def __init__(
        self,
        model,
        vocabulary: Tokenizer,
        context: Context,
        decoding: Decoding,
        only: str | None = None,
        *,
        head: Head | None = None,
        greedy: GreedyDecoder | None = None,
        confidence: Confidence = likelihood,
        ending: Ending | None = None,
        workers: int = 1,
    ) -> None:
        self._model = model
        self._only = only
        self._vocabulary = vocabulary
        self._context = context
        self._decoding = decoding
        # The original may write times between the words, as faster-whisper has it; tuned models do not.
        self._search = Search(model, greedy, vocabulary, decoding, timed=context == "full")
        self._head = head
        self.confidence = confidence
        self._ending = ending
        self.traits = Traits(WINDOW, PACKED, UNCUT, max(1, 2 * TOGETHER // workers), workers)
        if context == "full":
            self.traits = Traits(WINDOW, WINDOW, WINDOW, max(1, 4 // workers), workers)

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
        head: Path | None = None,
        confidence: Confidence = likelihood,
    ) -> Whisper:
        """Load a CTranslate2 folder, and the file `head` or the one of that folder, if it has one.

        `threads` compute a batch; of long recordings two are computed side by side, with as many each.

        `only` is the one language it was tuned to, if it was; `confidence` judges words.
        Raises ModelMissing or ModelDamaged.
        """
        # Threads that wait awake for the next call would take the processor from the other worker's.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        folder = Path(folder)
        if not (folder / "model.bin").is_file():
            hint = "fetch a recognizer with `voice models get whisper-base`"
            raise ModelMissing(f"{folder} holds no model.bin; {hint}")
        threads = threads or cores()
        workers = min(WORKERS, threads)
        model = open_checkpoint(folder, compute_type=compute_type, threads=threads, workers=WORKERS)
        vocabulary = Tokenizer(folder, multilingual=model.is_multilingual)
        head = head or (folder / HEAD if (folder / HEAD).is_file() else None)
        letters = Head.open(head, threads=threads) if head else None
        fast = open_greedy(folder, vocabulary, threads=threads)
        return cls(
            model, vocabulary, context, decoding, only,
            head=letters, greedy=fast, confidence=confidence, ending=Ending.find(folder), workers=workers,
        )  # fmt: skip

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

        `language` is a code or a name, None or "auto" detects it; `hotwords` are expected terms, as the
        lines of a file of them; `task` "translate" answers in English; without `words` there is one segment
        without times inside. Raises AudioError for more than 30 s, VoiceError for a language or task that
        it does not know.
        """
        return self.transcribe_batch([speech], language=language, hotwords=hotwords, task=task, words=words)[
            0
        ]

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
        language = self._language(language, task)
        speeches = [audio.resample(_not_too_long(speech), WHISPER_RATE) for speech in speeches]
        request = _Request(language, expected(hotwords), task, words)
        transcripts: dict[int, Transcript] = {}
        for rows in self._together(speeches):
            found = self._recognized([speeches[row] for row in rows], request)
            transcripts |= zip(rows, found, strict=True)
            request = replace(request, language=found[0].language)
        return [transcripts[row] for row in range(len(speeches))]

    def letter_log_probs(self, speech: Audio) -> LogProbs:
        """Return (F, 29) log-probabilities of letters, a row each 20 ms, a margin after the speech included.

        One pass of the encoder, no decoder. Raises VoiceError where the model has no head, AudioError
        for more than 30 s.
        """
        if self._head is None:
            raise VoiceError("this recognizer has no CTC head; use quick")
        speech = audio.resample(_not_too_long(speech), WHISPER_RATE)
        return self._head(self._encode([speech]))[0][: self._frames(speech)]

    def encoded(self, speech: Audio) -> np.ndarray:
        """What the encoder makes of speech at 16 kHz, and of a margin after it: (F, D), a row each 20 ms."""
        return self._encode([speech])[0]

    @property
    def detects_end_of_turn(self) -> bool:
        """Tell whether the model has a layer for the ends of sentences."""
        return self._ending is not None

    def end_of_turn(self, speech: Audio) -> float:
        """Return the probability that a sentence ends at the last sound of `speech`, which is at 16 kHz.

        Raises VoiceError if the model has no layer for it.
        """
        if self._ending is None:
            raise VoiceError("this recognizer cannot tell ends of sentences; use quick")
        return self._ending(pooled(speech, self.encoded))

    def _language(self, said: str | None, task: str) -> str | None:
        """Return the code of the language that is asked for; None where it is to be detected.

        Raises VoiceError for a language or a task that the model would answer with invented words.
        """
        if self._only and task != "transcribe":
            raise VoiceError(
                f"this recognizer only transcribes {self._only!r}; use whisper-base for the rest"
            )
        return parse_language(said, self.languages) or self._only

    def _together(self, speeches: Sequence[Audio]) -> Iterator[list[int]]:
        """Which are encoded as one: all, or those of like length where the context is the utterance."""
        if self._context == "full":
            return iter([list(range(len(speeches)))] if speeches else [])
        return length_buckets([speech.duration for speech in speeches], ALIKE, TOGETHER)

    def _recognized(self, speeches: Sequence[Audio], request: _Request) -> list[Transcript]:
        """All that is said in some stretches that are encoded together."""
        encoded = self._encode(speeches)
        request = replace(request, language=request.language or self._detect(encoded))
        sounds = self._sounds(speeches, encoded, request)
        prompt = self._prompt(request, spotted=sounds[0].log_probs is not None)
        guesses = self._search(encoded, sounds, prompt)
        parts = self._transcripts(
            [s.until(g.until) for s, g in zip(sounds, guesses, strict=True)], guesses, request
        )
        return [self._completed(part, speech, request) for part, speech in zip(parts, speeches, strict=True)]

    def _completed(self, part: Transcript, speech: Audio, request: _Request) -> Transcript:
        """What the decoder left off before is heard by itself."""
        if part.duration >= speech.duration:
            return part
        (rest,) = self._recognized([speech.cut(part.duration, speech.duration)], request)
        return _joined(part, rest)

    def _encode(self, speeches: Sequence[Audio]) -> np.ndarray:
        """Speech → encoder output (B, frames / 2, D)."""
        bands = self._model.n_mels
        if self._context == "full":
            rows = [full_window_features(speech.samples, bands) for speech in speeches]
        else:
            frames = 2 * max(self._frames(speech) for speech in speeches)  # of the spectrum
            length = min(WINDOW_SAMPLES, frames * WHISPER_HOP)
            rows = [features(speech.samples, length, bands) for speech in speeches]
        return np.asarray(self._model.encode(storage_view(np.stack(rows)), to_cpu=True))

    def _frames(self, speech: Audio) -> int:
        """The encoder's frames of the speech and the margin after it."""
        return max(1, round((speech.duration + MARGIN) / FRAME))

    def _sounds(self, speeches: Sequence[Audio], encoded: np.ndarray, request: _Request) -> list[Sound]:
        """Each speech with its part of the encoder's output, and what the head reads in it."""
        if self._head is None:
            return [Sound(speech, output, None) for speech, output in zip(speeches, encoded, strict=True)]
        counts = [self._frames(speech) for speech in speeches]
        letters = self._head(np.ascontiguousarray(encoded[:, : max(counts)]))
        spelled = (request.language, request.task) == ("en", "transcribe")
        rows = zip(speeches, encoded, letters, counts, strict=True)
        return [_sound(speech, output, found[:count], spelled) for speech, output, found, count in rows]

    def _detect(self, encoded: np.ndarray) -> str:
        if not self._model.is_multilingual:
            return "en"
        chances: dict[str, float] = {}
        for ranking in self._model.detect_language(storage_view(encoded)):
            for token, chance in ranking:
                chances[token[2:-2]] = chances.get(token[2:-2], 0.0) + chance
        return max(chances, key=lambda code: chances[code])

    def _prompt(self, request: _Request, spotted: bool) -> list[int]:
        """What the decoder is told; nothing of words that the head has `spotted`."""
        told = request.hotwords.terms if request.hotwords and not spotted else ()
        start = self._vocabulary.start_sequence(request.language, request.task)
        return [*self._vocabulary.prompt([term.text for term in told]), *start]

    def _transcripts(
        self, sounds: Sequence[Sound], guesses: Sequence[Hypothesis], request: _Request
    ) -> list[Transcript]:
        said = [row for row, guess in enumerate(guesses) if guess.text]
        found = self._segments([sounds[row] for row in said], [guesses[row] for row in said], request)
        segments = dict(zip(said, found, strict=True))
        return [
            Transcript(segments.get(row, ()), request.language, sound.speech.duration)
            for row, sound in enumerate(sounds)
        ]

    def _segments(
        self, sounds: Sequence[Sound], guesses: Sequence[Hypothesis], request: _Request
    ) -> Iterator[tuple[Segment, ...]]:
        """The segments of each row, with words where they are asked for."""
        if not request.words:
            yield from (
                (Segment(g.text, 0.0, s.speech.duration),) for s, g in zip(sounds, guesses, strict=True)
            )
            return
        written = [self._vocabulary.words(guess.tokens, request.language) for guess in guesses]
        if all(sound.log_probs is not None for sound in sounds):
            found = map(self._placed, sounds, guesses, written)
        else:
            found = self._attended(sounds, guesses, written, request)
        for sound, texts, words in zip(sounds, written, found, strict=True):
            words = timed_apart(words, 0.0, sound.speech.duration)
            if is_babble(words, sound.speech, request.language, self._decoding):
                yield ()
            elif sound.log_probs is not None and request.hotwords and request.hotwords.can_be_spotted:
                spotted = apply(words, sound.log_probs, request.hotwords)
                spotted = timed_apart(spotted, 0.0, sound.speech.duration)
                yield tuple(segmented((f" {word.text}" for word in spotted), spotted))
            else:
                yield tuple(segmented((word.text for word in texts), words))

    def _placed(self, sound: Sound, guess: Hypothesis, written: Sequence[WordTokens]) -> list[Word]:
        """Words with times from the letters that the head heard."""
        places = place([word.text for word in written], sound.log_probs, sound.speech.duration)
        words = [
            Word(w.text.strip(), at.start, at.end, end_of_sentence=guess.end_of_sentence(w.last))
            for w, at in zip(written, places, strict=True)
        ]
        return weighed(words, written, guess, self.confidence, places, sound.log_probs)

    def _attended(
        self,
        sounds: Sequence[Sound],
        guesses: Sequence[Hypothesis],
        written: Sequence[Sequence[WordTokens]],
        request: _Request,
    ) -> Iterator[list[Word]]:
        """Words with times from the cross-attention of the decoder's alignment heads.

        Where there is a head, but not for this language, what it was calibrated for is not known.
        """
        if not guesses:
            return
        encoded = np.stack([sound.encoded for sound in sounds])
        most = 2 * encoded.shape[1]  # mel frames
        frames = [max(2, min(most, round(sound.speech.duration * 100))) for sound in sounds]
        start = self._vocabulary.start_sequence(request.language, request.task)
        results = self._model.align(
            storage_view(encoded), start, [list(guess.tokens) for guess in guesses], frames
        )
        for sound, guess, texts, result in zip(sounds, guesses, written, results, strict=True):
            words = timed_words(texts, result.alignments, result.text_token_probs, sound.speech)
            yield weighed(words, texts, guess, self.confidence if self._head is None else likelihood)


def _sound(speech: Audio, encoded: np.ndarray, log_probs: np.ndarray, spelled: bool) -> Sound:
    reading = Reading(read_greedily(log_probs), spelled)
    return Sound(speech, encoded, log_probs if spelled else None, reading)


def _joined(part: Transcript, rest: Transcript) -> Transcript:
    segments = part.segments + tuple(segment.shifted(part.duration) for segment in rest.segments)
    return Transcript(segments, part.language, part.duration + rest.duration)


def _not_too_long(speech: Audio) -> Audio:
    if speech.duration > WINDOW + 0.01:
        raise AudioError(f"{speech.duration:.1f} s are too much for one call; use voice.transcribe")
    return speech
