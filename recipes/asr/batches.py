"""Examples as the batches of a training: of like length, each following from the seed and its number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from data.batching import Share, batches_from, plan_epoch, rng_for
from data.shards.workers import load_ahead
from recipes.asr.examples import Batch, DataOptions, Examples, collate

MOST = 16  # examples in a batch
Numbered = tuple[int, Batch]  # a batch with its number in the run


@dataclass(frozen=True)
class BatchPlan:
    """How many `seconds` of speech a batch holds, and at most which `margin` of silence follows an utterance.

    `workers` processes make batches; 0: a thread.
    """

    seconds: float
    margin: float
    seed: int
    workers: int = 0

    def count(self, examples: Examples) -> int:
        """Return how many batches the first epoch has."""
        return len(plan_epoch(examples.durations, self.seconds, seed=self.seed, epoch=0, most=MOST))


def batches(
    examples: Examples, first: int, data: DataOptions, plan: BatchPlan, share: Share
) -> Iterator[list[Numbered]]:
    """Yield this process's batches of step `first`, then of the next."""

    def load(planned: tuple[int, list[int]]) -> Numbered:
        number, indices = planned
        margins = rng_for(plan.seed, 1, number).uniform(0.0, plan.margin, len(indices))
        rngs = [rng_for(plan.seed, 2, number, index) for index in indices]
        return number, collate([examples[i] for i in indices], margins, data, rngs)

    planned = batches_from(
        first * share.per_step, examples.durations, plan.seconds, seed=plan.seed, most=MOST, share=share,
        sections=examples.sections,
    )  # fmt: skip
    yield from share.by_step(load_ahead(planned, load, plan.workers))
