from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pytest

from voice.abilities import Traits
from voice.asr.longform import Piece, Window, pack, transcripts
from voice.types import Audio, Segment, Transcript, Word
from voice.vad import SpeechChunk

RATE = 16_000


class Loudness:
    """A fake detector: speech is what is loud."""

    rate = RATE
    hop = 512

    def stream(self) -> Callable[[np.ndarray], float]:
        return lambda frame: float(np.abs(frame).max())


class Levels:
    """A fake recognizer: the words are the levels that it hears, in percent."""

    rate = RATE

    def __init__(self, **traits: float) -> None:
        self.traits = Traits(**traits)
        self.calls: list[tuple[list[float], str | None, tuple[str, ...], str]] = []

    def transcribe_batch(
        self, speeches: Sequence[Audio], *, language: str | None, hotwords: Sequence[str], task: str
    ) -> list[Transcript]:
        self.calls.append(([speech.duration for speech in speeches], language, tuple(hotwords), task))
        return [self._one(speech) for speech in speeches]

    def _one(self, speech: Audio) -> Transcript:
        levels = np.round(speech.samples * 100).astype(int)
        edges = [0, *(np.flatnonzero(np.diff(levels)) + 1), len(levels)]
        words = tuple(
            Word(str(levels[first]), first / RATE, last / RATE)
            for first, last in zip(edges[:-1], edges[1:], strict=True)
            if levels[first] > 0
        )
        segments = tuple(Segment(word.text, word.start, word.end, (word,)) for word in words)
        return Transcript(segments, "fi", speech.duration)


def sound(*parts: tuple[float, float]) -> np.ndarray:
    """(seconds, loudness) parts, joined."""
    return np.concatenate([np.full(round(seconds * RATE), level, np.float32) for seconds, level in parts])


def blocks(wave: np.ndarray, seconds: float = 1.0) -> Iterator[np.ndarray]:
    size = round(seconds * RATE)
    return (wave[first : first + size] for first in range(0, len(wave), size))


def recognize(
    recognizer: Levels,
    blocks: Iterable[np.ndarray],
    language: str | None = None,
    batch: int | None = None,
    progress: Callable[[float], None] = lambda seconds: None,
) -> Iterator[Segment]:
    """The segments of all windows, as they are recognized."""
    found = transcripts(
        blocks, recognizer, Loudness(), language=language, hotwords=("ninety",), task="translate",
        batch=batch, progress=progress,
    )  # fmt: skip
    for transcript in found:
        yield from transcript.segments


TALK = sound((3, 0), (2, 0.7), (5, 0), (20, 0.8), (4, 0), (15, 0.9), (60, 0), (1, 0.6))
SAID = [("70", 3, 5), ("80", 10, 30), ("90", 34, 49), ("60", 109, 110)]


def test_words_come_with_the_times_of_the_recording() -> None:
    segments = list(recognize(Levels(), blocks(TALK)))
    words = [word for segment in segments for word in segment.words]
    assert [word.text for word in words] == [text for text, _, _ in SAID]
    for word, (_, start, end) in zip(words, SAID, strict=True):
        assert (word.start, word.end) == pytest.approx((start, end), abs=1e-3)
    assert [(s.start, s.end) for s in segments] == [(w.start, w.end) for w in words]


def test_stream_equals_whole_however_it_is_cut() -> None:
    assert list(recognize(Levels(), blocks(TALK, 0.37))) == list(recognize(Levels(), [TALK]))


def test_windows_are_packed_up_to_their_length_and_go_in_batches() -> None:
    recognizer = Levels()
    list(recognize(recognizer, blocks(np.tile(TALK, 2)), batch=3))
    assert [len(durations) for durations, *_ in recognizer.calls] == [3, 1]
    # Speech and a little of the silence around it: 2 + 20 s, then 15 + 1 + 2 s, and so on.
    assert recognizer.calls[0][0] == pytest.approx([25.1, 22.6, 21.5], abs=0.2)


