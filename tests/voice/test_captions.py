from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np
import pytest

from voice import audio
from voice.cli import captions
from voice.cli.captions import in_time, raw
from voice.types import Audio, Segment, Transcript

RATE = 16_000
SOUND = np.concatenate((np.full(2 * RATE, 0.5, np.float32), np.zeros(2 * RATE, np.float32)))


class Loud:
    rate = RATE
    hop = 512

    def stream(self) -> Callable[[np.ndarray], float]:
        return lambda frame: float(np.abs(frame).max() > 0.1)


class Hum:
    """A fake recognizer that hears one word."""

    rate = RATE

    def transcribe(self, speech: Audio, *, language: str | None = None, hotwords: Sequence[str] = ()):
        return Transcript((Segment("Hum.", 0.0, 1.0),), "en", speech.duration)


def heard(source: str, quiet: bool = False) -> Transcript:
    return captions.transcribe(
        source, Hum(), Loud(), language=None, hotwords=(), real_time=False, quiet=quiet
    )


def test_raw_sound_is_cut_anywhere_and_no_sample_is_lost() -> None:
    samples = np.arange(-1000, 1000, dtype="<i2")

    class Drops(io.BytesIO):
        def read1(self, size: int = -1) -> bytes:
            return super().read1(min(size, 7))

    found = np.concatenate(list(raw(Drops(samples.tobytes() + b"x"))))
    np.testing.assert_array_equal(found, samples.astype(np.float32) / 32_768)


def test_an_interrupt_ends_the_sound() -> None:
    def interrupted(size: int) -> bytes:
        raise KeyboardInterrupt

    assert list(raw(SimpleNamespace(read1=interrupted))) == []


def test_blocks_come_when_they_have_been_said() -> None:
    now = [0.0]
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    blocks = in_time([np.zeros(8000)] * 4, RATE, lambda: now[0], sleep)
    next(blocks)
    now[0] += 0.7  # recognizing takes longer than the next block lasts: nobody waits for it
    next(blocks)
    list(blocks)
    assert waits == pytest.approx([0.5, 0.3, 0.5])


def test_prints_each_segment_of_a_file_and_gives_all(tmp_path, capsys) -> None:
    audio.write(tmp_path / "hum.wav", Audio(SOUND, RATE))
    transcript = heard(str(tmp_path / "hum.wav"))
    assert capsys.readouterr().out == "Hum.\n"
    assert (transcript.text, transcript.duration) == ("Hum.", 4.0)
    heard(str(tmp_path / "hum.wav"), quiet=True)
    assert capsys.readouterr().out == ""


def test_hears_raw_sound_on_standard_input(monkeypatch, capsys) -> None:
    pcm = (SOUND * 32_767).astype("<i2").tobytes()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(pcm)))
    assert heard("-").text == "Hum."
    assert capsys.readouterr().out == "Hum.\n"


def test_a_terminal_shows_what_is_being_said(tmp_path, monkeypatch, capsys) -> None:
    audio.write(tmp_path / "hum.wav", Audio(SOUND, RATE))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    heard(str(tmp_path / "hum.wav"))
    assert "Hum." in capsys.readouterr().out
