"""What tests of the commands share."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile
from fakes.cli import RATE, Hummer, LoudIsSpeech, SecondsHeard, tone

import voice.simple
from voice import loading
from voice.errors import ModelMissing


@pytest.fixture
def recognizer(monkeypatch) -> SecondsHeard:
    """All models are fakes; `loads` of the recognizer counts how often one was loaded."""
    ears = SecondsHeard()
    ears.loads = 0

    def load(name: str, *, kind: str, threads=None, progress=None):
        if name not in ("whisper-base", "heart"):
            raise ModelMissing(f'there is no model "{name}"')
        ears.loads += 1
        return {"recognizer": ears, "voice": Hummer()}[kind]

    monkeypatch.setattr(loading, "open_model", load)
    monkeypatch.setattr(voice.simple, "detector", LoudIsSpeech)
    return ears


@pytest.fixture
def recording(tmp_path) -> Path:
    soundfile.write(tmp_path / "two.wav", tone(2), RATE)
    return tmp_path / "two.wav"
