from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from voice.errors import ModelDamaged
from voice.models.adapter import ADAPTER, WEIGHTS, derive, merge, read_adapter, write_adapter
from voice.models.card import sha256
from voice.models.ct2 import Ct2Model, read_model, write_model


def base() -> Ct2Model:
    tensors = {"qkv/weight": np.ones((6, 2), np.float16), "norm/beta": np.ones(2, np.float16)}
    tensors["scale"] = np.array(1.0, np.float16)
    return Ct2Model("WhisperSpec", 3, tensors, {})


def values() -> np.ndarray:
    """The second of three stacked matrices, (2, 1) @ (1, 2)."""
    return np.array([[2.0, 4.0], [3.0, 6.0]], np.float16)


def adapter() -> dict[str, np.ndarray]:
    return {
        "qkv/weight:2.up": np.array([[2.0], [3.0]], np.float16),
        "qkv/weight:2.down": np.array([[1.0, 2.0]], np.float16),
        "norm/beta.delta": np.array([0.5, -0.5], np.float16),
    }


def test_adds_to_the_rows_it_names_and_to_no_others():
    merged = merge(base(), adapter())
    whole = merged.tensors["qkv/weight"]
    assert np.array_equal(whole[2:4], 1 + values())
    assert np.array_equal(whole[[0, 1, 4, 5]], np.ones((4, 2)))
    assert np.array_equal(merged.tensors["norm/beta"], [1.5, 0.5])
    assert whole.dtype == np.float16
    assert np.array_equal(base().tensors["qkv/weight"], np.ones((6, 2)))


def test_several_additions_to_one_matrix_all_count():
    more = adapter() | {"qkv/weight:0.up": np.ones((2, 1), np.float16)}
    more["qkv/weight:0.down"] = np.ones((1, 2), np.float16)
    whole = merge(base(), more).tensors["qkv/weight"]
    assert np.array_equal(whole[:2], np.full((2, 2), 2.0)) and np.array_equal(whole[2:4], 1 + values())


@pytest.mark.parametrize(
    "wrong",
    [
        {"qkv/weight:5.up": np.ones((2, 1), np.float16), "qkv/weight:5.down": np.ones((1, 2), np.float16)},
        {"other.delta": np.ones(2, np.float16)},
        {"norm/beta.delta": np.ones(3, np.float16)},
        {"qkv/weight:0.up": np.ones((2, 1), np.float16)},
        {"qkv/weight:0.down": np.ones((1, 2), np.float16)},
        {"anything": np.ones(1, np.float16)},
        {"qkv/weight:0.up": np.ones((2, 1), np.float16), "qkv/weight:0.down": np.ones((2, 2), np.float16)},
        {"qkv/weight:0.up": np.ones(2, np.float16), "qkv/weight:0.down": np.ones(2, np.float16)},
        {"qkv/weight:².up": np.ones((2, 1), np.float16), "qkv/weight:².down": np.ones((1, 2), np.float16)},
        {"norm/beta:0.up": np.ones((2, 1), np.float16), "norm/beta:0.down": np.ones((1, 2), np.float16)},
        {f"qkv/weight:{'9' * 5000}.{side}": np.ones((2, 2), np.float16) for side in ("up", "down")},
        {"norm/beta.delta": np.float16(1.0)},
        {"scale.delta": np.ones(1, np.float16)},
    ],
)
def test_what_does_not_fit_is_refused(wrong):
    with pytest.raises(ModelDamaged):
        merge(base(), wrong)


def test_factors_whose_product_no_memory_holds_are_refused_before_it_is_made():
    many = np.ones((1_000_000, 1), np.float16)
    with pytest.raises(ModelDamaged, match="does not fit"):
        merge(base(), {"qkv/weight:0.up": many, "qkv/weight:0.down": many.T})


def folders(tmp_path):
    whisper, part = tmp_path / "base", tmp_path / "part"
    for folder in (whisper, part):
        folder.mkdir()
    write_model(whisper / WEIGHTS, base())
    (whisper / "tokenizer.json").write_text("{}")
    (whisper / "model.toml").write_text("its own card")
    return whisper, part


def test_derives_a_whole_folder_without_the_card_of_its_base(tmp_path):
    whisper, part = folders(tmp_path)
    write_adapter(part / ADAPTER, adapter(), sha256(whisper / WEIGHTS))
    derive(whisper, part / ADAPTER, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [WEIGHTS, "tokenizer.json"]
    assert np.array_equal(read_model(tmp_path / "out" / WEIGHTS).tensors["qkv/weight"][2:4], 1 + values())


def test_another_base_is_refused(tmp_path):
    whisper, part = folders(tmp_path)
    write_adapter(part / ADAPTER, adapter(), "0" * 64)
    with pytest.raises(ModelDamaged, match="another model"):
        derive(whisper, part / ADAPTER, tmp_path / "out")


def test_other_accounts_can_read_what_is_written(tmp_path):
    write_adapter(tmp_path / ADAPTER, adapter(), "0" * 64)
    (tmp_path / "any").write_text("")
    assert (tmp_path / ADAPTER).stat().st_mode == (tmp_path / "any").stat().st_mode


def test_a_file_that_is_no_adapter_is_damaged(tmp_path):
    (tmp_path / ADAPTER).write_text("no adapter")
    with pytest.raises(ModelDamaged, match="fetch it again"):
        read_adapter(tmp_path / ADAPTER)
    with pytest.raises(ModelDamaged):
        read_adapter(tmp_path / "missing")


@pytest.mark.parametrize("kind", ["BF16", "F8_E4M3"])
def test_numbers_that_numpy_does_not_have_are_damage(tmp_path, kind):
    header = json.dumps({"norm/beta.delta": {"dtype": kind, "shape": [0], "data_offsets": [0, 0]}}).encode()
    (tmp_path / ADAPTER).write_bytes(struct.pack("<Q", len(header)) + header)
    with pytest.raises(ModelDamaged, match="fetch it again"):
        read_adapter(tmp_path / ADAPTER)
