"""Greedy search with Whisper's decoder on ONNX Runtime: a step reads each weight once, in 8 bits.

CTranslate2 does the same, and beams too; for few utterances at once this takes about half its time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from voice.asr.whisper.tokenizer import Tokenizer
from voice.errors import ModelDamaged
from voice.models.quantized import CROSS, DECODER, QUANTIZED, for_cross, read_quantized
from voice.models.sessions import open_session

CROWDED = 0.75  # where fewer of the rows than this are still being written, the others are let go


@dataclass
class Row:
    """What becomes of one utterance: its tokens, their log-probabilities (of the end too, where it came),
    how likely a mark that ends a sentence was in the place of each (if the model has such), and
    P(no speech)."""

    no_speech: float
    tokens: list[int] = field(default_factory=list)
    chances: list[float] = field(default_factory=list)
    ends_of_sentence: list[float] = field(default_factory=list)
    ended: bool = False

    def take(self, token: int, chance: float, end_of_sentence: float | None, end: int) -> None:
        if not self.ended:
            self.chances.append(chance)
            self.ends_of_sentence += [] if end_of_sentence is None else [end_of_sentence]
            self.ended = token == end
            self.tokens += [] if self.ended else [token]


@dataclass(frozen=True)
class Specials:
    """Tokens with a meaning, and those that are never written, or not first."""

    start: int
    end: int
    no_speech: int
    never: Sequence[int]
    not_first: Sequence[int]
    end_of_sentence: Sequence[int] = ()  # marks that end a sentence

    @classmethod
    def read(
        cls, path: Path, *, start: int, end: int, no_speech: int, end_of_sentence: Sequence[int] = ()
    ) -> Specials:
        """Completed by the lists in a model's `config.json`. Raises ModelDamaged."""
        try:
            config = json.loads(path.read_text("utf-8"))
            never = config["suppress_ids"] or []
            not_first = [*never, *(config["suppress_ids_begin"] or [])]
            return cls(start, end, no_speech, never, not_first, end_of_sentence)
        except (OSError, ValueError, KeyError) as error:
            raise ModelDamaged(f"{path} does not say what is never written; fetch the model again") from error


