"""The one way to begin a conversation, and the names of voice.agent."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.agent import RATE, EvenVoice, LoudIsSpeech, Phrasebook, Script, hear, of, quiet

import voice.agent
from voice.agent import (
    ConversationOptions,
    Heard,
    ListeningOptions,
    ManualEndpointer,
    Models,
    Partial,
    Reply,
    Speaking,
    Timers,
    TurnEnded,
    start,
)
from voice.agent.listening.recognition import WholeTurn
from voice.types import Controls, Message


def models(*phrases: str) -> Models:
    return Models(LoudIsSpeech(), Phrasebook(*phrases), EvenVoice())


def test_a_conversation_has_what_it_is_begun_with() -> None:
    shared, brain, timers = models("What time is it?"), Script(["Noon."]), Timers()
    talks = start(
        shared,
        brain=brain,
        timers=timers,
        controls=Controls(speed=2.0),
        options=ConversationOptions(instructions="Be brief."),
        listening_options=ListeningOptions(language="en", hotwords=("noon",)),
        stopwatch=lambda: 0.0,
    )
    events = hear(talks, shared.recognizer.say(0), quiet(2))
    assert talks.timers is timers
    assert brain.shown == [(Message("system", "Be brief."), Message("user", "What time is it?"))]
    assert of(Speaking, events)[0].speech.audio.duration == pytest.approx(0.1)


def test_partial_words_come_unless_another_listener_is_asked_for() -> None:
    def partials(**options: object) -> list[float]:
        shared = models("What time is it?")
        talks = start(shared, brain=Script(["Noon."]), stopwatch=lambda: 0.0, **options)
        return [event.time for event in of(Partial, hear(talks, shared.recognizer.say(0, 3.0), quiet(2)))]

    assert partials()[0] < 3.0 < partials(listener=WholeTurn)[0]


def test_a_turn_can_be_answered_as_one_recording_by_its_host() -> None:
    shared = Models(LoudIsSpeech(), Phrasebook("What time is it?"), EvenVoice(), ManualEndpointer())
    talks = start(shared, brain=Script(["Noon."]), stopwatch=lambda: 0.0)
    sound = np.concatenate([shared.recognizer.say(0), quiet(5)])
    assert not of(TurnEnded, list(talks.hear(sound)))
    events = list(talks.finish())
    assert [event.text for event in of(Heard, events)] == ["What time is it?"]
    assert [event.text for event in of(Reply, events)] == ["Noon."] and talks.rate == RATE


def test_every_public_name_is_there() -> None:
    assert all(getattr(voice.agent, name) for name in voice.agent.__all__)


def test_an_old_name_still_works_and_one_that_is_gone_says_what_to_use() -> None:
    with pytest.warns(DeprecationWarning, match="ConversationOptions"):
        assert voice.agent.Manners is ConversationOptions
    with pytest.raises(AttributeError, match="ManualEndpointer"):
        _ = voice.agent.TurnByTurn
