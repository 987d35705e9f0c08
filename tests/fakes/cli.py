"""The commands of `voice` with a recognizer and a voice that are made up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from typer.testing import CliRunner

from voice.abilities import Traits
from voice.cli import app
from voice.types import Audio, Controls, Segment, Speech, Transcript, Word

RATE = 16_000


class LoudIsSpeech:
    """A detector that takes every sound for speech."""

    rate, hop = RATE, 512

    def stream(self):
        return lambda frame: float(np.abs(frame).max(initial=0.0) > 0.01)


class SecondsHeard:
    """A recognizer that writes down how long it was spoken to."""

    rate, traits = RATE, Traits()

    def __init__(self) -> None:
        self.asked: list[dict] = []

    def transcribe_batch(self, speeches, *, language=None, hotwords=(), task="transcribe"):
        self.asked.append({"language": language, "hotwords": list(hotwords), "task": task})
        return [self._transcript(speech, language or "en") for speech in speeches]

    def _transcript(self, speech: Audio, language: str) -> Transcript:
        text = f"{round(speech.duration)} seconds."
        words = tuple(Word(word, 0.0, speech.duration, 0.5) for word in text.split())
        return Transcript((Segment(text, 0.0, speech.duration, words),), language, speech.duration)


class Hummer:
    """A voice that hums a tenth of a second for every word, a piece for every sentence."""

    rate = 24_000

    def speak(self, text: str, controls: Controls = Controls()) -> Iterator[Speech]:
        for sentence in filter(str.strip, text.split(".")):
            parts = sentence.split()
            step = 0.1 / controls.speed
            tone = np.sin(np.arange(round(step * len(parts) * self.rate)) / 9).astype(np.float32) / 4
            words = tuple(Word(part, at * step, (at + 1) * step) for at, part in enumerate(parts))
            yield Speech(Audio(tone, self.rate), sentence.strip() + ".", words)


def run(*arguments: str | Path, given: bytes | None = None):
    return CliRunner().invoke(app, [str(each) for each in arguments], input=given)


def tone(seconds: float, rate: int = RATE) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 200 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def silent_video(path: Path) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        container.mux(stream.encode(None))


def make_bad(folder: Path, name: str) -> Path:
    """The file of that kind; a missing one is not made."""
    path = folder / name
    match name:
        case "corrupt.mp3":
            path.write_bytes(np.random.default_rng(0).bytes(5000))
        case "empty.wav":
            path.write_bytes(b"")
        case "directory":
            path.mkdir()
        case "text.wav":
            path.write_text("This is no recording. " * 50)
        case "nan.wav":
            soundfile.write(path, np.full(RATE, np.nan, np.float32), RATE, subtype="FLOAT")
        case "silent.mp4":
            silent_video(path)
        case "header.wav":
            soundfile.write(path, np.zeros(0, np.float32), RATE)
    return path
