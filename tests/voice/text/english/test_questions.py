"""Which questions rise, and that they are heard to."""

from __future__ import annotations

import re

import numpy as np
import pytest

from voice.loading import load
from voice.pitch import f0
from voice.text.english.language import ENGLISH
from voice.text.english.questions import is_rising_question
from voice.text.frontend import read_aloud
from voice.text.markup import as_ssml, parse
from voice.text.passages import read_passages
from voice.tts.prosody_targets import question_rise
from voice.tts.voice import Voice
from voice.types import Controls

RISING = """Do you like it?|Isn't that nice?|Really?|You know him?|And will they come?
It is late, isn’t it?|When it rains, do you stay home?|He asked, "Are you sure?"|Do you know what time it is?
Can you hear me?!|Will you call me, when you get there?|Do you know Anna, who lives next door?
Do you have a minute or so?|Can you tell me, how far it is?"""
FALLING = """What do you like?|Where did you put the keys, the ones with the red tag?|Tea or coffee?
In which year?
I like it.|Is it red, or is it blue?|What's that?|So why are you here?|Who? Nobody knows.|Stop!
Is it late, and where are we?"""


@pytest.mark.parametrize("text", re.split(r"[|\n]", RISING))
def test_questions_for_yes_or_no_rise(text: str) -> None:
    assert is_rising_question(text)


@pytest.mark.parametrize("text", [*re.split(r"[|\n]", FALLING), ""])
def test_other_sentences_do_not(text: str) -> None:
    assert not is_rising_question(text)


def test_a_rise_begins_at_the_last_stress_and_is_done_at_the_end() -> None:
    done = question_rise("dˈu ju lˈIk ˌɪt?")
    assert not done[:8].any() and (np.diff(done) >= 0).all() and done[8] > 0 and done[-2] == 1.0
    assert question_rise("ˈɛɹplˌAn?")[0] > 0  # "Airplane?" rises from its main stress, the first
    assert question_rise("").size == 0 and question_rise("ɪt?")[-1] == 1.0


@pytest.fixture(scope="module", params=["heart", "kathleen", "kumo"])
def voice(request: pytest.FixtureRequest) -> Voice:
    return load(request.param, threads=1)


def test_a_question_ends_higher_than_the_same_words_as_a_statement(voice: Voice) -> None:
    def ending(text: str) -> float:
        (reading,) = read_aloud(text, ENGLISH)
        hertz = f0(voice.engine.render(reading, Controls()).audio.samples, 24_000, 300)
        melody = 12 * np.log2(hertz[hertz > 0])
        return float(np.mean(melody[-8:]) - np.median(melody))

    assert ending("You saw the garden?") > ending("You saw the garden.") + 1.5


def test_the_whole_sentence_decides_whether_it_rises() -> None:
    def rising(content: str) -> list[bool]:
        return [
            reading.rises for reading in read_passages(parse(as_ssml(content), ENGLISH).passages, ENGLISH)
        ]

    assert rising('Where <break time="300ms"/> is he? Is he here?') == [False, False, True]
    assert rising('Is it <break time="300ms"/> late? Who knows.') == [False, True, False]
    long = "What do you think of " + ", and of ".join(["the tall people who live next door"] * 14) + "?"
    parts = list(read_aloud(long, ENGLISH))
    assert len(parts) > 1 and not any(part.rises for part in parts)
