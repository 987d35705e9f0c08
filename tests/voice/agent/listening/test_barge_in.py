"""Sounds over the agent's speech, answers begun ahead, slow answers: with work inline and late."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
from fakes.agent import RATE, EvenVoice, LoudIsSpeech, Phrasebook, Script, hear, of, quiet

from voice.agent import (
    Conversation,
    ConversationOptions,
    Heard,
    Interrupted,
    ListeningOptions,
    Partial,
    Paused,
    Resumed,
    Speaking,
    SpeechStarted,
    Spoken,
    TurnEnded,
    answers,
)
from voice.agent.listening.backchannels import says_something
from voice.agent.speculative import CommitGate, GeneratedReply
from voice.agent.work import THREADS, Task
from voice.types import Message, Word
from voice.vad import Thresholds

LONG = "This is a rather long answer. " * 4


class Later:
    """Work whose jobs are done when the test says so, lane by lane: two of the user, then each answer's."""

    def __init__(self) -> None:
        self.lanes: list[LateLane] = []

    def lane(self, stopwatch: Callable[[], float]) -> LateLane:
        self.lanes.append(LateLane())
        return self.lanes[-1]


class LateLane:
    def __init__(self) -> None:
        self.waiting: list[tuple[Task, float]] = []

    def start(self, job: Callable, now: float) -> Task:
        self.waiting.append((Task(job, lambda: 0.0), now))
        return self.waiting[-1][0]

    def catch_up(self, begun: float = math.inf) -> None:
        """Does what was asked for up to that time of the conversation."""
        while self.waiting and self.waiting[0][1] <= begun:
            self.waiting.pop(0)[0].run()


def hear_slowly(talks: Conversation, work: Later, *sounds: np.ndarray, takes: float) -> list:
    """All events of some sounds where words take so many seconds, and all other work none."""
    events, samples = [], np.concatenate(sounds)
    for start in range(0, len(samples), 512):
        events += talks.hear(samples[start : start + 512])
        for lane in work.lanes:
            lane.catch_up(talks.time - (takes if lane is work.lanes[0] else 0.0))
    return events


def conversation(book: Phrasebook, brain: object, **options: object) -> Conversation:
    return Conversation(LoudIsSpeech(), book, EvenVoice(), brain, stopwatch=lambda: 0.0, **options)


def over(phrase: str, seconds: float, *more: np.ndarray, answer: str = LONG) -> tuple[list, Conversation]:
    """Somebody says `phrase` two seconds after they asked something."""
    book = Phrasebook("Tell me all.", phrase)
    talks = conversation(book, Script([answer], ["Okay."]))
    sounds = [book.say(0), quiet(2), book.say(1, seconds), *(more or [quiet(6)])]
    return hear(talks, *sounds), talks


@pytest.mark.parametrize("phrase", ["mm-hm", "Yeah.", "Okay, right.", ""])
def test_who_only_listens_halts_it_for_less_than_a_second(phrase: str) -> None:
    events, talks = over(phrase, 0.4)
    assert not of(Interrupted, events) and not of(Heard, events)[1:]
    paused, resumed = of(Paused, events)[0], of(Resumed, events)[0]
    assert resumed.time - paused.time < 1.0
    assert resumed.position == paused.position
    assert talks.messages[-1] == Message("assistant", LONG.strip())


def test_after_a_halt_the_track_goes_on_where_it_was() -> None:
    undisturbed, _ = over("mm-hm", 0.0)
    disturbed, _ = over("mm-hm", 0.4)
    halt = of(Resumed, disturbed)[0].time - of(Paused, disturbed)[0].time
    whole, held = answers(undisturbed, RATE), answers(disturbed, RATE)
    assert held.duration - whole.duration == pytest.approx(halt, abs=0.04)
    assert np.count_nonzero(held.samples) == pytest.approx(np.count_nonzero(whole.samples), abs=20)


