"""Scores a model of the Hub before and after it was tuned: errors per word on manifests, as one table.

    python -m recipes.finetune.evaluate --model hf:facebook/wav2vec2-base-960h --model hf:my-model \
        --manifest my/test.jsonl
    python -m recipes.finetune.evaluate --voice heart --voice hf:my-voice --manifest my/test.jsonl

A recognizer runs as `voice transcribe` runs it. A voice reads the transcripts aloud, and whisper-base, or
another `--recognizer`, writes down what it says: the fewer errors, the better it is understood.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.asr import evaluate as recognizers
from recipes.asr.windows import select_any
from recipes.evaluations import Measured, fingerprint, measured_in
from recipes.exporting import rows_about, write_rows
from recipes.options import option, parse
from voice.errors import VoiceError
from voice.loading import load_voice
from voice.metrics import Score, interval, reading_errors, total
from voice.simple import transcribe
from voice.tts.voice import join


@dataclass(frozen=True)
class EvaluateOptions:
    model: tuple[str, ...] = option((), "recognizers: names, folders or hf:…; repeatable")
    voice: tuple[str, ...] = option((), "voices: names, folders or hf:…; repeatable")
    manifest: tuple[str, ...] = option((), "score on this; PATH:N takes N; repeatable")
    recognizer: str = option("whisper-base", "who listens to the voices")
    language: str | None = option(None, "the language of all recordings; by default the models', or en")
    threads: int = option(2, "CPU threads")
    json: Path | None = option(None, "write the table there too")


@dataclass(frozen=True)
class VoiceRow:
    """A voice on a manifest: how many errors a recognizer makes per word, with the interval of it."""

    voice: str
    manifest: str
    clips: int
    words: int
    rate: float
    low: float
    high: float
    data: str = ""  # the fingerprint of the manifest, for a card


def voice_rows(options: EvaluateOptions) -> Iterator[VoiceRow]:
    """Yield a row for each manifest and voice. Raises VoiceError."""
    for manifest in options.manifest:
        texts = [clip.text for clip in select_any(manifest) if clip.text]
        for name in options.voice:
            scores = list(_score_reading(name, texts, options))
            low, high = interval(scores)
            every = total(scores)
            title = recognizers.title(manifest)
            data = fingerprint(manifest)
            yield VoiceRow(name, title, len(texts), every.words, every.rate, low, high, data)


def card_scores(folder: Path, table: Path | None) -> Measured:
    """Return what the card of the recognizer or of the voice in `folder` has of a table."""
    rows = json.loads(table.read_text("utf-8")) if table else []
    if not any("voice" in row for row in rows):
        return recognizers.card_scores(folder, table)
    own = rows_about(folder, table, "voice")
    scores = {f"{row['manifest']} WER": round(row["rate"], 4) for row in own}
    return measured_in("recipes.finetune.evaluate", own, "manifest", scores)


def evaluate_again(
    model: str, sets: Mapping[str, str], options: Mapping[str, Any]
) -> Iterator[tuple[str, float]]:
    """Yield the word error rates of a voice's card, measured again on its sets (title → PATH[:N])."""
    asked = EvaluateOptions(voice=(model,), manifest=tuple(sets.values()))
    for name, row in zip(sets, voice_rows(asked), strict=True):
        yield f"{name} WER", row.rate


def _score_reading(name: str, texts: list[str], options: EvaluateOptions) -> Iterator[Score]:
    """Yield the errors of a recognizer in each text that a voice reads."""
    voice = load_voice(name, threads=options.threads)
    for text in texts:
        audio = join(voice.speak(text)).audio
        heard = transcribe(audio, model=options.recognizer, language=options.language or "en")
        yield reading_errors(text, heard.text, options.language or "en")


def main(options: EvaluateOptions) -> None:
    if not options.manifest or not (options.model or options.voice):
        raise VoiceError("name what to score with --model or --voice, and what on with --manifest")
    if options.model:
        recognizers.main(
            recognizers.Options(
                manifest=options.manifest, model=options.model, language=options.language,
                threads=options.threads, json=options.json,
            )
        )  # fmt: skip
    table = []
    for row in voice_rows(options):
        table.append(row)
        between = f"{100 * row.low:.1f} to {100 * row.high:.1f} %"
        print(
            f"{row.manifest:<28}{row.voice:<30}{row.clips:>6}{100 * row.rate:>6.1f} %{between:>18}",
            flush=True,
        )
    if options.json and table:
        write_rows(options.json, table)


if __name__ == "__main__":
    main(parse(EvaluateOptions, description=__doc__))
