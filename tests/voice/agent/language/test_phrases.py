from __future__ import annotations

import pytest

from voice.agent.language.phrases import SlotValue, SpokenRequest, compile_phrase
from voice.errors import TextError


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("Turn on the light!", {}),
        ("Switch the light in the Green Room on, please.", {"room": SlotValue("green room", "Green Room")}),
        ("Switch on the light.", {}),
    ],
)
def test_a_request_matches_a_phrase_as_a_whole_and_fills_its_slots(said, values):
    phrase = compile_phrase("[turn on, switch on, Switch] the light (in the $room on)")
    assert SpokenRequest.of(said).without_courtesy().match(phrase) == values


def test_a_request_that_is_only_partly_a_phrase_does_not_match():
    assert (
        SpokenRequest.of("turn on the light and the radio").match(compile_phrase("turn on the light")) is None
    )


def test_signs_may_stand_between_the_slots_of_a_skill():
    values = SpokenRequest.of("12 + 3").match(compile_phrase("$a + $b"))
    assert {name: each.normalized for name, each in values.items()} == {"a": "12", "b": "3"}


@pytest.mark.parametrize(
    ("phrase", "message"),
    [
        ("light $room:where", r"column 7: \$room:where is no slot; a slot of a skill is \$ and the name"),
        ("light @rooms", "column 7: @rooms is a macro, which only commands have"),
        ("from $place to $place", r"column 16: \$place stands twice"),
        ("a (b", "column 3: '\\(' is not closed"),
    ],
)
def test_what_only_commands_can_say_is_refused_in_a_skill(phrase, message):
    with pytest.raises(TextError, match=message):
        compile_phrase(phrase)
