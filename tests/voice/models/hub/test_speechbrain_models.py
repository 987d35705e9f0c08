"""Hyperparameters of strangers: nothing but the listed classes is ever made of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("speechbrain")

from recipes.finetune import smoke
from voice.errors import ModelDamaged
from voice.models.hub.speechbrain_models import check_hyperparameters, open_speechbrain


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return smoke.base("speechbrain", tmp_path_factory.mktemp("speechbrain"))


def test_a_model_is_opened_with_its_weights_ready_for_inference(whole):
    model = open_speechbrain(whole)
    assert model.rate == 16_000 and not model.part("modules", "encoder").training
    with pytest.raises(ModelDamaged, match='no "modules decoder"'):
        model.part("modules", "decoder")


TOUCH = "touch"  # what an attack would run: a file of this name then lies in the folder
ATTACKS = [
    "a: !apply:os.system [touch touch]",
    "a: !new:subprocess.Popen\n  args: [touch, touch]",
    "a: !name:os.system",
    "a: !module:os",
    "a: !applyref:os.system\n  command: touch touch",
    "a: !include:other.yaml",
    "a: !!python/object/apply:os.system [touch touch]",
    "%TAG ! tag:yaml.org,2002:python/\n---\na: !object/apply:os.system [touch touch]",
    "a: !new:torch.nn.modules.module.torch.hub.load\n  repo_or_dir: a/b",
    "a: !new:speechbrain.utils.checkpoints.torch.load\n  f: touch",
    "a: !new:speechbrain.utils.fetching.fetch\n  filename: a\n  source: b",
    "a: !new:speechbrain.integrations.huggingface.mert.MERT\n  source: a/b",
    "a: !new:speechbrain.nnet.linear.Linear\n  trust_remote_code: True",
    "a: 9\nb: !ref <a>**<a>**<a>",
    "a: !new:speechbrain.no.such.Thing",
    "a: !new:torch.nn.functional.relu",
    "a: " + "[" * 5000,
    "a: b: c",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_before_anything_is_made(attack, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hyperparams.yaml").write_text(attack + "\ndecoding_function: !name:speechbrain.x.ctc\n")
    with pytest.raises(ModelDamaged):
        open_speechbrain(tmp_path)
    assert os.listdir(tmp_path) == ["hyperparams.yaml"]


def test_networks_and_references_are_allowed():
    check_hyperparameters("a: 3\nb: !ref <a>*2\nc: !new:torch.nn.Linear [3, 4]\n", Path("here"))


def test_pickled_weights_are_not_run(whole, tmp_path):
    import shutil

    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'touched'}",)

    folder = shutil.copytree(whole, tmp_path / "mine")
    torch.save({"0.weight": Evil()}, folder / "asr.ckpt")
    with pytest.raises(ModelDamaged):
        open_speechbrain(folder)
    assert not (tmp_path / "touched").exists()


def test_a_missing_file_is_named(whole, tmp_path):
    import shutil

    folder = shutil.copytree(whole, tmp_path / "mine")
    (folder / "asr.ckpt").unlink()
    with pytest.raises(ModelDamaged, match=r"no asr\.ckpt"):
        open_speechbrain(folder)
