"""What the student is to learn from: tokens, and the frozen model's last hidden states over them.

The teacher hears 30 s, as Whisper was trained, or the utterance alone if it is tuned to that. Its last
decoder hidden states (30 KB an utterance) give its whole distribution back through the tied projection, so
that the costly pass happens once for each window and not once an epoch; results are kept in a folder and
found again by the sound itself.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from data.batching import pad
from recipes.asr import model as whisper
from recipes.asr.tokenizer import TrainingTokenizer
from recipes.training import autocast
from voice.features import WHISPER_RATE, whisper_log_mel

FULL = 30 * WHISPER_RATE  # samples
MARGIN = round(
    0.3 * WHISPER_RATE
)  # samples of silence after the longest utterance, where it hears those alone
MOST_TOKENS = 224  # what CTranslate2 generates at most; a text this long has not ended
MOST_REPETITIVE = 2.4  # bytes per compressed byte; Whisper's own threshold for a loop


@dataclass(frozen=True, eq=False)
class Target:
    """`tokens` (L,) int32 to predict and the teacher's `hidden` (L, width) float16 where it predicts them.

    The first is the language, which the start token predicts, and with it whether there is speech at
    all; then the text; then the end token. `hidden` has no rows where no teacher was asked.
    """

    tokens: np.ndarray
    hidden: np.ndarray


def features(samples: np.ndarray, length: int) -> np.ndarray:
    """(T,) samples, cut or filled up with silence to `length` → (80, length // 160)."""
    return whisper_log_mel(np.pad(samples, (0, max(0, length - len(samples))))[:length])


class Teacher:
    """A frozen model in its own context: transcribes, and says how sure it was of every token."""

    def __init__(
        self,
        folder: Path,
        vocabulary: TrainingTokenizer,
        device: torch.device,
        *,
        threads: int,
        context: str = "full",
    ):
        import ctranslate2

        self.vocabulary, self.device, self.context = vocabulary, device, context
        self.model = whisper.load(folder).to(device).requires_grad_(False)
        self.decoder = ctranslate2.models.Whisper(
            str(folder), device="cpu", compute_type="int8", intra_threads=threads
        )

    @torch.no_grad()
    def targets(self, sounds: Sequence[np.ndarray], texts: Sequence[str | None]) -> list[Target]:
        """What to learn for each sound (T,); its tokens are those of the text, its own where that is None."""
        longest = max(len(samples) for samples in sounds) + MARGIN
        length = FULL if self.context == "full" else min(FULL, longest)
        inputs = np.stack([features(samples, length) for samples in sounds])
        with autocast(self.device):
            encoded = whisper.encode(self.model, torch.from_numpy(inputs).to(self.device))
            tokens = self._tokens(encoded, texts)
            padded, _ = pad([decoder_input(self.vocabulary, row) for row in tokens], self.vocabulary.end)
            hidden = whisper.decode(self.model, encoded, torch.from_numpy(padded).to(self.device))
        rows = predicting(self.vocabulary, hidden).half().cpu().numpy()
        return [Target(np.array(row, np.int32), h[: len(row)]) for row, h in zip(tokens, rows, strict=True)]

    def _tokens(self, encoded: torch.Tensor, texts: Sequence[str | None]) -> list[list[int]]:
        if None not in texts:
            return [labels(self.vocabulary, text) for text in texts]
        own = transcribe_encoded(self.decoder, encoded.float().cpu().numpy(), self.vocabulary)
        language = self.vocabulary.prompt[1]
        return [
            [language, *mine] if text is None else labels(self.vocabulary, text)
            for text, mine in zip(texts, own, strict=True)
        ]


def labels(vocabulary: TrainingTokenizer, text: str) -> list[int]:
    """The tokens to predict for a transcript: the language, the text, the end."""
    return [vocabulary.prompt[1], *vocabulary.encode(text), vocabulary.end]


def decoder_input(vocabulary: TrainingTokenizer, tokens: Sequence[int] | np.ndarray) -> np.ndarray:
    """Tokens to predict (L,) → those that the decoder reads, (P + L - 2,): the prompt, then the text."""
    return np.array([*vocabulary.prompt, *tokens[1:-1]], np.int64)


def predicting(vocabulary: TrainingTokenizer, hidden: torch.Tensor) -> torch.Tensor:
    """Hidden states over a decoder input (B, P + L - 2, width) → those that predict tokens (B, L, width).

    The start token predicts the language; the rest of the prompt is given and predicts nothing of use.
    """
    return torch.cat([hidden[:, :1], hidden[:, len(vocabulary.prompt) - 1 :]], dim=1)


def transcribe_encoded(decoder, encoded: np.ndarray, vocabulary: TrainingTokenizer) -> list[list[int]]:
    """Greedy tokens for encoder outputs (B, S, width), closed by the end token unless the limit cut them."""
    import ctranslate2

    view = ctranslate2.StorageView.from_array(np.ascontiguousarray(encoded, np.float32))
    results = decoder.generate(
        view, [list(vocabulary.prompt)] * len(encoded), beam_size=1, max_length=2 * MOST_TOKENS
    )
    found = [result.sequences_ids[0] for result in results]
    return [row if len(row) >= MOST_TOKENS else [*row, vocabulary.end] for row in found]


def loops(text: str) -> bool:
    """Whether a transcript repeats itself so much that it must be the decoder's loop."""
    data = text.encode("utf-8")
    return len(data) / len(zlib.compress(data)) > MOST_REPETITIVE


class TeacherCache:
    """Targets in a folder, one small file each, named by who the teacher was and what it was asked."""

    def __init__(self, folder: Path, teacher: str):
        self.folder, self.teacher = folder, teacher
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, question: str) -> Path:
        """`question` tells one window of sound, and the text it shall be read as, from all others."""
        key = hashlib.sha256(f"{self.teacher}\n{question}".encode())
        return self.folder / f"{key.hexdigest()[:32]}.npz"

    def put(self, path: Path, target: Target) -> None:
        beside = path.with_name(f".{path.stem}.{os.getpid()}.npz")
        np.savez(beside, tokens=target.tokens, hidden=target.hidden)
        beside.replace(path)

    def get(self, path: Path) -> Target:
        with np.load(path) as kept:
            return Target(kept["tokens"], kept["hidden"])


@dataclass(frozen=True)
class Question:
    """A window to ask about: where the answer belongs, its sound, and its text if not the teacher's own."""

    path: Path
    sound: Callable[[], np.ndarray]
    text: str | None


def answered(
    teacher: Teacher, shelf: TeacherCache, questions: Sequence[Question], batch: int = 4
) -> Iterator[int]:
    """Puts every answer on the shelf; yields how many are there after each batch."""
    for first in range(0, len(questions), batch):
        some = questions[first : first + batch]
        answers = teacher.targets([each.sound() for each in some], [each.text for each in some])
        for each, target in zip(some, answers, strict=True):
            shelf.put(each.path, target)
        yield first + len(some)
