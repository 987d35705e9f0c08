"""Word error rates, speed and memory of recognizers on manifests with transcripts, as one table.

    python -m recipes.asr.evaluate
    python -m recipes.asr.evaluate --noise 10 --model quick \
        --manifest ../shared/corpora/librispeech/test.jsonl
    python -m recipes.asr.evaluate --manifest my/test.jsonl --model runs/mine/model --json scores.json

Every recognizer runs as `voice transcribe` runs it, speech detection and word times included, in a process of
its own, so that its memory is its own; they take turns manifest by manifest. One untimed recording goes
before. `--noise` adds each manifest once more with the noises of the corpora's test split.
"""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from data.augmentation import with_noise
from data.batching import rng_for
from recipes import runs
from recipes.asr.peers import POCKETSPHINX, Hear, hearing
from recipes.asr.windows import select_any
from recipes.evaluations import Measured, fingerprint, measured_in
from recipes.exporting import rows_about, write_rows
from recipes.options import option, parse
from voice import audio
from voice.errors import VoiceError
from voice.features import WHISPER_RATE
from voice.manifest import Clip, read_manifest
from voice.metrics import Score, interval, total, word_errors
from voice.models import entries
from voice.models.card import NAME as CARD
from voice.models.card import read_card

CORPORA = "../shared/corpora"
TESTS = ("librispeech", "ljspeech", "kathleen", "asterisk_allison", "speechocean762", "longform")
MULTILINGUAL = "multilingual"  # on the cards of those who recognize many languages
NOISE_SEED = 7


@dataclass(frozen=True)
class Options:
    manifest: tuple[str, ...] = option(
        tuple(f"{CORPORA}/{name}/test.jsonl" for name in TESTS), "score on this; PATH:N takes N; repeatable"
    )
    model: tuple[str, ...] = option(
        ("whisper-base", "quick", "whisper-tiny.en", POCKETSPHINX), "a name or a folder; repeatable"
    )
    noise: tuple[float, ...] = option((), "also with noise so many dB below the speech; repeatable")
    noises: Path = option(Path(f"{CORPORA}/noise/test.jsonl"), "the manifest of the noises")
    language: str | None = option(None, "the language of all recordings; by default the models', or en")
    threads: int = option(2, "CPU threads")
    json: Path | None = option(None, "write the table there too")


@dataclass(frozen=True)
class Row:
    """A model on a manifest. Rates are errors per word; `seconds` is the mean time for one recording,
    `real_time` the time taken for a second of sound, `memory` the process's peak so far in MB, `data` the
    fingerprint of what was heard as it was recorded, for a card (`recipes.evaluations`)."""

    model: str
    manifest: str
    clips: int
    words: int
    rate: float
    low: float
    high: float
    seconds: float
    real_time: float
    memory: float
    data: str = ""


@dataclass(frozen=True)
class Part:
    """Some recordings of the table, and how they sound: `snr` None is as recorded."""

    name: str
    clips: Sequence[Clip]
    snr: float | None
    data: str = ""


def parts(options: Options) -> list[Part]:
    """Every manifest as recorded, then with each noise."""
    found = []
    for manifest in options.manifest:
        clips = [clip for clip in select_any(manifest) if clip.text is not None]
        found.append(Part(title(manifest), clips, None, fingerprint(manifest)))
        found += [Part(f"{title(manifest)} {snr:g} dB", clips, snr) for snr in options.noise]
    return found


def sounds(part: Part, options: Options) -> Iterator[np.ndarray]:
    """(T,) samples at 16 kHz of each recording; the noise of each is the same for every recognizer."""
    noises = []
    if part.snr is not None:
        noises = [audio.read(clip.audio, WHISPER_RATE).samples for clip in read_manifest(options.noises)]
    for number, clip in enumerate(part.clips):
        samples = audio.read(clip.audio, WHISPER_RATE).samples
        if noises:
            rng = rng_for(NOISE_SEED, number)
            noisy = with_noise(samples, noises[number % len(noises)], part.snr or 0.0, rng)
            samples = np.clip(noisy, -1.0, 1.0)
        yield samples


def spoken_language(model: str, given: str | None) -> str:
    """Return the language to recognize in: the given one, or else the model's own, or else English.

    Raises VoiceError where the model's card says another one, or where `model` is the folder of a run.
    """
    folder = Path(model)
    if (folder / runs.FILE).exists() and not (folder / CARD).exists():
        raise VoiceError(
            f"{model} is a run, not a model; export it: python -m recipes.asr.export --run {model} --out …"
        )
    known = entries()
    card = known[model].card if model in known else read_card(folder) if (folder / CARD).exists() else None
    own = None if card is None or card.language == MULTILINGUAL else card.language
    if given and own and given != own:
        raise VoiceError(
            f"{model} recognizes {own}, not {given}: leave --language out, or choose another model"
        )
    return given or own or "en"


