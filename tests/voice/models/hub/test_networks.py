"""Networks of transformers from folders of strangers: whole, plain, of the size that they say, or refused."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from recipes.finetune import smoke
from voice.errors import ModelDamaged, ModelMissing
from voice.loading import load_recognizer
from voice.models.hub import networks


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return smoke.base("wav2vec2", tmp_path_factory.mktemp("networks"))


@pytest.fixture
def folder(whole, tmp_path) -> Path:
    return shutil.copytree(whole, tmp_path / "mine")


def change(folder: Path, **changes: object) -> None:
    table = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(table | changes))


def test_a_whole_one_is_opened_for_inference(folder):
    network = networks.open_network(folder, "AutoModelForCTC", threads=1)
    assert not network.training and torch.get_num_threads() == 1


def test_without_torch_it_says_what_to_install(folder, monkeypatch):
    monkeypatch.setattr(networks, "find_spec", lambda name: None)
    with pytest.raises(ModelMissing, match=r"torch and transformers: pip install '\.\[local\]'"):
        load_recognizer(str(folder))


def test_code_of_its_own_is_not_run(folder):
    (folder / "evil.py").write_text(f"open({str(folder / 'touched')!r}, 'w')")
    change(folder, auto_map={"AutoModelForCTC": "evil.Model", "AutoConfig": "evil.Config"})
    with pytest.raises(ModelDamaged, match="code of its own"):
        load_recognizer(str(folder))
    assert not (folder / "touched").exists()


def test_weights_with_a_program_in_them_do_not_run(folder):
    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {folder / 'touched'}",)

    (folder / "model.safetensors").unlink()
    torch.save({"lm_head.weight": Evil()}, folder / "pytorch_model.bin")
    with pytest.raises(ModelDamaged):
        load_recognizer(str(folder))
    assert not (folder / "touched").exists()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"num_hidden_layers": 10**6}, "num_hidden_layers 1e"),
        ({"hidden_size": 10**12}, "hidden_size 1e"),
        ({"intermediate_size": 10**8}, "parameters, and its weights have"),
        ({"num_hidden_layers": 3}, "no weights for"),
        ({"intermediate_size": 64}, "mismatch|no weights for"),
        ({"model_type": "no-such"}, "no-such"),
    ],
)
def test_a_configuration_that_its_weights_do_not_fit_is_refused(folder, changes, reason):
    change(folder, **changes)
    with pytest.raises(ModelDamaged, match=reason):
        load_recognizer(str(folder))


@pytest.mark.parametrize("content", [b"", b"\xff" * 100, b"\x08" + b"\0" * 7 + b"{}"])
def test_damaged_weights_are_named(folder, content):
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelDamaged, match="mine"):
        load_recognizer(str(folder))


def test_a_missing_tokenizer_is_named(folder):
    for name in ("vocab.json", "tokenizer_config.json", "tokenizer.json"):
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(ModelDamaged, match="AutoTokenizer"):
        load_recognizer(str(folder))
