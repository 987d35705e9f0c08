from __future__ import annotations

import io

import numpy as np
import pytest

from voice.agent.listening.endpointing import (
    BY_SENTENCE,
    HANG,
    MARK,
    USUAL,
    AudioTextEndpointer,
    SentenceEndDetector,
)
from voice.asr.whisper.end_of_turn import FILE_NAME, EndOfTurnHead, average_stretches
from voice.errors import ModelDamaged
from voice.types import Audio


class Counts:
    """An encoder whose every frame is its number; keeps what it heard."""

    rate = 16_000

    detects_end_of_turn = True

    def __init__(self, ending: EndOfTurnHead | None = None) -> None:
        self._ending, self.heard = ending, []

    def end_of_turn(self, speech: Audio) -> float:
        return self._ending(average_stretches(speech, self.encoded))

    def encoded(self, speech: Audio) -> np.ndarray:
        self.heard.append(speech)
        frames = round(speech.duration / 0.02)
        return np.repeat(np.arange(frames, dtype=np.float32)[:, None], 3, axis=1)


def speech(seconds: float) -> Audio:
    return Audio(np.ones(round(16_000 * seconds), np.float32), 16_000)


def test_stretches_are_counted_back_from_the_last_sound() -> None:
    found = average_stretches(speech(3.0), Counts().encoded)  # 150 frames
    assert found.shape == (6, 3)
    assert found[:, 0].tolist() == [74.5, 112.0, 131.0, 141.0, 147.0, 152.0]


def test_only_the_last_seconds_are_heard_and_silence_after_them() -> None:
    counts = Counts()
    average_stretches(speech(9.0), counts.encoded)
    assert counts.heard[0].duration == pytest.approx(4.1)
    assert not counts.heard[0].samples[-1600:].any()


def test_a_short_word_has_all_stretches() -> None:
    assert np.isfinite(average_stretches(speech(0.01), Counts().encoded)).all()


def test_the_chance_rises_with_what_speaks_for_an_end() -> None:
    ending = EndOfTurnHead(np.eye(6, 3), -1.0)
    assert ending(np.zeros((6, 3))) == pytest.approx(0.2689, abs=1e-3)
    assert ending(np.ones((6, 3))) > 0.8


def test_a_folder_without_one_has_none_and_a_broken_one_says_so(tmp_path) -> None:
    assert EndOfTurnHead.find(tmp_path) is None
    (tmp_path / FILE_NAME).write_bytes(b"nothing")
    with pytest.raises(ModelDamaged, match="fetch"):
        EndOfTurnHead.find(tmp_path)


def stored(**arrays: np.ndarray) -> bytes:
    held = io.BytesIO()
    np.savez_compressed(held, **arrays)
    return held.getvalue()


LAYER = stored(weights=np.zeros((6, 3)), bias=np.zeros(()))


@pytest.mark.parametrize(
    "content",
    [
        b"", LAYER[:200], stored(weights=np.zeros((6, 3)), bias=np.zeros(3)),
        LAYER.replace(b"\x08\0\0\0", b"\x63\0\0\0"),  # packed in a way that nobody knows
        stored(weights=np.zeros(1_000_000), bias=np.zeros(())),  # a thousand times as large as its file
    ],
)  # fmt: skip
def test_a_file_of_a_stranger_is_damaged_and_nothing_worse(tmp_path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(LAYER)
    assert EndOfTurnHead.find(tmp_path) is not None
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(ModelDamaged, match="fetch"):
        EndOfTurnHead.find(tmp_path)


def test_what_the_detector_takes_for_speech_after_the_last_sound_is_not_heard() -> None:
    counts = Counts(EndOfTurnHead(np.zeros((6, 3)), 0.0))
    assert SentenceEndDetector(counts).probability(speech(2.0)) == 0.5
    assert counts.heard[0].duration == pytest.approx(2.1 - HANG)


def test_what_sounds_like_no_end_at_all_is_waited_for_longer_than_any_other_whole_sentence() -> None:
    turns = AudioTextEndpointer(SentenceEndDetector(Counts()), silences=BY_SENTENCE)
    assert turns.endpoint_after("What time is it?", 0.001) > 1.5 * turns.endpoint_after(
        "What time is it?", 0.1
    )


def test_the_likelier_a_mark_that_ends_a_sentence_the_shorter_the_silence() -> None:
    turns = AudioTextEndpointer(SentenceEndDetector(Counts()), silences=BY_SENTENCE, mark=MARK)
    waits = [turns.endpoint_after("so it is", 0.7, sure) for sure in (0.0, 0.3, 0.9, 0.99)]
    assert waits == sorted(waits, reverse=True) and waits[0] > 2 * waits[-1]
    assert turns.endpoint_after("so it is", 0.7, USUAL) == turns.endpoint_after("so it is", 0.7, None)
    without = AudioTextEndpointer(SentenceEndDetector(Counts()), silences=BY_SENTENCE)
    assert without.endpoint_after("so it is", 0.7, 0.0) == without.endpoint_after("so it is", 0.7)


@pytest.mark.parametrize("text", ["Who they are.", "so it is", "Set a timer for", "What time is it?"])
def test_the_surer_the_end_the_shorter_the_silence(text: str) -> None:
    turns = AudioTextEndpointer(SentenceEndDetector(Counts()), silences=BY_SENTENCE)
    waits = [turns.endpoint_after(text, chance) for chance in (0.0, 0.3, 0.6, 0.7, 0.85, 0.97)]
    assert waits == sorted(waits, reverse=True)
    assert waits[0] > 2 * waits[-1]
