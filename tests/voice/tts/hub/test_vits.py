"""VITS by transformers: small, of the real class, with random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from fakes import hub_voices

from voice.errors import ModelDamaged, TextError, VoiceError
from voice.loading import load_voice
from voice.models.lookup import find_stored
from voice.tts.voice import join
from voice.types import Controls


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return hub_voices.vits(tmp_path_factory.mktemp("vits") / "mine")


@pytest.fixture(scope="module")
def voice(folder):
    return load_voice(f"hf:{folder}", threads=1)


def test_the_folder_tells_rate_and_language(folder):
    card = find_stored(f"hf:{folder}").card
    assert (card.kind, card.rate, card.language) == ("voice", 16_000, "en")


def test_words_are_timed_by_the_durations_of_their_letters(voice):
    speech = join(voice.speak("Hello there, old friend."))
    assert [word.text for word in speech.words] == ["Hello", "there,", "old", "friend."]
    times = [time for word in speech.words for time in (word.start, word.end)]
    assert times == sorted(times) and times[-1] <= speech.audio.duration + 0.01
    assert all(word.end > word.start for word in speech.words)


def test_the_same_text_is_the_same_speech_and_others_keep_their_random_numbers(voice):
    import torch

    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, second = (join(voice.speak("Hello there.")).audio.samples for _ in range(2))
    assert np.array_equal(first, second)
    assert torch.rand(1) == expected


def test_slow_speech_takes_longer(voice):
    slow, plain = (join(voice.speak("Hello there.", Controls(speed=each))).audio for each in (0.5, 1.0))
    assert slow.duration > 1.3 * plain.duration


def test_a_text_without_a_known_letter_says_so(voice):
    with pytest.raises(VoiceError, match="knows no letter"):
        voice.engine._network.speak(["привет"], 1.0)
    with pytest.raises(TextError):
        join(voice.speak("—"))


@pytest.mark.parametrize(
    ("options", "reason"), [({"phonemize": True}, "espeak"), ({"is_uroman": True}, "uroman")]
)
def test_a_voice_that_wants_another_program_says_which(tmp_path, options, reason):
    with pytest.raises(ModelDamaged, match=reason):
        load_voice(str(hub_voices.vits(tmp_path / "mine", **options)))
