"""SpeechT5 with its HiFi-GAN by transformers: small, of the real classes, with random weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("sentencepiece")

from recipes.finetune import smoke
from voice.errors import ModelDamaged, ModelMissing
from voice.loading import load_voice
from voice.models import fetch, lookup
from voice.tts.hub.speecht5 import SPEAKER, VOCODER, VOCODER_SIZES
from voice.tts.voice import join


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return smoke.base("speecht5", tmp_path_factory.mktemp("speecht5"))


@pytest.fixture
def folder(whole, tmp_path) -> Path:
    return shutil.copytree(whole, tmp_path / "mine")


def test_it_speaks_with_the_vocoder_beside_it_the_same_each_time(folder):
    voice = load_voice(f"hf:{folder}", threads=1)
    first, second = (join(voice.speak("Hi there.")) for _ in range(2))
    assert voice.rate == 16_000 and [word.text for word in first.words] == ["Hi", "there."]
    assert np.array_equal(first.audio.samples, second.audio.samples)


def test_the_speaker_beside_it_is_heard(folder):
    import torch
    from safetensors.torch import save

    plain = join(load_voice(str(folder), threads=1).speak("Hi."))
    (folder / SPEAKER).write_bytes(save({"embedding": torch.ones(1, 512)}))
    other = join(load_voice(str(folder), threads=1).speak("Hi."))
    assert len(plain.audio.samples) != len(other.audio.samples) or not np.allclose(
        plain.audio.samples, other.audio.samples
    )
    (folder / SPEAKER).write_bytes(save({"embedding": torch.ones(1, 3)}))
    with pytest.raises(ModelDamaged, match="no x-vector of 512"):
        load_voice(str(folder))


def test_without_a_vocoder_that_of_the_hub_is_asked_for(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("VOICE_HOME", str(tmp_path / "cache"))
    vocoder = {name: (folder / name).read_bytes() for name in (VOCODER, VOCODER_SIZES)}
    for name in vocoder:
        (folder / name).unlink()

    def offline(*_: object) -> None:
        raise lookup.SourceFailed("no network")

    monkeypatch.setattr(fetch, "hub_repository", offline)
    with pytest.raises(ModelMissing, match="voice models get hf:microsoft/speecht5_hifigan"):
        load_voice(str(folder))

    def hub(source: fetch.Hub, stage: Path, *_: object) -> None:
        assert source.repository == "microsoft/speecht5_hifigan"
        (stage / "model.safetensors").write_bytes(vocoder[VOCODER])
        sizes = vocoder[VOCODER_SIZES].replace(b"{", b'{"architectures": ["SpeechT5HifiGan"],', 1)
        (stage / "config.json").write_bytes(sizes)

    monkeypatch.setattr(fetch, "hub_repository", hub)
    assert join(load_voice(str(folder), threads=1).speak("Hi.")).audio.duration > 0