def score(hear: Hear, model: str, part: Part, options: Options, language: str = "en") -> Row:
    """Return one row of the table."""
    scores: list[Score] = []
    duration = spent = 0.0
    for clip, samples in zip(part.clips, sounds(part, options), strict=True):
        if not scores:
            hear(samples, language)
        start = time.perf_counter()
        text = hear(samples, language)
        spent += time.perf_counter() - start
        duration += len(samples) / WHISPER_RATE
        scores.append(word_errors(clip.text or "", text, language))
    every, (low, high) = total(scores), interval(scores)
    count, peak = len(part.clips), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Row(
        model, part.name, count, every.words, every.rate, low, high, spent / count, spent / duration, peak,
        part.data,
    )  # fmt: skip


def serve(pipe: Connection, model: str, options: Options) -> None:
    """Answer in a process of its own: a part in, its row out or what went wrong, until there are no more."""
    try:
        hear, language = hearing(model, options.threads), spoken_language(model, options.language)
        pipe.send(None)
        while (part := pipe.recv()) is not None:
            pipe.send(score(hear, model, part, options, language))
    except VoiceError as error:
        pipe.send(error)


def rows(options: Options) -> Iterator[Row]:
    """Yield the table, part by part, so that the models of one stand side by side. Raises VoiceError."""
    askers = {model: _process(model, options) for model in options.model}
    try:
        for part in parts(options):
            for ask in askers.values():
                row = ask(part)
                assert row is not None  # it is for the last call alone
                yield row
    finally:
        for ask in askers.values():
            ask(None)


def _process(model: str, options: Options) -> Callable[[Part | None], Row | None]:
    """Start what serves `model`; the function returned asks it, and ends it when asked for None."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, model, options), daemon=True)
    process.start()
    theirs.close()
    _answer(ours, model)

    def ask(part: Part | None) -> Row | None:
        ours.send(part)
        if part is not None:
            return _answer(ours, model)
        process.join()
        return None

    return ask


def _answer(pipe: Connection, model: str) -> Row | None:
    """Wait for the row that a model's process sends. Raises VoiceError if the process fails."""
    try:
        answer = pipe.recv()
    except EOFError:
        raise VoiceError(f"{model} ended before it had answered; its message stands above") from None
    if isinstance(answer, VoiceError):
        raise answer
    return answer


def title(manifest: str) -> str:
    """`…/librispeech/test.jsonl` → `librispeech test`."""
    path = Path(manifest)
    return f"{path.parent.name} {path.name.partition('.')[0]}"


def card_scores(folder: Path, table: Path | None) -> Measured:
    """Return what the card of the model in `folder` has of a table."""
    own = rows_about(folder, table, "model")
    scores: dict[str, Any] = {f"{row['manifest']} WER": round(row["rate"], 4) for row in own}
    scores["command"] = f"python -m recipes.asr.evaluate --model {folder.name}"
    return measured_in("recipes.asr.evaluate", own, "manifest", scores)


def evaluate_again(
    model: str, sets: Mapping[str, str], options: Mapping[str, Any]
) -> Iterator[tuple[str, float]]:
    """Yield the word error rates of a model's card, measured again on its sets (title → PATH[:N])."""
    asked = Options(manifest=tuple(sets.values()), model=(model,), language=options.get("language"))
    for name, row in zip(sets, rows(asked), strict=True):
        yield f"{name} WER", row.rate


def main(options: Options) -> None:
    print(
        f"{'manifest':<28}{'model':<18}{'clips':>6}{'WER':>8}{'95 % interval':>18}"
        f"{'s/clip':>9}{'RTF':>8}{'MB':>7}"
    )
    table = []
    for row in rows(options):
        table.append(row)
        between = f"{100 * row.low:.1f} to {100 * row.high:.1f} %"
        print(
            f"{row.manifest:<28}{row.model:<18}{row.clips:>6}{100 * row.rate:>6.1f} %{between:>18}"
            f"{row.seconds:>9.3f}{row.real_time:>8.3f}{row.memory:>7.0f}",
            flush=True,
        )
    if options.json:
        write_rows(options.json, table)


if __name__ == "__main__":
    main(parse(Options, description=__doc__))
