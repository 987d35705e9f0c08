"""One hostile file at each of the four doors: command, Python, HTTP and page answer with one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fakes import media_files

pytest.importorskip("gradio", reason="gradio is not installed; pip install '.[app]'")

import gradio as gr
from fakes.agent import LoudIsSpeech
from fakes.serve import Counting, World, recording, serving
from typer.testing import CliRunner

import voice
from page.transcribe import transcribe
from voice import loading, simple
from voice.cli import app as command
from voice.errors import AudioError
from voice.serve import Services, Settings

HOSTILE = {  # name: (what it is, what is said of it)
    "itself.m3u8": (media_files.SCRIPTS["itself.m3u8"].encode(), "cannot be read as sound or video"),
    "tones.sbg": (media_files.SCRIPTS["tones.sbg"].encode(), "cannot be read as sound or video"),
    "slow.flac": (media_files.flac(1, 200_000), "has 1 samples per second"),
    "tables.mp4": (media_files.claiming(2**25), "claims more pieces than a recording has"),
    "cut.m4a": (media_files.healthy("m4a")[:-3000], "cannot be read as sound or video"),
}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with serving(Settings(minutes=2.0)) as world:
        yield world


@pytest.fixture(params=HOSTILE)
def hostile(request, tmp_path: Path) -> tuple[Path, str]:
    """A file, and the beginning of the sentence about it: its name and what is wrong."""
    content, wrong = HOSTILE[request.param]
    path = tmp_path / request.param
    path.write_bytes(content)
    return path, f"{request.param} {wrong}"


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Services:
    """Models that are made up, wherever a door looks for some."""
    made = {"recognizer": Counting()}
    monkeypatch.setattr(simple, "_recognizer", lambda name, threads=None: made["recognizer"])
    monkeypatch.setattr(loading, "open_model", lambda name, kind, **_: made[kind])
    monkeypatch.setattr(simple, "detector", LoudIsSpeech)
    return Services(Settings(), loader=lambda name, kind: made[kind], detector=LoudIsSpeech)


def test_in_the_command_and_the_recording_after_it_is_heard(
    hostile: tuple[Path, str], fakes: Services
) -> None:
    path, says = hostile
    healthy = path.with_name("healthy.wav")
    healthy.write_bytes(recording(2.0))
    done = CliRunner().invoke(command, ["transcribe", str(path), str(healthy)])
    assert done.exit_code == 1
    assert says in done.stderr and "Traceback" not in done.stderr
    assert "one" in done.stdout


def test_in_python(hostile: tuple[Path, str], fakes: Services) -> None:
    path, says = hostile
    for source in (path, path.open("rb")):
        with pytest.raises(AudioError, match=says):
            voice.transcribe(source)


def test_on_the_page(hostile: tuple[Path, str], fakes: Services) -> None:
    path, says = hostile
    with pytest.raises(gr.Error) as error:
        list(transcribe(fakes, str(path), "whisper-base", "Detect", False, lambda *_: None))
    assert str(error.value.message).startswith(says)  # without the folder, which is nobody's business


def test_the_page_tells_of_a_loss_by_the_name_of_the_file_alone(fakes: Services, tmp_path: Path) -> None:
    path = tmp_path / "<b>half.wav"
    whole = media_files.healthy("wav")
    path.write_bytes(whole[: len(whole) // 2])
    *_, (_, status, *_) = transcribe(fakes, str(path), "whisper-base", "Detect", False, lambda *_: None)
    assert "half.wav is damaged: 1.0 s of 2.0 s of its sound are lost" in status
    assert str(tmp_path) not in status and "<b>half" not in status


def test_over_http(hostile: tuple[Path, str], world: World) -> None:
    path, says = hostile
    files = {"file": (path.name, path.read_bytes())}
    answer = httpx.post(f"{world.url}/v1/audio/transcriptions", files=files, data={"model": "whisper-1"})
    assert answer.status_code == 400 and answer.json()["error"]["message"].startswith(says)
    assert world.slots.free()
