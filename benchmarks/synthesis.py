"""Synthesis beside its peers: load time, time to first audio, gaps and speed, in one table from one run.

    python -m benchmarks.synthesis [--rounds 3] [--threads 1 --threads 2] [--json]

Each system runs in a process of its own and is given the texts in turns with the others, so that
whatever else the machine does weighs on all of them alike. The peers are hibari called directly
and espeak-ng (where it is on the PATH), which starts anew for every text, as its users do.
Speed is given by wall time and, as other work may take the processor away, by processor time. Each text is
spoken twice: in pieces, as who listens would have it, for the time to the first of them and the longest wait
for a later one, if they are played from the first on; and at once, for the speed. A worker runs on as many
processors as it has threads.
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
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

TEXTS = (
    "Good morning.",
    "The ferry leaves at 7:45, so we should be at the harbor by half past seven.",
    "She paid $24.50 for two tickets. They were for Saturday, the 3rd of May, in the front row.",
    "When the ferry had left, the people who had come to see it off, some of them in tears, stayed on the"
    " quay until its lights were gone, and only then walked home along the dark and empty shore.",
    "What would you do with a week of free time? I would walk along the coast, read the books that have"
    " been waiting on my shelf, and cook for friends. Then, I suppose, I would sleep.",
)
PERCENTILE = 95
Speak = Callable[[str], Iterator[float]]


@dataclass(frozen=True)
class Row:
    """One system: seconds to load, of wall and of processor time, and what it did with the texts."""

    system: str
    threads: int
    load: float | None
    cpu_load: float | None
    first: float  # milliseconds to the first audio, the median
    slow: float  # and of all but the slowest 5 %
    gap: float  # milliseconds, the longest wait for a later piece
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


def our_voices() -> list[str]:
    """Return the names of all voices that `voice` has."""
    from voice.models import catalog

    return [name for name, entry in catalog.entries().items() if entry.card.kind == "voice"]


def measure(rounds: int, threads: list[int]) -> list[Row]:
    systems = [(name, count) for name in (*our_voices(), "hibari") for count in threads]
    if shutil.which("espeak-ng"):
        systems.append(("espeak-ng", 1))
    workers, loads = {}, {}
    for system in systems:  # one after the other, so that none waits for another's loading
        workers[system] = start(*system)
        loads[system] = read_line(workers[system])
    answers: dict[tuple[str, int], list[dict]] = {system: [] for system in systems}
    for turn in range(rounds + 1):  # the first turn warms up
        for text in TEXTS:
            for system, worker in workers.items():
                if loads[system] is None:
                    continue
                print(json.dumps(text), file=worker.stdin, flush=True)
                if (said := read_line(worker)) and turn:
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


def read_line(worker: subprocess.Popen) -> dict | None:
    """Return the next line that a worker prints, or None if it has ended, as without its voice."""
    line = worker.stdout.readline()
    return json.loads(line) if line else None


def summary(system: tuple[str, int], loaded: dict, answers: list[dict]) -> Row:
    audio = sum(said["audio"] for said in answers)
    firsts = sorted(1000 * said["first"] for said in answers)
    return Row(
        *system,
        loaded["wall"],
        loaded["cpu"],
        statistics.median(firsts),
        firsts[-(-len(firsts) * PERCENTILE // 100) - 1],
        1000 * max(said["gap"] for said in answers),
        audio / sum(said["wall"] for said in answers),
        audio / sum(said["cpu"] for said in answers),
    )


def table(rows: list[Row]) -> str:
    columns = (
        "system",
        "threads",
        "load, s",
        "of processor",
        "first audio, ms",
        f"{PERCENTILE} %",
        "longest gap, ms",
    )
    lines = [f"| {' | '.join(columns)} | × real time | × of processor |", "|---" * 9 + "|"]
    for row in rows:
        load, cpu_load = ("–" if s is None else f"{s:.2f}" for s in (row.load, row.cpu_load))
        lines.append(
            f"| {row.system} | {row.threads} | {load} | {cpu_load} | {row.first:.0f} | {row.slow:.0f}"
            f" | {row.gap:.0f} | {row.speed:.0f} | {row.cpu_speed:.0f} |"
        )
    return "\n".join(lines)


def serve(name: str, threads: int) -> None:
    """Load the system `name`, say how long that took, then time each text that stdin brings."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    began, used = time.perf_counter(), processor_time()
    try:
        speak, stream = open_system(name, threads)
    except Exception as error:
        sys.exit(f"{name}: {error}")
    took = (time.perf_counter() - began, processor_time() - used)
    wall, cpu = (None, None) if name == "espeak-ng" else took
    print(json.dumps({"wall": wall, "cpu": cpu}), flush=True)
    for line in sys.stdin:
        print(json.dumps(time_text(speak, stream, json.loads(line))), flush=True)


def time_text(speak: Speak, stream: Speak, text: str) -> dict[str, float]:
    first, gap = waits(stream(text))
    began, used = time.perf_counter(), processor_time()
    audio = sum(speak(text))
    wall, cpu = time.perf_counter() - began, processor_time() - used
    return {"first": first, "gap": gap, "wall": wall, "cpu": cpu, "audio": audio}


def waits(pieces: Iterator[float]) -> tuple[float, float]:
    """Return the seconds until the first of `pieces`, given by the seconds of each, and the longest silence
    after it.
    """
    began = time.perf_counter()
    first, gap, over = None, 0.0, 0.0  # when what has come so far will have been played
    for seconds in pieces:
        now = time.perf_counter() - began
        if first is None:
            first = over = now
        gap, over = max(gap, now - over), max(over, now) + seconds
    return first or 0.0, gap


def processor_time() -> float:
    """Return the seconds that this process, its threads and the programs it started have computed."""
    uses = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)


def open_system(name: str, threads: int) -> tuple[Speak, Speak]:
    """Return two functions from a text to the seconds of each piece of audio: made at once, and in pieces."""
    if name == "hibari":
        from hibari import SAMPLE_RATE, Hibari

        tts = Hibari(threads=threads)
        tts.g2p.oov  # noqa: B018 (it loads when looked at; ours is loaded by now too)
        return (lambda text: (len(samples) / SAMPLE_RATE for samples in tts.stream(text)),) * 2
    if name == "espeak-ng":
        return espeak, espeak
    import voice
    from voice.tts.streaming import pieces

    synthesizer = voice.load_voice(name, threads=threads)
    return (
        lambda text: (piece.audio.duration for piece in synthesizer.speak(text)),
        lambda text: (piece.audio.duration for piece in pieces(synthesizer, text)),
    )


def espeak(text: str) -> Iterator[float]:
    with subprocess.Popen(["espeak-ng", "-v", "en-us", "--stdout", text], stdout=subprocess.PIPE) as program:
        program.stdout.read(44)  # the header of the WAV file; 22,050 samples of 2 bytes a second follow
        while block := program.stdout.read1(1 << 16):
            yield len(block) / 2 / 22050


if __name__ == "__main__":
    typer.run(main)