def test_what_the_person_says_is_told_only_once_the_turn_is_theirs() -> None:
    events, _ = over("Stop that.", 0.5)
    kinds = [type(event) for event in events if event.time > 3.0]
    assert kinds[:3] == [Paused, Interrupted, SpeechStarted]
    assert of(Heard, events)[1].text == "Stop that."
    began = of(SpeechStarted, events)[1].began
    assert began == pytest.approx(3.0, abs=0.033)


def test_a_yes_to_a_question_is_an_answer() -> None:
    book = Phrasebook("Hello.", "Yes.")
    talks = conversation(book, Script(["Shall I go on?"], ["Good."]))
    events = hear(talks, book.say(0), quiet(1.2), book.say(1, 0.4), quiet(3))
    assert [event.text for event in of(Heard, events)] == ["Hello.", "Yes."]


class Doubtful(LoudIsSpeech):
    """Hears speech in everything, but is not sure."""

    def stream(self) -> Callable[[np.ndarray], float]:
        sure = LoudIsSpeech.stream(self)
        return lambda frame: 0.7 * sure(frame)


def test_noise_that_goes_on_does_not_halt_it_again_and_again() -> None:
    book = Phrasebook("Tell me all.", "")
    brain = Script([LONG])
    talks = Conversation(Doubtful(), book, EvenVoice(), brain, stopwatch=lambda: 0.0)
    events = hear(talks, book.say(0), quiet(2), book.say(1, 5.0), quiet(3))
    assert not of(Interrupted, events)
    assert len(of(Paused, events)) <= 3
    held = sum(b.time - a.time for a, b in zip(of(Paused, events), of(Resumed, events), strict=True))
    assert held < 3.0


def test_what_is_surely_speech_takes_the_turn_even_if_no_word_is_recognized() -> None:
    events, _ = over("", 1.5)
    assert of(Interrupted, events)


@pytest.mark.parametrize("takes", [0.1, 0.36, 0.5])
def test_words_that_take_longer_than_the_looks_are_apart_are_known_in_time(takes: float) -> None:
    book, work = Phrasebook("Tell me all.", "Mm-hm."), Later()
    talks = conversation(book, Script([LONG]), work=work)
    events = hear_slowly(talks, work, book.say(0), quiet(2), book.say(1, 1.2), quiet(6), takes=takes)
    assert of(Paused, events) and not of(Interrupted, events)
    assert talks.messages[-1] == Message("assistant", LONG.strip())


def test_words_that_follow_a_murmur_take_the_turn() -> None:
    book = Phrasebook("Tell me all.", "yeah", "but listen to me")
    talks = conversation(book, Script([LONG], ["Okay."]))
    events = hear(talks, book.say(0), quiet(2), book.say(1, 0.3), book.say(2, 1.2), quiet(3))
    assert of(Interrupted, events)
    assert of(Heard, events)[1].text == "yeah but listen to me"


def test_an_agent_that_does_not_yield_answers_afterward() -> None:
    book = Phrasebook("Tell me all.", "And tomorrow?")
    talks = conversation(book, Script([LONG], ["Rain."]), options=ConversationOptions(allow_barge_in=False))
    events = hear(talks, book.say(0), quiet(2), book.say(1), quiet(8))
    assert not of(Interrupted, events) and not of(Paused, events)
    assert [event.text for event in of(Spoken, events)] == [LONG.strip(), "Rain."]


def test_the_host_may_silence_it_and_say_what_was_played() -> None:
    book = Phrasebook("Tell me all.")
    talks = conversation(book, Script([LONG]))
    hear(talks, book.say(0), quiet(2))
    talks.report_played(0.65)
    cut = of(Interrupted, talks.interrupt())[0]
    assert cut.heard == "This is a"
    assert talks.messages[-1] == Message("assistant", "This is a")
    assert not list(talks.interrupt())


def test_the_old_name_of_the_report_of_what_was_played_warns() -> None:
    book = Phrasebook("Tell me all.")
    talks = conversation(book, Script([LONG]))
    hear(talks, book.say(0), quiet(2))
    with pytest.warns(DeprecationWarning, match="report_played"):
        talks.played(0.65)
    assert of(Interrupted, talks.interrupt())[0].heard == "This is a"


