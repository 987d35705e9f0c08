"""When a turn ends: silence, words, and the sound."""

from __future__ import annotations

import numpy as np
import pytest

from voice.agent import AudioTextEndpointer, ManualEndpointer, SilenceEndpointer
from voice.agent.listening.endpointing import (
    BY_SENTENCE,
    HANGOVER,
    MARK_WEIGHT,
    NEUTRAL_MARK_PROBABILITY,
    SentenceEndDetector,
    as_turn_detector,
)
from voice.types import Audio

RULE = SilenceEndpointer()
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
    assert RULE.endpoint_after(words) == RULE.sentence_end


@pytest.mark.parametrize(
    "words",
    [
        "Set a timer for",
        "I would like some coffee and.",
        "Well,",
        "It is...",
        "What is twelve times",
        "Um.",
    ],
)
def test_words_that_call_for_more_are_waited_for(words: str) -> None:
    assert RULE.endpoint_after(words) == RULE.unfinished


@pytest.mark.parametrize(
    "words",
    [
        "My number is five five",
        "My number is 5 5.",
        "Set a timer for twenty.",
        "My name is spelled B R",
        "My address is 12 Elm Street.",
    ],
)
def test_numbers_letters_and_addresses_are_waited_for(words: str) -> None:
    assert RULE.endpoint_after(words) == RULE.dictated


def test_words_that_may_end_a_sentence_are_waited_for_less() -> None:
    for words in ("Tell us who you are.", "I never part with that."):
        assert RULE.endpoint_after(words) == RULE.ambiguous_end
        assert endpoint_delay(AudioTextEndpointer(Hears(0.97)), words) < RULE.sentence_end
    assert RULE.endpoint_after("The one that.") == RULE.unfinished


def test_years_and_numbers_of_things_are_no_dictation() -> None:
    assert RULE.endpoint_after("It was occupied in 1810.") == RULE.sentence_end
    assert RULE.endpoint_after("The number of debtors was extraordinary.") == RULE.sentence_end
    assert RULE.endpoint_after("My number is 1810.") == RULE.dictated


def test_one_is_not_always_a_number() -> None:
    assert RULE.endpoint_after("I like the white one.") == RULE.sentence_end
    assert RULE.endpoint_after("My number is two one.") == RULE.dictated
    assert RULE.endpoint_after("Set a timer for one.") == RULE.dictated


def test_a_question_for_a_number_is_whole() -> None:
    assert RULE.endpoint_after("What is your phone number?") == RULE.sentence_end


def test_no_words_and_no_punctuation_have_silences_of_their_own() -> None:
    assert RULE.endpoint_after("") == RULE.wordless
    assert RULE.endpoint_after("turn on the light") == RULE.unpunctuated


class Hears:
    def __init__(self, probability: float) -> None:
        self._probability = probability

    def probability(self, turn: Audio) -> float:
        return self._probability


def endpoint_delay(detector: AudioTextEndpointer, words: str) -> float:
    return detector.endpoint_after(words, detector.probability(TURN))


def test_the_sound_of_an_end_shortens_the_silence() -> None:
    both = AudioTextEndpointer(Hears(0.97))
    assert endpoint_delay(both, "Stop.") < RULE.sentence_end
    assert endpoint_delay(both, "turn on the light") < RULE.unpunctuated


def test_the_sound_of_more_to_come_makes_it_longer() -> None:
    for words in ("Stop.", "turn on the light"):
        assert endpoint_delay(AudioTextEndpointer(Hears(0.02)), words) > endpoint_delay(
            AudioTextEndpointer(Hears(0.4)), words
        )


def test_the_more_complete_it_sounds_the_shorter_the_silence() -> None:
    for words in ("Stop.", "turn on the light", "Set a timer for"):
        silences = [
            endpoint_delay(AudioTextEndpointer(Hears(probability)), words) for probability in (0.0, 0.6, 0.99)
        ]
        assert silences == sorted(silences, reverse=True)


@pytest.mark.parametrize("words", ["My number is 5 5.", "That is B R", "My address is 12 Elm Street."])
def test_what_is_dictated_in_pieces_is_waited_for_however_complete_it_sounds(words: str) -> None:
    assert endpoint_delay(AudioTextEndpointer(Hears(0.99)), words) == RULE.dictated


def test_who_waits_to_be_told_has_endless_patience() -> None:
    assert ManualEndpointer().endpoint_after("Stop.", 0.99) == float("inf")


def test_a_detector_with_the_method_names_of_version_0_1_still_works_and_is_warned_about() -> None:
    class Old:
        def chance(self, turn: Audio) -> float:
            return 0.25

        def patience(self, partial: str, chance: float, closing: float | None = None) -> float:
            return chance + (closing or 0.0)

    with pytest.warns(FutureWarning, match="endpoint_after"):
        detector = as_turn_detector(Old())
    assert detector.endpoint_after("Stop.", detector.probability(TURN), 0.5) == 0.75
    assert as_turn_detector(RULE) is RULE


class HearsSentenceEnds:
    """A fake recognizer for which the end of a sentence is as likely as not; it keeps its input."""

    rate = 16_000
    detects_end_of_turn = True

    def __init__(self) -> None:
        self.inputs: list[Audio] = []

    def end_of_turn(self, speech: Audio) -> float:
        self.inputs.append(speech)
        return 0.5


def test_what_the_detector_takes_for_speech_after_the_last_sound_is_not_heard() -> None:
    recognizer = HearsSentenceEnds()
    assert SentenceEndDetector(recognizer).probability(Audio(np.ones(32_000, np.float32), 16_000)) == 0.5
    assert recognizer.inputs[0].duration == pytest.approx(2.0 - HANGOVER)


def test_what_sounds_like_no_end_at_all_is_waited_for_longer_than_any_other_whole_sentence() -> None:
    turns = AudioTextEndpointer(SentenceEndDetector(HearsSentenceEnds()), silences=BY_SENTENCE)
    assert turns.endpoint_after("What time is it?", 0.001) > 1.5 * turns.endpoint_after(
        "What time is it?", 0.1
    )


def test_the_likelier_a_mark_that_ends_a_sentence_the_shorter_the_silence() -> None:
    turns = AudioTextEndpointer(
        SentenceEndDetector(HearsSentenceEnds()), silences=BY_SENTENCE, mark_weight=MARK_WEIGHT
    )
    waits = [turns.endpoint_after("so it is", 0.7, sure) for sure in (0.0, 0.3, 0.9, 0.99)]
    assert waits == sorted(waits, reverse=True) and waits[0] > 2 * waits[-1]
    assert turns.endpoint_after("so it is", 0.7, NEUTRAL_MARK_PROBABILITY) == turns.endpoint_after(
        "so it is", 0.7, None
    )
    without = AudioTextEndpointer(SentenceEndDetector(HearsSentenceEnds()), silences=BY_SENTENCE)
    assert without.endpoint_after("so it is", 0.7, 0.0) == without.endpoint_after("so it is", 0.7)


@pytest.mark.parametrize("text", ["Who they are.", "so it is", "Set a timer for", "What time is it?"])
def test_the_surer_the_end_the_shorter_the_silence(text: str) -> None:
    turns = AudioTextEndpointer(SentenceEndDetector(HearsSentenceEnds()), silences=BY_SENTENCE)
    waits = [turns.endpoint_after(text, chance) for chance in (0.0, 0.3, 0.6, 0.7, 0.85, 0.97)]
    assert waits == sorted(waits, reverse=True)
    assert waits[0] > 2 * waits[-1]