def test_a_short_recognizer_gets_short_windows() -> None:
    recognizer = Levels(longest=10.0)
    segments = list(recognize(recognizer, blocks(TALK)))
    assert max(max(durations) for durations, *_ in recognizer.calls) <= 10
    assert sum(segment.end - segment.start for segment in segments) == pytest.approx(38, abs=0.01)


def test_the_language_of_the_first_speech_holds_for_all() -> None:
    recognizer = Levels()
    list(recognize(recognizer, blocks(TALK), batch=1))
    assert [call[1] for call in recognizer.calls] == [None, "fi"]
    assert {call[2:] for call in recognizer.calls} == {(("ninety",), "translate")}


def test_silence_gives_nothing_and_asks_nobody() -> None:
    recognizer = Levels()
    assert not list(recognize(recognizer, blocks(sound((10, 0)))))
    assert not list(recognize(recognizer, [])) and not recognizer.calls


def test_progress_counts_the_seconds_that_were_read() -> None:
    seen: list[float] = []
    list(recognize(Levels(), blocks(TALK, 10), progress=seen.append))
    assert seen == pytest.approx([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110])


def test_segments_come_before_the_recording_ends() -> None:
    seen: list[float] = []
    next(recognize(Levels(), blocks(TALK), batch=1, progress=seen.append))
    assert seen[-1] < 60


def test_a_time_at_a_joint_belongs_to_what_begins_or_ends_there() -> None:
    window = Window(Audio(np.zeros(RATE * 4, np.float32), RATE), (Piece(0.0, 10.0), Piece(2.0, 50.0)))
    assert window.time(0.0) == 10.0
    assert window.time(2.0, ending=True) == 12.0
    assert window.time(2.0) == 50.0
    assert window.time(3.5, ending=True) == 51.5


def test_packing_keeps_every_sample_in_order() -> None:
    stretches = [SpeechChunk(i * 10.0, Audio(np.full(RATE * i, i, np.float32), RATE)) for i in range(1, 10)]
    windows = list(pack(stretches, 12.0))
    joined = np.concatenate([window.audio.samples for window in windows])
    np.testing.assert_array_equal(joined, np.concatenate([stretch.audio.samples for stretch in stretches]))
    assert max(window.audio.duration for window in windows) <= 12.0


class Pair(Levels):
    """Two calls at once, the first of which ends after the second."""

    def __init__(self) -> None:
        super().__init__(packed=25, workers=2, batch=1)
        self.second = threading.Event()

    def transcribe_batch(self, speeches, *, language, hotwords, task):
        found = super().transcribe_batch(speeches, language=language, hotwords=hotwords, task=task)
        if any(segment.text == "70" for one in found for segment in one.segments):
            assert self.second.wait(10)
        else:
            self.second.set()
        return found


def test_batches_side_by_side_come_in_order() -> None:
    segments = recognize(Pair(), blocks(TALK), language="fi")
    assert [segment.text for segment in segments] == [text for text, _, _ in SAID]


def test_batches_wait_for_the_language_of_the_first_speech() -> None:
    recognizer = Levels(packed=20, uncut=20, batch=1, workers=2)
    list(recognize(recognizer, blocks(TALK)))
    assert [language for _, language, _, _ in recognizer.calls] == [
        None,
        *["fi"] * (len(recognizer.calls) - 1),
    ]


def test_what_was_read_before_an_error_is_heard_before_it_is_raised() -> None:
    def breaking() -> Iterator[np.ndarray]:
        yield from blocks(TALK)
        raise OSError("the disk is gone")

    for workers in (1, 2):
        recognizer, words = Levels(packed=25, batch=1, workers=workers), []
        with pytest.raises(OSError, match="the disk is gone"):
            for segment in recognize(recognizer, breaking(), language="fi"):
                words.append(segment.text)
        assert words == ["70", "80"]  # of what was read last it is not known whether it had ended


def test_whoever_stops_listening_leaves_no_thread_behind() -> None:
    before, recognizer = threading.active_count(), Levels(packed=25, batch=1, workers=2)
    segments = recognize(recognizer, blocks(TALK), language="fi")
    next(segments)
    segments.close()
    assert threading.active_count() == before
