from __future__ import annotations

import numpy as np
import pytest

from voice.errors import ModelDamaged
from voice.models.ct2 import Ct2Model, read_model, write_model


def tiny() -> Ct2Model:
    tensors = {
        "a/weight": np.arange(6, dtype=np.float16).reshape(2, 3),
        "b/bias": np.array([1.5, -2.0], np.float32),
        "c/heads": np.array(8, np.int16),
        "d/quantized": np.array([[1, -128]], np.int8),
    }
    return Ct2Model("WhisperSpec", 3, tensors, {"e/weight": "a/weight"})


def test_reads_what_it_wrote(tmp_path):
    write_model(tmp_path / "model.bin", tiny())
    back = read_model(tmp_path / "model.bin")
    assert (back.spec, back.revision, back.aliases) == ("WhisperSpec", 3, {"e/weight": "a/weight"})
    assert list(back.tensors) == list(tiny().tensors)
    for name, tensor in tiny().tensors.items():
        assert back.tensors[name].dtype == tensor.dtype and back.tensors[name].shape == tensor.shape
        assert np.array_equal(back.tensors[name], tensor)
    assert [path.name for path in tmp_path.iterdir()] == ["model.bin"]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_file_cut_short_is_damaged(tmp_path, share):
    path = tmp_path / "model.bin"
    write_model(path, tiny())
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ModelDamaged, match="fetch it again"):
        read_model(path)


def test_another_file_is_damaged(tmp_path):
    (tmp_path / "model.bin").write_text("this is no model at all")
    with pytest.raises(ModelDamaged):
        read_model(tmp_path / "model.bin")
    with pytest.raises(ModelDamaged):
        read_model(tmp_path / "missing.bin")


def test_replaces_tensors_of_the_same_shape_only():
    changed = tiny().with_tensors({"b/bias": np.zeros(2, np.float32)})
    assert not changed.tensors["b/bias"].any() and list(changed.tensors) == list(tiny().tensors)
    with pytest.raises(ModelDamaged, match="right base"):
        tiny().with_tensors({"b/bias": np.zeros(3, np.float32)})
    with pytest.raises(ModelDamaged):
        tiny().with_tensors({"z": np.zeros(2, np.float32)})


def test_whisper_base_comes_back_byte_for_byte(whisper_base, tmp_path):
    model = read_model(whisper_base / "model.bin")
    assert len(model.tensors) == 212
    write_model(tmp_path / "model.bin", model)
    assert (tmp_path / "model.bin").read_bytes() == (whisper_base / "model.bin").read_bytes()
