from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from voice.asr.whisper.acceptance import Acceptance, letter_error_rate, loudest_rms
from voice.asr.whisper.decoding import DecodingOptions, Hypothesis
from voice.asr.whisper.encoder import CTCOutput
from voice.asr.whisper.repeats import indexes_without_loops
from voice.types import Audio, Word


class NoTokenizer:
    """No test here writes tokens."""


ACCEPTANCE = Acceptance(DecodingOptions(), NoTokenizer())
NO_LOG_PROBS = np.zeros((0, 29), np.float32)


def hypothesis(text: str, log_prob: float = -0.1) -> Hypothesis:
    return Hypothesis(tuple(range(len(text))), text, np.full(len(text), log_prob), log_prob, 0.0)


def test_the_error_rate_counts_the_letters_that_differ() -> None:
    assert letter_error_rate("Two dogs.", "two dogs") == 0.0
    assert letter_error_rate("2 cats", "two cads") == pytest.approx(1 / 8)
    assert letter_error_rate("Thank you for watching.", "") > 1


def read(letters: str) -> CTCOutput:
    return CTCOutput(NO_LOG_PROBS, letters, is_spelled=True)


def read_in_another_language(letters: str) -> CTCOutput:
    return CTCOutput(NO_LOG_PROBS, letters, is_spelled=False)


def test_what_is_nothing_like_what_a_head_read_is_doubtful() -> None:
    strange = hypothesis("and so on and so forth and so on and so forth")
    assert not ACCEPTANCE.is_doubtful(strange, None)
    assert ACCEPTANCE.is_doubtful(strange, read("and so on"))
    assert not ACCEPTANCE.is_doubtful(strange, read_in_another_language("and so on"))
    assert not ACCEPTANCE.is_doubtful(hypothesis("And so on."), read("and so an"))


def test_the_better_of_two_hypotheses_is_closer_to_the_head() -> None:
    one, other = hypothesis("wreck a nice beach"), hypothesis("recognize speech")
    assert ACCEPTANCE.better(one, other, read("recgnise speech")) is other
    assert ACCEPTANCE.better(other, one, read("recgnise speech")) is other
    assert ACCEPTANCE.better(one, other, None) is other
    assert ACCEPTANCE.better(hypothesis("no " * 60), other, read("no no no no")) is other


def test_a_loop_that_no_head_read_is_never_the_better_hypothesis() -> None:
    loop, other = hypothesis("I'm sorry. " * 14), hypothesis("and then we went on")
    for letters in ("im sory wha na ther im", "", "im sorry"):
        assert ACCEPTANCE.better(loop, other, read(letters)) is other
        assert ACCEPTANCE.better(other, loop, read(letters)) is other
    for reading in (None, read_in_another_language("no sepe de no")):
        assert ACCEPTANCE.better(loop, other, reading) is other
        assert ACCEPTANCE.better(other, loop, reading) is other


def test_what_is_really_said_again_and_again_is_kept() -> None:
    said = "please stay on the line, an agent will be with you shortly. " * 3
    mangled = hypothesis(
        "please stay on the line, an agent will be with you shortly. Pleased, stay on, the lines"
    )
    assert not ACCEPTANCE.is_doubtful(hypothesis(said), read(said))
    assert ACCEPTANCE.is_doubtful(hypothesis(said), None)
    assert ACCEPTANCE.better(hypothesis(said), mangled, read(said)).text == said
    assert not ACCEPTANCE.is_loop(
        hypothesis("Scelta non valida. " * 12), read_in_another_language("shelt ano valida " * 12)
    )


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
    assert ACCEPTANCE.is_loop(hypothesis(text), None) is looping


def test_a_loop_is_cut_to_one_phrase() -> None:
    def cut(text: str) -> str:
        words = text.split()
        return " ".join(words[index] for index in indexes_without_loops(words))

    assert cut("so no no no no no then") == "so no then"
    assert cut("a b c a b c a b c a b c a b d") == "a b c a b d"
    assert cut("you I am sorry I am sorry I am sorry I am sorry") == "you I am sorry"
    assert cut("no no no") == "no no no"
    assert cut("") == ""


def test_a_text_of_which_a_head_heard_next_to_nothing_is_made_up() -> None:
    assert ACCEPTANCE.is_unheard(hypothesis("Thank you for watching!"), read("a"))
    made_up = hypothesis("I was working under the name of the President of the United States.")
    assert ACCEPTANCE.is_unheard(made_up, read("mo gre lisp an tho cle mi hos bad gri pe"))
    assert not ACCEPTANCE.is_unheard(hypothesis("Because you need a share."), read("mo gre lisp"))
    assert not ACCEPTANCE.is_unheard(hypothesis("Thank you for watching!"), read("tank yu fo"))
    assert not ACCEPTANCE.is_unheard(hypothesis("Thank you"), read("tank yu fo wachin and so on and on"))
    assert not ACCEPTANCE.is_unheard(hypothesis("Thank you for watching!"), None)
    assert not ACCEPTANCE.is_unheard(replace(hypothesis(""), tokens=()), read(""))


def test_in_other_languages_a_head_only_tells_how_much_was_said() -> None:
    assert ACCEPTANCE.is_thin(hypothesis("No se puede ver. No se puede."), read_in_another_language("nose"))
    assert not ACCEPTANCE.is_thin(
        hypothesis("Его нельзя увидеть"), read_in_another_language("evo niel za uvid")
    )
    assert not ACCEPTANCE.is_thin(hypothesis("No se puede ver."), None)
    assert not ACCEPTANCE.is_unheard(hypothesis("No se puede ver."), read_in_another_language(""))


def sound(level: float) -> Audio:
    wave = np.zeros(32_000, np.float32)
    wave[16_000:24_000] = level
    return Audio(wave, 16_000)


def words(*sure: float) -> list[Word]:
    return [Word("word", 0.0, 1.0, chance) for chance in sure]


def test_words_that_nobody_is_sure_of_are_babble() -> None:
    assert not ACCEPTANCE.accepts_words(words(0.1, 0.4, 0.05), sound(0.1), "en")
    assert ACCEPTANCE.accepts_words(words(0.1, 0.9, 0.1), sound(0.1), "en")
    assert ACCEPTANCE.accepts_words(words(0.1, 0.4, 0.05), sound(0.1), "sw")  # not what it was calibrated on
    assert ACCEPTANCE.accepts_words([], sound(0.1), "en")


def test_what_is_far_away_has_to_be_clear() -> None:
    assert not ACCEPTANCE.accepts_words(words(0.6, 0.5), sound(0.005), "en")
    assert ACCEPTANCE.accepts_words(words(0.9, 0.7), sound(0.005), "en")
    assert loudest_rms(sound(0.005)) == pytest.approx(0.005)
    assert loudest_rms(Audio(np.zeros(0, np.float32), 16_000)) == 0.0
