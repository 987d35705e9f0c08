from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voice import audio
from voice.asr.ctc.alphabet import BLANK, CLASSES, FRAME, letters_of, spell
from voice.asr.ctc.forced_alignment import END_LAG, START_LEAD, align_words, end_of_text
from voice.loading import load


def frame_log_probs(text: str, frames: list[int], total: int) -> np.ndarray:
    """(total, 29) log-probabilities in which each letter of `text` is heard in one frame."""
    chances = np.full((total, CLASSES), 1e-4)
    chances[:, BLANK] = 0.99
    for label, frame in zip(spell(text).labels, frames, strict=True):
        chances[frame] = 1e-4
        chances[frame, label] = 0.99
    return np.log(chances).astype(np.float32)


def evenly(text: str, first: int = 10, step: int = 5) -> tuple[np.ndarray, list[int]]:
    frames = list(range(first, first + step * len(spell(text).labels), step))
    return frame_log_probs(text, frames, frames[-1] + 50), frames


def test_a_word_lasts_from_its_first_letter_to_its_last() -> None:
    log_probs, frames = evenly("so far")
    so, far = align_words(["so", " far"], log_probs, 3.0)
    assert so.start == pytest.approx(frames[0] * FRAME - START_LEAD)
    assert so.end == pytest.approx((frames[1] + 1) * FRAME + END_LAG)
    assert far.start == pytest.approx(frames[3] * FRAME - START_LEAD)
    assert far.end == pytest.approx((frames[5] + 1) * FRAME + END_LAG)


def test_figures_and_money_own_the_letters_that_are_heard_for_them() -> None:
    texts = [" Mr.", " Smith", " paid", " $20", " for", " twenty-two."]
    log_probs, _ = evenly("".join(texts))
    aligned = align_words(texts, log_probs, 9.0)
    assert [letters_of(each.labels) for each in aligned] == [
        "mister",
        "smith",
        "paid",
        "twentydollars",
        "for",
        "twentytwo",
    ]
    times = [time for each in aligned for time in (each.start, each.end)]
    assert times == sorted(times)


def test_what_is_not_heard_lies_between_its_neighbors() -> None:
    log_probs, _ = evenly("one two")
    one, dash, two = align_words([" one", " —", " two"], log_probs, 3.0)
    assert (dash.start, dash.end) == (one.end, two.start) and not len(dash.labels)
    alone, word = align_words(["—", " one"], evenly("one")[0], 3.0)
    assert (alone.start, alone.end) == (0.0, word.start)


def test_words_that_cannot_be_there_still_have_times_in_order() -> None:
    texts = [f" word{number}" for number in range(40)]
    aligned = align_words(texts, evenly("no")[0], 0.5)
    times = [time for each in aligned for time in (each.start, each.end)]
    assert times == sorted(times) and 0 <= times[0] and times[-1] <= 0.5


def test_a_text_that_ends_before_the_speech_does_is_known() -> None:
    whole = "one two three four five"
    log_probs, _ = evenly(whole)
    assert end_of_text(whole, whole, log_probs, 8) is None
    end = end_of_text("One, two.", whole, log_probs, 8)
    assert end == pytest.approx(((10 + 5 * 6) + 1) * FRAME + END_LAG)
    assert end_of_text("", whole, log_probs, 8) is None


def test_quick_knows_where_a_sentence_may_end_and_where_not(corpora: Path) -> None:
    recognizer = load("quick", threads=1)
    speech = audio.read(corpora / "kathleen/test/arctic_a0003.flac")
    *before, last = recognizer.transcribe(speech).words
    assert last.end_of_sentence > 0.8 and max(word.end_of_sentence for word in before) < 0.2
    *_, last = recognizer.transcribe(speech.cut(0.0, 2.0)).words
    assert last.end_of_sentence < 0.5


def test_real_words_are_placed_by_the_head_of_quick(corpora: Path) -> None:
    recognizer = load("quick", threads=1)
    speech = audio.read(corpora / "kathleen/test/arctic_a0003.flac")
    words = recognizer.transcribe(speech).words
    times = [time for word in words for time in (word.start, word.end)]
    assert times == sorted(times) and times[-1] <= speech.duration
    starts = {word.text.lower(): word.start for word in words}
    assert starts["that"] == pytest.approx(0.95, abs=0.15) and starts["shook"] == pytest.approx(
        2.43, abs=0.15
    )
    assert recognizer.letter_log_probs(speech).shape[1] == CLASSES
