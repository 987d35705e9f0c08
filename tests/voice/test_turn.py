"""When a turn ends: silence, words, and the sound."""

from __future__ import annotations

import numpy as np
import pytest

from voice.agent import SilenceRule, SoundAndWords
from voice.types import Audio

RULE = SilenceRule()
TURN = Audio(np.zeros(16_000, np.float32), 16_000)


@pytest.mark.parametrize(
    "words",
    [
        "What time is it?",
        "Stop.",
        "What is twelve times seven?",
        "What is 12 times 7?",
        "Why?",
        "Spell necessary.",
    ],
)
def test_a_whole_sentence_ends_after_a_short_silence(words: str) -> None:
    assert RULE.patience(words) == RULE.finished


@pytest.mark.parametrize(
    "words",
    [
        "Set a timer for",
        "I would like some coffee and.",
        "My number is five five",
        "My number is 5 5.",
        "Well,",
        "It is...",
        "What is twelve times",
        "Set a timer for twenty.",
        "My name is spelled B R",
        "Um.",
    ],
)
def test_words_that_call_for_more_are_waited_for(words: str) -> None:
    assert RULE.patience(words) == RULE.unfinished


def test_no_words_and_no_punctuation_have_silences_of_their_own() -> None:
    assert RULE.patience("") == RULE.wordless
    assert RULE.patience("turn on the light") == RULE.plain


def test_a_turn_ends_when_its_silence_is_long_enough() -> None:
    assert not RULE.ended(TURN, 0.49, "Stop.")
    assert RULE.ended(TURN, 0.5, "Stop.")


class Sure:
    def __init__(self, answer: bool) -> None:
        self.answer, self.asked = answer, 0

    def ended(self, turn: Audio, silence: float, partial: str) -> bool:
        self.asked += 1
        return self.answer


def test_the_sound_shortens_the_silence_and_is_asked_once() -> None:
    sound = Sure(True)
    both = SoundAndWords(sound)
    silences = [frame * 0.032 for frame in range(1, 10)]
    assert next(silence for silence in silences if both.ended(TURN, silence, "Stop.")) == pytest.approx(0.256)
    unsure = Sure(False)
    assert not any(SoundAndWords(unsure).ended(TURN, silence, "Stop.") for silence in silences)
    assert unsure.asked == 1
    assert SoundAndWords(unsure).ended(TURN, 0.5, "Stop.")


def test_the_sound_is_not_asked_after_words_that_call_for_more() -> None:
    sound = Sure(True)
    assert not SoundAndWords(sound).ended(TURN, 0.256, "Set a timer for")
    assert not sound.asked
