"""How well voices speak: one table, every voice on the same sentences.

    python -m recipes.tts.evaluate --voice kathleen --voice heart
    python -m recipes.tts.evaluate --manifest ../shared/corpora/kathleen/test.jsonl --text sentences.txt

Every voice runs as `voice` runs it, on one thread. A recognizer writes down what it hears: the word
errors of that round trip are the voice's and the recognizer's together. Sentences come from text files
(one a line) and from manifests; the recordings of a manifest are a system too, and the distance from them
is measured. Texts of a test manifest are for reporting; to choose between models give dev.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from recipes.asr.evaluate import title
from recipes.asr.peers import recognized
from recipes.options import option, parse
from recipes.tts import scores
from voice import audio
from voice.errors import TextError, VoiceError
from voice.loading import load
from voice.manifest import read_manifest
from voice.metrics import Score, interval, total, word_errors
from voice.tts.voice import join
from voice.types import Audio, Recognizer, Synthesizer

RECORDINGS = "recordings"
HELD_OUT = Path("../shared/text/heldout.txt")


@dataclass(frozen=True)
class Options:
    voice: tuple[str, ...] = option(("kathleen", "heart"), "a name or a folder; repeatable")
    manifest: tuple[Path, ...] = option((), "recordings with transcripts to speak too; repeatable")
    text: tuple[Path, ...] = option((HELD_OUT,), "sentences, one a line; repeatable")
    recognizer: str = option("whisper-base", "what listens: a name or a folder")
    limit: int | None = option(None, "at most so many sentences of each, spread evenly")
    transcripts: bool = option(False, "print what was said and heard wherever they differ")
    json: Path | None = option(None, "write the table there too")


@dataclass(frozen=True, eq=False)
class Item:
    """A sentence to speak, and a recording of it if there is one."""

    text: str
    recording: Audio | None = None


@dataclass(frozen=True)
class Row:
    """A system on a test. `rate`: word errors per word, between `low` and `high` with 95 % confidence;
    `pitch_spread`: standard deviation of log-F0; `distortion`: dB from the recordings; `real_time`: the
    time taken for a second of speech."""

    test: str
    system: str
    sentences: int
    words: int
    rate: float
    low: float
    high: float
    pitch_spread: float
    distortion: float | None
    real_time: float | None


def items_of(path: Path, limit: int | None) -> list[Item]:
    """The sentences of a manifest or of a text file. Raises VoiceError where there are none."""
    if path.suffix == ".jsonl":
        clips = _spread([clip for clip in read_manifest(path) if clip.text], limit)
        found = [Item(clip.text, audio.read(clip.audio)) for clip in clips]
    elif path.is_file():
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
        found = [Item(line) for line in _spread([line for line in lines if line], limit)]
    else:
        raise TextError(f"{path} is not there; give a file with a sentence a line")
    if not found:
        raise TextError(f"{path} holds no sentence to speak")
    return found


def _spread(every: list, limit: int | None) -> list:
    if limit is None or limit >= len(every):
        return every
    return [every[i] for i in np.linspace(0, len(every) - 1, limit).astype(int)]


def spoken(voice: Synthesizer) -> Callable[[Item], Audio]:
    return lambda item: join(voice.speak(item.text)).audio


def score(
    recognizer: Recognizer, system: Callable[[Item], Audio], items: Sequence[Item], *,
    names: tuple[str, str], show: bool = False,
) -> Row:  # fmt: skip
    """One row of the table; `names` are those of the test and of the system."""
    errors: list[Score] = []
    voiced: list[np.ndarray] = []
    apart: list[float] = []
    made = spent = 0.0
    for item in items:
        start = time.perf_counter()
        sound = system(item)
        spent += time.perf_counter() - start
        made += sound.duration
        heard = recognized(recognizer, audio.resample(sound, recognizer.rate), "en")
        errors.append(word_errors(item.text, heard))
        voiced.append(scores.log_f0(sound))
        if item.recording is not None and names[1] != RECORDINGS:
            apart.append(scores.distortion(item.recording, sound))
        if show and errors[-1].errors:
            print(f"  {names[1]} said:  {item.text}\n  {' ' * len(names[1])} heard: {heard}", flush=True)
    every, (low, high) = total(errors), interval(errors)
    return Row(
        *names, len(items), every.words, every.rate, low, high, scores.pitch_spread(voiced),
        float(np.mean(apart)) if apart else None, None if names[1] == RECORDINGS else spent / made,
    )  # fmt: skip


def rows(options: Options) -> Iterator[Row]:
    """The table, test by test, so that the systems of one stand side by side."""
    recognizer = load(options.recognizer, kind="recognizer")
    voices = {name: spoken(load(name, kind="voice", threads=1)) for name in options.voice}
    for system in voices.values():
        system(Item("One sentence before the clock starts."))
    for path in (*options.manifest, *options.text):
        items = items_of(path, options.limit)
        systems = dict(voices)
        if items[0].recording is not None:
            systems = {RECORDINGS: lambda item: item.recording} | systems
        name = title(str(path)) if path.suffix == ".jsonl" else path.stem
        for system, speak in systems.items():
            yield score(recognizer, speak, items, names=(name, system), show=options.transcripts)


def _line(row: Row) -> str:
    between = f"{100 * row.low:.1f} to {100 * row.high:.1f} %"
    distortion = "" if row.distortion is None else f"{row.distortion:.2f}"
    real_time = "" if row.real_time is None else f"{row.real_time:.4f}"
    return (
        f"{row.test:<20}{row.system:<20}{row.sentences:>10}{100 * row.rate:>6.1f} %{between:>18}"
        f"{row.pitch_spread:>11.3f}{distortion:>9}{real_time:>9}"
    )


def main(options: Options) -> None:
    print(f"{'test':<20}{'system':<20}{'sentences':>10}{'WER':>8}{'95 % interval':>18}"
          f"{'log-F0 SD':>11}{'MCD, dB':>9}{'RTF':>9}")  # fmt: skip
    table = []
    try:
        for row in rows(options):
            table.append(row)
            print(_line(row), flush=True)
    except VoiceError as error:
        raise SystemExit(str(error)) from error
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps([asdict(row) for row in table], indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(parse(Options, description=__doc__))