def test_the_host_may_end_a_turn_or_drop_it() -> None:
    book = Phrasebook("Tell me all.")
    talks = conversation(book, Script(["Fine."]))
    list(talks.hear(book.say(0)))
    talks.forget()
    assert not of(Heard, hear(talks, quiet(3)))
    list(talks.hear(book.say(0)))
    assert of(Heard, list(talks.commit()))[0].text == "Tell me all."


def test_the_host_may_ask_for_an_answer_to_messages_of_its_own() -> None:
    brain = Script(["Hello there."])
    talks = conversation(Phrasebook(), brain)
    talks.messages.append(Message("user", "Greet me."))
    events = list(talks.answer()) + hear(talks, quiet(2))
    assert [event.text for event in of(Spoken, events)] == ["Hello there."]
    assert brain.shown == [(Message("user", "Greet me."),)]


# ---- ahead of the end of the turn


class Notes:
    """A brain that thinks ahead and writes down what it was asked to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.written: list[str] = []

    def reply(self, messages) -> Iterator[str]:
        raise AssertionError("it can think ahead")

    def prepare(self, messages) -> GeneratedReply:
        request = messages[-1].content
        self.asked.append(request)

        def think(turn: CommitGate) -> Iterator[str | None]:
            yield "I write that down. "
            yield from turn.until_committed()
            self.written.append(request)
            yield "Done."

        return GeneratedReply(think)


def test_the_answer_is_begun_before_the_turn_has_ended_and_acts_only_after() -> None:
    book, brain = Phrasebook("Note the milk."), Notes()
    talks = conversation(book, brain)
    hear(talks, book.say(0), quiet(0.3))
    assert talks.listening and brain.asked == ["Note the milk."] and not brain.written
    events = hear(talks, quiet(4))
    assert brain.asked == brain.written == ["Note the milk."]
    assert of(Spoken, events)[0].text == "I write that down. Done."


def test_who_goes_on_has_what_was_begun_thrown_away() -> None:
    book, brain = Phrasebook("Note the milk.", "No, the bread."), Notes()
    talks = conversation(book, brain)
    hear(talks, book.say(0), quiet(0.35), book.say(1), quiet(3))
    assert brain.asked == ["Note the milk.", "Note the milk. No, the bread."]
    assert brain.written == ["Note the milk. No, the bread."]


# ---- work that takes its time


def test_words_and_sound_that_come_late_are_taken_when_they_are_there() -> None:
    book, work = Phrasebook("What time is it?"), Later()
    talks = conversation(book, Script(["It is noon."]), work=work)
    assert not of(TurnEnded, hear(talks, book.say(0), quiet(2)))
    events = []
    for _ in range(8):
        for lane in work.lanes:
            lane.catch_up()
        events += hear(talks, quiet(0.1))
    assert [event.text for event in of(Heard, events)] == ["What time is it?"]
    assert of(Speaking, events)[0].speech.text == "It is noon."


def test_an_agent_that_takes_long_says_so_and_then_answers() -> None:
    book, work = Phrasebook("What time is it?"), Later()
    talks = conversation(book, Script(["It is noon."]), work=work)
    hear(talks, book.say(0))
    for _ in range(8):
        for lane in work.lanes[:2]:
            lane.catch_up()
        hear(talks, quiet(0.1))
    assert talks.answering
    hear(talks, quiet(2))
    work.lanes[3].catch_up()  # the word in between is spoken; the brain still thinks
    aside = of(Speaking, hear(talks, quiet(1)))
    assert [(event.speech.text, event.aside) for event in aside] == [("One moment.", True)]
    for _ in range(4):
        work.lanes[2].catch_up()
        hear(talks, quiet(0.5))
    assert talks.messages[-1] == Message("assistant", "It is noon.")


def test_in_threads_the_same_is_said_and_heard() -> None:
    book = Phrasebook("What time is it?")
    talks = conversation(book, Script(["It is noon. Or a little later."]), work=THREADS)
    events = hear(talks, book.say(0), quiet(0.1)) + list(talks.finish())
    assert of(Heard, events)[0].text == "What time is it?"
    assert [event.text for event in of(Spoken, events)] == ["It is noon. Or a little later."]


class Growing:
    """A listener that knows a word more each time that it is fed."""

    def __init__(self, *settings: object) -> None:
        self.fed = 0

    def feed(self, samples: np.ndarray, probabilities: Sequence[float]) -> Partial | None:
        self.fed += len(samples)
        assert len(probabilities) * LoudIsSpeech.hop == len(samples)
        return Partial(0.0, "so" if self.fed > RATE / 2 else "", "far")

    def finish(self):
        return Phrasebook("So far so good.").transcribe(
            type("A", (), {"samples": np.full(9, 0.1), "duration": 1.0})()
        )


def test_partial_words_come_while_the_person_speaks() -> None:
    book = Phrasebook("")
    talks = conversation(book, Script(["Good."]), listener=Growing)
    events = hear(talks, book.say(0, 1.0), quiet(2))
    assert [(event.stable, event.tail) for event in of(Partial, events)] == [
        ("", "far"), ("so", "far"), ("So far so good.", ""),
    ]  # fmt: skip
    assert of(Partial, events)[0].time < 0.3


@pytest.mark.parametrize(
    "text", ["mm-hm", "Yeah.", "Oh, I see.", "", "...", "[coughs]", "Uh-huh. Okay.", "Mama.", "My..."]
)
def test_words_of_listening_ask_for_nothing(text: str) -> None:
    assert not says_something(text)


@pytest.mark.parametrize("text", ["Stop.", "No.", "Wait", "Yeah but no", "What?", "Okay, what time is it?"])
def test_other_words_do(text: str) -> None:
    assert says_something(text)


def test_the_agents_own_words_are_nobodys() -> None:
    said = "Your timer for ten minutes starts now."
    assert not says_something("Ten minutes", played=said)
    assert says_something("Five minutes", played=said)
    assert not says_something("It smells of", played="The whole street smells of bread.")
    assert says_something("What is twelve times seven?", played="Twelve times seven is eighty four.")


def test_a_lone_word_that_hardly_was_one_does_not_count() -> None:
    assert not says_something("Bye.", [Word("Bye.", 0, 0.2, 0.1)])
    assert says_something("Bye.", [Word("Bye.", 0, 0.2, 0.8)])


def test_other_thresholds_leave_the_times_as_they_are() -> None:
    book = Phrasebook("Hello.")
    talks = conversation(book, Script(["Good."]))
    hear(talks, quiet(1))
    talks.use(
        listening_options=ListeningOptions(
            thresholds=Thresholds(on=0.7, shortest_speech=0.1, shortest_silence=0.16)
        )
    )
    events = hear(talks, book.say(0), quiet(2))
    assert of(SpeechStarted, events)[0].began == pytest.approx(1.0, abs=0.033)
    assert np.count_nonzero(book.heard[0].samples) == RATE


def test_words_are_made_before_a_pause_is_sure_and_made_again_only_if_speech_goes_on() -> None:
    book = Phrasebook("What time is it?", "In Paris.")
    hear(conversation(book, Script(["Noon."])), book.say(0, 0.512), quiet(2))
    assert len(book.heard) == 1
    assert book.heard[0].duration == pytest.approx(0.544, abs=0.001)  # one frame of silence is enough
    talks, dip = conversation(book, Script(["Noon."])), quiet(0.064)
    events = hear(talks, book.say(0, 0.512), dip, book.say(1, 0.512), quiet(2))
    assert [event.text for event in of(Heard, events)] == ["What time is it? In Paris."]


def test_what_threads_have_done_can_be_collected_between_two_frames() -> None:
    book, work = Phrasebook("What time is it?"), Later()
    talks = conversation(book, Script(["It is noon."]), work=work)
    hear(talks, book.say(0), quiet(0.8))
    for lane in work.lanes[:2]:
        lane.catch_up()
    assert [event.text for event in of(Partial, talks.collect())] == ["What time is it?"]
    kinds = [type(event) for event in talks.collect()]
    assert kinds == [TurnEnded, Heard]
    work.lanes[2].catch_up()
    assert of(Speaking, talks.collect())
