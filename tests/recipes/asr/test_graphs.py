import json
from pathlib import Path

import numpy as np
import pytest

from recipes.asr import graphs
from voice.asr.whisper.greedy import GreedyDecoder, SpecialTokens
from voice.errors import ModelDamaged
from voice.models.ct2 import Ct2Model
from voice.models.quantized import BLOCK, DECODER, QUANTIZED, ZERO, quantize_blocks, write_quantized

LAYERS, HEADS, WIDTH, WORDS, FRAMES = 2, 2, 2 * BLOCK, 40, 7
START, END, SILENT = 30, 31, 32
NEVER, NOT_FIRST = (35, 36), (END,)
CLOSING = [5, 7]


@pytest.fixture(scope="module")
def small() -> Ct2Model:
    """A decoder with random weights under CTranslate2's names."""
    rng = np.random.default_rng(1)
    tensors: dict[str, np.ndarray] = {"decoder/num_heads": np.array(HEADS, np.int16)}

    def linear(name: str, rows: int, columns: int) -> None:
        tensors[f"{name}/weight"] = rng.normal(0, columns**-0.5, (rows, columns)).astype(np.float16)
        tensors[f"{name}/bias"] = rng.normal(0, 0.1, rows).astype(np.float16)

    def norm(name: str) -> None:
        tensors[f"{name}/gamma"] = rng.normal(1, 0.1, WIDTH).astype(np.float16)
        tensors[f"{name}/beta"] = rng.normal(0, 0.1, WIDTH).astype(np.float16)

    for layer in range(LAYERS):
        at = f"decoder/layer_{layer}"
        for part in ("self_attention", "attention", "ffn"):
            norm(f"{at}/{part}/layer_norm")
        linear(f"{at}/self_attention/linear_0", 3 * WIDTH, WIDTH)
        linear(f"{at}/self_attention/linear_1", WIDTH, WIDTH)
        linear(f"{at}/attention/linear_0", WIDTH, WIDTH)
        linear(f"{at}/attention/linear_1", 2 * WIDTH, WIDTH)
        linear(f"{at}/attention/linear_2", WIDTH, WIDTH)
        linear(f"{at}/ffn/linear_0", 4 * WIDTH, WIDTH)
        linear(f"{at}/ffn/linear_1", WIDTH, 4 * WIDTH)
    norm("decoder/layer_norm")
    tensors["decoder/embeddings/weight"] = rng.normal(0, 0.3, (WORDS, WIDTH)).astype(np.float16)
    tensors["decoder/position_encodings/encodings"] = rng.normal(0, 0.1, (64, WIDTH)).astype(np.float16)
    return Ct2Model("WhisperSpec", 3, tensors, {})


@pytest.fixture(scope="module")
def folder(small: Ct2Model, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("decoder")
    graphs.write(out, graphs.Shape.of(small))
    write_quantized(out / QUANTIZED, small)
    config = {"suppress_ids": list(NEVER), "suppress_ids_begin": list(NOT_FIRST)}
    (out / "config.json").write_text(json.dumps(config))
    return out


@pytest.fixture(scope="module")
def decoder(folder: Path) -> GreedyDecoder:
    return GreedyDecoder.open(folder, specials(folder), threads=1)


def specials(folder: Path) -> SpecialTokens:
    about = {"start": START, "end": END, "no_speech": SILENT, "end_of_sentence": CLOSING}
    return SpecialTokens.read(folder / "config.json", **about)


def encodings(rows: int) -> np.ndarray:
    return np.random.default_rng(2).normal(0, 1, (rows, FRAMES, WIDTH)).astype(np.float32)


def scores(model: Ct2Model, tokens: list[int], encoded: np.ndarray) -> np.ndarray:
    """(T, V) computed anew with NumPy and the weights as they were."""
    w = {name: np.asarray(tensor, np.float64) for name, tensor in model.tensors.items()}

    def normal(x, name):
        x = x - x.mean(-1, keepdims=True)
        return x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-5) * w[f"{name}/gamma"] + w[f"{name}/beta"]

    def linear(x, name):
        return x @ w[f"{name}/weight"].T + w[f"{name}/bias"]

    def attend(query, key, value, causal=False):
        out = []
        for q, k, v in zip(*(np.split(part, HEADS, -1) for part in (query, key, value)), strict=True):
            found = q @ k.T / np.sqrt(WIDTH / HEADS)
            if causal:
                found = np.where(np.tri(len(q)), found, -np.inf)
            chances = np.exp(found - found.max(-1, keepdims=True))
            out.append(chances / chances.sum(-1, keepdims=True) @ v)
        return np.concatenate(out, -1)

    def gelu(x):
        from math import erf

        return x * 0.5 * (1 + np.vectorize(erf)(x / np.sqrt(2)))

    x = w["decoder/embeddings/weight"][tokens] + w["decoder/position_encodings/encodings"][: len(tokens)]
    for layer in range(LAYERS):
        at = f"decoder/layer_{layer}"
        parts = np.split(
            linear(normal(x, f"{at}/self_attention/layer_norm"), f"{at}/self_attention/linear_0"), 3, -1
        )
        x = x + linear(attend(*parts, causal=True), f"{at}/self_attention/linear_1")
        query = linear(normal(x, f"{at}/attention/layer_norm"), f"{at}/attention/linear_0")
        key, value = np.split(linear(encoded, f"{at}/attention/linear_1"), 2, -1)
        x = x + linear(attend(query, key, value), f"{at}/attention/linear_2")
        inner = gelu(linear(normal(x, f"{at}/ffn/layer_norm"), f"{at}/ffn/linear_0"))
        x = x + linear(inner, f"{at}/ffn/linear_1")
    return normal(x, "decoder/layer_norm") @ w["decoder/embeddings/weight"].T


