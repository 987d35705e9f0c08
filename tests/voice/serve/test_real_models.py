"""The server with real models and real speech."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the server is not installed; pip install '.[serve]'")

from fakes.realtime import running_app
from openai import OpenAI

from voice import audio
from voice.manifest import read_manifest
from voice.metrics import word_errors
from voice.serve import Services, Settings, build


def test_a_recording_is_transcribed_spoken_and_transcribed_again(corpora: Path, whisper_tiny: Path) -> None:
    clip = read_manifest(corpora / "kathleen" / "dev.jsonl")[0]
    services = Services(Settings(model="whisper-tiny.en", threads=1))
    with (
        running_app(build(services)) as port,
        OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none") as client,
    ):
        create = client.audio.transcriptions.create
        with Path(clip.audio).open("rb") as file:
            heard = create(model="whisper-1", file=file, response_format="verbose_json",
                           timestamp_granularities=["word"])  # fmt: skip
        spoken = client.audio.speech.create(model="tts-1", voice="alloy", input=heard.text).read()
        parts = list(create(model="whisper-1", file=("a.mp3", spoken), stream=True))
    assert heard.words and heard.words[-1].end <= heard.duration
    assert audio.read(io.BytesIO(spoken)).duration > 0.5
    assert "".join(part.delta for part in parts[:-1]) == parts[-1].text
    assert word_errors(heard.text, parts[-1].text).rate < 0.3
