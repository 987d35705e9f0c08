"""What a folder of another library holds, told without running anything of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voice.errors import ModelDamaged, ModelMissing
from voice.models import fetch, lookup
from voice.models.hub import folders


def folder_of(path: Path, *, weights: str = "model.safetensors", **config: object) -> Path:
    path.mkdir(parents=True)
    (path / "config.json").write_text(json.dumps(config))
    (path / weights).write_bytes(b"")
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("VOICE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.mark.parametrize(
    ("architecture", "kind"),
    [
        ("Wav2Vec2ForCTC", "recognizer"),
        ("HubertForCTC", "recognizer"),
        ("WavLMForCTC", "recognizer"),
        ("ParakeetForCTC", "recognizer"),
        ("MoonshineForConditionalGeneration", "recognizer"),
        ("SpeechT5ForTextToSpeech", "voice"),
        ("VitsModel", "voice"),
        ("SpeechT5HifiGan", "vocoder"),
    ],
)
def test_the_architecture_tells_the_kind(tmp_path, architecture, kind):
    card = folders.guess_card(folder_of(tmp_path / "my model", architectures=[architecture]))
    assert (card.kind, card.engine, card.name) == (kind, "transformers", "my-model")


def test_rate_and_language_are_those_of_the_files(tmp_path):
    folder = folder_of(tmp_path / "mms", architectures=["VitsModel"], sampling_rate=22_050)
    (folder / "tokenizer_config.json").write_text('{"language": "deu"}')
    card = folders.guess_card(folder)
    assert (card.rate, card.language) == (22_050, "de")
    (folder / "tokenizer_config.json").write_text('{"language": "xyz"}')
    assert folders.guess_card(folder).language == "multilingual"


@pytest.mark.parametrize(
    ("architecture", "reason"),
    [("Wav2Vec2ForPreTraining", "recipes.finetune.train"), ("BertModel", "no kind known here")],
)
def test_what_cannot_be_used_says_why(tmp_path, architecture, reason):
    folder = folder_of(tmp_path / "mine", architectures=[architecture])
    with pytest.raises(ModelDamaged, match=reason):
        lookup.find(str(folder))
    assert lookup.fetch_folder(str(folder)) == folder  # to train it


@pytest.mark.parametrize("config", ["", "[]", "{", '{"architectures": 3}', '{"architectures": [[]]}'])
def test_a_folder_without_a_configuration_is_no_model(tmp_path, config):
    (tmp_path / "config.json").write_text(config)
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelMissing, match=r"no model\.toml"):
        lookup.find(str(tmp_path))


def test_hf_means_a_folder_where_there_is_one_and_the_hub_where_not(tmp_path, monkeypatch):
    folder = folder_of(tmp_path / "org" / "mine", architectures=["Wav2Vec2ForCTC"])
    monkeypatch.chdir(tmp_path)
    asked = []

    def hub(source: fetch.Hub, folder: Path, *_: object) -> None:
        asked.append(source)
        (folder / "config.json").write_text('{"architectures": ["HubertForCTC"]}')
        (folder / "model.safetensors").write_bytes(b"")

    monkeypatch.setattr(fetch, "hub_repository", hub)
    assert lookup.find("hf:org/mine").folder == folder
    assert lookup.find(f"hf:{folder}").folder == folder
    assert asked == []
    assert lookup.find("hf:org/theirs@v1").card.engine == "transformers"
    assert [(each.repository, each.revision) for each in asked] == [("org/theirs", "v1")]
    assert lookup.find_stored("hf:org/theirs@v1").card.kind == "recognizer"
    assert lookup.remove("hf:org/theirs@v1") > 0


def test_without_a_network_it_says_that_the_model_is_not_here_and_how_to_get_it(monkeypatch):
    def offline(*_: object) -> None:
        raise lookup.SourceFailed("no network")

    monkeypatch.setattr(fetch, "hub_repository", offline)
    for ask in (lookup.find, lookup.fetch_folder):
        with pytest.raises(ModelMissing) as failure:
            ask("hf:facebook/wav2vec2-base-960h")
        assert "is not on this machine" in str(failure.value)
        assert "voice models get hf:facebook/wav2vec2-base-960h" in str(failure.value)


def test_of_a_repository_only_what_is_run_comes():
    names = [
        "config.json", "model.safetensors", "pytorch_model.bin", "spm_char.model", "optimizer.bin",
        "adapter.deu.safetensors", "hyperparams.yaml", "asr.ckpt", "custom.py", "other.yaml",
    ]  # fmt: skip
    assert fetch.needed_files(names) == [
        "config.json", "model.safetensors", "spm_char.model", "hyperparams.yaml", "asr.ckpt",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("decoding_function: !name:speechbrain.decoders.ctc_greedy_decode\n", "recognizer"),
        ("text_to_sequence: !name:speechbrain.utils.text_to_sequence.text_to_sequence\n", "voice"),
        ("generator: !new:speechbrain.lobes.models.HifiGAN.HifiganGenerator\n", "vocoder"),
    ],
)
def test_hyperparameters_tell_the_kind(tmp_path, text, kind):
    (tmp_path / "hyperparams.yaml").write_text(text)
    card = folders.guess_card(tmp_path)
    assert (card.kind, card.engine) == (kind, "speechbrain")


def test_other_models_of_speechbrain_are_refused(tmp_path):
    (tmp_path / "hyperparams.yaml").write_text(
        "embedding_model: !new:speechbrain.lobes.models.ECAPA_TDNN.X\n"
    )
    with pytest.raises(ModelDamaged, match="not known here"):
        lookup.find(str(tmp_path))
