"""The agent's side: what the brain is shown, and what is owed."""

from __future__ import annotations

from fakes.agent import EvenVoice, LoudIsSpeech, Phrasebook, Script, hear, of, quiet

from voice.agent import Conversation, ConversationOptions, Heard, Interrupted, Spoken
from voice.types import Message

INSTRUCTIONS = Message("system", "Answer like a pirate.")
ASKED = Message("user", "What time is it?")


def conversation(
    *answers: str, options: ConversationOptions = ConversationOptions()
) -> tuple[Phrasebook, Script, Conversation]:
    book, brain = Phrasebook("What time is it?", "Stop."), Script(*([text] for text in answers))
    talks = Conversation(LoudIsSpeech(), book, EvenVoice(), brain, options=options, stopwatch=lambda: 0.0)
    return book, brain, talks


def test_the_brain_is_shown_the_instructions_first_and_they_are_no_message() -> None:
    options = ConversationOptions(instructions=INSTRUCTIONS.content)
    book, brain, talks = conversation("Noon, matey.", options=options)
    hear(talks, book.say(0), quiet(3))
    assert brain.shown == [(INSTRUCTIONS, ASKED)]
    assert talks.messages == [ASKED, Message("assistant", "Noon, matey.")]


def test_one_answer_can_have_other_instructions_and_other_messages() -> None:
    options = ConversationOptions(instructions=INSTRUCTIONS.content)
    book, brain, talks = conversation("Noon.", "A riddle.", "Still noon.", options=options)
    hear(talks, book.say(0), quiet(3))
    told = [Message("user", "Tell me a riddle.")]
    events = [*talks.answer(told, "Be brief."), *talks.wait()]
    assert brain.shown[1] == (Message("system", "Be brief."), *told)
    assert [event.text for event in of(Spoken, events)] == ["A riddle."]
    assert told[0] not in talks.messages
    hear(talks, book.say(0), quiet(3))
    assert brain.shown[2][:2] == (INSTRUCTIONS, ASKED)


def test_empty_instructions_leave_an_answer_without_any() -> None:
    options = ConversationOptions(instructions=INSTRUCTIONS.content)
    book, brain, talks = conversation("Noon.", options=options)
    talks.messages.append(ASKED)
    list(talks.answer(instructions=""))
    assert brain.shown == [(ASKED,)]


def test_who_is_not_interrupted_answers_afterwards_what_was_said_meanwhile() -> None:
    options = ConversationOptions(allow_barge_in=False)
    book, brain, talks = conversation("This is a rather long answer. " * 3, "Okay.", options=options)
    events = hear(talks, book.say(0), quiet(1), book.say(1), quiet(6))
    assert not of(Interrupted, events) and len(of(Heard, events)) == 2
    assert [event.text for event in of(Spoken, events)][-1] == "Okay."
    assert brain.shown[1][0].content == "What time is it? Stop."
