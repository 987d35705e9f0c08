"""Score a finished voice again: on the recordings of its run, or on others of the same person.

    python -m recipes.own_voice.evaluate --voice anna --run runs/anna
    python -m recipes.own_voice.evaluate --voice anna --recordings more/test.jsonl --recognizer whisper-base

`python -m recipes.reproduce --model anna` does the former and holds the scores against those on the card.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from recipes.evaluations import Evaluation
from recipes.options import option, parse
from recipes.own_voice.recordings import SPLITS, Recordings
from recipes.own_voice.scoring import Extent, Scored, score_voice
from voice.errors import VoiceError
from voice.loading import load_voice
from voice.models.lookup import find_stored

USUAL = Extent()


@dataclass(frozen=True)
class Options:
    voice: str = option("", "the voice: its name or its folder")
    run: Path = option(Path("runs"), "the folder of the run that made it, where its recordings are listed")
    recordings: Path | None = option(None, "a manifest of recordings instead of those of the run")
    own: int = option(USUAL.own, "at most so many recordings, and as many test sentences")
    invented: int = option(USUAL.invented, "sentences that are in no recording")
    recognizer: str = option(USUAL.recognizer, "what hears them")
    threads: int | None = option(None, "CPU threads; all cores if not given")


def on_recordings(recordings: Recordings, extent: Extent) -> Evaluation:
    """Return how a voice is scored on its recordings, for its card."""
    sets: dict[str, str | Path] = dict(zip(SPLITS, recordings.all, strict=True))
    return Evaluation.on("recipes.own_voice.evaluate", sets, asdict(extent))


def evaluate_again(
    model: str, sets: Mapping[str, str], options: Mapping[str, Any]
) -> Iterator[tuple[str, float]]:
    """Yield the scores of a card as they are measured now, if all recordings are here."""
    if all(split in sets for split in SPLITS):
        extent = Extent(int(options["own"]), int(options["invented"]), str(options["recognizer"]))
        paths = [Path(sets[split]) for split in SPLITS]
        yield from evaluate(model, paths, paths[SPLITS.index("test")], extent).table().items()


def evaluate(
    voice: str, recordings: Sequence[Path], test: Path, extent: Extent, threads: int | None = None
) -> Scored:
    """Return the scores of a voice, named or in a folder. Raises VoiceError."""
    if not test.is_file():
        raise VoiceError(f"{test} is not there: give the folder of the voice's run as --run")
    threads = threads or os.cpu_count() or 1
    name = find_stored(voice).card.name
    return score_voice(name, load_voice(voice, threads=threads), recordings, test, extent, threads)


def main(o: Options) -> None:
    run, extent = Recordings(o.run / "recordings"), Extent(o.own, o.invented, o.recognizer)
    recordings, test = (run.all, run.test) if o.recordings is None else ((o.recordings,), o.recordings)
    try:
        scored = evaluate(o.voice, recordings, test, extent, o.threads)
    except VoiceError as error:
        raise SystemExit(str(error)) from error
    print("| who | sentences | WER (95 %) | Distill-MOS | likeness |\n|---|---|---|---|---|")
    for row in scored.rows:
        mos, own = ("–" if each is None else f"{each:.2f}" for each in (row.mos, row.own))
        rate = f"{row.rate:.1%} ({row.low:.1%}–{row.high:.1%})"
        print(f"| {row.system} | {row.test}, {row.sentences} | {rate} | {mos} | {own} |")


if __name__ == "__main__":
    main(parse(Options, description=__doc__))
