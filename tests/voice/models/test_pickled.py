"""Checkpoints of PyTorch are read without it, and nothing in them is run."""

from __future__ import annotations

import os
import pickle
import zipfile

import numpy as np
import pytest

from voice.errors import ModelDamaged
from voice.models.pickled import read_arrays


def test_tensors_are_what_was_saved(tmp_path):
    torch = pytest.importorskip("torch")
    whole = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    torch.save({"model": {"whole": whole, "part": whole[1], "steps": 3}, "step": 250}, tmp_path / "a.pth")
    found = read_arrays(tmp_path / "a.pth", "model")
    assert set(found) == {"whole", "part"}
    np.testing.assert_array_equal(found["whole"], whole.numpy())
    np.testing.assert_array_equal(found["part"], whole[1].numpy())
    torch.save({"model": {"turned": whole[0].T}}, tmp_path / "b.pth")
    with pytest.raises(ModelDamaged, match="row by row"):
        read_arrays(tmp_path / "b.pth", "model")


class Runs:
    def __reduce__(self):
        return os.system, ("true",)


def test_what_would_run_a_program_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.pth", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"model": Runs()}))
    with pytest.raises(ModelDamaged, match="could run a program"):
        read_arrays(tmp_path / "bad.pth", "model")


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive at all"])
def test_what_is_no_checkpoint_is_said(tmp_path, content):
    (tmp_path / "c.pth").write_bytes(content)
    with pytest.raises(ModelDamaged, match="fetch it again"):
        read_arrays(tmp_path / "c.pth", "model")
