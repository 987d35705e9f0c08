"""Greedy search with Whisper's decoder on ONNX Runtime: a step reads each weight once, in 8 bits.

CTranslate2 does the same, and beam search too; for few utterances at once this takes about half its time.
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

MIN_UNFINISHED = 0.75  # finished rows are dropped from a step once fewer than this share are unfinished


@dataclass
class GreedyRow:
    """What is decoded of one utterance.

    `tokens`, and their `log_probs` (that of the end too, once it is reached); if the model has such
    tokens, `end_of_sentence_probs`: the probability that a mark which ends a sentence stands in the
    place of each; and P(no speech).
    """

    no_speech_prob: float
    tokens: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)
    end_of_sentence_probs: list[float] = field(default_factory=list)
    ended: bool = False

    def append(self, token: int, log_prob: float, end_of_sentence_prob: float | None, end: int) -> None:
        """Add the next token; `end` is the one that ends the row."""
        if not self.ended:
            self.log_probs.append(log_prob)
            self.end_of_sentence_probs += [] if end_of_sentence_prob is None else [end_of_sentence_prob]
            self.ended = token == end
            self.tokens += [] if self.ended else [token]


@dataclass(frozen=True)
class SpecialTokens:
    """Tokens with a meaning; `suppressed` are never written, `suppressed_first` not as the first."""

    start: int
    end: int
    no_speech: int
    suppressed: Sequence[int]
    suppressed_first: Sequence[int]
    end_of_sentence: Sequence[int] = ()  # marks that end a sentence

    @classmethod
    def read(
        cls, path: Path, *, start: int, end: int, no_speech: int, end_of_sentence: Sequence[int] = ()
    ) -> SpecialTokens:
        """Complete them by the lists in a model's `config.json`. Raises ModelDamaged."""
        try:
            config = json.loads(path.read_text("utf-8"))
            suppressed = config["suppress_ids"] or []
            suppressed_first = [*suppressed, *(config["suppress_ids_begin"] or [])]
            return cls(start, end, no_speech, suppressed, suppressed_first, end_of_sentence)
        except (OSError, ValueError, KeyError) as error:
            raise ModelDamaged(f"{path} does not say what is never written; fetch the model again") from error


