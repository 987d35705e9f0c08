"""Conversations in which everything is known: who speaks when, and what is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes.agent import RATE, EvenVoice, LoudIsSpeech, Phrasebook, Polyglot, Script, hear, of, quiet

from voice.agent import (
    Conversation,
    Heard,
    Interrupted,
    Latency,
    ListeningOptions,
    ManualEndpointer,
    Offline,
    Partial,
    Paused,
    Rang,
    Reply,
    Speaking,
    SpeechEnded,
    SpeechStarted,
    Spoken,
    Timers,
    Trouble,
    TurnEnded,
    answers,
    latencies,
    talk,
)
from voice.agent.brains.chat import Chat
from voice.agent.responder import APOLOGY
from voice.agent.speaking import response
from voice.errors import AudioError, BrainError
from voice.types import Audio, Controls, Message

LONG = "This is a rather long answer. " * 3


def conversation(book: Phrasebook, brain: object, **options: object) -> Conversation:
    return Conversation(LoudIsSpeech(), book, EvenVoice(), brain, stopwatch=lambda: 0.0, **options)


def simple(*answered: str) -> tuple[Phrasebook, Script, Conversation]:
    book = Phrasebook("What time is it?", "And tomorrow?", "Stop.", "mm-hm")
    brain = Script(*([text] for text in answered))
    return book, brain, conversation(book, brain)


def test_a_turn_is_heard_answered_and_spoken() -> None:
    book, brain, talks = simple("It is noon.")
    events = hear(talks, quiet(1), book.say(0), quiet(3))
    assert [type(event) for event in events if not isinstance(event, Reply)] == [
        SpeechStarted, Partial, SpeechEnded, TurnEnded, Heard, Speaking, Latency, Spoken,
    ]  # fmt: skip
    assert of(Heard, events)[0].text == "What time is it?"
    assert "".join(event.text for event in of(Reply, events)) == "It is noon."
    assert talks.messages == [Message("user", "What time is it?"), Message("assistant", "It is noon.")]


@pytest.mark.parametrize("chunk", [1, 160, 512, 777, 16_000, 10**6])
def test_the_same_recording_gives_the_same_events_at_any_chunk_size(chunk: int) -> None:
    def said(size: int) -> list[str]:
        book, _, talks = simple(LONG, "Tomorrow.", "Bye.")
        sounds = [quiet(0.7), book.say(0), quiet(1.7), book.say(1, 0.9), quiet(2.5), book.say(2), quiet(9)]
        return [_plainly(event) for event in hear(talks, *sounds, chunk=size)]

    assert said(chunk) == said(320)


def _plainly(event: object) -> str:
    text = str({key: value for key, value in vars(event).items() if key != "speech"})
    return f"{type(event).__name__} {text} {event.speech.text if isinstance(event, Speaking) else ''}"


def test_nothing_of_the_first_syllable_is_lost() -> None:
    book, _, talks = simple("Yes.")
    hear(talks, quiet(1.01), book.say(0), quiet(2))
    heard = book.heard[0]
    assert np.count_nonzero(heard.samples) == RATE  # all of the second that was said
    assert heard.samples[0] == 0  # and something of the quiet before


def test_speech_from_the_very_first_sample_is_heard_whole() -> None:
    book, _, talks = simple("Yes.")
    hear(talks, book.say(0), quiet(2))
    assert np.count_nonzero(book.heard[0].samples) == RATE


def test_a_pause_inside_a_turn_does_not_end_it() -> None:
    book = Phrasebook("Set a timer for", "five minutes.")
    brain = Script(["Done."])
    talks = conversation(book, brain)
    events = hear(talks, book.say(0), quiet(0.8), book.say(1), quiet(2))
    assert [event.text for event in of(Heard, events)] == ["Set a timer for five minutes."]
    assert [event.partial for event in of(SpeechEnded, events)] == [
        "Set a timer for",
        "Set a timer for five minutes.",
    ]


def test_stops_when_interrupted_and_remembers_only_what_was_heard() -> None:
    book, brain, talks = simple(LONG, "Okay.")
    events = hear(talks, quiet(0.5), book.say(0), quiet(1.5), book.say(2), quiet(3))
    start = of(Speaking, events)[0].start
    cut = of(Interrupted, events)[0]
    assert cut.position == pytest.approx(of(Paused, events)[0].time - start)
    words = LONG.split()[: int(cut.position / 0.2)]
    assert cut.heard == " ".join(words)
    assert talks.messages[1] == Message("assistant", cut.heard)
    assert brain.shown[1][-1] == Message("user", "Stop.")


def test_an_interrupted_answer_is_not_thought_to_its_end() -> None:
    book = Phrasebook("Tell me all.", "Stop.")
    brain = Script((f"Sentence number {i} is here. " for i in range(1000)), ["Okay."])
    talks = conversation(book, brain)
    hear(talks, book.say(0), quiet(1.5), book.say(1), quiet(2))
    assert 1 < len(brain.given) < 12
    assert brain.given[-1] == "Okay."


def test_falls_silent_within_a_fifth_of_a_second_of_speech() -> None:
    book, _, talks = simple(LONG, "Okay.")
    events = hear(talks, book.say(0), quiet(1.5), book.say(2), quiet(2))
    assert of(Paused, events)[0].time - 2.5 <= 0.2
    assert of(Interrupted, events)[0].time - 2.5 <= 1.0


def test_a_click_or_a_murmur_does_not_stop_the_answer() -> None:
    book, _, talks = simple(LONG)
    events = hear(talks, book.say(0), quiet(1.5), book.say(3, 0.2), quiet(6))
    assert not of(Interrupted, events)
    assert talks.messages[-1].content == LONG.strip()


def test_a_short_word_that_asks_for_something_stops_it_all_the_same() -> None:
    book, brain, talks = simple(LONG, "Okay.")
    events = hear(talks, book.say(0), quiet(1.5), book.say(2, 0.25), quiet(3))
    assert len(of(Interrupted, events)) == 1
    assert brain.shown[1][-1].content == "Stop."


def test_going_on_before_the_answer_began_makes_one_turn() -> None:
    book = Phrasebook("What time is it?", "In Paris.")
    brain = Script(["..."] * 2, ["Noon."])  # the first answer has no sound yet
    talks = Conversation(LoudIsSpeech(), book, Slow(), brain, stopwatch=lambda: 0.0)
    hear(talks, book.say(0), quiet(0.55), book.say(1), quiet(2))
    assert brain.shown[-1] == (Message("user", "What time is it? In Paris."),)


class Slow(EvenVoice):
    """Begins each piece with a second in which no word ends."""

    def speak(self, text: str, controls: Controls = Controls()):
        for piece in EvenVoice.speak(self, text, controls):
            lead = np.zeros(self.rate, np.float32)
            words = tuple(word.shifted(1.0) for word in piece.words)
            yield type(piece)(Audio(np.concatenate((lead, piece.audio.samples)), self.rate), text, words)


def test_a_cough_is_not_answered() -> None:
    book = Phrasebook("")
    brain = Script()
    events = hear(conversation(book, brain), quiet(0.5), book.say(0, 0.3), quiet(3))
    assert [event.text for event in of(Heard, events)] == [""]
    assert not brain.shown


def test_a_very_long_turn_is_recognized_in_stretches_and_ends_at_last() -> None:
    book = Phrasebook("some", "words")
    talks = conversation(book, Script(["I see."]))
    events = hear(talks, *(book.say(number % 2, 5) for number in range(14)), quiet(3))
    assert all(audio.duration < 30 for audio in book.heard)
    heard = of(Heard, events)
    assert heard[0].text.startswith("some words some words some") and len(heard[0].text.split()) > 11
    assert heard[0].time < 61


def test_a_turn_without_new_words_ends_within_fifteen_seconds() -> None:
    book = Phrasebook("Turn it off.")
    events = hear(conversation(book, Script(["Done."])), book.say(0, 40))
    assert of(TurnEnded, events)[0].time < 15


def test_words_before_a_pause_of_a_long_turn_are_kept() -> None:
    book = Phrasebook("first part and", "second part.")
    talks = conversation(book, Script(["I see."]), listening_options=ListeningOptions(no_new_word_timeout=30))
    events = hear(talks, book.say(0, 21), quiet(0.5), book.say(1, 4), quiet(2))
    assert of(Heard, events)[0].text == "first part and second part."
    assert max(audio.duration for audio in book.heard) < 23


def test_an_answer_is_made_sentence_by_sentence_and_not_far_ahead() -> None:
    book, _, talks = simple(LONG * 10)
    events = hear(talks, book.say(0), quiet(2))
    assert len(of(Speaking, events)) <= 5
    starts = [event.start for event in of(Speaking, events)]
    ends = [event.start + event.speech.audio.duration for event in of(Speaking, events)]
    assert starts[1:] == pytest.approx(ends[:-1])


def test_the_answer_is_cleaned_for_the_ear() -> None:
    book = Phrasebook("Hi.")
    talks = conversation(
        book, Script(["<thi", "nk>secret</think>", "**Hel", "lo** there 😀. ", "[Docs](http://x.y)"])
    )
    events = hear(talks, book.say(0), quiet(4))
    assert [event.speech.text for event in of(Speaking, events)] == ["Hello there.", "Docs"]
    assert "".join(event.text for event in of(Reply, events)) == "Hello there. Docs"


def test_a_brain_that_fails_is_excused_and_the_conversation_goes_on() -> None:
    class Broken:
        turn = 0

        def reply(self, messages):
            self.turn += 1
            if self.turn == 1:
                raise BrainError("the model at nowhere does not answer; is it running?")
            if self.turn == 2:
                raise RuntimeError("a bug")
            yield "Back again."

    book = Phrasebook("One.", "Two.", "Three.")
    talks = conversation(book, Broken())
    events = hear(talks, book.say(0), quiet(5), book.say(1), quiet(5), book.say(2), quiet(3))
    assert [event.message for event in of(Trouble, events)][0].startswith("the model at nowhere")
    assert [event.text for event in of(Spoken, events)] == [APOLOGY, APOLOGY, "Back again."]


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response, "LONGEST_REPLY", 800)

    def endless():
        while True:
            yield "And on it goes. "

    book = Phrasebook("Go.")
    talks = conversation(book, Script(endless()))
    list(talks.hear(book.say(0)))
    events = list(talks.finish())
    assert len("".join(event.text for event in of(Reply, events))) < 1000


def test_a_timer_rings_and_is_announced_when_nobody_speaks() -> None:
    timers = Timers()
    book = Phrasebook("Set a timer for four seconds.", "What is two plus two?")
    talks = conversation(book, Offline(timers=timers), timers=timers)
    sounds = [book.say(0), quiet(3.2), book.say(1, 3), quiet(6)]
    events = hear(talks, *sounds)
    rang = of(Rang, events)[0]
    assert rang.time == pytest.approx(rang.timer.due, abs=0.033)
    spoken = [event.text for event in of(Spoken, events)]
    assert spoken == ["Your timer for 4 seconds starts now.", "4.", "Your timer for 4 seconds is done."]


def test_finishing_ends_the_turn_and_hears_the_answer_out() -> None:
    book, _, talks = simple(LONG, "Again.")
    assert not list(talks.hear(book.say(0)[:400]))
    events = list(talks.hear(book.say(0))) + list(talks.finish())
    assert of(Spoken, events)[0].text == LONG.strip()
    assert not talks.answering
    events = hear(talks, book.say(1)) + list(talks.finish())
    assert of(Heard, events)[0].text == "And tomorrow?"


def test_time_passes_while_one_waits() -> None:
    book, _, talks = simple()
    assert not list(talks.wait(2.0))
    assert talks.time == pytest.approx(2.0, abs=0.033)


def test_samples_that_are_no_sound_are_refused_at_once() -> None:
    _, _, talks = simple()
    for wrong in (np.full(10, np.nan, np.float32), np.zeros((2, 100), np.float32)):
        with pytest.raises(AudioError):
            talks.hear(wrong)
    assert talks.time == 0


def test_speed_can_change_between_sentences() -> None:
    book, _, talks = simple("One two three. Four five six. Seven eight nine.")
    talks.use(Controls(speed=2.0))
    events = hear(talks, book.say(0), quiet(1.2))
    assert of(Speaking, events)[0].speech.audio.duration == pytest.approx(0.3)


def test_latency_counts_the_silence_and_what_work_it_does_not_hide() -> None:
    clock = [0.0]

    class Slowly(Phrasebook):
        def transcribe(self, speech, *, language=None, hotwords=()):
            clock[0] += 0.4
            return Phrasebook.transcribe(self, speech)

    class Thinks(Script):
        def reply(self, messages):
            clock[0] += 0.5
            return Script.reply(self, messages)

    book = Slowly("What time is it?")
    talks = Conversation(LoudIsSpeech(), book, EvenVoice(), Thinks(["Noon."]), stopwatch=lambda: clock[0])
    latency = of(Latency, hear(talks, book.say(0), quiet(2)))[0]
    pause = ListeningOptions().thresholds.shortest_silence
    assert latency.turn_end == pytest.approx(pause + 0.4, abs=0.04)  # the words come last
    assert latency.first_words == latency.total == pytest.approx(latency.turn_end + 0.5)


def test_a_patient_recording_waits_for_each_answer() -> None:
    book, brain, talks = simple(LONG, LONG)
    sounds = np.concatenate([book.say(0), quiet(1), book.say(1), quiet(1)])
    events = list(talk(Audio(sounds, RATE), talks))
    assert not of(Interrupted, events)
    assert [event.text for event in of(Spoken, events)] == [LONG.strip()] * 2
    track = answers(events, RATE)
    assert track.duration == pytest.approx(of(Spoken, events)[1].time, abs=0.04)
    assert latencies(events) is not None


def test_an_impatient_recording_interrupts_and_the_track_is_cut_there() -> None:
    book, brain, talks = simple(LONG, "Yes.")
    sounds = np.concatenate([book.say(0), quiet(1.5), book.say(1), quiet(1)])
    events = list(talk(Audio(sounds, RATE), talks, patient=False))
    cut, second = of(Interrupted, events)[0], of(Speaking, events)[-1]
    silent = answers(events, RATE).cut(cut.time, second.start - 0.001).samples
    assert len(silent) and not silent.any()


def test_the_brain_is_shown_a_bounded_memory() -> None:
    book = Phrasebook("One.")
    brain = Script(*(["Yes."] for _ in range(40)))
    talks = conversation(book, brain)
    for _ in range(30):
        list(talks.hear(book.say(0)))
        list(talks.finish())
    assert len(brain.shown[-1]) <= 40


def test_hotwords_and_language_reach_the_recognizer() -> None:
    asked = []

    class Asked(Phrasebook):
        def transcribe(self, speech, *, language=None, hotwords=()):
            asked.append((language, hotwords))
            return Phrasebook.transcribe(self, speech)

    book = Asked("Hi.")
    hear(
        conversation(
            book, Script(["Yes."]), listening_options=ListeningOptions(language="en", hotwords=("Kathleen",))
        ),
        book.say(0),
        quiet(1),
    )
    assert asked == [("en", ("Kathleen",))]


def test_real_speech_is_heard_whole_and_replays_identically(corpora: Path, whisper_tiny: Path) -> None:
    from voice.asr.whisper.recognizer import Whisper
    from voice.audio import read
    from voice.silero import Silero

    said = read(corpora / "kathleen/test/arctic_a0003.flac", 16_000).samples
    sound = np.concatenate([said, quiet(2)])
    recognizer = Whisper.open(whisper_tiny, threads=1, context="full")
    runs = []
    for chunk in (320, 5000):
        talks = Conversation(
            Silero.open(), recognizer, EvenVoice(), Script(["Indeed."]), stopwatch=lambda: 0.0
        )
        runs.append([_plainly(event) for event in hear(talks, sound, chunk=chunk)])
        assert "evening the two men shook hands" in talks.messages[0].content.lower().replace(",", "")
    assert runs[0] == runs[1]


def hear_recording(*sounds: np.ndarray) -> tuple[Phrasebook, list]:
    """What happens in a turn that only its host ends, as one recorded as a whole."""
    book = Phrasebook("What is two", "plus two?")
    talks = conversation(book, Script(["4."]), turns=ManualEndpointer())
    return book, [*talks.hear(np.concatenate(sounds)), *talks.finish()]


def test_a_recorded_turn_is_one_turn_whatever_pauses_it_has() -> None:
    say = Phrasebook().say
    _, events = hear_recording(say(0), quiet(3), say(1))
    assert [event.text for event in of(Heard, events)] == ["What is two plus two?"]
    assert of(Spoken, events)[0].text == "4."


def test_a_long_silence_inside_a_recorded_turn_loses_nothing_of_it() -> None:
    say = Phrasebook().say
    book, events = hear_recording(say(0), quiet(45), say(1))
    assert [event.text for event in of(Heard, events)] == ["What is two plus two?"]
    assert max(heard.duration for heard in book.heard) < 30
    assert np.count_nonzero(book.heard[-1].samples) == RATE


def test_a_turn_that_only_the_host_ends_holds_no_more_of_a_silence_than_a_few_seconds() -> None:
    book = Phrasebook("What is two", "plus two?")
    talks = conversation(book, Script(["4."]), turns=ManualEndpointer())
    hear(talks, book.say(0), quiet(50))
    assert sum(heard.duration for heard in book.heard) > 29  # the silence is not kept
    hear(talks, book.say(1), quiet(0.5))
    assert of(Heard, talks.commit())[0].text == "What is two plus two?"
    assert max(heard.duration for heard in book.heard) < 30


class Listens:
    """Ends turns after half a second; keeps what it was asked to judge."""

    def __init__(self) -> None:
        self.turns: list[Audio] = []

    def probability(self, turn: Audio) -> float:
        self.turns.append(turn)
        return 0.5

    def endpoint_after(self, partial: str, probability: float, end_of_sentence: float | None = None) -> float:
        return 0.5


def test_a_pause_is_judged_by_the_sound_before_it_alone() -> None:
    book, listens = Phrasebook("What time is it?"), Listens()
    hear(conversation(book, Script(["Noon."]), turns=listens), quiet(0.5), book.say(0), quiet(2))
    (turn,) = listens.turns
    assert np.count_nonzero(turn.samples) == RATE
    assert turn.samples[-512:].any()


def test_a_dip_in_speech_is_judged_but_ends_nothing() -> None:
    book, listens = Phrasebook("What time is it?", "In Paris."), Listens()
    talks = conversation(book, Script(["Noon."]), turns=listens)
    events = hear(talks, book.say(0, 0.5), quiet(0.08), book.say(1, 0.5), quiet(2))
    assert [event.text for event in of(Heard, events)] == ["What time is it? In Paris."]
    assert [round(turn.duration, 1) for turn in listens.turns] == [0.5, 1.1]


def test_a_language_model_answers_in_the_language_that_is_heard_with_its_voice() -> None:
    shown, answers_given = [], iter(["Es mediodía. ", "Mañana llueve."])

    def ask(messages, tools, gate):
        shown.append(messages)
        yield next(answers_given)
        return ()

    book, voice = Phrasebook("¿Qué hora es?", "¿Y mañana?", language="es"), Polyglot()
    talks = Conversation(LoudIsSpeech(), book, voice, Chat(ask), stopwatch=lambda: 0.0)
    events = hear(talks, quiet(1), book.say(0), quiet(3), book.say(1), quiet(3))
    assert [event.language for event in of(Heard, events)] == ["es", "es"]
    assert voice.spanish.asked == ["Es mediodía.", "Mañana llueve."] and not voice.asked
    assert all("The person speaks Spanish: answer in Spanish." in each[0]["content"] for each in shown)
    assert [each["content"] for each in shown[1][1:]] == ["¿Qué hora es?", "Es mediodía.", "¿Y mañana?"]


def test_skills_alone_stay_english_and_say_so() -> None:
    book, voice = Phrasebook("¿Qué hora es?", language="es"), Polyglot()
    talks = Conversation(LoudIsSpeech(), book, voice, Offline(), stopwatch=lambda: 0.0)
    hear(talks, quiet(1), book.say(0), quiet(6))
    assert " ".join(voice.asked).startswith("I heard Spanish, and what I know I can only say in English.")
    assert not voice.spanish.asked


def test_a_person_who_goes_over_to_english_is_answered_in_english() -> None:
    def ask(messages, tools, gate):
        yield "Hola." if "Spanish" in messages[0]["content"] else "Hello."
        return ()

    book, voice = Phrasebook("Hola.", language="es"), Polyglot()
    talks = Conversation(LoudIsSpeech(), book, voice, Chat(ask), stopwatch=lambda: 0.0)
    hear(talks, quiet(1), book.say(0), quiet(3))
    book.phrases, book.language = ("Hello.",), "en"
    hear(talks, book.say(0), quiet(3))
    assert (voice.spanish.asked, voice.asked) == (["Hola."], ["Hello."])
