"""Whisper in the forms in which people have it: converted where that can be, and told how where not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voice.errors import ModelDamaged, ModelMissing
from voice.models import converting, fetch, lookup


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("VOICE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """A tiny Whisper as transformers saves it."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from recipes.asr import smoke

    folder = tmp_path_factory.mktemp("my whisper")
    tokens = [f"{number}" for number in range(10)] + smoke.SPECIAL
    smoke._network(len(tokens), 80).save_pretrained(folder)
    smoke._tokenizer(tokens).save(str(folder / "tokenizer.json"))
    special = [token for token in smoke.SPECIAL if token != "<|0.00|>"]
    names = {"tokenizer_class": "PreTrainedTokenizerFast", "additional_special_tokens": special}
    (folder / "tokenizer_config.json").write_text(json.dumps(names))
    return folder


def stub(folder: Path, weights: str = "model.safetensors", tokenizer: bool = True, **config: object) -> Path:
    """A folder that looks like one of transformers."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "whisper", **config}))
    (folder / weights).write_bytes(b"")
    if tokenizer:
        (folder / "tokenizer.json").write_text("{}")
    return folder


def test_a_folder_of_transformers_is_converted_once_and_runs(whole, cache, monkeypatch):
    from recipes.asr import model, smoke
    from voice.loading import load
    from voice.models.ct2 import read_model

    assert load(str(whole), threads=1).rate == 16_000
    made = list(cache.iterdir())
    assert len(made) == 1 and made[0].name.startswith("my-whisper")
    expected = model.to_ct2(smoke._network(10 + len(smoke.SPECIAL), 80)).tensors
    tensors = read_model(made[0] / "model.bin").tensors
    assert all((tensors[name] == expected[name]).all() for name in expected if name.endswith("weight"))
    monkeypatch.setattr(converting, "convert", None)
    assert lookup.find(str(whole)).folder == made[0]
    assert lookup.find_stored(str(whole)).folder == whole
    assert lookup.remove(str(whole)) > 0 and list(cache.iterdir()) == []


def test_a_repository_of_transformers_is_converted_too(whole, cache, monkeypatch):
    import shutil

    def from_hub(source: fetch.Hub, folder: Path, *_: object) -> None:
        shutil.copytree(whole, folder, dirs_exist_ok=True)

    monkeypatch.setattr(fetch, "hub_repository", from_hub)
    assert (lookup.find("hf:org/mine").folder / "model.bin").is_file()
    assert len(list(cache.iterdir())) == 2
    lookup.remove("hf:org/mine")
    assert list(cache.iterdir()) == []


def test_a_new_version_of_what_was_converted_is_converted_anew(tmp_path, cache, monkeypatch):
    def convert(folder: Path, out: Path):
        (out / "model.bin").write_bytes(b"made")
        return converting.guess_card(folder)

    monkeypatch.setattr(converting, "convert", convert)
    folder = stub(tmp_path / "mine")
    first = lookup.find(str(folder)).folder
    (folder / "model.safetensors").write_bytes(b"better")
    second = lookup.find(str(folder)).folder
    assert first != second and list(cache.iterdir()) == [second]


def test_without_the_libraries_it_says_what_to_install(tmp_path, cache, monkeypatch):
    monkeypatch.setattr(converting, "find_spec", lambda name: None)
    with pytest.raises(ModelMissing, match=r"pip install '\.\[train\]'"):
        lookup.find(str(stub(tmp_path / "mine")))
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("weights", ["model.safetensors", "pytorch_model.bin"])
def test_what_cannot_be_converted_says_why_and_leaves_nothing(tmp_path, cache, weights):
    pytest.importorskip("transformers")
    with pytest.raises(ModelDamaged, match="cannot be converted"):
        lookup.find(str(stub(tmp_path / "mine", weights)))
    assert list(cache.iterdir()) == []


def test_code_in_a_folder_is_not_run_for_converting_it(tmp_path, monkeypatch):
    pytest.importorskip("transformers")
    folder = stub(tmp_path / "mine", auto_map={"AutoConfig": "evil.Config"})
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'touched')!r}, 'w')")
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    with pytest.raises(ModelDamaged, match="code of its own"):
        lookup.find(str(folder))
    assert not (tmp_path / "touched").exists()


def test_weights_with_a_program_in_them_do_not_run(tmp_path, whole):
    import os

    import torch

    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'touched'}",)

    folder = tmp_path / "mine"
    folder.mkdir()
    for path in whole.glob("*.json"):
        (folder / path.name).write_bytes(path.read_bytes())
    torch.save({"proj_out.weight": Evil()}, folder / "pytorch_model.bin")
    with pytest.raises(ModelDamaged, match="cannot be converted"):
        lookup.find(str(folder))
    assert not (tmp_path / "touched").exists()


def test_without_a_tokenizer_it_says_where_one_comes_from(tmp_path):
    pytest.importorskip("transformers")
    with pytest.raises(ModelDamaged, match="no tokenizer.json; write it with transformers"):
        lookup.find(str(stub(tmp_path / "one", tokenizer=False)))
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "model.bin").write_bytes(b"")
    with pytest.raises(ModelDamaged, match="no tokenizer.json; copy the one"):
        lookup.find(str(tmp_path / "two"))


def test_the_guess_of_a_folder_says_nothing_of_its_bands_and_knows_english_alone(tmp_path):
    assert converting.guess_card(stub(tmp_path / "a", vocab_size=51_864)).language == "en"
    card = converting.guess_card(stub(tmp_path / "b", vocab_size=51_866, num_mel_bins=128))
    assert card.language == "multilingual" and card.options == {}


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("small", "hf:Systran/faster-whisper-small"),
        ("whisper-small", "hf:Systran/faster-whisper-small"),
        ("openai/whisper-small.en", "hf:Systran/faster-whisper-small.en"),
        ("turbo", "hf:mobiuslabsgmbh/faster-whisper-large-v3-turbo"),
        ("large", "hf:Systran/faster-whisper-large-v3"),
        ("Large-v3", "hf:Systran/faster-whisper-large-v3"),
        ("distil-large-v3", "hf:Systran/faster-distil-whisper-large-v3"),
        ("base", "whisper-base"),
        ("openai/whisper-base", "whisper-base"),
        ("tiny.en", "whisper-tiny.en"),
        ("somebody/theirs", "hf:somebody/theirs"),
    ],
)
def test_the_usual_name_of_a_model_is_answered_with_its_name_here(name, called):
    with pytest.raises(ModelMissing) as failure:
        lookup.find(name, kind="recognizer")
    assert str(failure.value).endswith(f"voice models get {called}")


@pytest.mark.parametrize("name", ["smal", "distil-x", "large-v9", "a/b/c", "small/"])
def test_any_other_name_gets_no_such_answer(name):
    with pytest.raises(ModelMissing) as failure:
        lookup.find(name)
    assert "voice models get" not in str(failure.value)


def test_of_a_repository_each_weight_comes_in_one_form():
    both = [
        "config.json",
        "model.safetensors",
        "pytorch_model.bin",
        "model.fp32.safetensors",
        "tokenizer.json",
    ]
    assert fetch.needed_files(both) == ["config.json", "model.safetensors", "tokenizer.json"]
    assert fetch.needed_files(["pytorch_model.bin", "training_args.bin", "a/b.json"]) == ["pytorch_model.bin"]
    assert fetch.needed_files(["model.bin", "model.safetensors", "vocabulary.txt"]) == [
        "model.bin",
        "vocabulary.txt",
    ]
    assert fetch.needed_files(["../a.json", "..\\a.json", "/a.json", ".a.json", "a b.json", "NUL.json"]) == []
    assert fetch.needed_files(["model.toml", "adapter.safetensors", "x.py"]) == [
        "model.toml",
        "adapter.safetensors",
    ]