class GreedyDecoder:
    """The two graphs; holds no state between calls."""

    def __init__(self, cross: Any, decoder: Any, specials: Specials) -> None:
        self._cross, self._decoder, self._specials = cross, decoder, specials
        self._made = [output.name for output in decoder.get_outputs()]
        self._crossed = [output.name for output in cross.get_outputs()]
        _, heads, size, _ = cross.get_outputs()[0].shape
        self._nothing = {"k": (heads, size, 0), "v": (heads, 0, size)}

    @classmethod
    def open(cls, folder: Path, specials: Specials, *, threads: int) -> GreedyDecoder:
        """That of a model folder. Raises ModelDamaged."""
        weights = read_quantized(folder / QUANTIZED)
        crossing = {name: array for name, array in weights.items() if for_cross(name)}
        rest = {name: array for name, array in weights.items() if not for_cross(name)}
        cross = _opened(folder / CROSS, crossing, threads)
        return cls(cross, _opened(folder / DECODER, rest, threads), specials)

    def __call__(self, encoded: np.ndarray, prompt: Sequence[int], limit: int) -> list[Row]:
        """At most `limit` tokens for each row of `encoded` (B, F, D), after the `prompt`."""
        from onnxruntime import OrtValue

        heard = {"encoded": OrtValue.ortvalue_from_numpy(encoded)}
        crossed = self._cross.run_with_ort_values(self._crossed, heard)
        caches = dict(zip(self._crossed, crossed, strict=True)) | self._empty(len(encoded))
        given = np.tile(np.array(prompt, np.int64), (len(encoded), 1))
        scores, caches = self._step(given, 0, caches)
        silent = _log_softmax(scores[:, list(prompt).index(self._specials.start)])[
            :, self._specials.no_speech
        ]
        rows = written = [Row(float(chance)) for chance in np.exp(silent)]
        for position in range(len(prompt), len(prompt) + limit):
            barred = self._specials.not_first if position == len(prompt) else self._specials.never
            tokens = self._written(written, scores[:, -1], barred)
            going = [number for number, row in enumerate(written) if not row.ended]
            if not going or position + 1 == len(prompt) + limit:
                break
            if len(going) < CROWDED * len(written):
                caches = _picked(caches, going)
                tokens, written = tokens[going], [written[number] for number in going]
            scores, caches = self._step(tokens[:, None], position, caches)
        return rows

    def _written(self, rows: Sequence[Row], scores: np.ndarray, barred: Sequence[int]) -> np.ndarray:
        """Each row takes the best of its `scores` (B, V) that is not `barred`; returns their tokens (B,)."""
        scores[:, barred] = -np.inf
        tokens = scores.argmax(axis=1)
        likely = _log_softmax(scores)
        chances = likely[np.arange(len(rows)), tokens]
        marks = list(self._specials.end_of_sentence)
        ends_of_sentence = np.exp(likely[:, marks]).sum(axis=1).tolist() if marks else [None] * len(rows)
        for row, token, chance, end_of_sentence in zip(rows, tokens, chances, ends_of_sentence, strict=True):
            row.take(int(token), float(chance), end_of_sentence, self._specials.end)
        return tokens

    def _step(
        self, tokens: np.ndarray, position: int, caches: Mapping[str, Any]
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """(B, T) tokens from `position` on → the scores (B, T, V) of what may follow each, and new caches."""
        from onnxruntime import OrtValue

        count = tokens.shape[1]
        reach = np.arange(position, position + count)
        mask = np.where(np.arange(position + count) > reach[:, None], -np.inf, 0.0).astype(np.float32)
        given = {"tokens": tokens, "positions": reach, "mask": mask}
        feed = {name: OrtValue.ortvalue_from_numpy(array) for name, array in given.items()} | caches
        scores, *fresh = self._decoder.run_with_ort_values(self._made, feed)
        kept = {name: value for name, value in caches.items() if name.startswith("cross_")}
        kept |= {f"past_{name}": value for name, value in zip(self._made[1:], fresh, strict=True)}
        return scores.numpy(), kept

    def _empty(self, rows: int) -> dict[str, Any]:
        """The caches before the first token."""
        from onnxruntime import OrtValue

        shapes = {f"past_{name}": (rows, *self._nothing[name[0]]) for name in self._made[1:]}
        return {name: OrtValue.ortvalue_from_numpy(np.zeros(s, np.float32)) for name, s in shapes.items()}


def open_greedy(folder: Path, vocabulary: Tokenizer, *, threads: int) -> GreedyDecoder | None:
    """That of a model folder, if it has one. Raises ModelDamaged."""
    if not (folder / QUANTIZED).is_file():
        return None
    specials = Specials.read(
        folder / "config.json",
        start=vocabulary.start,
        end=vocabulary.end,
        no_speech=vocabulary.no_speech,
        end_of_sentence=vocabulary.end_of_sentence,
    )
    return GreedyDecoder.open(folder, specials, threads=threads)


def _log_softmax(scores: np.ndarray) -> np.ndarray:
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _picked(caches: Mapping[str, Any], rows: Sequence[int]) -> dict[str, Any]:
    from onnxruntime import OrtValue

    return {name: OrtValue.ortvalue_from_numpy(value.numpy()[rows]) for name, value in caches.items()}


def _opened(path: Path, weights: Mapping[str, np.ndarray], threads: int) -> Any:
    """A session of a graph that has its weights elsewhere. Raises ModelDamaged."""
    try:
        return open_session(path, threads=threads, weights=weights)
    except Exception as error:  # the library's own errors share no base
        problem = f"{path} does not fit its weights ({error})"
        raise ModelDamaged(f"{problem}; fetch the recognizer again") from error
