"""Many voices at once give no loops, and what is really said again and again stays."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from voice import audio
from voice.asr.whisper.recognizer import Whisper
from voice.asr.whisper.repeats import has_loop
from voice.loading import load
from voice.types import Audio, Transcript

RATE = 16_000


@pytest.fixture(scope="module")
def recognizer(whisper_base: Path) -> Whisper:
    return load("whisper-base", kind="recognizer", threads=2)


def clip(corpora: Path, name: str, wanted: str) -> np.ndarray:
    rows = map(json.loads, (corpora / f"{name}.jsonl").read_text("utf-8").splitlines())
    row = next(row for row in rows if wanted in (row["text"] or row["id"]))
    return audio.read(corpora / Path(name).parent / row["audio"], RATE).samples


def of_length(heard: Transcript) -> bool:
    times = [time for word in heard.words for time in (word.start, word.end)]
    return times == sorted(times) and all(word.end - word.start > 0.001 for word in heard.words)


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_crowd_gives_no_loop(corpora: Path, recognizer: Whisper, language: str) -> None:
    crowd = clip(corpora, "noise/train", "babble_08voices")[: 20 * RATE]
    heard = recognizer.transcribe(Audio(crowd * 0.05 / crowd.std(), RATE), language=language)
    assert not has_loop(heard.text.lower().split()) and len(heard.words) <= 5
    assert of_length(heard)


def test_a_sentence_that_is_said_seven_times_is_written_seven_times(
    corpora: Path, recognizer: Whisper
) -> None:
    sentence = clip(corpora, "asterisk_allison/dev", "To remove the participant")
    speech = np.concatenate([sentence, np.zeros(RATE // 10, np.float32)] * 7)  # 28 s
    heard = recognizer.transcribe(Audio(speech, RATE), language="en")
    assert heard.text.lower().count("remove the participant") == 7
    assert of_length(heard)
