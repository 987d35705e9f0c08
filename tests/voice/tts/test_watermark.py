"""A mark in the sound: it is found again after encoding, changes little, and its weights run nothing."""

from __future__ import annotations

import numpy as np
import pytest

from voice import audio, load_voice
from voice.errors import ModelDamaged, ModelMissing
from voice.models import lookup
from voice.tts.voice import join
from voice.tts.watermark import LAYERS, MARKED_BINS, WEIGHTS_FILE, Watermarker
from voice.types import Audio

RATE = 24_000


def small_weights(seed: int = 0) -> dict[str, np.ndarray]:
    """Weights of the real layout, four channels wide."""
    rng, found = np.random.default_rng(seed), {}
    readers = {f"decoder.{name}_layers": 2 for name in ("slow", "normal", "fast")}
    for stack, out in {"encoder.layers": MARKED_BINS, **readers}.items():
        sizes = [MARKED_BINS, *[4] * (LAYERS - 1), out]
        for number, (before, after) in enumerate(zip(sizes, sizes[1:], strict=False)):
            kernel = 1 if number in (0, LAYERS - 1) else 7
            weight = rng.normal(0, 0.1, (after, before, kernel)).astype(np.float32)
            found[f"{stack}.{number}.conv.weight"] = weight
            found[f"{stack}.{number}.conv.bias"] = rng.normal(0, 0.01, after).astype(np.float32)
    return found


def buzz(seconds: float = 1.0) -> Audio:
    time = np.arange(round(RATE * seconds)) / RATE
    made = sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 40))
    return Audio((0.1 * made).astype(np.float32), RATE)


@pytest.mark.parametrize("seconds", [0.01, 0.3, 1.0])
def test_a_marked_sound_is_as_long_and_changed(seconds):
    marker, sound = Watermarker(small_weights()), buzz(seconds)
    marked = marker.mark(sound)
    assert len(marked.samples) == len(sound.samples) and marked.rate == sound.rate
    assert np.abs(marked.samples - sound.samples).max() > 0 and 0.0 <= marker.score(marked) <= 1.0


def test_only_what_lies_below_2_khz_is_changed():
    sound = buzz()
    change = np.abs(np.fft.rfft(Watermarker(small_weights()).mark(sound).samples - sound.samples)) ** 2
    hertz = np.fft.rfftfreq(len(sound.samples), 1 / RATE)
    assert change[hertz > 2500].sum() < 0.02 * change.sum()


def test_silence_and_nothing_stay_what_they_are():
    marker = Watermarker(small_weights())
    silence = Audio(np.zeros(RATE, np.float32), RATE)
    assert not marker.mark(silence).samples.any()
    assert len(marker.mark(Audio(np.zeros(0, np.float32), RATE)).samples) == 0


def test_a_folder_without_its_weights_is_refused(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"model": {"other": torch.ones(2)}}, tmp_path / WEIGHTS_FILE)
    with pytest.raises(ModelDamaged, match="voice models get perth"):
        Watermarker.open(tmp_path)
    weights = {name: torch.from_numpy(value) for name, value in small_weights().items()}
    torch.save({"model": weights}, tmp_path / WEIGHTS_FILE)
    sound = buzz()
    same = Watermarker(small_weights()).mark(sound)
    np.testing.assert_array_equal(Watermarker.open(tmp_path).mark(sound).samples, same.samples)


@pytest.fixture(scope="module")
def perth() -> Watermarker:
    try:
        return Watermarker.open(lookup.find("perth").folder)
    except ModelMissing as error:
        pytest.skip(str(error))


def test_the_real_mark_is_found_after_encoding_and_in_nothing_else(perth, tmp_path):
    said = join(load_voice("heart").speak("The train to Boston leaves at nine.")).audio
    marked = perth.mark(said)
    assert perth.score(said) < 0.3 < 0.9 < perth.score(marked)
    for name in ("said.mp3", "said.opus"):
        audio.write(tmp_path / name, marked)
        assert perth.score(audio.read(tmp_path / name)) > 0.9
    assert perth.score(Audio(marked.samples * 0.3, marked.rate)) > 0.9
    change = np.square(marked.samples - said.samples).sum()
    assert change < 0.06 * np.square(said.samples).sum()
