"""Evaluates a model again as its card says it was evaluated, and prints both scores beside each other.

    python -m recipes.reproduce --model quick
    python -m recipes.reproduce --model my-recognizer --among my/test.jsonl --among ../shared/text

The card names its sets by their contents. They are looked for in what `--among` names, in `VOICE_CORPORA`, in
`data/tiny` and in the run that made the model. The exit status is 1 where a score differs by more than
`--within`, or where none could be measured.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.evaluations import Evaluation, find_sets
from recipes.options import option, parse
from voice.errors import VoiceError
from voice.models.card import Card
from voice.models.lookup import find_stored

# Modules with `evaluate_again`. A card may come from a stranger, so nothing else is imported for it.
EVALUATORS = (
    "recipes.asr.evaluate",
    "recipes.asr.tuning.companions",
    "recipes.endpoint.from_recordings",
    "recipes.finetune.evaluate",
    "recipes.own_voice.evaluate",
    "recipes.tts.evaluate",
    "recipes.vocoder.copies",
    "recipes.vocoder.evaluate",
)
TINY = Path(__file__).resolve().parents[1] / "data" / "tiny"

# The model's name or folder, its sets (title → PATH[:N]) and further options of the card → names and scores.
EvaluateAgain = Callable[[str, Mapping[str, str], Mapping[str, Any]], Iterator[tuple[str, float]]]


@dataclass(frozen=True)
class Options:
    model: str = option("quick", "the model's name or folder")
    among: tuple[Path, ...] = option((), "where its sets are: files or folders; repeatable")
    run: Path | None = option(None, "the run that made it; by default runs/ and what its card says")
    within: float = option(0.01, "how much a score may differ")


@dataclass(frozen=True)
class Reproduced:
    """A score as the card has it (None: it has none) and as it was measured now (None: it was not)."""

    name: str
    card: float | None
    now: float | None

    def differs(self, within: float) -> bool:
        """Tell whether both are there and further apart than `within`."""
        return (
            self.card is not None and self.now is not None and not abs(self.now - self.card) <= within + 1e-9
        )


def evaluator(by: str) -> EvaluateAgain:
    """Return what evaluates as a card says. Raises VoiceError for what is not known here."""
    if by not in EVALUATORS:
        raise VoiceError(f"{by!r:.100} evaluates nothing here; known are {', '.join(EVALUATORS)}")
    found: EvaluateAgain = importlib.import_module(by).evaluate_again
    return found


def places(o: Options, card: Card) -> list[Path]:
    """Return where sets are looked for."""
    corpora, made_by = os.environ.get("VOICE_CORPORA"), str(card.training.get("run", ""))
    run = [o.run] if o.run else [Path("runs") / Path(made_by).name] if made_by else []
    return [*o.among, *run, *([Path(corpora)] if corpora else []), TINY]


def reproduce(o: Options) -> Iterator[Reproduced]:
    """Yield the scores of a card as each is measured again, then those that were not. Raises VoiceError."""
    card = find_stored(o.model).card
    evaluation = Evaluation.read(card)
    evaluate = evaluator(evaluation.by)
    sets = find_sets(evaluation.sets, places(o, card))
    for title in evaluation.sets:
        if title not in sets:
            print(f"{title}: the set is not here as it was; say with --among where it is", file=sys.stderr)
    numbers = {name: float(value) for name, value in card.scores.items() if isinstance(value, int | float)}
    done = set[str]()
    for name, score in evaluate(o.model, sets, evaluation.options) if sets else ():
        done.add(name)
        yield Reproduced(name, numbers.get(name), score)
    yield from (Reproduced(name, value, None) for name, value in numbers.items() if name not in done)


def line(each: Reproduced, within: float) -> str:
    """Return a line of the table."""
    card, now = ("–" if value is None else f"{value:.4g}" for value in (each.card, each.now))
    remark = "  differs" if each.differs(within) else "  not measured again" if each.now is None else ""
    return f"{each.name:<40}{card:>10}{now:>10}{remark}"


def main(o: Options) -> None:
    print(f"{o.model:<40}{'card':>10}{'now':>10}", flush=True)
    table = []
    for each in reproduce(o):
        table.append(each)
        print(line(each, o.within), flush=True)
    compared = [each for each in table if each.card is not None and each.now is not None]
    wrong = sum(each.differs(o.within) for each in compared)
    print(f"{len(compared) - wrong} of {len(compared)} scores are as on the card, within {o.within:g}")
    if wrong or not compared:
        sys.exit(1)


if __name__ == "__main__":
    main(parse(Options, description=__doc__))
