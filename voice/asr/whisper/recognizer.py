"""Whisper (Radford et al. 2022) on CTranslate2: speech of at most 30 s → words with times.

The encoder runs once; language, words, their times and their confidence all come from its output.
A model with a CTC head reads letters from it as well: words are aligned to them, and a text that
the decoder made up is recognized by them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voice import audio
from voice.abilities import Traits
from voice.asr.ctc.head import CTCHead
from voice.asr.ctc.hotword_correction import insert_hotwords
from voice.asr.ctc.hotwords import Hotwords, parse_hotwords
from voice.asr.segmenting import separate_times, split_segments
from voice.asr.whisper.acceptance import Acceptance
from voice.asr.whisper.checkpoint import open_checkpoint
from voice.asr.whisper.confidence import Confidence, mean_token_probability
from voice.asr.whisper.decoding import DecodingOptions, Hypothesis
from voice.asr.whisper.encoder import GROUP, Context, EncodedSpeech, WhisperEncoder
from voice.asr.whisper.end_of_turn import EndOfTurnHead, average_stretches
from voice.asr.whisper.greedy import GreedyDecoder, open_greedy
from voice.asr.whisper.search import Search
from voice.asr.whisper.tokenizer import Tokenizer
from voice.asr.whisper.windows import WINDOW
from voice.asr.whisper.word_alignment import WordAligner
from voice.errors import AudioError, ModelMissing, VoiceError
from voice.features import WHISPER_RATE
from voice.models.sessions import cores
from voice.text.languages import parse_language
from voice.types import Audio, LogProbs, Segment, Transcript

__all__ = ["Context", "DecodingOptions", "Whisper"]

HEAD = "head.onnx"
PACKED = 12.0  # seconds of a window where the context is the utterance: attention's cost is quadratic
UNCUT = 20.0  # seconds of speech without a pause that stay in one piece even so: words at a cut get lost
FULL_BATCH = 4  # windows at once where the context is full
WORKERS = 2  # batches at once: one is encoded, on all threads, while another is written token by token


@dataclass(frozen=True)
class _RecognitionRequest:
    """What is asked of every stretch of speech."""

    hotwords: Hotwords | None
    task: str
    words: bool


class Whisper:
    """A recognizer. It holds the weights and no state between calls.

    `context` is what the encoder sees: "full" pads to 30 s as the original was trained,
    "utterance" only adds a margin (for models tuned to that, many times faster on short speech).
    `confidence` computes the probability that a word is right, `end_of_turn` whether a sentence is complete.
    """

    rate = WHISPER_RATE

    def __init__(
        self,
        model: Any,
        tokenizer: Tokenizer,
        context: Context,
        options: DecodingOptions,
        only: str | None = None,
        *,
        head: CTCHead | None = None,
        greedy: GreedyDecoder | None = None,
        confidence: Confidence = mean_token_probability,
        end_of_turn: EndOfTurnHead | None = None,
        workers: int = 1,
    ) -> None:
        self._tokenizer, self._only = tokenizer, only
        self._encoder = WhisperEncoder(model, context, head)
        self._acceptance = Acceptance(options, tokenizer)
        # The original may write times between the words, as faster-whisper has it; tuned models do not.
        timed = context == "full"
        self._search = Search(model, greedy, tokenizer, options, self._acceptance, timed=timed)
        self._align = WordAligner(model, tokenizer)
        self.confidence = confidence
        self._end_of_turn = end_of_turn
        self.traits = Traits(WINDOW, PACKED, UNCUT, max(1, 2 * GROUP // workers), workers)
        if context == "full":
            self.traits = Traits(WINDOW, WINDOW, WINDOW, max(1, FULL_BATCH // workers), workers)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        threads: int | None = None,
        context: Context = "full",
        options: DecodingOptions = DecodingOptions(),
        compute_type: str = "int8",
        only: str | None = None,
        head: Path | None = None,
        confidence: Confidence = mean_token_probability,
    ) -> Whisper:
        """Load a CTranslate2 folder, and the CTC head in the file `head`, or in that folder if it has one.

        `threads` compute a batch; of long recordings two are computed side by side, with as many each.
        `only` is the one language that the model was tuned to, if it was; `confidence` computes the
        probability that a word is right. Raises ModelMissing or ModelDamaged.
        """
        # Threads that wait awake for the next call would take the processor from the other worker's.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        folder = Path(folder)
        if not (folder / "model.bin").is_file():
            hint = "fetch a recognizer with `voice models get whisper-base`"
            raise ModelMissing(f"{folder} holds no model.bin; {hint}")
        threads = threads or cores()
        model = open_checkpoint(folder, compute_type=compute_type, threads=threads, workers=WORKERS)
        tokenizer = Tokenizer(folder, multilingual=model.is_multilingual)
        head = head or (folder / HEAD if (folder / HEAD).is_file() else None)
        return cls(
            model,
            tokenizer,
            context,
            options,
            only,
            head=CTCHead.open(head, threads=threads) if head else None,
            greedy=open_greedy(folder, tokenizer, threads=threads),
            confidence=confidence,
            end_of_turn=EndOfTurnHead.find(folder),
            workers=min(WORKERS, threads),
        )

    @property
    def languages(self) -> frozenset[str]:
        """Return the languages that it knows, as ISO 639-1 codes."""
        return frozenset({self._only}) if self._only else self._tokenizer.languages

    def transcribe(
        self,
        speech: Audio,
        *,
        language: str | None = None,
        hotwords: Sequence[str] = (),
        task: str = "transcribe",
        words: bool = True,
    ) -> Transcript:
        """Transcribe one stretch of speech of at most 30 s.

        `language` is a code or a name, None or "auto" detects it; `hotwords` are expected terms, as the
        lines of a file of them; `task` "translate" answers in English; without `words` there is one segment
        without times inside. Raises AudioError for more than 30 s, VoiceError for a language or task that
        it does not know.
        """
        (transcript,) = self.transcribe_batch(
            [speech], language=language, hotwords=hotwords, task=task, words=words
        )
        return transcript

    def transcribe_batch(
        self,
        speeches: Sequence[Audio],
        *,
        language: str | None = None,
        hotwords: Sequence[str] = (),
        task: str = "transcribe",
        words: bool = True,
    ) -> list[Transcript]:
        """Transcribe stretches of one recording as `transcribe` does: a detected language holds for all."""
        known = self._check_language(language, task)
        speeches = [audio.resample(_check_duration(speech), WHISPER_RATE) for speech in speeches]
        request = _RecognitionRequest(parse_hotwords(hotwords), task, words)
        transcripts: dict[int, Transcript] = {}
        for rows in self._encoder.groups(speeches):
            found = self._recognize([speeches[row] for row in rows], request, known)
            transcripts |= zip(rows, found, strict=True)
            known = found[0].language
        return [transcripts[row] for row in range(len(speeches))]

    def letter_log_probs(self, speech: Audio) -> LogProbs:
        """Return (F, 29) log-probabilities of letters, a row each 20 ms, a margin after the speech included.

        One pass of the encoder, no decoder. Raises VoiceError where the model has no head, AudioError
        for more than 30 s.
        """
        return self._encoder.letter_log_probs(audio.resample(_check_duration(speech), WHISPER_RATE))

    def encode(self, speech: Audio) -> np.ndarray:
        """Return the encoder's output for speech at 16 kHz and a margin: (F, D), a row each 20 ms."""
        row: np.ndarray = self._encoder.encode([speech])[0]
        return row

    @property
    def detects_end_of_turn(self) -> bool:
        """Tell whether the model has a layer for the ends of sentences."""
        return self._end_of_turn is not None

    def end_of_turn(self, speech: Audio) -> float:
        """Return the probability that a sentence ends at the last sound of `speech`, which is at 16 kHz.

        Raises VoiceError if the model has no layer for it.
        """
        if self._end_of_turn is None:
            raise VoiceError("this recognizer cannot tell ends of sentences; use quick")
        return self._end_of_turn(average_stretches(speech, self.encode))

    def _check_language(self, language: str | None, task: str) -> str | None:
        """Return the code of the language that is asked for; None if it is to be detected.

        Raises VoiceError for a language or a task that the model would answer with invented words.
        """
        if self._only and task != "transcribe":
            raise VoiceError(
                f"this recognizer only transcribes {self._only!r}; use whisper-base for the rest"
            )
        return parse_language(language, self.languages) or self._only

    def _recognize(
        self, speeches: Sequence[Audio], request: _RecognitionRequest, language: str | None
    ) -> list[Transcript]:
        """Transcribe some stretches of speech that are encoded together."""
        encoded = self._encoder.encode(speeches)
        language = language or self._encoder.detect_language(encoded)
        is_spelled = (language, request.task) == ("en", "transcribe")
        read = self._encoder.read(speeches, encoded, is_spelled=is_spelled)
        prompt = self._prompt(request, language, spotted=read[0].log_probs is not None)
        hypotheses = self._search(encoded, read, prompt)
        read = [each.until(hypothesis.end) for each, hypothesis in zip(read, hypotheses, strict=True)]
        parts = self._transcripts(read, hypotheses, request, language)
        return [self._complete(part, speech, request) for part, speech in zip(parts, speeches, strict=True)]

    def _complete(self, part: Transcript, speech: Audio, request: _RecognitionRequest) -> Transcript:
        """Transcribe what is left of the speech, if the decoder stopped before its end."""
        if part.duration >= speech.duration:
            return part
        left = speech.cut(part.duration, speech.duration)
        (rest,) = self._recognize([left], request, part.language)
        segments = part.segments + tuple(segment.shifted(part.duration) for segment in rest.segments)
        return Transcript(segments, part.language, part.duration + rest.duration)

    def _prompt(self, request: _RecognitionRequest, language: str, *, spotted: bool) -> list[int]:
        """Return the decoder's prompt: hotwords unless they are `spotted` by the head, and the task."""
        terms = request.hotwords.terms if request.hotwords and not spotted else ()
        start = self._tokenizer.start_sequence(language, request.task)
        return [*self._tokenizer.prompt([term.text for term in terms]), *start]

    def _transcripts(
        self,
        speeches: Sequence[EncodedSpeech],
        hypotheses: Sequence[Hypothesis],
        request: _RecognitionRequest,
        language: str,
    ) -> list[Transcript]:
        """Return a transcript for each speech, without segments where the hypothesis has no text."""
        rows = [row for row, hypothesis in enumerate(hypotheses) if hypothesis.text]
        some = [speeches[row] for row in rows], [hypotheses[row] for row in rows]
        segments = dict(zip(rows, self._segments(*some, request, language), strict=True))
        return [
            Transcript(segments.get(row, ()), language, each.speech.duration)
            for row, each in enumerate(speeches)
        ]

    def _segments(
        self,
        speeches: Sequence[EncodedSpeech],
        hypotheses: Sequence[Hypothesis],
        request: _RecognitionRequest,
        language: str,
    ) -> Iterator[tuple[Segment, ...]]:
        """Yield the segments of each row, with words if they are asked for; none if the words are babble."""
        if not request.words:
            for each, hypothesis in zip(speeches, hypotheses, strict=True):
                yield (Segment(hypothesis.text, 0.0, each.speech.duration),)
            return
        found = self._align(speeches, hypotheses, language, request.task, self.confidence)
        for each, (tokens, words) in zip(speeches, found, strict=True):
            if not self._acceptance.accepts_words(words, each.speech, language):
                yield ()
            elif each.log_probs is not None and request.hotwords and request.hotwords.can_be_spotted:
                spotted = insert_hotwords(words, each.log_probs, request.hotwords)
                spotted = separate_times(spotted, 0.0, each.speech.duration)
                yield tuple(split_segments((f" {word.text}" for word in spotted), spotted))
            else:
                yield tuple(split_segments((word.text for word in tokens), words))


def _check_duration(speech: Audio) -> Audio:
    """Return the speech. Raises AudioError if it is longer than a window."""
    if speech.duration > WINDOW + 0.01:
        raise AudioError(f"{speech.duration:.1f} s are too much for one call; use voice.transcribe")
    return speech