class GreedyDecoder:
    """The two graphs of the decoder. It holds no state between calls."""

    def __init__(self, cross: Any, decoder: Any, specials: SpecialTokens) -> None:
        self._cross, self._decoder, self._specials = cross, decoder, specials
        self._outputs = [output.name for output in decoder.get_outputs()]
        self._cross_outputs = [output.name for output in cross.get_outputs()]
        _, heads, size, _ = cross.get_outputs()[0].shape
        self._empty_shapes = {"k": (heads, size, 0), "v": (heads, 0, size)}

    @classmethod
    def open(cls, folder: Path, specials: SpecialTokens, *, threads: int) -> GreedyDecoder:
        """Load the graphs of a model folder. Raises ModelDamaged."""
        weights = read_quantized(folder / QUANTIZED)
        cross_weights = {name: array for name, array in weights.items() if for_cross(name)}
        rest = {name: array for name, array in weights.items() if not for_cross(name)}
        cross = _open_graph(folder / CROSS, cross_weights, threads)
        return cls(cross, _open_graph(folder / DECODER, rest, threads), specials)

    def __call__(self, encoded: np.ndarray, prompt: Sequence[int], limit: int) -> list[GreedyRow]:
        """Decode at most `limit` tokens for each row of `encoded` (B, F, D), after the `prompt`."""
        from onnxruntime import OrtValue

        inputs = {"encoded": OrtValue.ortvalue_from_numpy(encoded)}
        cross = self._cross.run_with_ort_values(self._cross_outputs, inputs)
        caches = dict(zip(self._cross_outputs, cross, strict=True)) | self._empty_caches(len(encoded))
        given = np.tile(np.array(prompt, np.int64), (len(encoded), 1))
        logits, caches = self._step(given, 0, caches)
        at_start = _log_softmax(logits[:, list(prompt).index(self._specials.start)])
        rows = [GreedyRow(float(prob)) for prob in np.exp(at_start[:, self._specials.no_speech])]
        active = rows
        for position in range(len(prompt), len(prompt) + limit):
            first = position == len(prompt)
            suppressed = self._specials.suppressed_first if first else self._specials.suppressed
            tokens = self._extend(active, logits[:, -1], suppressed)
            unfinished = [number for number, row in enumerate(active) if not row.ended]
            if not unfinished or position + 1 == len(prompt) + limit:
                break
            if len(unfinished) < MIN_UNFINISHED * len(active):
                caches = _select_rows(caches, unfinished)
                tokens, active = tokens[unfinished], [active[number] for number in unfinished]
            logits, caches = self._step(tokens[:, None], position, caches)
        return rows

    def _extend(self, rows: Sequence[GreedyRow], logits: np.ndarray, suppressed: Sequence[int]) -> np.ndarray:
        """Append to each row the best of its `logits` (B, V) without the `suppressed`; return these (B,)."""
        logits[:, suppressed] = -np.inf
        tokens: np.ndarray = logits.argmax(axis=1)
        log_probs = _log_softmax(logits)
        best = log_probs[np.arange(len(rows)), tokens]
        marks = list(self._specials.end_of_sentence)
        ends = np.exp(log_probs[:, marks]).sum(axis=1).tolist() if marks else [None] * len(rows)
        for row, token, log_prob, end_of_sentence in zip(rows, tokens, best, ends, strict=True):
            row.append(int(token), float(log_prob), end_of_sentence, self._specials.end)
        return tokens

    def _step(
        self, tokens: np.ndarray, position: int, caches: Mapping[str, Any]
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Run (B, T) tokens from `position` on; return the logits (B, T, V) after each, and new caches."""
        from onnxruntime import OrtValue

        count = tokens.shape[1]
        positions = np.arange(position, position + count)
        mask = np.where(np.arange(position + count) > positions[:, None], -np.inf, 0.0).astype(np.float32)
        inputs = {"tokens": tokens, "positions": positions, "mask": mask}
        feed = {name: OrtValue.ortvalue_from_numpy(array) for name, array in inputs.items()}
        logits, *fresh = self._decoder.run_with_ort_values(self._outputs, {**feed, **caches})
        kept = {name: value for name, value in caches.items() if name.startswith("cross_")}
        kept |= {f"past_{name}": value for name, value in zip(self._outputs[1:], fresh, strict=True)}
        return logits.numpy(), kept

    def _empty_caches(self, rows: int) -> dict[str, Any]:
        """Build the caches before the first token."""
        from onnxruntime import OrtValue

        shapes = {f"past_{name}": (rows, *self._empty_shapes[name[0]]) for name in self._outputs[1:]}
        return {name: OrtValue.ortvalue_from_numpy(np.zeros(s, np.float32)) for name, s in shapes.items()}


def open_greedy(folder: Path, tokenizer: Tokenizer, *, threads: int) -> GreedyDecoder | None:
    """Load the greedy decoder of a model folder, or return None if it has none. Raises ModelDamaged."""
    if not (folder / QUANTIZED).is_file():
        return None
    specials = SpecialTokens.read(
        folder / "config.json",
        start=tokenizer.start,
        end=tokenizer.end,
        no_speech=tokenizer.no_speech,
        end_of_sentence=tokenizer.end_of_sentence,
    )
    return GreedyDecoder.open(folder, specials, threads=threads)


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    """Normalize logits along the last axis to log-probabilities."""
    shifted: np.ndarray = logits - logits.max(axis=-1, keepdims=True)
    log_probs: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return log_probs


def _select_rows(caches: Mapping[str, Any], rows: Sequence[int]) -> dict[str, Any]:
    """Return the caches of some rows."""
    from onnxruntime import OrtValue

    return {name: OrtValue.ortvalue_from_numpy(value.numpy()[rows]) for name, value in caches.items()}


def _open_graph(path: Path, weights: Mapping[str, np.ndarray], threads: int) -> Any:
    """Open a session of a graph that has its weights elsewhere. Raises ModelDamaged."""
    try:
        return open_session(path, threads=threads, weights=weights)
    except Exception as error:  # the library's own errors share no base
        problem = f"{path} does not fit its weights ({error})"
        raise ModelDamaged(f"{problem}; fetch the recognizer again") from error
