from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from voice.asr.decoding import Decoding, Guess, better, is_babble, is_doubtful, is_unheard, loudest, strayed
from voice.types import Audio, Word

LIMITS = Decoding()


def guess(text: str, log_probability: float = -0.1) -> Guess:
    return Guess(tuple(range(len(text))), text, np.full(len(text), log_probability), log_probability, 0.0)


def test_a_text_strays_by_the_letters_that_differ() -> None:
    assert strayed("Two dogs.", "two dogs") == 0.0
    assert strayed("2 cats", "two cads") == pytest.approx(1 / 8)
    assert strayed("Thank you for watching.", "") > 1


def test_what_is_nothing_like_what_a_head_read_is_doubtful() -> None:
    loop = guess("and so on and so forth and so on and so forth")
    assert not is_doubtful(loop, None, LIMITS)
    assert is_doubtful(loop, "and so on", LIMITS)
    assert not is_doubtful(guess("And so on."), "and so an", LIMITS)


def test_the_better_of_two_guesses_is_closer_to_the_head() -> None:
    one, other = guess("wreck a nice beach"), guess("recognize speech")
    assert better(one, other, "recgnise speech") is other
    assert better(other, one, "recgnise speech") is other
    assert better(one, other, None) is other
    assert better(guess("no " * 60), other, "no no no no") is other


def test_what_is_really_said_again_and_again_is_kept() -> None:
    said = "please stay on the line, an agent will be with you shortly. " * 3
    mangled = guess("please stay on the line, an agent will be with you shortly. Pleased, stay on, the lines")
    assert is_doubtful(guess(said), said, LIMITS)
    assert better(guess(said), mangled, said).text == said


def test_a_text_of_which_a_head_heard_next_to_nothing_is_made_up() -> None:
    assert is_unheard(guess("Thank you for watching!"), "a", LIMITS)
    assert not is_unheard(guess("Thank you for watching!"), "tank yu fo", LIMITS)
    assert not is_unheard(guess("Thank you for watching!"), None, LIMITS)
    assert not is_unheard(replace(guess(""), tokens=()), "", LIMITS)


def sound(level: float) -> Audio:
    wave = np.zeros(32_000, np.float32)
    wave[16_000:24_000] = level
    return Audio(wave, 16_000)


def words(*sure: float) -> list[Word]:
    return [Word("word", 0.0, 1.0, chance) for chance in sure]


def test_words_that_nobody_is_sure_of_are_babble() -> None:
    assert is_babble(words(0.1, 0.4, 0.05), sound(0.1), "en", LIMITS)
    assert not is_babble(words(0.1, 0.9, 0.1), sound(0.1), "en", LIMITS)
    assert not is_babble(words(0.1, 0.4, 0.05), sound(0.1), "sw", LIMITS)  # not what it was calibrated on
    assert not is_babble([], sound(0.1), "en", LIMITS)


def test_what_is_far_away_has_to_be_clear() -> None:
    assert is_babble(words(0.6, 0.5), sound(0.005), "en", LIMITS)
    assert not is_babble(words(0.9, 0.7), sound(0.005), "en", LIMITS)
    assert loudest(sound(0.005)) == pytest.approx(0.005)
    assert loudest(Audio(np.zeros(0, np.float32), 16_000)) == 0.0
