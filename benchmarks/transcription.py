"""Transcription beside its peer: word error rate, time and memory, in one table from one run.

    python -m benchmarks.transcription [--limit 20] [--threads 1 --threads 2] [--hour]

Each system runs in a process of its own and is given the files one at a time, in turns with the
others, so that whatever else the machine does weighs on all of them alike. The peer is
faster-whisper called directly on the same weights: int8, greedy, English given.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from voice.errors import VoiceError
from voice.metrics import Score, interval, total, word_errors

SETS = ("kathleen", "ljspeech", "librispeech", "asterisk_allison", "speechocean762", "longform")
OURS = ("whisper-base", "quick")
PEER = "faster-whisper"


@dataclass(frozen=True)
class File:
    """A recording and its transcript."""

    path: Path
    text: str
    duration: float


@dataclass(frozen=True)
class Answer:
    """The result of a worker for one file; `peak` is its memory so far in bytes."""

    text: str
    wall: float
    cpu: float
    peak: int


@dataclass(frozen=True)
class Row:
    """One system on one set."""

    set: str
    system: str
    threads: int
    scores: tuple[Score, ...]
    audio: float  # seconds, as are the next two
    wall: float
    cpu: float
    peak: int


def main(
    corpora: Annotated[Path, typer.Option(envvar="VOICE_CORPORA", help="Folder of the corpora.")] = Path(
        "../shared/corpora"
    ),
    sets: Annotated[list[str], typer.Option("--set", help="Corpora to test on.")] = list(SETS),
    threads: Annotated[list[int], typer.Option(help="Threads of each system.")] = [1, 2],
    limit: Annotated[int, typer.Option(help="Files of each set; 0 is all.")] = 0,
    minutes: Annotated[float, typer.Option(help="Add a recording of this length, made of librispeech.")] = 0,
    hour: Annotated[bool, typer.Option("--hour", help="The same as --minutes 60.")] = False,
    report: Annotated[Path | None, typer.Option("--json", help="Where to write the rows too.")] = None,
) -> None:
    """Print the table."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        todo = {name: _sample_files(read_set(corpora / name / "test.jsonl"), limit) for name in sets}
        if hour or minutes:
            todo["long"] = [long_recording(corpora, 60 if hour else minutes, Path(folder) / "long.flac")]
        for count in threads:
            for name, files in todo.items():
                rows += measure(name, files, count)
                show(rows, name, count)
    if report:
        report.write_text(json.dumps([_fields(row) for row in rows], indent=2) + "\n")


def read_set(manifest: Path) -> list[File]:
    """Read the files of a manifest."""
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    return [File(manifest.parent / row["audio"], row["text"], row["duration"]) for row in rows]


