"""Programs that are told to end: within two seconds, with what they had made, and without litter."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import termios
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 16_000
# Seconds until a program is gone, where what it computes takes thirty; more where other tests run beside it.
PROMPT = 6.0 if "PYTEST_XDIST_WORKER" in os.environ else 2.0
FIVE = [f"Word {n}." for n in range(1, 6)]
# The models are fakes that compute in native code, as the real ones do: it lets other threads run, but
# Python hears of no signal before it is over. A window is heard in 0.1 s, the sixth in 30 s.
PROGRAM = """
import hashlib, sys, time
from pathlib import Path
import numpy as np
import voice.simple
from voice import loading
from voice.abilities import Traits
from voice.types import Audio, Controls, Segment, Speech, Transcript, Word

def compute(seconds):
    if seconds > 1:
        print("computing", file=sys.stderr, flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", int(PER_SECOND * seconds))

begun = time.perf_counter()
hashlib.pbkdf2_hmac("sha256", b"", b"", 100_000)
PER_SECOND = 100_000 / (time.perf_counter() - begun)

class Loud:
    rate, hop = 16_000, 512
    def stream(self):
        return lambda frame: float(np.abs(frame).max(initial=0.0) > 0.01)

class Slow:
    rate, traits = 16_000, Traits(packed=1.0, batch=1)
    heard = 0
    def transcribe_batch(self, speeches, *, language=None, hotwords=(), task="transcribe"):
        return [self.transcribe(speech) for speech in speeches]
    def transcribe(self, speech, *, language=None, hotwords=()):
        Slow.heard += 1
        compute(Slow.longest_computation if Slow.heard == 6 else 0.1)
        words = (Word("Word", 0.0, 0.4), Word(f"{Slow.heard}.", 0.4, 0.9))
        return Transcript((Segment(f"Word {Slow.heard}.", 0.0, 0.9, words),), "en", speech.duration)

class Voice:
    rate = 24_000
    def speak(self, text, controls=Controls()):
        for number, sentence in enumerate(filter(str.strip, text.split(".")), 1):
            compute(30.0 if number == 6 else 0.1)
            tone = np.full(12_000, 0.1, np.float32)
            yield Speech(Audio(tone, self.rate), sentence.strip() + ".", (Word(sentence.strip(), 0.0, 0.5),))

def load(name, *, kind, threads=None, progress=None):
    if name == "slow-to-load":
        compute(30.0)
    Slow.longest_computation = 0.1 if name == "quick" else 30.0
    return {"recognizer": Slow, "voice": Voice}[kind]()

loading.open_model, voice.simple.detector = load, Loud
from voice.cli import main
main()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a recording of twenty words."""
    word = np.concatenate((np.full(RATE, 0.3), np.zeros(3 * RATE))).astype(np.float32)
    soundfile.write(tmp_path / "talk.wav", np.tile(word, 20), RATE)
    return tmp_path


class Running:
    """The program `voice` with slow models, in a folder."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def lines(self, count: int) -> list[str]:
        """The next lines of its output, as they come."""
        return [self.process.stdout.readline().decode().rstrip() for _ in range(count)]

    def computes(self) -> None:
        """Return when it has begun what takes it half a minute."""
        assert b"computing\n" in iter(self.process.stderr.readline, b"")
        time.sleep(0.3)  # in which what was heard before it is taken

    def reads_all(self) -> None:
        """Return when it has read what was written to it, and computes no more."""
        waiting = array("i", [1])
        while waiting[0]:
            fcntl.ioctl(self.process.stdin.fileno(), termios.FIONREAD, waiting)
            time.sleep(0.01)
        before, now = -1, 0
        while before != now:
            time.sleep(0.4)
            before, now = now, self._cpu_ticks()

    def _cpu_ticks(self) -> int:
        """How long it has computed, in ticks of the system; 0 where that is not told."""
        told = Path(f"/proc/{self.process.pid}/stat")
        return sum(map(int, told.read_text().rpartition(")")[2].split()[11:13])) if told.exists() else 0

    def ends(self, number: int, again: float | None = None) -> tuple[int, str, str, float]:
        """Exit status, output, what was said, and how many seconds after the signal it was over."""
        begun = time.monotonic()
        self.process.send_signal(number)
        if again is not None:
            time.sleep(again)
            self.process.send_signal(number)
        out, said = self.process.communicate(timeout=20)
        return self.process.returncode, out.decode(), said.decode(), time.monotonic() - begun


@pytest.fixture
def start(folder: Path) -> Iterator:
    """Start the program; at the end of the test it is gone."""
    started: list[Running] = []

    def run(*arguments: str) -> Running:
        started.append(Running(folder, *arguments))
        return started[-1]

    yield run
    for each in started:
        each.process.kill()
        each.process.communicate()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("number", "status", "message"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGHUP, 129, "stopped by SIGHUP"),
        (signal.SIGQUIT, 131, "stopped by SIGQUIT"),
    ],
)
def test_text_appears_as_it_is_heard_and_a_signal_ends_it_within_two_seconds(
    start, folder, number, status, message
):
    program = start("transcribe", "talk.wav")
    assert program.lines(5) == FIVE  # the sixth is being recognized, in native code
    code, rest, said, seconds = program.ends(number)
    assert (code, rest) == (status, "") and seconds < PROMPT
    said = said.removeprefix("computing\n")
    assert re.fullmatch(rf"what was heard of talk.wav, up to 1\d.\d s of it, is printed\n{message}\n", said)
    assert names(folder) == ["talk.wav"]


