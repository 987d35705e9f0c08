"""A spoken consent with the real recognizer and the real speaker model, spoken by our own voices."""

from __future__ import annotations

import datetime

import pytest

pytest.importorskip("torch")
pytest.importorskip("numba")

from recipes.own_voice import listening
from recipes.tts.preparation.consent import NoConsent, hear_consent
from voice import audio, load_voice
from voice.errors import AudioError
from voice.tts.voice import join
from voice.types import Audio

SENTENCE = "I, Anna Miller, agree that a synthetic voice is made of my recordings."
OTHERS = ("The train to Boston leaves at nine o'clock.", "She paid five dollars for the wooden chair.")


def say(name, text):
    return join(load_voice(name).speak(text)).audio


def test_the_person_of_the_recordings_has_to_say_the_sentence(tmp_path):
    path = tmp_path / "statement.wav"
    audio.write(path, say("kathleen", SENTENCE))
    hear, embed = listening.open_recognizer("quick", 1), listening.open_speakers(1)
    own, day = [say("kathleen", text) for text in OTHERS], datetime.date(2026, 11, 30)
    found = hear_consent(path, audio.read(path), own, hear, embed, day)
    assert "Miller" in found.person and found.likeness > 0.7
    with pytest.raises(NoConsent, match="does not sound like"):
        hear_consent(path, audio.read(path), [say("kumo", text) for text in OTHERS], hear, embed, day)
    with pytest.raises(NoConsent, match="have the person say"):
        hear_consent(path, own[0], own, hear, embed, day)
    with pytest.raises(AudioError, match="no speech"):
        embed(Audio(own[0].samples * 0, own[0].rate))
