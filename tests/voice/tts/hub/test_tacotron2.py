"""Tacotron 2 and HiFi-GAN by speechbrain: small, of the real classes, with random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("speechbrain")

from fakes import hub_voices

from voice.errors import VoiceError
from voice.loading import load_voice
from voice.tts.voice import join
from voice.types import Controls


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return hub_voices.tacotron2(tmp_path_factory.mktemp("tacotron2") / "mine")


def test_it_speaks_with_the_vocoder_beside_it(folder):
    voice = load_voice(f"hf:{folder}", threads=1)
    first, second = (join(voice.speak("Hello there, 2 friends.")) for _ in range(2))
    assert voice.rate == 22_050 and first.audio.duration > 0.1
    assert np.array_equal(first.audio.samples, second.audio.samples)
    assert [word.text for word in first.words] == ["Hello", "there,", "2", "friends."]
    with pytest.raises(VoiceError, match="leave --speed out"):
        join(voice.speak("Hello.", Controls(speed=1.5)))


def test_speechbrains_own_interface_makes_the_same_spectrogram(folder, tmp_path):
    import torch
    from speechbrain.inference.TTS import Tacotron2

    theirs = Tacotron2.from_hparams(source=str(folder), savedir=str(tmp_path))
    voice = load_voice(str(folder), threads=1)
    ours = voice.engine._network
    torch.manual_seed(0)
    expected = theirs.encode_text("hello")[0]
    torch.manual_seed(0)
    letters = ours._letters("hello", ours._cleaners)
    made = ours._network.infer(torch.tensor(letters)[None], torch.tensor([len(letters)]))[0]
    assert torch.allclose(made, expected, atol=1e-5)
