from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from recipes.ctc import speak
from voice import audio
from voice.errors import TextError, VoiceError
from voice.types import Audio, Controls, Speech


class Beeping:
    """A voice that beeps for a second a sentence, and cannot read a dash."""

    rate = 24_000

    def speak(self, text: str, controls: Controls) -> Iterator[Speech]:
        if text == "a —":
            raise TextError("nothing to read")
        yield Speech(Audio(np.full(self.rate, 0.1, np.float32), self.rate), ())


@pytest.fixture
def sentences(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(speak, "load_voice", lambda name, threads: Beeping())
    path = tmp_path / "sentences.txt"
    path.write_text("One.\n\n42\nTwo.\na —\nThree.\n" + "very " * 100 + "long\nFour.\n", "utf-8")
    return path


def rows(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "train.jsonl").read_text("utf-8").splitlines()]


def test_voices_take_turns_over_the_sentences_that_can_be_read(sentences, tmp_path):
    speak.main(speak.Options(text=(sentences,), voice=("heart", "lj"), out=tmp_path / "out"))
    found = rows(tmp_path / "out")
    assert [(row["text"], row["speaker"]) for row in found] == [
        ("One.", "heart"), ("Two.", "lj"), ("Three.", "lj"), ("Four.", "heart"),
    ]  # fmt: skip
    for row in found:
        sound = audio.read(tmp_path / "out" / row["audio"])
        assert sound.rate == row["sample_rate"] == 16_000 and sound.duration == row["duration"] == 1.0


def test_it_goes_on_after_the_last_sentence_until_there_are_enough_hours(sentences, tmp_path):
    def read(seconds: float) -> list[str]:
        hours = seconds / 3600
        speak.main(speak.Options(text=(sentences,), voice=("lj",), hours=hours, out=tmp_path / "out"))
        return [row["text"] for row in rows(tmp_path / "out")]

    assert read(1.5) == ["One.", "Two."]
    first = (tmp_path / "out" / "000000.flac").read_bytes()
    assert read(9.0) == ["One.", "Two.", "Three.", "Four."]
    assert (tmp_path / "out" / "000000.flac").read_bytes() == first


@pytest.mark.parametrize("content", [b"42\n\n", b"\xff\xfe", None])
def test_a_text_without_a_sentence_is_refused(tmp_path, content):
    path = tmp_path / "text.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(VoiceError, match="--text"):
        speak.main(speak.Options(text=(path,), out=tmp_path / "out"))
