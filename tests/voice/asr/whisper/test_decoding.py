from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from voice.asr.whisper.decoding import (
    Decoding,
    Hypothesis,
    Reading,
    better,
    is_babble,
    is_doubtful,
    is_loop,
    is_thin,
    is_unheard,
    loudest,
    strayed,
)
from voice.asr.whisper.repeats import once
from voice.types import Audio, Word

LIMITS = Decoding()


def guess(text: str, log_probability: float = -0.1) -> Hypothesis:
    return Hypothesis(
        tuple(range(len(text))), text, np.full(len(text), log_probability), log_probability, 0.0
    )


def test_a_text_strays_by_the_letters_that_differ() -> None:
    assert strayed("Two dogs.", "two dogs") == 0.0
    assert strayed("2 cats", "two cads") == pytest.approx(1 / 8)
    assert strayed("Thank you for watching.", "") > 1


def read(letters: str) -> Reading:
    return Reading(letters, spelled=True)


def test_what_is_nothing_like_what_a_head_read_is_doubtful() -> None:
    strange = guess("and so on and so forth and so on and so forth")
    assert not is_doubtful(strange, None, LIMITS)
    assert is_doubtful(strange, read("and so on"), LIMITS)
    assert not is_doubtful(strange, Reading("and so on", spelled=False), LIMITS)
    assert not is_doubtful(guess("And so on."), read("and so an"), LIMITS)


def test_the_better_of_two_guesses_is_closer_to_the_head() -> None:
    one, other = guess("wreck a nice beach"), guess("recognize speech")
    assert better(one, other, read("recgnise speech"), LIMITS) is other
    assert better(other, one, read("recgnise speech"), LIMITS) is other
    assert better(one, other, None, LIMITS) is other
    assert better(guess("no " * 60), other, read("no no no no"), LIMITS) is other


def test_a_loop_that_no_head_read_is_never_the_better_guess() -> None:
    loop, other = guess("I'm sorry. " * 14), guess("and then we went on")
    for letters in ("im sory wha na ther im", "", "im sorry"):
        assert better(loop, other, read(letters), LIMITS) is other
        assert better(other, loop, read(letters), LIMITS) is other
    for reading in (None, Reading("no sepe de no", spelled=False)):
        assert better(loop, other, reading, LIMITS) is other
        assert better(other, loop, reading, LIMITS) is other


def test_what_is_really_said_again_and_again_is_kept() -> None:
    said = "please stay on the line, an agent will be with you shortly. " * 3
    mangled = guess("please stay on the line, an agent will be with you shortly. Pleased, stay on, the lines")
    assert not is_doubtful(guess(said), read(said), LIMITS)
    assert is_doubtful(guess(said), None, LIMITS)
    assert better(guess(said), mangled, read(said), LIMITS).text == said
    assert not is_loop(guess("Scelta non valida. " * 12), Reading("shelt ano valida " * 12, False), LIMITS)


@pytest.mark.parametrize(
    ("text", "looping"),
    [
        ("No. No. No. No. No.", True),
        ("No, no, no.", False),
        ("Please stay on the line. " * 3, False),
        ("I'm sorry. " * 4, True),
        ("We went on and I'm sorry. I'm sorry. I'm sorry. I'm sorry. So it was.", True),
        ("Buffalo buffalo buffalo buffalo", False),
        ("row row row your boat gently down the stream", False),
        ("", False),
    ],
)
def test_a_phrase_four_times_in_a_row_is_a_loop(text: str, looping: bool) -> None:
    assert is_loop(guess(text), None, LIMITS) is looping


def test_a_loop_is_cut_to_one_phrase() -> None:
    def cut(text: str) -> str:
        words = text.split()
        return " ".join(words[index] for index in once(words))

    assert cut("so no no no no no then") == "so no then"
    assert cut("a b c a b c a b c a b c a b d") == "a b c a b d"
    assert cut("you I am sorry I am sorry I am sorry I am sorry") == "you I am sorry"
    assert cut("no no no") == "no no no"
    assert cut("") == ""


def test_a_text_of_which_a_head_heard_next_to_nothing_is_made_up() -> None:
    assert is_unheard(guess("Thank you for watching!"), read("a"), LIMITS)
    made_up = guess("I was working under the name of the President of the United States.")
    assert is_unheard(made_up, read("mo gre lisp an tho cle mi hos bad gri pe"), LIMITS)
    assert not is_unheard(guess("Because you need a share."), read("mo gre lisp"), LIMITS)
    assert not is_unheard(guess("Thank you for watching!"), read("tank yu fo"), LIMITS)
    assert not is_unheard(guess("Thank you"), read("tank yu fo wachin and so on and on"), LIMITS)
    assert not is_unheard(guess("Thank you for watching!"), None, LIMITS)
    assert not is_unheard(replace(guess(""), tokens=()), read(""), LIMITS)


def test_in_other_languages_a_head_only_tells_how_much_was_said() -> None:
    assert is_thin(guess("No se puede ver. No se puede."), Reading("nose", spelled=False), LIMITS)
    assert not is_thin(guess("Его нельзя увидеть"), Reading("evo niel za uvid", spelled=False), LIMITS)
    assert not is_thin(guess("No se puede ver."), None, LIMITS)
    assert not is_unheard(guess("No se puede ver."), Reading("", spelled=False), LIMITS)


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
