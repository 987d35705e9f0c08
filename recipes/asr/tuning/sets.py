"""The sets of a run: what it learns from, what it is watched on, and the batches of each step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from data.batching import prefetch
from recipes.asr.restyle import Conventions
from recipes.asr.tokenizer import TrainingTokenizer
from recipes.asr.tuning.base_answers import BaseAnswers
from recipes.asr.tuning.examples import (
    Example,
    Tuning,
    TuningBatch,
    collate,
    dev_general_examples,
    general_examples,
    merge,
    set_examples,
)
from recipes.asr.tuning.packing import batch_at, batch_number
from recipes.asr.windows import select_any
from voice.manifest import Clip


@dataclass(frozen=True, eq=False)
class Sets:
    """All that a run learns from (`train`, `general`) and is watched on (`dev`, `general_dev`)."""

    train: Tuning
    dev: Sequence[Example]
    general: Sequence[Example]
    general_dev: Sequence[Example]


def clips_of(manifests: Sequence[str]) -> list[Clip]:
    """Return the clips of manifests, as the command line names them. Raises ManifestError."""
    return [clip for manifest in manifests for clip in select_any(manifest)]


def gather(
    manifests: Sequence[str], dev: Sequence[str], general: Sequence[str], general_dev: Sequence[str],
    answers: BaseAnswers, *, seed: int, trusts: bool = False,
) -> Sets:  # fmt: skip
    """Return the sets of a run; the base hears all of it, once. Raises ManifestError.

    `trusts` keeps transcripts that have nothing to do with what the base hears.
    """
    train = merge([set_examples(select_any(each), answers, seed=seed, trusts=trusts) for each in manifests])
    own, watched = gather_dev(dev, general_dev, answers, train.conventions)
    old = clips_of(general)
    return Sets(train, own, general_examples(old, answers, seed=seed) if old else [], watched)


def gather_dev(
    dev: Sequence[str], general_dev: Sequence[str], answers: BaseAnswers,
    conventions: Conventions | None = None,
) -> tuple[Sequence[Example], Sequence[Example]]:  # fmt: skip
    """Return what a run is watched on: utterances of its set, and of general speech. Raises ManifestError."""
    own = [set_examples(select_any(each), answers, alone=True, conventions=conventions) for each in dev]
    watched = clips_of(general_dev)
    return merge(own).examples, dev_general_examples(watched, answers) if watched else []


def batches(
    first: int, sets: Sets, seconds: float, general_seconds: float, tokenizer: TrainingTokenizer, *, seed: int
) -> Iterator[list[TuningBatch]]:
    """Yield the batches of each step from `first` on: `seconds` of the set, and of old speech if any."""

    def load(step: int) -> list[TuningBatch]:
        found = []
        for examples, budget in ((sets.train.examples, seconds), (sets.general, general_seconds)):
            lengths = [each.heard.seconds for each in examples]
            number = batch_number(step, budget, max(lengths, default=0.0))
            if number is not None:
                chosen = batch_at(number, lengths, budget, seed=seed)
                found.append(collate([examples[index] for index in chosen], tokenizer))
        return found

    yield from prefetch(count(first), load, ahead=2)
