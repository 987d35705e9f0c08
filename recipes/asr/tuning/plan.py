"""How long and how hard to tune, by how much speech there is, and what that will cost."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from recipes.training import warm_cosine

BATCH_SECONDS = {"utterance": 45.0, "full": 60.0}  # of windows, silence included: two full ones
FEWEST, MOST = 30, 4000  # steps
RATE = 1e-3  # low-rank additions want ten times that of whole weights
TOP = {"utterance": 6, "full": 2}  # encoder layers that learn, from the top, by context: all of quick's
CHECKS = 4  # on dev in a run
MEASURED = 3  # steps that tell how long one takes, after the first
WARMUP = 0.1  # share of the steps


@dataclass(frozen=True)
class Plan:
    """The learning `rate`, the `rank` of the additions, the encoder layers that learn (`top`), the `steps`,
    the steps between `check`s, and the `batch_seconds` of windows, silence included."""

    rate: float
    rank: int
    top: int
    steps: int
    check: int
    batch_seconds: float


def plan_for(seconds: float, padded: float, context: str) -> Plan:
    """Return a plan for a set of `seconds` of speech, whose windows take `padded` seconds with their silence.

    The less there is, the fewer numbers may learn and the more often each recording is heard: five times
    below a quarter of an hour, twice two hours and more.
    """
    minutes = seconds / 60
    epochs = 5.0 if minutes < 15 else 3.0 if minutes < 120 else 2.0
    batch = BATCH_SECONDS[context]
    steps = min(MOST, max(FEWEST, round(epochs * padded / batch)))
    rank = 16 if minutes < 15 else 32
    return Plan(RATE, rank, TOP[context], steps, steps_between_checks(steps), batch)


def steps_between_checks(steps: int) -> int:
    """Return how many steps there are from one score on dev to the next, in a run of so many steps."""
    return max(1, min(steps, max(5, -(-steps // CHECKS))))


class Horizon:
    """How many steps a run will really have; the learning rate falls to zero over them."""

    def __init__(self, steps: int) -> None:
        self.steps, self.is_settled = steps, False

    def factor(self, step: int) -> float:
        """Return the learning rate's factor at a step."""
        return warm_cosine(step, max(1, round(WARMUP * self.steps)), self.steps)

    def settle(self, first: int, pace: float, check: float, every: int, seconds: float | None) -> None:
        """Shorten the run to what fits into `seconds`, for steps of `pace` and checks of `check` seconds."""
        self.is_settled = True
        if seconds is not None:
            fitting = (seconds - check) / (pace + check / every)
            self.steps = min(self.steps, first + max(1, int(fitting)))

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take what a checkpoint has kept."""
        self.steps = state["steps"]


class Pace:
    """How long the last steps took, by the clock, and the last check on dev, which counts for no step."""

    def __init__(self) -> None:
        self.checking = 0.0  # seconds
        self._marks = [time.monotonic()]

    @property
    def is_known(self) -> bool:
        """Tell whether there were enough steps to go by."""
        return len(self._marks) > MEASURED

    @property
    def step_seconds(self) -> float:
        """Return the seconds a step, the mean of the last ones; 0 before the first."""
        return (self._marks[-1] - self._marks[0]) / max(1, len(self._marks) - 1)

    def end_step(self) -> None:
        """Take note that a step has ended."""
        self._marks = [*self._marks, time.monotonic()][-1 - MEASURED :]

    @contextmanager
    def check(self) -> Iterator[None]:
        """Take the time of what is done inside as that of a check."""
        begun = time.monotonic()
        yield
        self.checking = time.monotonic() - begun
        self._marks = [mark + self.checking for mark in self._marks]

    def has_room(self, seconds: float | None) -> bool:
        """Tell whether a step and a check fit into so many seconds; always where there is no limit."""
        return seconds is None or self.step_seconds + self.checking <= seconds


def peak_gigabytes() -> float:
    """Return the most memory that this process has had so far, in GB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e9 if sys.platform == "darwin" else 1e6)


def describe_plan(plan: Plan, horizon: Horizon, first: int, pace: float, checking: float) -> str:
    """Return what a run will take, in a sentence."""
    left = horizon.steps - first
    minutes = (left * pace + (1 + left // plan.check) * checking) / 60
    return (
        f"plan: {horizon.steps} steps of {pace:.1f} s, rate {plan.rate:.2g}, rank {plan.rank}, {plan.top} "
        f"encoder layers at most; {minutes:.0f} minutes, {peak_gigabytes():.1f} GB"
    )
