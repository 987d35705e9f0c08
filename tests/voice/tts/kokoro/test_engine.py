"""The engine with graphs of a few lines: what goes from one graph to the next."""

from __future__ import annotations

import numpy as np
import pytest

from voice.text.english.language import ENGLISH
from voice.text.frontend import read_aloud
from voice.tts.kokoro.engine import MOST_TOKENS, Kokoro, clause_ends
from voice.tts.kokoro.graphs import Graphs
from voice.tts.prosody_targets import ProsodyTargets
from voice.types import Controls


class Text:
    """Gives every token 2.4 frames, and the style's first number in all that it hands on."""

    def run(self, outputs, given):
        count = given["tokens"].shape[1]
        self.tokens = given["tokens"][0]
        hidden = np.full((1, count, 640), given["style"][0, 0], np.float32)
        return np.full((1, count), 2.4, np.float32), hidden, np.zeros((1, 512, count), np.float32)


class Curves:
    """100 Hz everywhere."""

    def run(self, outputs, given):
        frames = given["hidden"].shape[2] * 2
        return np.full((1, frames), 100.0, np.float32), np.zeros((1, frames), np.float32)


class Decoder:
    """600 samples a frame, a thousandth of the pitch loud."""

    def run(self, outputs, given):
        assert given["f0"].shape[1] == 2 * given["sounds"].shape[2]
        return [np.repeat(given["f0"][0] / 1000, 300)]


@pytest.fixture
def kokoro() -> Kokoro:
    return Kokoro(Graphs(Text(), Curves(), Decoder()), np.zeros((510, 256), np.float32))


def targets(count: int, pace: float = 1.0, pitch: float = 0.0, energy: float = 0.0) -> ProsodyTargets:
    return ProsodyTargets(*(np.full(count, value) for value in (pace, pitch, energy, np.nan)))


def test_a_sentence_is_as_long_as_its_durations(kokoro):
    made = kokoro.render_phonemes("hˈI.")
    np.testing.assert_array_equal(made.durations, [4] * 6)
    assert len(made.samples) == made.durations.sum() * 300


def test_unknown_phonemes_take_no_time_and_are_named(kokoro):
    with pytest.warns(UserWarning, match="Kokoro has no sound for #"):
        made = kokoro.render_phonemes("h#I")
    np.testing.assert_array_equal(made.durations, [4, 4, 0, 4, 4])


def test_speed_pitch_and_level_are_what_is_asked(kokoro):
    plain = kokoro.render_phonemes("hI")
    np.testing.assert_allclose(plain.samples, 0.1)
    slow = kokoro.render_phonemes("hI", targets(2, pace=0.5))
    np.testing.assert_array_equal(slow.durations, [4, 8, 8, 4])
    high = kokoro.render_phonemes("hI", targets(2, pitch=12.0))
    np.testing.assert_allclose(high.f0, 200.0)
    loud = kokoro.render_phonemes("hI", targets(2, energy=6.0))
    np.testing.assert_allclose(loud.samples, 0.1 * 10 ** (6 / 20), rtol=1e-5)


def test_no_more_tokens_than_the_network_has_places_for(kokoro):
    made = kokoro.render_phonemes("a" * 600)
    assert (made.durations > 0).sum() == MOST_TOKENS + 2


def test_a_sentence_comes_clause_by_clause_and_is_the_same_in_one(kokoro):
    (reading,) = read_aloud("When the ferry had left at last, all of them walked home again.", ENGLISH)
    with_pauses = Controls(clause_pause=0.4)
    pieces = list(kokoro.stream(reading, with_pauses).pieces)
    assert len(pieces) == 2
    whole = kokoro.render(reading, with_pauses)
    np.testing.assert_array_equal(np.concatenate(pieces), whole.audio.samples)
    cut = len(pieces[0])
    assert whole.words[6].end < cut / 24_000 < whole.words[7].start and abs(pieces[0][-1]) < 1e-6


def test_clauses_end_where_a_pause_is_softest():
    durations = np.array([10, 40, 8, 2, 40, 10])
    energy = np.ones(2 * 110)
    energy[2 * 55] = energy[2 * 55 + 1] = -1.0
    assert clause_ends("a, a", durations, energy) == [55, 110]


@pytest.mark.parametrize("durations", [[10, 40, 2, 2, 40, 10], [10, 10, 8, 2, 40, 10], [10, 40, 8, 2, 10, 5]])
def test_short_pauses_and_short_clauses_are_not_cut(durations):
    assert clause_ends("a, a", np.array(durations), np.ones(2 * sum(durations))) == [sum(durations)]
