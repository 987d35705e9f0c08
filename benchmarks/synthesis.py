"""Synthesis beside its peers: load time, time to first audio and speed, in one table from one run.

    python -m benchmarks.synthesis [--rounds 3] [--threads 1 --threads 2] [--json]

Each system runs in a process of its own and is given the texts in turns with the others, so that
whatever else the machine does weighs on all of them alike. The peers are hibari called directly
and espeak-ng (where it is on the PATH), which starts anew for every text, as its users do.
Speed is given by wall time and, as other work may take the processor away, by processor time.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

TEXTS = (
    "Good morning.",
    "The ferry leaves at 7:45, so we should be at the harbor by half past seven.",
    "She paid $24.50 for two tickets. They were for Saturday, the 3rd of May, in the front row.",
    "What would you do with a week of free time? I would walk along the coast, read the books that have"
    " been waiting on my shelf, and cook for friends. Then, I suppose, I would sleep.",
)
OURS = ("heart", "kathleen")


@dataclass(frozen=True)
class Row:
    """One system: seconds to load, of wall and of processor time, and its medians over the texts."""

    system: str
    threads: int
    load: float | None
    cpu_load: float | None
    first: float  # milliseconds to the first audio
    speed: float  # seconds of audio in a second of wall time
    cpu_speed: float  # and of processor time


def main(
    rounds: Annotated[int, typer.Option(help="how often each text is spoken")] = 3,
    threads: Annotated[list[int] | None, typer.Option(help="repeatable; default 1 and 2")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON instead of a table")] = False,
    worker: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Speak the same texts with every system and print one table."""
    if worker:
        return serve(worker, (threads or [1])[0])
    rows = measure(rounds, threads or [1, 2])
    print(json.dumps([asdict(row) for row in rows], indent=2) if as_json else table(rows))


def measure(rounds: int, threads: list[int]) -> list[Row]:
    systems = [(name, count) for name in (*OURS, "hibari") for count in threads]
    if shutil.which("espeak-ng"):
        systems.append(("espeak-ng", 1))
    workers, loads = {}, {}
    for system in systems:  # one after the other, so that none waits for another's loading
        workers[system] = start(*system)
        loads[system] = answer(workers[system])
    answers: dict[tuple[str, int], list[dict]] = {system: [] for system in systems}
    for turn in range(rounds + 1):  # the first turn warms up
        for text in TEXTS:
            for system, worker in workers.items():
                if loads[system] is None:
                    continue
                print(json.dumps(text), file=worker.stdin, flush=True)
                if (said := answer(worker)) and turn:
                    answers[system].append(said)
    return [summary(system, loads[system], answers[system]) for system in systems if answers[system]]


def start(name: str, threads: int) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.synthesis", "--worker", name, "--threads", str(threads)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a voice that is missing is left out of the table
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
    )


def answer(worker: subprocess.Popen) -> dict | None:
    """The next line that a worker prints, or None if it has ended, as one whose voice is missing does."""
    line = worker.stdout.readline()
    return json.loads(line) if line else None


def summary(system: tuple[str, int], loaded: dict, answers: list[dict]) -> Row:
    audio = sum(said["audio"] for said in answers)
    return Row(
        *system,
        loaded["wall"],
        loaded["cpu"],
        1000 * statistics.median(said["first"] for said in answers),
        audio / sum(said["wall"] for said in answers),
        audio / sum(said["cpu"] for said in answers),
    )


def table(rows: list[Row]) -> str:
    lines = ["| system | threads | load, s | of processor | first audio, ms | × real time | × of processor |"]
    lines += ["|---" * 7 + "|"]
    for row in rows:
        load, cpu_load = ("–" if s is None else f"{s:.2f}" for s in (row.load, row.cpu_load))
        lines.append(
            f"| {row.system} | {row.threads} | {load} | {cpu_load} | {row.first:.0f}"
            f" | {row.speed:.0f} | {row.cpu_speed:.0f} |"
        )
    return "\n".join(lines)


def serve(name: str, threads: int) -> None:
    """Load the system `name`, say how long that took, then time each text that stdin brings."""
    began, used = time.perf_counter(), processor_time()
    try:
        speak = open_system(name, threads)
    except Exception as error:
        sys.exit(f"{name}: {error}")
    took = (time.perf_counter() - began, processor_time() - used)
    wall, cpu = (None, None) if name == "espeak-ng" else took
    print(json.dumps({"wall": wall, "cpu": cpu}), flush=True)
    for line in sys.stdin:
        print(json.dumps(timed(speak, json.loads(line))), flush=True)


def timed(speak, text: str) -> dict[str, float]:
    began, used = time.perf_counter(), processor_time()
    first, audio = 0.0, 0.0
    for seconds in speak(text):
        first = first or time.perf_counter() - began
        audio += seconds
    return {
        "first": first,
        "wall": time.perf_counter() - began,
        "cpu": processor_time() - used,
        "audio": audio,
    }


def processor_time() -> float:
    """Seconds that this process, its threads and the programs it started have computed."""
    uses = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)


def open_system(name: str, threads: int):
    """A function from text to the seconds of each piece of audio, as they are made."""
    if name == "hibari":
        from hibari import SAMPLE_RATE, Hibari

        tts = Hibari(threads=threads)
        tts.g2p.oov  # noqa: B018 (it loads when looked at; ours is loaded by now too)
        return lambda text: (len(samples) / SAMPLE_RATE for samples in tts.stream(text))
    if name == "espeak-ng":
        return espeak
    import voice

    synthesizer = voice.load(name, threads=threads)
    return lambda text: (piece.audio.duration for piece in synthesizer.speak(text))


def espeak(text: str) -> Iterator[float]:
    with subprocess.Popen(["espeak-ng", "-v", "en-us", "--stdout", text], stdout=subprocess.PIPE) as program:
        program.stdout.read(44)  # the header of the WAV file; 22,050 samples of 2 bytes a second follow
        while block := program.stdout.read1(1 << 16):
            yield len(block) / 2 / 22050


if __name__ == "__main__":
    typer.run(main)