def test_bytes_and_scales_give_the_weights_back_within_half_a_step():
    weight = np.random.default_rng(3).normal(0, 1, (5, 3 * BLOCK)).astype(np.float32)
    found, scales = quantize_blocks(weight)
    again = ((found.astype(np.float32) - ZERO) * scales.reshape(5, 3, 1)).reshape(weight.shape)
    assert (np.abs(again - weight).reshape(5, 3, BLOCK).max(2) <= scales.reshape(5, 3) / 2 + 1e-6).all()


def test_tokens_are_the_best_of_the_scores_that_numpy_computes(small, decoder):
    """Each step's chance is that of the exact weights, but for eight bits; so is P(no speech)."""
    encoded, prompt = encodings(1), [START, 3, 4]
    (row,) = decoder(encoded, prompt, 6)
    tokens = list(prompt)
    for number, (token, chance) in enumerate(zip(row.tokens, row.log_probs, strict=False)):
        found = scores(small, tokens, encoded[0])[-1]
        found[[*NEVER, *(NOT_FIRST if not number else ())]] = -np.inf
        chances = found - np.log(np.exp(found).sum())
        assert chances[token] == pytest.approx(chance, abs=0.05)
        assert chances[token] >= chances.max() - 0.05
        expected = float(np.exp(chances[CLOSING]).sum())
        assert row.end_of_sentence_probs[number] == pytest.approx(expected, abs=0.02)
        tokens.append(token)
    first = scores(small, prompt, encoded[0])[0]
    assert row.no_speech_prob == pytest.approx(float(np.exp(first[SILENT]) / np.exp(first).sum()), abs=0.02)


def test_a_row_does_not_depend_on_its_neighbors(decoder):
    encoded, prompt = encodings(5), [START, 3, 4]
    together = decoder(encoded, prompt, 12)
    for row, one in zip(together, encoded, strict=True):
        (alone,) = decoder(one[None], prompt, 12)
        assert (alone.tokens, alone.ended) == (row.tokens, row.ended)
        np.testing.assert_allclose(alone.log_probs, row.log_probs, atol=0.05)  # kernels differ by size


def test_no_more_tokens_come_than_asked_for(decoder):
    assert [len(row.tokens) for row in decoder(encodings(2), [START], 3)] == [3, 3]


def test_what_may_not_be_written_is_not(decoder):
    for row in decoder(encodings(4), [START], 10):
        assert not set(row.tokens) & set(NEVER)
        assert row.tokens  # the end cannot be first


def test_weights_that_do_not_fit_the_graph_say_so(folder: Path, tmp_path: Path):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / DECODER).write_bytes(b"nothing")
    with pytest.raises(ModelDamaged, match="does not fit"):
        GreedyDecoder.open(tmp_path, specials(tmp_path), threads=1)
