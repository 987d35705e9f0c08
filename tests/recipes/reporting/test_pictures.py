import io

import numpy as np
import pytest

pytest.importorskip("matplotlib")
from PIL import Image

from recipes.reporting.pictures import curves, spectrogram
from voice.types import Audio

TONE = Audio((np.sin(np.arange(24_000) * 0.2) * 0.3).astype(np.float32), 24_000)


def opened(png):
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    return np.asarray(image.convert("RGBA")).astype(int)


def test_curves_are_small_and_their_background_is_clear():
    png = curves({"loss": [(step, 1 / (step + 1)) for step in range(500)], "wer": [(0, 0.5), (400, 0.1)]})
    assert len(png) < 40_000
    assert (opened(png)[..., 3] == 0).mean() > 0.5


def test_curves_without_numbers_are_drawn_empty():
    assert opened(curves({"loss": [], "nan": [(0, float("nan"))]})).size


def test_a_spectrogram_shows_the_tone_where_it_is():
    pixels = opened(spectrogram(TONE))
    assert len(spectrogram(TONE)) < 60_000
    assert (pixels[..., 3] == 255).mean() > 0.5


@pytest.mark.parametrize("text", ["$\\frac{$", "你好", "<b>&", "a" * 500, ""])
def test_any_text_can_be_what_is_said(text):
    assert opened(spectrogram(TONE, [(0.1, 0.5, text)], text)).size
