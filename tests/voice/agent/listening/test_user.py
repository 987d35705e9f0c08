"""The user's side of a conversation: voice activity, turns, pauses, words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from fakes.agent import RATE, EvenVoice, LoudIsSpeech, Phrasebook, Script, hear, of, quiet

from voice.agent import (
    Conversation,
    Heard,
    Interrupted,
    ListeningOptions,
    Models,
    Partial,
    SilenceEndpointer,
    SpeechEnded,
    SpeechStarted,
    start,
)
from voice.agent.listening.user import User
from voice.agent.work import INLINE
from voice.types import Segment, Transcript

LONG = "This is a rather long answer. " * 3


class Counting(LoudIsSpeech):
    """Counts the frames that it is asked to judge, in all of its streams."""

    def __init__(self) -> None:
        self.judged = 0

    def stream(self) -> Callable[[np.ndarray], float]:
        judge = LoudIsSpeech.stream(self)

        def counted(frame: np.ndarray) -> float:
            self.judged += 1
            return judge(frame)

        return counted


@pytest.mark.parametrize("chunk", [320, 777, 16_000])
def test_each_frame_is_judged_once_by_the_one_detector_of_the_conversation(chunk: int) -> None:
    book, detector = Phrasebook("What time is it?", "Stop.", "Bye."), Counting()
    models = Models(detector, book, EvenVoice())
    talks = start(models, brain=Script([LONG], ["Okay."], ["Good night."]))
    sounds = [quiet(0.5), book.say(0), quiet(1.5), book.say(1), quiet(2), book.say(2, 2.0), quiet(3)]
    events = hear(talks, *sounds, chunk=chunk)
    assert of(Interrupted, events) and of(Partial, events)
    assert [event.text for event in of(Heard, events)] == ["What time is it?", "Stop.", "Bye."]
    assert detector.judged == sum(map(len, sounds)) // detector.hop


def test_the_recognizer_is_told_how_likely_each_frame_is_speech() -> None:
    probabilities_fed: list[float] = []

    class Told:
        def __init__(self, *settings: object) -> None: ...

        def feed(self, samples: np.ndarray, probabilities: list[float]) -> None:
            assert len(samples) == len(probabilities) * LoudIsSpeech.hop
            assert probabilities == [float(np.abs(f).max() > 0.05) for f in samples.reshape(-1, 512)]
            probabilities_fed.extend(probabilities)

        def finish(self):
            return Transcript((Segment("Hello.", 0.0, 1.0),), "en", 1.0)

    book = Phrasebook("Hello.")
    talks = Conversation(
        LoudIsSpeech(), book, EvenVoice(), Script(["Yes."]), listener=Told, stopwatch=lambda: 0.0
    )
    hear(talks, quiet(1), book.say(0), quiet(2))
    assert sum(probabilities_fed) == pytest.approx(RATE / 512, abs=1)
    assert 0.0 in probabilities_fed  # the pre-roll


def test_over_the_agents_echo_more_makes_a_speech_and_over_its_voice_more_makes_a_pause() -> None:
    user = User(
        LoudIsSpeech(),
        Phrasebook("Stop."),
        SilenceEndpointer(),
        ListeningOptions(),
        lambda: INLINE.lane(lambda: 0.0),
    )
    loud, silent = np.full(512, 0.1, np.float32), np.zeros(512, np.float32)

    def needed(frame: np.ndarray, kind: type, **agent: bool) -> int:
        user.overheard(**agent)
        return next(count for count in range(1, 20) if of(kind, user.take(frame, count * 0.032)))

    counts = []
    for speaks, echoes in ((False, True), (True, False), (True, True)):
        agent = {"agent_speaks": speaks, "agent_echoes": echoes}
        counts.append((needed(loud, SpeechStarted, **agent), needed(silent, SpeechEnded, **agent)))
        user.drop()
    assert counts == [(2, 3), (2, 5), (3, 5)]
