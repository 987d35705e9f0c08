from __future__ import annotations

import numpy as np
import pytest

import voice
from benchmarks.conversations import errors, talks
from voice import loading
from voice.asr.diarization.speakers import FRAMES, RATE, SEGMENTATION_WINDOW, Diarizer, SpeakerTurn
from voice.errors import ModelDamaged

LOW, HIGH = 300.0, 2000.0  # Hz: two people who hum
SILENCE, FIRST, SECOND, BOTH = 0, 1, 2, 4  # classes of the segmentation network


class Input:
    name = "x"


class HearsHum:
    """A segmentation network that tells two hums apart; the first in a window is its first voice."""

    def get_inputs(self):
        return [Input]

    def run(self, _, given):
        (sound,) = given.values()
        assert sound.shape == (1, 1, SEGMENTATION_WINDOW) and sound.dtype == np.float32
        frames = sound[0, 0][495 + np.arange(FRAMES)[:, None] * 270 + np.arange(-270, 270)]
        power = np.abs(np.fft.rfft(frames))
        pitches = [power[:, round(hertz * 540 / RATE)] > 20 for hertz in (LOW, HIGH)]
        if not pitches[0].any() or (pitches[1].any() and pitches[1].argmax() < pitches[0].argmax()):
            pitches.reverse()
        classes = np.where(
            pitches[0], np.where(pitches[1], BOTH, FIRST), np.where(pitches[1], SECOND, SILENCE)
        )
        return [np.eye(7, dtype=np.float32)[classes][None]]


class MeanSpectrum:
    """An embedding network to which people differ by where their spectrum is loudest."""

    def get_inputs(self):
        return [Input]

    def run(self, _, given):
        (mel,) = given.values()
        assert mel.shape[0] == 1 and mel.shape[2] == 80 and mel.dtype == np.float32
        return [np.eye(80, dtype=np.float32)[[np.abs(mel[0]).mean(axis=0).argmax()]]]


class Spectra(Diarizer):
    """The mean is what these tell apart, so it stays."""

    def _vector(self, mel):
        return np.eye(80, dtype=np.float32)[mel.mean(axis=0).argmax()]


def hum(*turns: tuple[float, float, float], seconds: float) -> np.ndarray:
    """(hertz, start, end) of each turn, added up."""
    clock = np.arange(round(seconds * RATE)) / RATE
    parts = (0.3 * np.sin(2 * np.pi * hertz * clock) * ((clock >= a) & (clock < b)) for hertz, a, b in turns)
    return sum(parts, np.zeros(len(clock))).astype(np.float32)


def turns_of(samples: np.ndarray, block: int = 0, count: int | None = None) -> tuple[SpeakerTurn, ...]:
    diarization = Spectra(HearsHum(), MeanSpectrum()).stream()
    for first in range(0, len(samples), block or len(samples)):
        diarization.feed(samples[first : first + (block or len(samples))])
    return diarization.turns(count)


TALK = hum((HIGH, 0.5, 4), (LOW, 4.5, 13), (HIGH, 14, 17), (LOW, 16, 22.5), seconds=24)


def test_finds_the_same_people_again_in_every_window_and_counts_them_as_they_appear():
    turns = turns_of(TALK)
    assert [turn.speaker for turn in turns] == [0, 1, 0, 1]
    expected = [0.5, 4, 4.5, 13, 14, 17, 16, 22.5]
    assert [t for turn in turns for t in (turn.start, turn.end)] == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("block", [999, 16_000, 100_000])
def test_stream_equals_whole(block):
    assert turns_of(TALK, block) == turns_of(TALK)


def test_one_person_where_one_is_asked_for():
    assert {turn.speaker for turn in turns_of(TALK, count=1)} == {0}


@pytest.mark.parametrize("seconds", [0, 0.01, 3, 12])
def test_silence_has_no_turns(seconds):
    assert turns_of(np.zeros(int(seconds * RATE) + 1, np.float32)) == ()


def test_nothing_has_no_turns():
    assert Diarizer(HearsHum(), MeanSpectrum()).stream().turns() == ()


def test_blocks_pass_through_unchanged_and_are_diarized():
    diarization = Spectra(HearsHum(), MeanSpectrum()).stream()
    blocks = [TALK[:100_000], TALK[100_000:]]
    passed = list(diarization.through(blocks))
    assert all(a is b for a, b in zip(passed, blocks, strict=True))
    assert diarization.turns() == turns_of(TALK)


def test_turns_may_be_asked_for_before_the_end():
    diarization = Spectra(HearsHum(), MeanSpectrum()).stream()
    diarization.feed(TALK[: 8 * RATE])
    assert [turn.speaker for turn in diarization.turns()] == [0, 1]
    diarization.feed(TALK[8 * RATE :])
    assert diarization.turns() == turns_of(TALK)


def test_says_what_is_missing(tmp_path):
    with pytest.raises(ModelDamaged, match="segmentation.onnx is missing"):
        Diarizer.open(tmp_path)


def test_tells_real_people_apart(corpora):
    speakers = loading.load("speakers", kind="speakers", threads=1)
    (talk,) = talks(corpora / "librispeech" / "untranscribed.jsonl", 1, (2,), 3, seed=5)
    diarization = speakers.stream()
    diarization.feed(talk.samples)
    assert errors(talk.turns, diarization.turns(2)).rate < 0.1


def test_errors_are_none_whatever_people_are_called():
    truth = [SpeakerTurn(0, 0, 4), SpeakerTurn(1, 5, 9)]
    assert errors(truth, [SpeakerTurn(1, 0, 4), SpeakerTurn(0, 5, 9)]).rate == 0
    assert errors(truth, [SpeakerTurn(0, 0.2, 4.2), SpeakerTurn(1, 5, 8.8)]).rate == 0


def test_errors_are_missed_invented_and_confused():
    truth = [SpeakerTurn(0, 0, 4), SpeakerTurn(1, 5, 9)]
    assert errors(truth, []).missed == pytest.approx(7, abs=0.05)
    assert errors(truth, [SpeakerTurn(0, 0, 9)]).confused == pytest.approx(3.5, abs=0.05)
    assert errors(truth, [*truth, SpeakerTurn(2, 0, 9)]).invented == pytest.approx(7.5, abs=0.05)


@pytest.mark.parametrize("count", [0, -2])
def test_fewer_than_one_person_cannot_be_asked_for(count):
    with pytest.raises(ValueError, match="give True or how many there are"):
        voice.transcribe(TALK, rate=RATE, speakers=count)
