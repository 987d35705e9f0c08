"""The voice heart: durations out of its own graph, and words timed by them."""

import numpy as np
import pytest

from voice.errors import ModelDamaged
from voice.text.english.language import ENGLISH
from voice.text.frontend import read_aloud
from voice.tts.heart import HOP, RATE, Heart
from voice.types import Controls

TEXT = "The mayor thanked 25 volunteers, who had cleaned the beach."


@pytest.fixture(scope="module")
def heart():
    return Heart.open(threads=1)


def test_durations_of_all_phonemes_and_pads_add_up_to_the_audio(heart):
    made = heart.render_phonemes("həlˈO ðˈɛɹ.")
    assert len(made.durations) == len("həlˈO ðˈɛɹ.") + 2
    assert (made.durations > 0).all()
    assert made.durations.sum() * HOP == len(made.samples)
    assert made.f0.shape == (made.durations.sum(),)
    assert made.samples.dtype == np.float32 and 0.05 < np.abs(made.samples).max() <= 1


def test_speaks_the_same_each_time(heart):
    first, second = (heart.render_phonemes("həlˈO.").samples for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, heart.render_phonemes("həlˈO.", seed=1).samples)


def test_equals_the_package_that_it_comes_from(heart):
    from hibari import Hibari

    ours = heart.render_phonemes("ðə kˈæt.", seed=3).samples
    assert np.allclose(ours, Hibari().from_phonemes("ðə kˈæt.", seed=3), atol=1e-6)


def test_times_every_written_word_in_order(heart):
    (reading,) = read_aloud(TEXT, ENGLISH)
    speech = heart.render(reading)
    assert [word.text for word in speech.words] == TEXT.split()
    times = [time for word in speech.words for time in (word.start, word.end)]
    assert times == sorted(times) and 0 < times[0] and times[-1] < speech.audio.duration
    assert all(word.end - word.start > 0.02 for word in speech.words)


def test_words_sound_where_they_are_said_to(heart):
    (reading,) = read_aloud("Stop. ", ENGLISH)
    speech = heart.render(reading)
    word = speech.words[0]
    energy = speech.audio.samples**2
    inside = energy[round(word.start * RATE) : round(word.end * RATE)].sum()
    assert inside > 0.9 * energy.sum()


def test_words_begin_and_end_with_their_sound(heart):
    for text in ("Stop.", "Is it cold?", "Pack the boxes.", "Take it back."):
        (reading,) = read_aloud(text, ENGLISH)
        speech = heart.render(reading)
        loud = np.flatnonzero(np.abs(speech.audio.samples) > 0.03 * np.abs(speech.audio.samples).max()) / RATE
        assert abs(speech.words[0].start - loud[0]) < 0.045 and abs(speech.words[-1].end - loud[-1]) < 0.06


def test_speed_scales_durations(heart):
    (reading,) = read_aloud(TEXT, ENGLISH)
    slow, normal, fast = (heart.render(reading, Controls(speed=s)).audio.duration for s in (0.5, 1.0, 2.0))
    assert slow == pytest.approx(2 * normal, rel=0.1) and fast == pytest.approx(normal / 2, rel=0.15)


def test_refuses_a_network_that_is_not_hearts():
    with pytest.raises(ModelDamaged, match="pip install"):
        Heart(b"not a network")
