"""The scripts in examples/, run as they stand in an empty folder."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
Run = Callable[[str], str]
LONGEST = 40  # lines, so that a script is read in one look


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a script without arguments and returns what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(name: str) -> str:
        monkeypatch.setattr("sys.argv", [name])
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("transcribe", "leaves"),
        ("subtitles", "subtitles.vtt: 2 sentences"),
        ("speakers", "Speaker 2: It leaves"),
        ("live_captions", "final: We will meet"),
        ("agent", "agent: There are 2 kilos of sugar."),
    ],
)
def test_what_is_heard_is_printed(whisper_base: Path, run: Run, name: str, expected: str) -> None:
    assert expected in run(name)


@pytest.mark.parametrize(("name", "expected"), [("speak", "9:30,"), ("stream_speech", "bright")])
def test_what_is_spoken_is_printed(run: Run, name: str, expected: str) -> None:
    assert expected in run(name)


def test_openais_client_is_answered(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fastapi")
    pytest.importorskip("openai")
    from fakes.serve import serving

    with serving() as world:
        monkeypatch.setenv("VOICE_URL", f"{world.url}/v1")
        run("openai_client")
    assert Path("boat.mp3").stat().st_size > 0


def test_every_example_is_short_and_listed() -> None:
    listed = (EXAMPLES / "README.md").read_text("utf-8")
    for path in EXAMPLES.glob("*.py"):
        assert len(path.read_text("utf-8").splitlines()) <= LONGEST
        assert f"[{path.name}]({path.name})" in listed
