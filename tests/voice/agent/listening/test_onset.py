"""A possible onset of speech halts the agent for a moment, and costs nothing of what is then said."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from fakes.agent import RATE, EvenVoice, Phrasebook, Script, hear, of, quiet

from voice.agent import Conversation, Heard, Interrupted, Paused, Resumed, SpeechStarted, Spoken
from voice.agent.listening.onset import OnsetDetector

LONG = "This is a rather long answer. " * 4
HOP = 512
LIKELY = (0.02, 0.04, 0.09, 0.1), (0.0, 0.3, 0.3, 1.0)  # P(speech) by the level


def frame(decibels: float) -> np.ndarray:
    return np.full(HOP, 10 ** (decibels / 20), np.float32)


def onset_flags(*frames: tuple[float, float]) -> list[bool]:
    """What is made of frames of a loudness (dB) and a P(speech), after a quiet second."""
    onset = OnsetDetector()
    for _ in range(30):
        onset(frame(-70), 0.0)
    return [onset(frame(loudness), probability) for loudness, probability in frames]


def test_what_is_loud_and_not_unlike_speech_is_suspected_before_it_is_sure() -> None:
    assert onset_flags(*[(-25, 0.3)] * 3) == [False, True, True]
    assert onset_flags(*[(-25, 0.15)] * 5) == [False, False, False, True, True]


@pytest.mark.parametrize("sound", [(-25, 0.05), (-60, 0.4)], ids=["no speech", "too soft"])
def test_what_is_unlike_speech_or_soft_is_not(sound: tuple[float, float]) -> None:
    assert not any(onset_flags(*[sound] * 20))


def test_one_frame_is_a_click() -> None:
    assert not any(onset_flags((-20, 0.9), (-70, 0.0), (-20, 0.9), (-70, 0.0)))


def test_a_noise_that_goes_on_becomes_the_quiet() -> None:
    assert not any(onset_flags(*[(-30, 0.01)] * 300, *[(-28, 0.3)] * 20))


def test_a_gap_of_digital_silence_does_not_make_every_noise_loud() -> None:
    onset, noise = OnsetDetector(), [(frame(-35), 0.3)] * 160
    heard = [onset(*each) for each in [*noise, (np.zeros(HOP, np.float32), 0.0), *noise]]
    assert not any(heard[:160]) and sum(heard) * HOP / RATE < 2.5


class Wary:
    """Takes what is at the level of a phrase for speech, and what is softer perhaps for it."""

    rate, hop = RATE, HOP

    def stream(self) -> Callable[[np.ndarray], float]:
        return lambda heard: float(np.interp(np.abs(heard).max(), *LIKELY))


def murmur(seconds: float) -> np.ndarray:
    return np.full(round(seconds * RATE), 0.06, np.float32)


BOOK = Phrasebook("Tell me all.", "Stop that.", *["", ""] * 2)  # from its end: a murmur has no words


def conversation(*answers: list[str]) -> Conversation:
    return Conversation(Wary(), BOOK, EvenVoice(), Script(*answers), stopwatch=lambda: 0.0)


def over(*sounds: np.ndarray, answer: str = LONG) -> list:
    """What happens when there are `sounds` two seconds after a question."""
    talks = conversation([answer], ["Okay."])
    return hear(talks, BOOK.say(0), quiet(2), *sounds, quiet(4))


def test_a_suspicion_that_is_not_borne_out_halts_it_for_a_quarter_of_a_second() -> None:
    events = over(murmur(0.15))
    (paused,), (resumed,) = of(Paused, events), of(Resumed, events)
    assert paused.time - 3.0 < 0.12 and resumed.time - paused.time < 0.3
    assert resumed.position == paused.position
    assert not of(Interrupted, events)


def test_a_murmur_that_goes_on_halts_it_twice_at_most() -> None:
    events = over(murmur(8.0), answer=3 * LONG)
    assert len(of(Paused, events)) == len(of(Resumed, events)) == 2 and not of(Interrupted, events)


def test_a_murmur_that_comes_and_goes_halts_it_more_and_more_rarely() -> None:
    events = over(*[murmur(0.4), quiet(0.4)] * 18, answer=4 * LONG)  # for 14 s
    halts = np.array([event.time for event in of(Paused, events)])
    assert len(halts) == 3 and not of(Interrupted, events)
    assert (np.diff(halts) > [2.0, 4.0]).all()


def test_the_next_answer_is_halted_as_readily_as_the_first() -> None:
    talks, murmurs = conversation([2 * LONG], [2 * LONG]), [murmur(0.4), quiet(0.4)] * 6
    halts = []
    for _ in range(2):
        halts.append(len(of(Paused, hear(talks, BOOK.say(0), quiet(2), *murmurs, quiet(12)))))
    assert halts == [2, 2]


def test_a_recording_that_ends_in_speech_is_answered_without_a_halt() -> None:
    talks = conversation([2 * LONG])
    events = hear(talks, quiet(1), BOOK.say(0)) + list(talks.finish())
    assert of(Spoken, events) and not of(Paused, events)


@pytest.mark.parametrize("before", [0.1, 0.4, 0.7])
def test_speech_that_begins_as_a_murmur_stops_it_at_the_murmur_and_is_heard_whole(before: float) -> None:
    events = over(murmur(before), BOOK.say(1, 0.8))
    assert of(Paused, events)[0].time - 3.0 < 0.12
    assert of(Interrupted, events) and of(Heard, events)[1].text.endswith("Stop that.")
    began = of(SpeechStarted, events)[1].began
    assert began == pytest.approx(3.0 + before, abs=0.033)


def test_who_is_not_to_be_heard_is_not_suspected_of_going_on() -> None:
    talks = conversation([2 * LONG])
    hear(talks, quiet(1), BOOK.say(0))
    talks.forget()
    events = list(talks.answer()) + list(talks.wait())
    assert of(Spoken, events) and not of(Paused, events)
