"""Word error rates and speed of recognizers on manifests with transcripts, as one table.

    python -m recipes.asr.evaluate --model whisper-base --model quick
    python -m recipes.asr.evaluate --manifest my/test.jsonl --model runs/mine/model --json scores.json

Every recognizer runs as `voice` runs it. Recordings of at most 30 s are recognized as they are, longer
ones are cut at pauses first. One untimed recording goes before, so that loading costs nobody anything.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from recipes.asr.windows import select_any
from recipes.options import option, parse
from voice import audio
from voice.asr import longform
from voice.features import WHISPER_RATE
from voice.loading import load
from voice.manifest import Clip
from voice.metrics import Score, interval, total, word_errors
from voice.simple import detector
from voice.types import Audio, Recognizer

CORPORA = "../shared/corpora"
TESTS = ("librispeech", "ljspeech", "kathleen", "asterisk_allison", "speechocean762", "longform")


@dataclass(frozen=True)
class Options:
    manifest: tuple[str, ...] = option(
        tuple(f"{CORPORA}/{name}/test.jsonl" for name in TESTS), "score on this; PATH:N takes N; repeatable"
    )
    model: tuple[str, ...] = option(("whisper-base", "quick"), "a name or a folder; repeatable")
    language: str = option("en", "the language of all recordings")
    threads: int = option(2, "CPU threads")
    json: Path | None = option(None, "write the table there too")


@dataclass(frozen=True)
class Row:
    """A model on a manifest. Rates are errors per word; `seconds` is the mean time for one recording,
    `real_time` the time taken for a second of sound."""

    model: str
    manifest: str
    clips: int
    words: int
    rate: float
    low: float
    high: float
    seconds: float
    real_time: float


def recognized(recognizer: Recognizer, sound: Audio, language: str) -> str:
    """The transcript's text, whatever the length of the sound."""
    if sound.duration <= recognizer.longest:
        return recognizer.transcribe(sound, language=language, words=False).text
    return longform.whole([sound.samples], recognizer, detector(), language=language).text


def score(recognizer: Recognizer, clips: Sequence[Clip], options: Options, *, names: tuple[str, str]) -> Row:
    """One row of the table; `names` are those of the model and of the manifest."""
    scores: list[Score] = []
    heard = spent = 0.0
    for clip in clips:
        sound = audio.read(clip.audio, WHISPER_RATE)
        start = time.perf_counter()
        text = recognized(recognizer, sound, options.language)
        spent += time.perf_counter() - start
        heard += sound.duration
        scores.append(word_errors(clip.text, text))
    every, (low, high) = total(scores), interval(scores)
    return Row(*names, len(clips), every.words, every.rate, low, high, spent / len(clips), spent / heard)


def rows(options: Options) -> Iterator[Row]:
    """The table, manifest by manifest, so that the models of one stand side by side."""
    recognizers = {name: load(name, threads=options.threads, kind="recognizer") for name in options.model}
    for manifest in options.manifest:
        clips = [clip for clip in select_any(manifest) if clip.text is not None]
        sound = audio.read(clips[0].audio, WHISPER_RATE)
        for name, recognizer in recognizers.items():
            recognized(recognizer, sound, options.language)
            yield score(recognizer, clips, options, names=(name, title(manifest)))


def title(manifest: str) -> str:
    """`…/librispeech/test.jsonl` → `librispeech test`."""
    path = Path(manifest)
    return f"{path.parent.name} {path.name.partition('.')[0]}"


def main(options: Options) -> None:
    print(f"{'manifest':<24}{'model':<24}{'clips':>6}{'WER':>8}{'95 % interval':>18}{'s/clip':>9}{'RTF':>8}")
    table = []
    for row in rows(options):
        table.append(row)
        between = f"{100 * row.low:.1f} to {100 * row.high:.1f} %"
        print(
            f"{row.manifest:<24}{row.model:<24}{row.clips:>6}{100 * row.rate:>6.1f} %{between:>18}"
            f"{row.seconds:>9.3f}{row.real_time:>8.3f}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in table], indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(parse(Options, description=__doc__))
