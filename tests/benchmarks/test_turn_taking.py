"""What benchmarks.agent makes of events, and the client's buffer that it plays through."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.turn_taking.cases import (
    Case,
    Played,
    distractions,
    interruptions,
    onsets,
    play,
    requirement,
    sentences,
)
from benchmarks.turn_taking.sessions import Beside
from benchmarks.turn_taking.sounds import is_of_one_sentence, is_whole, last_spoken
from benchmarks.turn_taking.wire import CUSHION, GROWTH, Buffer
from voice.agent.events import Interrupted, Paused, Resumed, SpeechStarted

FRAME, RATE = 320, 16_000


def case(**about: object) -> Case:
    return Case(np.zeros(RATE, np.float32), **about)


def audible(*spans: tuple[float, float], until: float = 6.0) -> list[bool]:
    return [any(a <= place / 50 < b for a, b in spans) for place in range(round(until * 50))]


@pytest.mark.parametrize(
    ("corpus", "text", "within", "whole"),
    [
        ("kathleen", "The voyage was our idea of a good time.", True, True),
        ("ljspeech", "Under the conditions referred to in the previous chapter,", True, False),
        ("ljspeech", "and beyond it was now a day room", True, False),  # a book goes on
        ("librispeech", "Go. Do you hear me?", False, True),
        ("asterisk_allison", "press 0 for help", True, True),  # a prompt has no marks
        ("asterisk_allison", "Please enter the first ...", True, False),
        ("speechocean762", "THE CASE IS STILL ON APPEAL", True, True),
    ],
)
def test_only_whole_single_sentences_count(corpus: str, text: str, within: bool, whole: bool) -> None:
    row = {"corpus": corpus, "text": text, "duration": 3.0}
    assert (is_of_one_sentence(row), is_whole(row)) == (within, whole)


def test_speech_ends_with_its_last_word_and_not_with_the_click_of_a_button_after_it() -> None:
    loud = np.zeros(200, bool)
    loud[20:80] = loud[95:98] = True  # the last is the release of a "t"
    assert last_spoken(loud) == 97
    loud[160:169] = True
    assert last_spoken(loud) == 97
    loud[169] = True  # as long as a word
    assert last_spoken(loud) == 169
    loud[160:170] = False
    loud[122:125] = True  # soon enough after the others
    assert last_spoken(loud) == 124
    loud[180:195] = True  # a word
    assert last_spoken(loud) == 194


def test_an_answer_is_timed_from_the_end_of_speech_and_one_before_it_cuts_off() -> None:
    soon, early = Played(audible=audible((2.4, 4.0))), Played(audible=audible((1.0, 1.2), (3.0, 4.0)))
    found = sentences([(case(end=2.0), soon), (case(end=2.0), early), (case(end=2.0), Played())])
    assert found["answer p50, ms"] == pytest.approx(400)  # of those not cut off
    assert found["cut off, %"] == pytest.approx(100 / 3)
    assert found["cut off and not made good, %"] == 0
    assert found["answered, %"] == pytest.approx(200 / 3)


def test_who_is_talked_over_for_longer_than_a_second_has_been_cut_off_for_good() -> None:
    found = sentences([(case(end=3.0), Played(audible=audible((1.0, 2.5), (3.5, 4.0))))])
    assert found["cut off and not made good, %"] == 100


def test_an_interruption_counts_from_where_it_begins_to_the_halt() -> None:
    caught = Played([Paused(2.2, 1.0), Interrupted(2.9, "so")])
    missed = Played([Paused(2.2, 1.0), Resumed(3.0, 1.0)])
    late = Played([Interrupted(9.0, "so")])
    found = interruptions([(case(marks=(2.0,), end=3.0), played) for played in (caught, missed, late)])
    assert found["interruptions caught, %"] == pytest.approx(100 / 3)
    assert found["silent p50, ms"] == pytest.approx(200)


def test_sounds_after_the_one_that_stopped_it_do_not_count() -> None:
    stopped = Played([Paused(3.0, 1.0), Interrupted(3.5, "so")])
    calm = Played([Paused(3.0, 1.0), Resumed(3.4, 1.0)])
    marks = {"marks": (2.5, 6.1, 9.7), "kind": "claps"}
    found = distractions([(case(**marks), stopped), (case(**marks), calm)])
    assert found["claps stop it, % of 4"] == 25
    assert found["hesitated at most, s"] == pytest.approx(0.4)


def test_an_onset_is_kept_where_the_pre_roll_reaches_it() -> None:
    kept, lost = Played([SpeechStarted(0.5, 0.3)]), Played([SpeechStarted(1.0, 0.7)])
    assert onsets([(case(), kept), (case(), lost), (case(), Played())])["onset recall, %"] == pytest.approx(
        100 / 3
    )


def test_a_case_is_played_frame_by_frame_and_heard_back() -> None:
    class Parrot:
        def __init__(self) -> None:
            self.heard, self.asked, self.closed = [], "", False

        def ask(self, text: str) -> None:
            self.asked = text

        def exchange(self, heard: np.ndarray):
            self.heard.append(heard)
            return np.full(FRAME, 0.1, np.float32), [SpeechStarted(0.0, 0.0)]

        def close(self) -> None:
            self.closed = True

    parrot = Parrot()
    room = (np.ones(1, np.float32), 0.0)
    played = play(parrot, Case(np.zeros(5 * FRAME, np.float32), "tell", room=room))
    assert (parrot.asked, parrot.closed, len(played.events)) == ("tell", True, 5)
    assert played.audible == [True] * 5
    assert np.allclose(parrot.heard[1], 0.1, atol=1e-5) and not parrot.heard[0].any()


def test_aims_are_shown_where_there_are_any() -> None:
    assert (
        requirement("coughs stop it, % of 3") == "≤ 2"
        and requirement("answer p50, ms")
        and requirement("answered, %") == ""
    )


def frames(seconds: float) -> np.ndarray:
    return np.ones(round(seconds * RATE), np.float32)


def test_the_buffer_waits_for_its_cushion_and_then_plays_all() -> None:
    buffer = Buffer()
    buffer.add(frames(CUSHION - 0.02))
    assert not buffer.play().any()
    buffer.add(frames(0.04))
    assert sum(buffer.play().sum() for _ in range(10)) == pytest.approx(RATE * (CUSHION + 0.02))
    assert buffer.played == pytest.approx(CUSHION + 0.02)


def test_a_short_answer_that_is_whole_does_not_wait() -> None:
    buffer = Buffer()
    buffer.add(frames(0.02))
    buffer.end()
    assert buffer.play().any()


def test_running_dry_inside_of_an_answer_is_a_gap_after_which_more_is_held() -> None:
    buffer = Buffer()
    buffer.add(frames(CUSHION))
    for _ in range(round(CUSHION * 50) + 3):
        buffer.play()
    buffer.add(frames(CUSHION + GROWTH))
    assert buffer.play().any()
    assert buffer.gaps == [pytest.approx(0.06)]
    buffer.end()
    for _ in range(20):
        buffer.play()
    buffer.add(frames(1))
    buffer.play()
    assert len(buffer.gaps) == 1  # between two answers there may be silence


def test_a_held_buffer_is_silent_and_counts_no_gap() -> None:
    buffer = Buffer()
    buffer.add(frames(1))
    buffer.held = True
    assert not buffer.play().any() and not buffer.gaps
    buffer.held = False
    assert buffer.play().any()


def test_modelled_work_is_done_when_its_time_has_come() -> None:
    now, clock = [0.0], iter([1.0, 1.2])
    lane = Beside(lambda: now[0]).lane(lambda: next(clock))
    task = lane.start(lambda: "words", 5.0)
    assert not task.done
    now[0] = 5.31
    assert task.done and task.result() == "words"
