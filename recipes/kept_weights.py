"""Which weights of a run are kept beside its checkpoint: the best on dev, and means of several.

`best.pt` has the weights of the best check; with `--keep-best K` `weights-STEP.pt` of the K best stay too and
`averaged-best.pt` is their mean; with `--average-last K` so do those of the last K checks, in
`averaged-last.pt`. Averaging checkpoints: Vaswani et al. 2017, "Attention Is All You Need", section 6.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from recipes.checkpoints import read_state, write_state
from recipes.devices import is_writer
from recipes.scaling import ScaleOptions

BEST = "best.pt"
MEANS = {"averaged-best": "averaged-best.pt", "averaged-last": "averaged-last.pt"}
Which = Literal["average", "best", "averaged-best", "averaged-last"]  # "average": the newest, as EMA has it
Weights = Mapping[str, Tensor]


class KeptWeights:
    """Weights of a run's checks in its folder. The lower a score the better; a tuple goes by its first part.

    A part of the checkpoint. Of several processes that train together only the one that scores asks it.
    """

    def __init__(self, folder: Path, options: ScaleOptions) -> None:
        self.folder, self.options = folder, options
        self._best: list[tuple[tuple[float, ...], int]] = []  # (score, step), the best first
        self._last: list[int] = []  # steps
        self._in_vain = 0  # checks since the best one

    @property
    def best_step(self) -> int | None:
        """The step of the best check so far."""
        return self._best[0][1] if self._best else None

    @property
    def exhausted(self) -> bool:
        """Whether `--patience` checks have brought nothing better."""
        return 0 < self.options.patience <= self._in_vain

    def consider(
        self, step: int, score: Sequence[float], weights: Weights, scores: Mapping[str, float]
    ) -> bool:
        """Keep the weights of a check as far as they deserve it; returns whether they are the best so far.

        `scores` are what the check found, by name; they are kept with the weights.
        """
        found = (tuple(float(each) for each in score), step)
        better = not self._best or found[0] < self._best[0][0]
        self._in_vain = 0 if better else self._in_vain + 1
        before = self._needed_steps()
        self._best = sorted([*self._best, found])[: self.options.keep_best]
        self._last = [*self._last, step][-self.options.average_last :] if self.options.average_last else []
        state = {"scores": dict(scores), "step": step, "weights": dict(weights)}
        if better:
            write_state(self.folder / BEST, state)
        if step in self._needed_steps():
            write_state(self._path(step), state)
        for each in before - self._needed_steps():
            self._path(each).unlink(missing_ok=True)
        return better

    def write_means(self) -> None:
        """Write the mean weights that were asked for; the end of a loop calls it."""
        if not is_writer():
            return
        steps = {"averaged-best": [step for _, step in self._best], "averaged-last": self._last}
        for name, some in steps.items():
            paths = [path for path in map(self._path, sorted(some)) if path.exists()]
            if len(paths) > 1:
                mean = average([read_state(path, "this recipe")["weights"] for path in paths])
                write_state(self.folder / MEANS[name], {"steps": sorted(some), "weights": mean})

    def _needed_steps(self) -> set[int]:
        """Return the steps whose weights have a file of their own."""
        best = [step for _, step in self._best] if self.options.keep_best > 1 else []
        return {*best, *self._last}

    def _path(self, step: int) -> Path:
        return self.folder / f"weights-{step:07d}.pt"

    def state_dict(self) -> dict[str, Any]:
        best = [[list(score), step] for score, step in self._best]
        return {"best": best, "last": self._last, "in_vain": self._in_vain}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._best = [(tuple(score), step) for score, step in state["best"]]
        self._last, self._in_vain = list(state["last"]), state["in_vain"]


def average(several: Sequence[Weights]) -> dict[str, Tensor]:
    """Return the mean of weights by name; what is no float is taken from the last."""
    found = {}
    for name, value in several[-1].items():
        if value.is_floating_point():
            total = torch.stack([each[name].double() for each in several]).mean(0)
            found[name] = total.to(value.dtype)
        else:
            found[name] = value
    return found


def read_kept(run: Path, which: str, recipe: str) -> dict[str, Tensor]:
    """Return the weights that a run kept. Raises ModelMissing, which says how to get them."""
    asked = {"averaged-best": " --keep-best 5", "averaged-last": " --average-last 5"}
    path = run / f"{which}.pt"
    return read_state(path, f"python -m {recipe} --out {run}{asked.get(which, '')}")["weights"]
