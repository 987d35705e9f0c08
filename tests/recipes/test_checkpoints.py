"""Checkpoints of strangers run nothing; damaged ones say what to do."""

from __future__ import annotations

import collections
import os
import random
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from recipes.asr import export as asr_export
from recipes.asr import head as asr_head
from recipes.asr import train as asr_train
from recipes.checkpoints import older, read_state, write_state
from recipes.training import Checkpoint
from recipes.tts import train as tts_train
from recipes.tts import trained as tts_trained
from recipes.vocoder import export as vocoder_export
from voice.errors import ModelDamaged, ModelMissing


class Evil:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.fixture
def hostile(tmp_path) -> Path:
    """The folder of a run that would run a program; `touched` is what that would write."""
    run = tmp_path / "run"
    run.mkdir()
    for name in ("best.pt", "last.pt"):
        weights = {
            "weights": {"a": torch.zeros(1)},
            "average": {"weights": {}},
            "evil": Evil(tmp_path / "touched"),
        }
        torch.save(weights | {"parts": weights, "step": 1, "scores": {}}, run / name)
    return run


OPENED = {
    "recipes.asr.export --run": lambda run: asr_export.read_weights(run, "best"),
    "recipes.asr.export --weights last": lambda run: asr_export.read_weights(run, "last"),
    "recipes.asr.export --head": asr_head.saved_head,
    "recipes.asr.train --start": lambda run: asr_train.saved_weights(run / "best.pt"),
    "a run that goes on": lambda run: Checkpoint(run, {}).restore(),
    "recipes.tts.export --run": lambda run: tts_trained.load_run(run, run),
    "recipes.tts.train --start": lambda run: tts_train.saved_parts(run / "last.pt"),
    "recipes.vocoder.export --run": vocoder_export.load_run,
}


@pytest.mark.parametrize("way", OPENED)
def test_a_checkpoint_with_a_program_in_it_does_not_run(hostile, tmp_path, way):
    with pytest.raises(ModelDamaged, match="could run any program"):
        OPENED[way](hostile)
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("content", [b"", b"junk", "cut"])
def test_a_checkpoint_that_is_cut_short_says_what_to_do(tmp_path, content):
    checkpoint = Checkpoint(tmp_path, {"linear": torch.nn.Linear(2, 2)})
    for step in (1, 2):
        checkpoint.save(step)
    whole = checkpoint.path.read_bytes()
    checkpoint.path.write_bytes(whole[: len(whole) // 2] if content == "cut" else content)
    with pytest.raises(ModelDamaged, match=f"mv {older(checkpoint.path)} {checkpoint.path}"):
        checkpoint.restore()
    os.replace(older(checkpoint.path), checkpoint.path)
    assert checkpoint.restore() == 1
    checkpoint.path.write_bytes(b"")
    with pytest.raises(ModelDamaged, match="delete it to start anew"):
        checkpoint.restore()


def test_a_checkpoint_that_is_not_there_says_what_makes_one(tmp_path):
    with pytest.raises(ModelMissing, match="`python -m it` makes one"):
        read_state(tmp_path / "last.pt", "python -m it")


def test_numpys_numbers_and_arrays_become_plain_and_keep_their_values(tmp_path):
    state = {
        "score": np.float64(0.1),
        "n": np.int64(3),
        "keys": np.arange(3, dtype=np.uint32),
        "t": (1, None),
    }
    write_state(tmp_path / "a.pt", state)
    loaded = torch.load(tmp_path / "a.pt", weights_only=True)
    assert loaded["score"] == 0.1 and loaded["n"] == 3 and loaded["t"] == (1, None)
    assert loaded["keys"].tolist() == [0, 1, 2]


def test_what_is_not_plain_is_refused_when_it_is_saved_not_when_it_is_needed(tmp_path):
    with pytest.raises(TypeError, match="a/deep/path"):
        write_state(tmp_path / "a.pt", {"deep": {"path": Path("x")}})
    assert not (tmp_path / "a.pt").exists()


def test_a_checkpoint_of_before_still_goes_on(tmp_path):
    """With NumPy's own arrays and numbers in it, as runs of earlier versions have them."""
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    model = torch.nn.Linear(2, 2)
    rng = {
        "python": random.getstate(),
        "numpy": np.random.get_state(),
        "torch": torch.get_rng_state(),
        "cuda": [],
    }
    saved = {"step": 7, "rng": rng, "parts": {"model": model.state_dict()}, "score": np.float64(0.5)}
    torch.save(saved, tmp_path / "last.pt")
    expected = random.random(), np.random.rand()
    assert Checkpoint(tmp_path, {"model": torch.nn.Linear(2, 2)}).restore() == 7
    assert (random.random(), np.random.rand()) == expected


def test_the_state_of_a_module_is_saved_as_it_is(tmp_path):
    state = torch.nn.BatchNorm1d(2).state_dict()
    write_state(tmp_path / "a.pt", {"model": state})
    loaded = read_state(tmp_path / "a.pt", "")["model"]
    assert isinstance(loaded, collections.OrderedDict) and loaded._metadata == state._metadata
