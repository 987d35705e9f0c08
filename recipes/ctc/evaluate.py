"""How the ways to search compare on transcribed clips: best path, beam, beam with an n-gram model.

    python -m recipes.ctc.evaluate --model my-recognizer --manifest …/test.jsonl --beside quick
    python -m recipes.ctc.evaluate --model my-recognizer --manifest …/dev.jsonl --lm lm.arpa.gz \
        --lm-weight 0.3 --lm-weight 0.6 --word-bonus 0.5 --word-bonus 1.5

The encoder runs once for each clip; every search reads what it wrote. Weights are chosen on dev clips and
reported on test clips. Other recognizers hear the same clips as `voice transcribe` runs them.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from recipes.asr.evaluate import title
from recipes.asr.peers import hearing
from recipes.ctc.examples import select
from recipes.ctc.scoring import character_errors
from recipes.exporting import write_rows
from recipes.options import option, parse
from voice import audio
from voice.asr.ctc.beam_search import BeamSearch, SearchOptions
from voice.asr.ctc.ngram import NgramModel
from voice.asr.ctc.recognizer import LONGEST_SPEECH, OnnxCTCRecognizer
from voice.asr.ctc.units import Units
from voice.errors import ManifestError, ModelError
from voice.features import WHISPER_RATE
from voice.loading import load_recognizer
from voice.manifest import Clip
from voice.metrics import Score, interval, total, word_errors


@dataclass(frozen=True)
class Options:
    model: str = option("my-recognizer", "a model that recipes.ctc.export wrote")
    manifest: tuple[str, ...] = option(("data/tiny/dev.jsonl",), "score on this; PATH:N takes N; repeatable")
    beside: tuple[str, ...] = option((), "another recognizer for the table, such as quick; repeatable")
    lm: Path | None = option(None, "an ARPA file; by default the model's own, if it has one")
    beam: int = option(16, "hypotheses that the beam keeps")
    lm_weight: tuple[float, ...] = option((SearchOptions.lm_weight,), "n-gram model's weight; repeatable")
    word_bonus: tuple[float, ...] = option((SearchOptions.word_bonus,), "added for each word; repeatable")
    unknown_word: tuple[float, ...] = option(
        (SearchOptions.unknown_word,), "added for each word that the n-gram model does not know; repeatable"
    )
    label_floor: float = option(SearchOptions.label_floor, "nats below a frame's best that are followed")
    threads: int = option(2, "CPU threads")
    json: Path | None = option(None, "write the table there too")


@dataclass(frozen=True)
class Row:
    """One way to recognize a manifest: errors a word and a character, and the time for a second of sound."""

    system: str
    manifest: str
    clips: int
    rate: float
    low: float
    high: float
    characters: float
    real_time: float


@dataclass(frozen=True, eq=False)
class Heard:
    """A clip's text and seconds, and the log-probabilities (F, C) that the encoder wrote."""

    text: str
    seconds: float
    log_probs: np.ndarray


def searches(units: Units, options: Options, model: NgramModel | None) -> Iterator[tuple[str, BeamSearch]]:
    """Yield the name of each way to search, and the search."""
    plain = SearchOptions(beam=options.beam, label_floor=options.label_floor)
    yield "best path", BeamSearch(units, replace(plain, beam=1))
    yield f"beam {options.beam}", BeamSearch(units, plain)
    if model is not None:
        tried = itertools.product(options.lm_weight, options.word_bonus, options.unknown_word)
        for weight, bonus, unknown in tried:
            name = f"beam {options.beam}, {model.order}-gram × {weight:g}, {bonus:g} a word"
            name += f", {unknown:g} an unknown one" if unknown else ""
            chosen = replace(plain, lm_weight=weight, word_bonus=bonus, unknown_word=unknown)
            yield name, BeamSearch(units, chosen, model)


def clips_of(manifest: str) -> list[Clip]:
    """Return the transcribed clips of a manifest that one call takes. Raises ManifestError without any."""
    clips = [clip for clip in select([manifest]) if clip.text and clip.duration <= LONGEST_SPEECH]
    if not clips:
        raise ManifestError(f"{manifest} has no transcribed clip of at most {LONGEST_SPEECH:g} s")
    return clips


def score(
    system: str, manifest: str, language: str, pairs: Sequence[tuple[str, str]], seconds: float, spent: float
) -> Row:
    """Return a row of pairs of reference and hypothesis; `spent` seconds went into `seconds` of sound."""
    words = [word_errors(reference, hypothesis, language) for reference, hypothesis in pairs]
    characters: list[Score] = [character_errors(*pair, language) for pair in pairs]
    low, high = interval(words)
    return Row(
        system, title(manifest), len(pairs), total(words).rate, low, high,
        total(characters).rate, spent / seconds,
    )  # fmt: skip


def own_rows(recognizer: OnnxCTCRecognizer, manifest: str, options: Options) -> Iterator[Row]:
    """Yield a row for each way to search one manifest."""
    clips = clips_of(manifest)
    sounds = [audio.read(clip.audio, WHISPER_RATE).samples for clip in clips]
    begun = time.perf_counter()
    heard = [
        Heard(clip.text or "", len(samples) / WHISPER_RATE, recognizer.log_probs([samples])[0])
        for clip, samples in zip(clips, sounds, strict=True)
    ]
    encoding, seconds = time.perf_counter() - begun, sum(each.seconds for each in heard)
    model = NgramModel.read(options.lm) if options.lm else recognizer.language_model
    for name, search in searches(recognizer.units, options, model):
        begun = time.perf_counter()
        pairs = [(each.text, recognizer.units.join(search(each.log_probs))) for each in heard]
        spent = encoding + time.perf_counter() - begun
        yield score(name, manifest, recognizer.languages[0], pairs, seconds, spent)


def other_row(name: str, hear: Callable[[np.ndarray, str], str], manifest: str, language: str) -> Row:
    """Return the row of another recognizer."""
    clips = clips_of(manifest)
    sounds = [audio.read(clip.audio, WHISPER_RATE).samples for clip in clips]
    begun = time.perf_counter()
    pairs = [(clip.text or "", hear(each, language)) for clip, each in zip(clips, sounds, strict=True)]
    spent = time.perf_counter() - begun
    return score(name, manifest, language, pairs, sum(map(len, sounds)) / WHISPER_RATE, spent)


def rows(options: Options) -> Iterator[Row]:
    """Yield the table. Raises VoiceError."""
    recognizer = load_recognizer(options.model, threads=options.threads)
    if not isinstance(recognizer, OnnxCTCRecognizer):
        raise ModelError(f"{options.model} is no CTC recognizer; name a folder that recipes.ctc.export wrote")
    others = {name: hearing(name, options.threads) for name in options.beside}
    for manifest in options.manifest:
        yield from own_rows(recognizer, manifest, options)
        for name, hear in others.items():
            yield other_row(name, hear, manifest, recognizer.languages[0])


def main(options: Options) -> None:
    print(f"{'manifest':<24}{'system':<44}{'clips':>6}{'WER':>8}{'95 % interval':>18}{'CER':>8}{'RTF':>8}")
    table = []
    for row in rows(options):
        table.append(row)
        between = f"{100 * row.low:.1f} to {100 * row.high:.1f} %"
        print(
            f"{row.manifest:<24}{row.system:<44}{row.clips:>6}{100 * row.rate:>6.1f} %{between:>18}"
            f"{100 * row.characters:>6.1f} %{row.real_time:>8.3f}",
            flush=True,
        )
    if options.json:
        write_rows(options.json, table)


if __name__ == "__main__":
    main(parse(Options, description=__doc__))
