"""Nothing of hearing, speaking and talking needs a network, once the models are in place."""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HOME = """
context:
  expressions:
    light:
      - turn on the light in the $room:where
  slots:
    room: [kitchen, hall]
"""
GUARD = """
import os, sys

FORBIDDEN = ("socket.connect", "socket.getaddrinfo", "socket.gethostby", "socket.sendto", "subprocess")
NEAR = ("127.0.0.1", "localhost", "::1", None, "")
LIBRARIES = ("ldconfig", "gcc", "ld")  # what ctypes asks where a library is
attempts = []

def no_network(event, arguments):
    if not event.startswith(FORBIDDEN):
        return
    where = arguments[1] if event in ("socket.connect", "socket.sendto") else arguments[0]
    if isinstance(where, tuple):
        where = where[0]
    if where in NEAR or event.startswith("subprocess") and os.path.basename(where) in LIBRARIES:
        return
    attempts.append(f"{event} {arguments}")
    raise PermissionError(f"{event} {arguments}: there is no network in this test")

sys.addaudithook(no_network)  # cannot be taken away again, unlike a replaced socket class
"""
COMMANDS = """
import io, json, types
import voice
from voice import audio
from voice.cli import app

def run(*arguments):
    print("$", *arguments, flush=True)
    app(arguments, standalone_mode=False)

run("speak", "What time is it?", "-o", "question.wav", "--subtitles", "question.srt")
run("speak", "<speak>Turn <break time='100ms'/> on the light in the kitchen.</speak>", "-o", "order.wav")
run("transcribe", "question.wav")
for form in ("json", "srt"):
    run("transcribe", "question.wav", "-f", form, "-o", "out/", "--model", "quick")
run("transcribe", ".", "--speakers", "--skip-existing", "-o", "both", "--model", "quick")
run("transcribe", "--live", "question.wav")
sys.stdin = types.SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(bytes(32_000))))
run("transcribe", "--live", "-")
run("understand", "order.wav", "--commands", KNOWN)
run("talk", "question.wav", "-o", "answer.wav")
run("models")
run("models", "info", "whisper-base")
seconds = audio.read("order.wav").duration
open("clips.jsonl", "w").write(json.dumps({"id": "order", "audio": "order.wav", "duration": seconds}))
run("data", "check", "clips.jsonl")
print(voice.transcribe("answer.wav").duration > 0.5)
print("attempts:", attempts)
"""
# A server in the main thread, as always, and a client beside it that ends it.
SERVER = """
import runpy, signal, threading, time, urllib.request

def asked(path):
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=30) as answer:
        return answer.status

def client():
    try:
        for _ in range(600):
            try:
                asked(PATHS[0])
                break
            except OSError:
                time.sleep(0.1)
        print("answers:", [asked(path) for path in PATHS], flush=True)
    finally:
        os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=client).start()
sys.argv = [PROGRAM, "--port", str(PORT)]
try:
    if PROGRAM == "voice serve":
        from voice.cli import app

        app(["serve", *sys.argv[1:]], standalone_mode=False)
    else:
        sys.path.insert(0, os.path.dirname(PROGRAM))
        runpy.run_path(PROGRAM, run_name="__main__")
except (KeyboardInterrupt, SystemExit):
    pass
print("attempts:", attempts, flush=True)
os._exit(0)
"""


def offline(program: str, folder: Path, **values: object) -> list[str]:
    """What a program says that may ask nobody but this machine, its `values` being constants of it."""
    constants = "".join(f"{name} = {value!r}\n" for name, value in values.items())
    done = subprocess.run(
        [sys.executable, "-c", GUARD + constants + program],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        env={name: value for name, value in os.environ.items() if not name.startswith("VOICE_LLM")},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_no_command_asks_the_network(whisper_base, tmp_path):
    (tmp_path / "home.yml").write_text(HOME)
    lines = offline(COMMANDS, tmp_path, KNOWN="home.yml")
    assert lines[-1] == "attempts: []" and lines[-2] == "True"
    said = dict(itertools.pairwise(lines))
    assert said["$ transcribe question.wav"].lower().startswith("what time is it")
    assert said["$ transcribe --live question.wav"].lower().startswith("what time is it")
    assert json.loads(said["$ understand order.wav --commands home.yml"])["intent"] == "light"
    assert any("agent: It's" in line for line in lines)
    assert {"question.srt", "answer.wav"} < {path.name for path in tmp_path.iterdir()}
    assert len(list((tmp_path / "out").iterdir())) == 2 and len(list((tmp_path / "both").iterdir())) == 2


@pytest.mark.parametrize(
    ("program", "paths"),
    [("voice serve", ["/health", "/v1/models", "/metrics"]), ("app.py", ["/", "/config", "/v1/models"])],
)
def test_neither_the_server_nor_the_page_asks_the_network(whisper_base, tmp_path, program, paths):
    pytest.importorskip("gradio" if program == "app.py" else "uvicorn")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = str(ROOT / program) if program == "app.py" else program
    lines = offline(SERVER, tmp_path, PROGRAM=start, PORT=port, PATHS=paths)
    assert lines[-2:] == ["answers: [200, 200, 200]", "attempts: []"]


def test_the_guard_itself_sees_an_attempt(tmp_path):
    attempt = """
import contextlib, urllib.request
with contextlib.suppress(OSError):
    urllib.request.urlopen("http://192.0.2.1/")
print(len(attempts))
"""
    assert offline(attempt, tmp_path) == ["1"]


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
