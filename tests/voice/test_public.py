from __future__ import annotations

import numpy as np
import pytest

import voice
from voice.errors import AudioError, ModelDamaged, ModelError
from voice.models import card as cards
from voice.models.card import Card


def test_the_public_names_are_these_and_all_there():
    types = "Audio Word Segment Transcript Speech Controls Message"
    protocols = "Recognizer Synthesizer SpeechDetector TurnDetector Brain"
    errors = "VoiceError AudioError ModelError ModelMissing ModelDamaged TextError ManifestError BrainError"
    loaders = "load load_recognizer load_voice load_turn_detector load_speakers load_vocoder"
    calls = "transcribe speak read write models __version__"
    assert set(voice.__all__) == set(f"{types} {protocols} {errors} {loaders} {calls}".split())
    for name in voice.__all__:
        assert getattr(voice, name) is not None
    assert set(voice.__all__) <= set(dir(voice))


def test_a_misspelt_name_fails():
    with pytest.raises(AttributeError, match="transcibe"):
        voice.transcibe  # noqa: B018


def test_samples_need_a_rate():
    with pytest.raises(AudioError, match="rate=16000"):
        voice.transcribe(np.zeros(16_000, np.float32))


def test_a_model_of_another_kind_is_refused():
    with pytest.raises(ModelError, match="heart is a voice, not a recognizer"):
        voice.load("heart", kind="recognizer")


def test_an_engine_that_nobody_knows_is_named(tmp_path):
    cards.write_card(tmp_path, Card("odd", "voice", "formant", 8000, "en", "MIT"))
    with pytest.raises(ModelDamaged, match='the engine "formant"'):
        voice.load(str(tmp_path))


def test_speaks_with_word_times():
    speech = voice.speak("Good morning. It is 9 o'clock.")
    assert speech.audio.rate == 24_000 and 1.0 < speech.audio.duration < 5.0
    assert [word.text for word in speech.words] == ["Good", "morning.", "It", "is", "9", "o'clock."]
    ends = [time for word in speech.words for time in (word.start, word.end)]
    assert ends == sorted(ends) and ends[-1] <= speech.audio.duration


def test_transcribes_files_arrays_and_audio_alike(whisper_tiny, tmp_path):
    speech = voice.speak("The weather is lovely today, so we are going to the beach.").audio
    voice.write(tmp_path / "a.wav", speech)
    stereo = np.stack([speech.samples, speech.samples], axis=1)
    heard = {
        voice.transcribe(source, rate=rate, model="whisper-tiny.en").text
        for source, rate in [(tmp_path / "a.wav", None), (speech, None), (stereo, speech.rate)]
    }
    assert heard == {"The weather is lovely today, so we are going to the beach."}


def test_the_old_name_of_the_field_of_a_word_warns() -> None:
    with pytest.warns(DeprecationWarning, match="end_of_sentence"):
        assert voice.Word("so", 0.0, 1.0, end_of_sentence=0.25).closing == 0.25