def _sample_files(files: list[File], limit: int) -> list[File]:
    """Return about `limit` files from all over the set."""
    return files[:: max(1, len(files) // limit)][:limit] if limit else files


def long_recording(corpora: Path, minutes: float, path: Path) -> File:
    """Write the librispeech test utterances one after the other, with pauses, over and over, to `path`."""
    import numpy as np

    from voice import audio

    files = read_set(corpora / "librispeech" / "test.jsonl")
    draw = np.random.default_rng(0)
    texts: list[str] = []
    length = 0.0
    with audio.Writer(path, 16_000) as writer:
        while length < minutes * 60:
            file = files[len(texts) % len(files)]
            pause = draw.normal(0, 1e-4, draw.integers(4_000, 40_000)).astype(np.float32)
            sound = np.concatenate((audio.read(file.path, 16_000).samples, pause))
            writer.write(sound)
            texts.append(file.text)
            length += len(sound) / 16_000
    return File(path, " ".join(texts), length)


def measure(name: str, files: Sequence[File], threads: int) -> Iterator[Row]:
    """Run each system on all files, in turns, each first in its turn."""
    systems = [*OURS, PEER]
    with _workers(systems, threads) as ask:
        systems = list(ask)
        answers: dict[str, list[Answer]] = {system: [] for system in systems}
        for number, file in enumerate(files):
            turn = number % len(systems)
            for system in systems[turn:] + systems[:turn]:
                answers[system].append(ask[system](file.path))
    for system, given in answers.items():
        scores = tuple(word_errors(file.text, answer.text) for file, answer in zip(files, given, strict=True))
        yield Row(
            name,
            system,
            threads,
            scores,
            sum(file.duration for file in files),
            sum(answer.wall for answer in given),
            sum(answer.cpu for answer in given),
            max(answer.peak for answer in given),
        )


def show(rows: Sequence[Row], name: str, threads: int) -> None:
    """Print the rows of one set, the peer last."""
    these = [row for row in rows if (row.set, row.threads) == (name, threads)]
    peer = next(row for row in these if row.system == PEER)
    print(f"\n{name}, {len(peer.scores)} files, {peer.audio / 60:.1f} minutes, {threads} thread(s)")
    print(f"{'system':<16}{'WER %':>8}{'95 % interval':>16}{'seconds':>9}{'x real time':>13}", end="")
    print(f"{'time/peer':>11}{'cpu/peer':>10}{'peak MB':>9}")
    for row in these:
        low, high = interval(row.scores)
        spread = f"{100 * low:.1f} - {100 * high:.1f}"
        print(f"{row.system:<16}{100 * total(row.scores).rate:>8.2f}{spread:>16}{row.wall:>9.1f}", end="")
        print(f"{row.audio / row.wall:>13.1f}{row.wall / peer.wall:>11.2f}", end="")
        print(f"{row.cpu / peer.cpu:>10.2f}{row.peak / 1e6:>9.0f}", flush=True)


def _fields(row: Row) -> dict[str, object]:
    score = total(row.scores)
    return {
        "set": row.set,
        "system": row.system,
        "threads": row.threads,
        "wer": score.rate,
        "words": score.words,
        "seconds": row.wall,
        "cpu_seconds": row.cpu,
        "audio_seconds": row.audio,
        "peak_bytes": row.peak,
    }


@contextmanager
def _workers(systems: Sequence[str], threads: int) -> Iterator[dict[str, Callable[[Path], Answer]]]:
    """Start a process for each system that can be loaded; each is a function from a file to its answer."""
    processes: dict[str, subprocess.Popen[str]] = {}
    try:
        for system in systems:
            command = [sys.executable, "-m", "benchmarks.transcription", "--work", system, str(threads)]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            processes[system] = process
            if not process.stdout.readline():  # stderr tells why it cannot be loaded
                processes.pop(system).wait()
        yield {system: _asker(process) for system, process in processes.items()}
    finally:
        for process in processes.values():
            process.stdin.close()
            process.wait()


def _asker(process: subprocess.Popen[str]) -> Callable[[Path], Answer]:
    def ask(path: Path) -> Answer:
        print(path, file=process.stdin, flush=True)
        return Answer(**json.loads(process.stdout.readline()))

    return ask


def work(system: str, threads: int) -> None:
    """Serve as a worker: paths on standard input, answers on standard output, after "ready"."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    try:
        transcribe = _peer(threads) if system == PEER else _ours(system, threads)
    except VoiceError as error:
        print(f"{system} is left out: {error}", file=sys.stderr)
        return
    print("ready", flush=True)
    for line in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        text = transcribe(line.rstrip("\n"))
        spent = time.perf_counter() - wall, time.process_time() - cpu
        print(json.dumps({"text": text, "wall": spent[0], "cpu": spent[1], "peak": _peak()}), flush=True)


def _ours(model: str, threads: int) -> Callable[[str], str]:
    from voice import audio
    from voice.loading import load_recognizer
    from voice.silero import Silero
    from voice.transcription import Transcriber, TranscriptionRequest

    recognizer, detector = load_recognizer(model, threads=threads), Silero.open()
    transcriber, request = Transcriber(recognizer, detector), TranscriptionRequest("en")
    return lambda path: transcriber.transcribe(audio.blocks(path, 16_000), request).text


def _peer(threads: int) -> Callable[[str], str]:
    from faster_whisper import WhisperModel

    from voice.models import find

    model = WhisperModel(str(find("whisper-base").folder), compute_type="int8", cpu_threads=threads)
    return lambda path: "".join(
        segment.text for segment in model.transcribe(path, language="en", beam_size=1)[0]
    )


def _peak() -> int:
    """Return the most memory that this process has held, in bytes."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2], int(sys.argv[3]))
    else:
        typer.run(main)
