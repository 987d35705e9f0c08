"""What holds no speech gives no words: detector, recognizer and long-form together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from voice import audio
from voice.asr.whisper.recognizer import Whisper
from voice.silero import Silero
from voice.transcription import Transcriber

RATE = 16_000
SECONDS = 30


def melody(clock: np.ndarray) -> np.ndarray:
    """Notes that fade, each half a second long: the detector takes some of it for speech."""
    notes = np.random.default_rng(0).choice([220, 247, 262, 294, 330, 349, 392, 440], 2 * SECONDS)
    hertz = notes[(clock * 2).astype(int)]
    fading = np.exp(-(clock % 0.5) * 5)
    return 0.2 * fading * sum(np.sin(2 * np.pi * hertz * part * clock) / part for part in (1, 2, 3, 4))


def sound_without_speech(kind: str) -> np.ndarray:
    clock = np.arange(SECONDS * RATE) / RATE
    draw = np.random.default_rng(0)
    sounds = {
        "silence": lambda: np.zeros(len(clock)),
        "white noise": lambda: draw.normal(0, 0.1, len(clock)),
        "hum": lambda: 0.2 * np.sin(2 * np.pi * 50 * clock) + 0.1 * np.sin(2 * np.pi * 150 * clock),
        "chord": lambda: 0.1 * sum(np.sin(2 * np.pi * hertz * clock) for hertz in (220, 277, 330)),
        "siren": lambda: 0.3 * np.sin(2 * np.pi * 300 * clock + 20 * np.sin(2 * np.pi * 5 * clock)),
        "melody": lambda: melody(clock),
    }
    return sounds[kind]().astype(np.float32)


@pytest.fixture(scope="module")
def recognizer(whisper_tiny: Path) -> Whisper:
    return Whisper.open(whisper_tiny, threads=1)


@pytest.fixture(scope="module")
def detector() -> Silero:
    return Silero.open()


@pytest.mark.parametrize("kind", ["silence", "white noise", "hum", "chord", "siren", "melody"])
def test_made_sounds_have_no_words(recognizer: Whisper, detector: Silero, kind: str) -> None:
    assert Transcriber(recognizer, detector).transcribe([sound_without_speech(kind)]).text == ""


def test_recorded_noises_have_no_words(corpora: Path, recognizer: Whisper, detector: Silero) -> None:
    rows = map(json.loads, (corpora / "noise/test.jsonl").read_text().splitlines())
    for row in rows:
        if "babble" not in row["id"]:  # which is speech, after all
            blocks = audio.blocks(corpora / "noise" / row["audio"], RATE)
            heard = Transcriber(recognizer, detector).transcribe(blocks)
            assert (row["id"], heard.text) == (row["id"], "")