def test_what_was_heard_is_kept_beside_the_place_of_the_whole_and_goes_when_that_is_there(start, folder):
    program = start("transcribe", "talk.wav", "-o", "talk.srt")
    program.computes()
    code, out, said, seconds = program.ends(signal.SIGTERM)
    assert (code, out) == (143, "") and seconds < PROMPT
    assert (
        said.startswith("what was heard of talk.wav, up to ") and "s of it, is in talk.partial.srt\n" in said
    )
    assert names(folder) == ["talk.partial.srt", "talk.wav"]
    kept = (folder / "talk.partial.srt").read_text().splitlines()
    assert kept[2::4] == FIVE and kept[0::4] == list("12345")
    quick = start("transcribe", "talk.wav", "-o", "talk.srt", "--model", "quick")
    assert quick.process.wait(timeout=20) == 0
    assert names(folder) == ["talk.srt", "talk.wav"]


def test_json_that_breaks_off_says_so_and_a_batch_says_how_far_it_came(start, folder):
    soundfile.write(folder / "first.wav", np.full(RATE, 0.3, np.float32), RATE)
    program = start("transcribe", "first.wav", "talk.wav", "-f", "json", "-o", "out")
    program.computes()
    code, _, said, seconds = program.ends(signal.SIGINT)
    assert code == 130 and seconds < PROMPT
    assert names(folder / "out") == ["first.json", "talk.partial.json"]
    whole, part = (json.loads((folder / "out" / name).read_text()) for name in names(folder / "out"))
    assert part["partial"] is True and "partial" not in whole
    assert [each["text"] for each in part["segments"]] == [f"Word {n}." for n in range(2, 6)]
    assert "1 of 2 recordings are done" in said


def test_interrupted_speech_is_kept_as_far_as_it_was_spoken(start, folder):
    text = " ".join(f"Word {n}." for n in range(20))
    program = start("speak", text, "-o", "long.wav", "--subtitles", "long.srt")
    program.computes()
    code, _, said, seconds = program.ends(signal.SIGINT)
    assert (
        code == 130 and seconds < PROMPT and "what was spoken by then, 2.5 s, is in long.partial.wav" in said
    )
    assert names(folder) == ["long.partial.srt", "long.partial.wav", "talk.wav"]
    assert soundfile.info(folder / "long.partial.wav").duration == 2.5
    subtitles = (folder / "long.partial.srt").read_text()
    assert "00:00:02,500" in subtitles and "Word 4" in subtitles and "Word 5" not in subtitles


def test_a_second_signal_ends_it_at_once(start, folder):
    program = start("speak", " ".join(f"Word {n}." for n in range(20)), "-o", "long.wav")
    program.computes()
    code, _, _, seconds = program.ends(signal.SIGINT, again=0.1)
    assert code == 130 and seconds < PROMPT
    assert names(folder) == ["talk.wav"]  # nobody waited for what would have been kept


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGUSR1, signal.SIGALRM, signal.SIGXCPU])
def test_no_signal_that_ends_programs_leaves_litter(start, folder, number):
    program = start("speak", " ".join(f"Word {n}." for n in range(20)), "-o", "long.wav")
    program.computes()
    code, _, said, seconds = program.ends(number)
    assert code == 128 + number and seconds < PROMPT
    assert said.endswith(f"stopped by {signal.Signals(number).name}\n")
    assert not [name for name in names(folder) if name.startswith(".")]


def test_it_can_be_interrupted_while_models_load(start, folder):
    program = start("transcribe", "talk.wav", "-o", "out/", "--model", "slow-to-load")
    program.computes()
    code, _, said, seconds = program.ends(signal.SIGINT)
    assert (code, said) == (130, "interrupted\n") and seconds < PROMPT


def test_live_sound_ends_with_control_c_and_its_last_words_are_there(start, folder):
    program = start("transcribe", "--live", "-", "--model", "quick")
    word = (np.full(RATE, 8000, "<i2")).tobytes()
    program.process.stdin.write(word + bytes(3 * len(word)) + word)
    program.process.stdin.flush()
    assert program.lines(1)[0].startswith("Word")
    program.reads_all()  # the second one too, which no silence ends
    code, out, said, seconds = program.ends(signal.SIGINT)
    assert (code, said) == (0, "") and seconds < PROMPT
    assert out.startswith("Word") and out.count("\n") == 1


def test_what_a_killed_program_left_goes_with_the_next_run(start, folder):
    program = start("speak", " ".join(f"Word {n}." for n in range(20)), "-o", "long.wav")
    program.computes()
    program.process.kill()
    program.process.wait()
    assert names(folder) == [f".long.wav.{program.process.pid}.partial", "talk.wav"]
    alive = folder / f".long.wav.{os.getpid()}.partial"
    alive.touch()
    assert start("speak", "Word.", "-o", "long.wav").process.wait(timeout=20) == 0
    assert names(folder) == [alive.name, "long.wav", "talk.wav"]
