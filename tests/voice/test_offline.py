"""Nothing of hearing, speaking and talking needs a network, once the models are in place."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import sys

FORBIDDEN = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "subprocess")

def no_network(event, arguments):
    if event.startswith(FORBIDDEN):
        raise PermissionError(f"{event} {arguments}: there is no network in this test")

sys.addaudithook(no_network)  # cannot be taken away again, unlike a replaced socket class
import voice
from voice.cli import app

def run(*arguments):
    app(arguments, standalone_mode=False)

run("speak", "What time is it?", "-o", "question.wav", "--subtitles", "question.srt")
run("transcribe", "question.wav")
run("talk", "question.wav", "-o", "answer.wav")
print(voice.transcribe("answer.wav").duration > 0.5)
"""


def test_transcribes_speaks_and_talks_without_a_network(whisper_base, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("VOICE_LLM")},
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].lower().startswith("what time is it")
    assert any("agent: It's" in line for line in lines) and lines[-1] == "True"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answer.wav", "question.srt", "question.wav"]


def test_a_missing_model_without_a_network_says_what_to_run(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "voice", "transcribe", "x.wav", "--model", "whisper-base"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "VOICE_HOME": str(tmp_path),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": "",
            "HF_HUB_OFFLINE": "1",
        },
    )
    assert done.returncode == 1
    assert done.stderr.startswith("fetching whisper-base (148 MB)\nerror: ") or done.stderr.startswith(
        "error: "
    )
    assert done.stderr.rstrip().endswith("With a network, run: voice models get whisper-base")
    assert "Traceback" not in done.stderr
