"""The commands as programs: what they read and print, and what they say where that fails."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

from fakes.cli import run

import voice.simple
from voice.cli.console import OutputError


def test_a_failure_of_the_disk_says_what_and_where(recognizer, recording, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path))

    monkeypatch.setattr(recognizer, "transcribe_batch", full)
    done = run("transcribe", recording)
    assert done.exit_code == 1
    assert done.stderr == f"error: {tmp_path}: No space left on device; make room on that disk\n"


def test_a_reader_that_has_seen_enough_is_no_failure_worth_a_traceback():
    program = subprocess.Popen(
        [sys.executable, "-m", "voice", "models"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    program.stdout.close()
    assert program.stderr.read() == b""
    assert program.wait() == 1


def test_a_closed_standard_input_is_said_in_a_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "voice", "speak", "-i", "-"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        preexec_fn=lambda: os.close(0),
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("error: standard input is closed; name a file")


def test_an_output_that_takes_nothing_is_said_once(recognizer, recording, monkeypatch):
    def full(text: str) -> None:
        raise OutputError("standard output cannot be written: No space left on device")

    monkeypatch.setattr("voice.cli.console.put", full)
    done = run("transcribe", recording, recording)
    assert done.exit_code == 1 and len(recognizer.asked) == 1
    assert done.stderr == "error: standard output cannot be written: No space left on device\n"


def test_tells_its_version():
    assert run("--version").stdout == f"{voice.__version__}\n"


def test_hears_what_it_says(whisper_tiny, tmp_path):
    said = "The weather is lovely today, so we are going to the beach."
    assert run("speak", said, "-o", tmp_path / "said.mp3").exit_code == 0
    done = run("transcribe", tmp_path / "said.mp3", "--model", "whisper-tiny.en")
    assert (done.exit_code, done.stdout) == (0, said + "\n")
