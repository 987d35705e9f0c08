"""Live recognition beside file mode on the same recordings: errors, revisions, delays, in one table.

    python -m benchmarks.live [--set librispeech] [--split test] [--limit 20] [--model quick]

Each recording arrives as from a microphone: a piece of it is fed when it has been said and what was
fed before it has been dealt with, and `finish` is called after the last. The clock is simulated and
advanced by the time that the computing takes, so that a run is as long as its computing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from voice import audio
from voice.asr.local_agreement import bare
from voice.asr.streaming import Live, Pacing
from voice.loading import load_recognizer
from voice.metrics import Score, interval, total, word_errors
from voice.silero import Silero
from voice.transcription import Transcriber, TranscriptionRequest
from voice.types import Audio

SETS = ("kathleen", "ljspeech", "librispeech", "asterisk_allison", "speechocean762", "longform")
RATE = 16_000
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}


@dataclass
class Display:
    """What a reader sees: words, and since when; counts those that were taken back."""

    words: list[tuple[str, float]]
    shown: int = 0
    revised: int = 0

    def update(self, text: str, now: float) -> None:
        new = [word for word in map(bare, text.split()) if word]
        old = [word for word, _ in self.words]
        result: list[tuple[str, float]] = []
        for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if kind == "equal":
                result += self.words[i:j]
                continue
            self.revised += j - i
            self.shown += m - k
            result += [(word, now) for word in new[k:m]]
        self.words = result


@dataclass(frozen=True)
class Result:
    """One recording: times in seconds, `late` from the end of each word to when it was shown for good."""

    id: str
    reference: str
    live: str
    file: str
    duration: float
    computing: float
    final: float  # from the end of the recording to its final text
    shown: int
    revised: int
    late: tuple[float, ...]


def main(
    corpora: Annotated[Path, typer.Option(envvar="VOICE_CORPORA", help="Folder of the corpora.")] = Path(
        "../shared/corpora"
    ),
    sets: Annotated[list[str], typer.Option("--set", help="Corpora to test on.")] = list(SETS),
    split: Annotated[str, typer.Option(help="Which of their manifests.")] = "test",
    limit: Annotated[int, typer.Option(help="Recordings of each set; 0 is all.")] = 0,
    model: Annotated[str, typer.Option(help="Which recognizer.")] = "quick",
    threads: Annotated[int, typer.Option(help="Its threads.")] = 2,
    clock: Annotated[str, typer.Option(help="wall or cpu; cpu where others keep the machine busy.")] = "wall",
    piece: Annotated[float, typer.Option(help="Seconds of sound that arrive at once.")] = 0.02,
    pacing: Annotated[str, typer.Option(help='Changes to the pacing, as in {"step": 0.4}.')] = "{}",
    steady: Annotated[
        bool, typer.Option("--steady", help="No partial is left out for lack of time.")
    ] = False,
    report: Annotated[Path | None, typer.Option("--json", help="Where to write every result too.")] = None,
) -> None:
    """Print the table."""
    recognizer, detector = load_recognizer(model, threads=threads), Silero.open()
    stopwatch = CLOCKS[clock]
    options, transcriber = Pacing(**json.loads(pacing)), Transcriber(recognizer, detector)
    print(_HEAD)
    results: dict[str, list[Result]] = {}
    for name in sets:
        rows = [json.loads(line) for line in (corpora / name / f"{split}.jsonl").read_text().splitlines()]
        rows = rows[:: max(1, len(rows) // limit)][:limit] if limit else rows
        results[name] = []
        for row in rows:
            sound = audio.read(corpora / name / row["audio"], RATE)
            file = transcriber.transcribe([sound.samples], TranscriptionRequest("en")).text
            live = Live(
                recognizer, detector, language="en", pacing=options, stopwatch=None if steady else stopwatch
            )
            results[name].append(play(live, sound, piece, stopwatch, row, file))
        print(_line(name, results[name]), flush=True)
    print(_line("all", [result for each in results.values() for result in each]))
    if report:
        report.write_text(
            json.dumps({name: [asdict(r) for r in rs] for name, rs in results.items()}, indent=1)
        )


def play(
    live: Live, sound: Audio, piece: float, stopwatch: Callable[[], float], row: dict, file: str
) -> Result:
    """Play one recording as it comes, on a clock that computing moves on."""
    display, now, computing = Display([]), 0.0, 0.0
    for end, samples in _pieces(sound, piece):
        begun = stopwatch()
        partial = live.feed(samples)
        spent = stopwatch() - begun
        now, computing = max(now, end) + spent, computing + spent
        if partial:
            display.update(partial.text, now)
    begun = stopwatch()
    transcript = live.finish()
    spent = stopwatch() - begun
    now, computing = max(now, sound.duration) + spent, computing + spent
    display.update(transcript.text, now)
    words = [word for word in transcript.words if bare(word.text)]
    late = tuple(shown - word.end for word, (_, shown) in zip(words, display.words, strict=False))
    final = now - sound.duration
    return Result(
        row["id"], row["text"] or file, transcript.text, file, sound.duration, computing, final,
        display.shown, display.revised, late,
    )  # fmt: skip


def _pieces(sound: Audio, piece: float) -> Iterator[tuple[float, np.ndarray]]:
    """Yield pieces of the sound and when each has been said."""
    size = round(piece * sound.rate)
    for first in range(0, len(sound.samples), size):
        last = min(first + size, len(sound.samples))
        yield last / sound.rate, sound.samples[first:last]


_HEAD = (
    f"{'set':<18}{'files':>6}{'WER file %':>11}{'live %':>8}{'95 % interval':>15}{'revised %':>11}"
    f"{'final p50':>11}{'p95 ms':>8}{'shown p50':>11}{'p95 s':>7}{'computing/s':>13}"
)


def _line(name: str, results: Sequence[Result]) -> str:
    file = [word_errors(r.reference, r.file) for r in results]
    live = [word_errors(r.reference, r.live) for r in results]
    low, high = interval(live)
    spread = f"{100 * low:.1f} - {100 * high:.1f}"
    revised = sum(r.revised for r in results) / max(1, sum(r.shown for r in results))
    final = np.percentile([1000 * r.final for r in results], [50, 95])
    late = np.percentile([late for r in results for late in r.late] or [0.0], [50, 95])
    share = sum(r.computing for r in results) / sum(r.duration for r in results)
    return (
        f"{name:<18}{len(results):>6}{_rate(file):>11}{_rate(live):>8}{spread:>15}{100 * revised:>11.2f}"
        f"{final[0]:>11.0f}{final[1]:>8.0f}{late[0]:>11.2f}{late[1]:>7.2f}{share:>13.2f}"
    )


def _rate(scores: Sequence[Score]) -> str:
    return f"{100 * total(scores).rate:.2f}"


if __name__ == "__main__":
    typer.run(main)
