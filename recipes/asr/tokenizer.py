"""Whisper's tokens: the prompt that asks for a plain transcript, and text to tokens and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from voice.asr.whisper.tokenizer import open_tokenizer
from voice.errors import ModelDamaged


@dataclass(frozen=True, eq=False)
class TrainingTokenizer:
    """`prompt` opens every transcript and `end` closes it; both are token ids."""

    tokenizer: Tokenizer
    prompt: tuple[int, ...]
    end: int

    @classmethod
    def open(cls, folder: Path, language: str) -> TrainingTokenizer:
        """The vocabulary of a model folder. Raises ModelDamaged where a token of the prompt is missing."""
        tokenizer = open_tokenizer(Path(folder))
        names = ("startoftranscript", language, "transcribe", "notimestamps", "endoftext")
        ids = [tokenizer.token_to_id(f"<|{name}|>") for name in names]
        if None in ids:
            missing = ", ".join(name for name, number in zip(names, ids, strict=True) if number is None)
            raise ModelDamaged(f"{folder} has no token for {missing}; is it a multilingual Whisper?")
        return cls(tokenizer, tuple(ids[:-1]), ids[-1])

    def encode(self, text: str) -> list[int]:
        """A transcript → its tokens, without prompt and end. Whisper's texts begin with a space."""
        return self.tokenizer.encode(" " + text.strip(), add_special_tokens=False).ids

    def decode(self, tokens: Iterable[int]) -> str:
        """Tokens → text; special ones (from the end token on) are left out."""
        return self.tokenizer.decode([token for token in tokens if token < self.end]).strip()
