"""Samples of voices: made once, kept, and made anew where the voice is another one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from voice.models.card import Card
from voice.tts.samples import kept_sample, make_sample
from voice.types import Audio, Speech

CARD = Card("af_one+af_two:0.3", "voice", "kokoro", 24_000, "en", "Apache-2.0", files={"a": "0" * 64})


class Beep:
    rate = 24_000

    def __init__(self) -> None:
        self.asked: list[str] = []

    def speak(self, text, controls=None):
        self.asked.append(text)
        yield Speech(Audio(np.full(2400, 0.1, np.float32), 24_000), text)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VOICE_HOME", str(tmp_path))
    return tmp_path


def test_a_sample_is_made_once_and_kept(cache):
    voice = Beep()
    assert kept_sample(CARD) is None
    made = make_sample(CARD, lambda: voice)
    assert made.path.is_file() and made.path.is_relative_to(cache) and made.speed > 0
    assert make_sample(CARD, lambda: pytest.fail("it is there")) == made == kept_sample(CARD)
    assert len(voice.asked) == 2


def test_another_voice_of_that_name_has_another_sample():
    made = make_sample(CARD, Beep)
    assert kept_sample(replace(CARD, files={"a": "1" * 64})) is None
    made.path.unlink()
    assert kept_sample(CARD) is None


def test_a_damaged_note_is_as_good_as_none():
    made = make_sample(CARD, Beep)
    made.path.with_suffix(".json").write_text('{"pace": 3}')
    assert kept_sample(CARD) is None
