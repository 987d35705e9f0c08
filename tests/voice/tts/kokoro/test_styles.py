from __future__ import annotations

import numpy as np
import pytest

from voice.models.kokoro import names
from voice.tts.kokoro.styles import style_table


def test_every_voice_has_a_style_for_each_number_of_tokens():
    tables = {name: style_table(name) for name in names()}
    assert all(table.shape == (510, 256) and np.isfinite(table).all() for table in tables.values())
    assert len({table.tobytes() for table in tables.values()}) == 54


def test_a_mixture_lies_between_its_voices():
    mixed = style_table("af_heart+bf_emma:3")
    np.testing.assert_allclose(mixed, style_table("af_heart") / 4 + style_table("bf_emma") * 3 / 4, atol=1e-6)
    assert style_table("af_heart:5") == pytest.approx(style_table("af_heart"), abs=1e-6)
