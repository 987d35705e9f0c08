"""A network that reads words itself, behind the front end that all voices share."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from voice.errors import VoiceError
from voice.text.english.language import ENGLISH
from voice.text.letters import letter_language
from voice.tts.hub.engine import SpokenText, TextEngine
from voice.tts.voice import Voice, join
from voice.types import Controls

RATE = 16_000


class Beeps:
    """A network that beeps a tenth of a second for every word, after a tenth of silence."""

    rate = RATE

    def __init__(self, *, takes_speed: bool = True, timed: bool = False) -> None:
        self.takes_speed, self.timed = takes_speed, timed
        self.asked: list[tuple[list[str], float]] = []

    def speak(self, words, speed):
        self.asked.append((list(words), speed))
        tone = 0.25 * np.sin(np.arange(round(0.1 * RATE / speed) * len(words)))
        samples = np.pad(tone, (RATE // 10, RATE // 10)).astype(np.float32)
        spans = tuple((0.1 + 0.1 * index, 0.2 + 0.1 * index) for index in range(len(words)))
        return SpokenText(samples, spans if self.timed else None)


def spoken(network: Beeps, text: str, controls: Controls = Controls(), language=ENGLISH):
    return join(Voice(TextEngine(network), language=language).speak(text, controls))


def test_figures_are_read_in_words_and_sentences_one_by_one():
    network = Beeps()
    speech = spoken(network, "I have 3 cats. They sleep.")
    assert [words for words, _ in network.asked] == [["I", "have", "three", "cats."], ["They", "sleep."]]
    assert [word.text for word in speech.words] == ["I", "have", "3", "cats.", "They", "sleep."]


def test_times_of_the_network_are_kept():
    speech = spoken(Beeps(timed=True), "One two.")
    assert speech.words[1].start - speech.words[0].start == pytest.approx(0.1)


def test_without_times_words_share_the_sound_by_their_letters():
    words = spoken(Beeps(), "A whole sentence.").words
    lengths = [word.end - word.start for word in words]
    assert lengths[0] < lengths[1] < lengths[2]
    assert sum(lengths) == pytest.approx(0.3, abs=0.02)


def test_speed_goes_to_the_network_and_is_refused_where_it_has_none():
    network = Beeps()
    fast = spoken(network, "One two three.", Controls(speed=2.0))
    assert network.asked == [(["One", "two", "three."], 2.0)]
    assert fast.audio.duration < spoken(Beeps(), "One two three.").audio.duration
    with pytest.raises(VoiceError, match="leave --speed out"):
        spoken(Beeps(takes_speed=False), "One.", Controls(speed=2.0))
    with pytest.raises(VoiceError, match="leave --pitch out"):
        spoken(Beeps(), "One.", Controls(pitch=2.0))


def test_energy_is_in_decibels_and_stays_within_full_scale():
    loud, plain = (
        np.abs(spoken(Beeps(), "One.", Controls(energy=each)).audio.samples).max() for each in (6.0, 0.0)
    )
    assert loud / plain == pytest.approx(10 ** (6 / 20), rel=0.01)
    assert np.abs(spoken(Beeps(), "One.", Controls(energy=12.0)).audio.samples).max() <= 1.0


def test_other_languages_are_spoken_as_they_are_written():
    network = Beeps()
    spoken(network, "Ich habe 3 Katzen.", language=letter_language("de"))
    assert network.asked[0][0] == ["Ich", "habe", "3", "Katzen."]
