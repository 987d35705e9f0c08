"""`voice train vocoder`, the whole of it, with a tiny network on a minute of speech."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch")
from voice.loading import load_vocoder
from voice.models.card import read_card

TINY = Path(__file__).resolve().parents[4] / "data" / "tiny" / "audio"


def command(*more):
    return [
        sys.executable,
        "-m",
        "voice",
        "train",
        "vocoder",
        "recordings",
        "--name",
        "mine",
        "--smoke",
        *more,
    ]


@pytest.fixture
def place(tmp_path):
    shutil.copytree(TINY, tmp_path / "recordings")
    return tmp_path


def environment(place):
    return os.environ | {"VOICE_HOME": str(place / "home"), "OMP_NUM_THREADS": "1"}


def run(place, *more):
    return subprocess.run(
        command(*more), cwd=place, env=environment(place), capture_output=True, text=True, timeout=300
    )


def test_a_killed_training_goes_on_and_ends_in_a_model_a_card_and_a_report(place, monkeypatch):
    process = subprocess.Popen(
        command("--steps", "400"), cwd=place, env=environment(place), stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 240
    while not (place / "runs" / "mine" / "train" / "last.pt").exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()

    done = run(place, "--steps", "24")
    assert done.returncode == 0, done.stderr
    assert re.search(r"1\. prepare .* done, took", done.stderr)
    assert re.search(r"3\. train .* goes on; 24 steps", done.stderr)

    monkeypatch.setenv("VOICE_HOME", str(place / "home"))
    folder = place / "home" / "own" / "mine"
    card = read_card(folder)
    assert card.training["recordings"] == 25 and card.training["steps"] == 24
    assert card.training["command"].endswith("train vocoder recordings --name mine --smoke --steps 24")
    assert any(name.startswith("own test") for name in card.scores)
    assert load_vocoder("mine")

    report = (place / "runs" / "mine" / "publish" / "report.html").read_text("utf-8")
    assert report.count("data:audio/mpeg") >= 2 and report.count("data:image/png") >= 3
    assert "mine, a vocoder" in report and "vocoder recordings --name mine" in report

    again = run(place, "--steps", "24")
    assert again.returncode == 0 and again.stderr.count("done, took") == 6


def test_ctrl_c_says_how_to_go_on(place):
    process = subprocess.Popen(
        command("--steps", "100000"), cwd=place, env=environment(place), stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 240
    while not (place / "runs" / "mine" / "train" / "last.pt").exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "to go on: voice train vocoder recordings --name mine --smoke --steps 100000" in told
    assert "Traceback" not in told
