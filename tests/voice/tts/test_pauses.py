"""Pauses between sentences: how long, and how the sound beside them is trimmed."""

from __future__ import annotations

import numpy as np
import pytest

from voice.text.reading import SpokenSentence
from voice.tts.pauses import LEAD, TAIL, Pause, pause_after, pause_following, silence, trim, trim_pieces
from voice.types import Audio, Controls, Mark, Speech, Word

RATE = 24_000


def words(count=20, length=0.25, gap=0.05, start=0.1):
    times = [start + i * (length + gap) for i in range(count)]
    return tuple(Word(f"w{i}", time, time + length) for i, time in enumerate(times))


@pytest.mark.parametrize(
    ("controls", "pauses"),
    [
        (Controls(), [Pause(0.15), Pause(0.4), Pause(0.8)]),
        (Controls(speed=2.0, pause=3.0), [Pause(0.15 / 2 * 3), Pause(0.4 / 2 * 3), Pause(0.8 / 2 * 3)]),
        (Controls(pause=0.0), [Pause(0.0), Pause(0.0), Pause(0.0)]),
        (
            Controls(pause=0.5, speed=2.0, clause_pause=0.2, sentence_pause=2.0, paragraph_pause=0.0),
            [Pause(0.1, exact=True), Pause(1.0, exact=True), Pause(0.0, exact=True)],
        ),
    ],
)
def test_controls_decide_on_pauses_and_seconds_that_are_given_are_exact(controls, pauses):
    assert [pause_after(after, controls) for after in ("clause", "sentence", "paragraph")] == pauses


def test_markup_goes_before_controls():
    sentence = SpokenSentence("A", "A", (0,), (), pause=0.7)
    assert pause_following(sentence, Controls(sentence_pause=2.0)) == Pause(0.7, exact=True)


def test_a_silence_ends_with_its_marks():
    made = silence(1000, 0.25, ["a", "b"])
    assert made.marks == (Mark("a", 0.25), Mark("b", 0.25)) and not made.audio.samples.any()
    assert made.audio.duration == 0.25


def test_sound_begins_and_ends_at_once_beside_exact_pauses():
    samples = np.zeros(RATE, np.float32)
    samples[6000:18000] = 0.5
    speech = Speech(Audio(samples, RATE), "a b", (Word("a", 0.2, 0.4), Word("b", 0.5, 0.7)))
    free, exact = trim(speech), trim(speech, after_exact=True, before_exact=True)
    assert free.audio.duration == pytest.approx(0.75 + TAIL - (0.2 - LEAD), abs=1e-3)
    assert free.words[0].start == pytest.approx(LEAD, abs=1e-4)
    assert exact.audio.duration == pytest.approx(0.5 + 0.003 + 0.005, abs=1e-3)
    assert exact.words[0].start == pytest.approx(0.003, abs=1e-4)
    assert exact.words[-1].end == pytest.approx(0.503, abs=1e-3)


@pytest.mark.parametrize("ending", [0.5, 0.01, 0.0001])
@pytest.mark.parametrize("size", [1, 700, 9000])
def test_trimming_does_not_depend_on_the_pieces(ending, size):
    """`ending`: how loud it is after the last word, beside a peak of 1; 0.001 is silence."""
    said = words(2)
    samples = np.random.default_rng(0).uniform(-1, 1, RATE).astype(np.float32)
    stop = round(said[-1].end * RATE)
    samples[stop:] *= ending
    samples[stop + 2000 :] = 0
    (whole,) = trim_pieces(said, [samples], RATE)
    parts = list(trim_pieces(said, [samples[i : i + size] for i in range(0, RATE, size)], RATE))
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert len(whole) == round((LEAD + TAIL) * RATE) + stop - 2400 + (2000 if ending > 0.001 else 0)
    assert whole[0] == 0 == whole[-1]
