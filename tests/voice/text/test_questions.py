"""Which questions rise, and that they are heard to."""

from __future__ import annotations

import re

import numpy as np
import pytest

from voice.loading import load
from voice.pitch import f0
from voice.text.frontend import read_aloud
from voice.text.questions import rise, rises
from voice.tts.voice import Voice
from voice.types import Controls

RISING = """Do you like it?|Isn't that nice?|Really?|You know him?|And will they come?
It is late, isn’t it?|When it rains, do you stay home?|He asked, "Are you sure?"|Do you know what time it is?
Can you hear me?!"""
FALLING = """What do you like?|Where did you put the keys, the ones with the red tag?|Tea or coffee?
In which year?
I like it.|Is it red, or is it blue?|What's that?|So why are you here?|Who? Nobody knows.|Stop!"""


@pytest.mark.parametrize("text", re.split(r"[|\n]", RISING))
def test_questions_for_yes_or_no_rise(text: str) -> None:
    assert rises(text)


@pytest.mark.parametrize("text", [*re.split(r"[|\n]", FALLING), ""])
def test_other_sentences_do_not(text: str) -> None:
    assert not rises(text)


def test_a_rise_begins_at_the_last_stress_and_is_done_at_the_end() -> None:
    done = rise("dˈu ju lˈIk ˌɪt?")
    assert not done[:8].any() and (np.diff(done) >= 0).all() and done[8] > 0 and done[-2] == 1.0
    assert rise("").size == 0 and rise("ɪt?")[-1] == 1.0


@pytest.fixture(scope="module", params=["heart", "kathleen", "kumo"])
def voice(request: pytest.FixtureRequest) -> Voice:
    return load(request.param, threads=1)


def test_a_question_ends_higher_than_the_same_words_as_a_statement(voice: Voice) -> None:
    def ending(text: str) -> float:
        (reading,) = read_aloud(text)
        hertz = f0(voice.engine.render(reading, Controls()).audio.samples, 24_000, 300)
        melody = 12 * np.log2(hertz[hertz > 0])
        return float(np.mean(melody[-8:]) - np.median(melody))

    assert ending("You saw the garden?") > ending("You saw the garden.") + 1.5
