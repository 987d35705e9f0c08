"""Skills in a whole conversation: effects wait for the end of the turn, wishes and waits are heard."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from fakes.agent import WORD, EvenVoice, LoudIsSpeech, Phrasebook, hear, of, quiet

from voice.agent import Conversation, Offline, Timers, everyday_skills, skill
from voice.agent.events import Speaking, Spoken, Trouble
from voice.agent.skills.registry import skill_from
from voice.agent.skills.runner import ONE_MOMENT, SkillRunner, SkillTimeouts
from voice.types import Controls, Speech


def conversation(book: Phrasebook, runner: SkillRunner, voice: EvenVoice | None = None) -> Conversation:
    brain = Offline(runner)
    return Conversation(
        LoudIsSpeech(), book, voice or EvenVoice(), brain, timers=runner.timers, stopwatch=lambda: 0.0
    )


def test_a_timer_is_set_once_and_as_it_was_said_in_the_end() -> None:
    book, timers = Phrasebook("Set a timer for two minutes", "and thirty seconds."), Timers()
    talks = conversation(book, SkillRunner(everyday_skills(), timers=timers))
    hear(talks, book.say(0), quiet(0.5), book.say(1), quiet(3))
    assert [timer.length for timer in timers.pending] == [150.0]


def test_slower_is_slower_from_the_next_word_on() -> None:
    book = Phrasebook("Speak slower.", "What is two plus two?", "Normal speed.")
    talks = conversation(book, SkillRunner(everyday_skills()))
    events = hear(talks, book.say(0), quiet(4), book.say(1), quiet(4), book.say(2), quiet(4))
    lengths = [
        event.speech.audio.duration / len(event.speech.words)
        for event in of(Speaking, events)
        if event.speech.words
    ]
    assert lengths == pytest.approx([WORD / 0.85, WORD / 0.85, WORD], rel=0.01)
    assert [event.text for event in of(Spoken, events)] == ["I'll speak slower.", "4.", "Back to normal."]


def test_stop_is_answered_with_silence() -> None:
    book = Phrasebook("Stop.", "What is two plus two?")
    talks = conversation(book, SkillRunner(everyday_skills()))
    events = hear(talks, book.say(0), quiet(3))
    assert not of(Speaking, events) and not of(Trouble, events)
    events = hear(talks, book.say(1), quiet(3))
    assert [event.text for event in of(Spoken, events)] == ["4."]


def test_a_skill_that_takes_long_is_announced_while_it_works() -> None:
    announced = threading.Event()

    class Announcing(EvenVoice):
        def speak(self, text: str, controls: Controls = Controls()) -> Iterator[Speech]:
            if text in [each.strip() for each in ONE_MOMENT]:
                announced.set()
            yield from super().speak(text, controls)

    @skill("look it up", effect=True)
    def look() -> str:
        """Look it up."""
        return "Found it." if announced.wait(5) else "Nobody was told."

    book, voice = Phrasebook("Look it up."), Announcing()
    talks = conversation(book, SkillRunner([skill_from(look)], timeouts=SkillTimeouts(notice=0.01)), voice)
    events = hear(talks, book.say(0), quiet(4))
    assert voice.asked[0] in [each.strip() for each in ONE_MOMENT]
    assert of(Spoken, events)[0].text.endswith("Found it.")
