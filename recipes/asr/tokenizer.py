"""Whisper's tokens for training: the prompt that asks for a plain transcript, text to tokens and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from voice.asr.whisper.tokenizer import TIME_STEP, Tokenizer
from voice.errors import VoiceError
from voice.models.ct2 import read_model

LAST_TIME = 1501  # tokens after "no times": that of 30 s
ENGLISH_ONLY = 51_864  # tokens of the models that know no other language, one less than the others have


@dataclass(frozen=True, eq=False)
class TrainingTokenizer:
    """The `tokenizer` of a recognizer, asked for transcripts in one `language` without times.

    `prompt` opens every transcript and `end` closes it; both are token ids. A model that `is_multilingual`
    is told language and task in the prompt; one that `has_times` can write when words are said.
    """

    tokenizer: Tokenizer
    language: str
    prompt: tuple[int, ...]
    end: int
    is_multilingual: bool = True
    has_times: bool = True

    @classmethod
    def open(cls, folder: Path, language: str) -> TrainingTokenizer:
        """Open the tokenizer of a model folder, with the prompt that the model was trained with.

        Raises ModelDamaged where a special token is missing, VoiceError for a language that it does not know.
        """
        size = vocabulary_size(folder)
        is_multilingual = size != ENGLISH_ONLY
        if not is_multilingual and language != "en":
            raise VoiceError(f"{folder} knows English alone, not {language!r}; start from whisper-base")
        tokenizer = Tokenizer(Path(folder), multilingual=is_multilingual)
        prompt = (*tokenizer.start_sequence(language, "transcribe"), tokenizer.without_times)
        has_times = tokenizer.without_times + LAST_TIME < size
        return cls(tokenizer, language, prompt, tokenizer.end, is_multilingual, has_times)

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a transcript, without prompt and end."""
        return self.tokenizer.encode(text)

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of tokens; special ones (from the end token on) are left out."""
        return self.tokenizer.text([token for token in tokens if token < self.end]).strip()

    def targets(self, text: str) -> list[int]:
        """Return the tokens to predict for a transcript: the language, the text, the end."""
        return [self.prompt[1], *self.encode(text), self.end]

    def decoder_input(self, targets: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return what the decoder reads, (P + L - 2,), to predict (L,) tokens: the prompt, then the text."""
        return np.array([*self.prompt, *targets[1:-1]], np.int64)

    def time(self, seconds: float) -> int:
        """Return the token of a time from the beginning of the window."""
        return self.tokenizer.without_times + 1 + round(seconds / TIME_STEP)

    def predicting(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return of hidden states over decoder inputs (B, P + L - 2, width) those that predict (B, L, width).

        The start token predicts the language; the rest of the prompt is given and predicts nothing of use.
        """
        return torch.cat([hidden[:, :1], hidden[:, len(self.prompt) - 1 :]], dim=1)


def vocabulary_size(folder: Path) -> int:
    """Return how many tokens the decoder of a model folder knows."""
    size: int = read_model(Path(folder) / "model.bin").tensors["decoder/embeddings/weight"].shape[0]
    return size
