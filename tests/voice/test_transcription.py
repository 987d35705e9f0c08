from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pytest
from fakes.agent import RATE, LoudIsSpeech

from voice.abilities import Traits
from voice.asr.diarization.speakers import SpeakerTurn
from voice.errors import VoiceError
from voice.transcription import Transcriber, TranscriptionRequest
from voice.types import UNDETERMINED, Audio, Segment, Transcript, Word


class Lengths:
    """A recognizer that writes how many seconds it heard, in the language that it is told."""

    rate, languages = RATE, frozenset({"fi", "fr"})

    def __init__(self, **traits: float) -> None:
        self.traits = Traits(**{"packed": 4.0, "batch": 1, **traits})
        self.asked: list[tuple[int, str | None, tuple[str, ...], str]] = []

    def transcribe_batch(
        self, speeches: Sequence[Audio], *, language: str | None, hotwords: Sequence[str], task: str
    ) -> list[Transcript]:
        self.asked.append((len(speeches), language, tuple(hotwords), task))
        return [self._one(speech, language or "fi") for speech in speeches]

    def _one(self, speech: Audio, language: str) -> Transcript:
        word = Word(f"{speech.duration:.0f}", 1.0, speech.duration - 1.0)
        return Transcript((Segment(word.text, word.start, word.end, (word,)),), language, speech.duration)


class TakesTurns:
    """Tells two people apart, who take turns every six seconds; counts the sound that it hears."""

    def __init__(self) -> None:
        self.seconds, self.counts = 0.0, []

    def stream(self) -> TakesTurns:
        return self

    def through(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for block in blocks:
            self.seconds += len(block) / RATE
            yield block

    def turns(self, count: int | None) -> tuple[SpeakerTurn, ...]:
        self.counts.append(count)
        return tuple(SpeakerTurn(n % 2, n * 6.0, n * 6.0 + 6.0) for n in range(4))


def talk(*seconds: float) -> Iterator[np.ndarray]:
    """Speech of these lengths, three seconds of silence before each, in blocks of a second."""
    parts = [
        np.full(round(length * RATE), level, np.float32)
        for speech in seconds
        for length, level in ((3, 0.0), (speech, 0.3))
    ]
    sound = np.concatenate([*parts, np.zeros(3 * RATE, np.float32)])
    return (sound[at : at + RATE] for at in range(0, len(sound), RATE))


def test_the_parts_joined_are_the_whole() -> None:
    transcriber = Transcriber(Lengths(), LoudIsSpeech())
    parts = list(transcriber.stream(talk(2, 1, 2)))
    whole = transcriber.transcribe(talk(2, 1, 2))
    assert len(parts) == 3
    assert whole.segments == tuple(segment for part in parts for segment in part.segments)
    assert whole.duration == pytest.approx(17.0)


def test_the_whole_may_be_asked_for_after_some_parts() -> None:
    transcriber = Transcriber(Lengths(), LoudIsSpeech())
    transcription = transcriber.stream(talk(2, 1, 2))
    next(transcription)
    assert transcription.whole() == transcriber.transcribe(talk(2, 1, 2)) == transcription.whole()


def test_parts_come_before_the_recording_has_been_read() -> None:
    seen: list[float] = []
    next(Transcriber(Lengths(), LoudIsSpeech()).stream(talk(2, 1, 2), progress=seen.append))
    assert 6 < seen[-1] < 17


def test_what_is_asked_for_reaches_the_recognizer() -> None:
    recognizer = Lengths()
    request = TranscriptionRequest("French", ("Ada",), "translate")
    assert Transcriber(recognizer, LoudIsSpeech()).transcribe(talk(1), request).language == "fr"
    assert recognizer.asked == [(1, "fr", ("Ada",), "translate")]


def test_the_language_of_the_first_speech_holds_for_all() -> None:
    recognizer = Lengths()
    assert Transcriber(recognizer, LoudIsSpeech()).transcribe(talk(2, 1, 2)).language == "fi"
    assert [language for _, language, *_ in recognizer.asked] == [None, "fi", "fi"]


def test_without_speech_no_language_is_claimed() -> None:
    transcriber = Transcriber(Lengths(), LoudIsSpeech(), TakesTurns())
    silence = [np.zeros(2 * RATE, np.float32)]
    assert transcriber.transcribe(silence) == Transcript((), UNDETERMINED, 2.0)
    assert transcriber.transcribe(silence, TranscriptionRequest("fr")).language == "fr"
    assert transcriber.transcribe([]).duration == 0.0


def test_an_unknown_language_is_refused_before_anything_is_read() -> None:
    def unread() -> Iterator[np.ndarray]:
        raise AssertionError("it is read")
        yield

    with pytest.raises(VoiceError, match="does not know German"):
        Transcriber(Lengths(), LoudIsSpeech()).stream(unread(), TranscriptionRequest("de"))


@pytest.mark.parametrize("speaker_count", [None, 2])
def test_people_are_told_apart_at_the_end(speaker_count: int | None) -> None:
    diarizer = TakesTurns()
    transcription = Transcriber(Lengths(), LoudIsSpeech(), diarizer).stream(
        talk(2, 1, 2), TranscriptionRequest(speaker_count=speaker_count)
    )
    assert all(segment.speaker is None for part in transcription for segment in part.segments)
    assert not diarizer.counts
    found = [segment.speaker for segment in transcription.whole().segments]
    assert found == ["Speaker 1", "Speaker 2", "Speaker 1"]
    assert (diarizer.counts, diarizer.seconds) == ([speaker_count], pytest.approx(17.0))


def test_the_batch_is_that_of_the_recognizer_if_none_is_given() -> None:
    for batch, sizes in ((None, [2, 1]), (1, [1, 1, 1])):
        recognizer = Lengths(batch=2)
        Transcriber(recognizer, LoudIsSpeech(), batch=batch).transcribe(talk(2, 1, 2))
        assert [count for count, *_ in recognizer.asked] == sizes


def test_memory_does_not_grow_with_the_recording() -> None:
    alive: list[weakref.ref[np.ndarray]] = []
    most = 0

    def blocks() -> Iterator[np.ndarray]:
        nonlocal most
        for block in talk(*[1.0] * 60):
            own = block.copy()
            alive.append(weakref.ref(own))
            yield own
            most = max(most, sum(each() is not None for each in alive))

    assert len(Transcriber(Lengths(), LoudIsSpeech()).transcribe(blocks()).segments) == 60
    assert most < 30  # of 243 seconds


def test_a_transcription_that_is_closed_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    transcription = Transcriber(Lengths(workers=2), LoudIsSpeech()).stream(
        talk(2, 1, 2), TranscriptionRequest("fi")
    )
    next(transcription)
    transcription.close()
    assert threading.active_count() == before
