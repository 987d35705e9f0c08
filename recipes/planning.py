"""What a training will take: minutes, memory and steps, as the plan shows them before it starts.

`share_minutes` cuts the steps of all trainings alike where a budget is given, `lines` is the plan as text,
and `TimeLeft` tells once a minute how much of the whole is left.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from voice.errors import VoiceError

TELL_EVERY = 60.0  # seconds between words on the time left
TIGHT = 0.9  # of the free memory: beyond it the plan warns

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Estimate:
    """What a stage takes: minutes, the steps of its training, and the most memory of the process in GB."""

    minutes: float
    steps: int | None = None
    memory: float | None = None


@dataclass(frozen=True)
class Pace:
    """A training: seconds a step, the steps that it would like, and the fewest that make sense."""

    seconds: float
    steps: int
    least: int = 1

    def minutes(self, steps: int) -> float:
        """Return the minutes that so many steps take."""
        return self.seconds * steps / 60


@dataclass(frozen=True)
class Line:
    """A stage in the plan; `state` is "done", "begun" or "to do", `took` the minutes of what is done."""

    name: str
    does: str
    state: str
    estimate: Estimate | None = None
    took: float = 0.0

    @property
    def minutes_left(self) -> float:
        """Return the minutes that are still to come, as far as they are known."""
        return 0.0 if self.state == "done" or self.estimate is None else self.estimate.minutes


def share_minutes(minutes: float | None, other: float, paces: Mapping[str, Pace]) -> dict[str, int]:
    """Return the steps of each training, such that all of them and `other` minutes fit into `minutes`.

    None is no limit. All trainings are cut by the same factor. Raises VoiceError, with what would do, where
    one would get fewer steps than make sense.
    """
    wanted = sum(pace.minutes(pace.steps) for pace in paces.values())
    if minutes is None or other + wanted <= minutes:
        return {name: pace.steps for name, pace in paces.items()}
    factor = max(0.0, minutes - other) / wanted
    steps = {name: int(pace.steps * factor) for name, pace in paces.items()}
    if any(steps[name] < pace.least for name, pace in paces.items()):
        needed = other + wanted * max(pace.least / pace.steps for pace in paces.values())
        raise VoiceError(
            f"{minutes:g} minutes are too few on this machine: give --minutes {needed * 1.05 + 1:.0f} or more"
            f" (all of it takes about {other + wanted:.0f})"
        )
    return steps


def lines(title: str, plan: Sequence[Line]) -> list[str]:
    """Return the plan as lines of text: each stage, and what is left of the whole."""
    names, texts = max(len(line.name) for line in plan), max(len(line.does) for line in plan)
    shown = [title]
    for number, line in enumerate(plan, 1):
        shown.append(f"  {number}. {line.name:<{names}}  {line.does:<{texts}}  {_what_is_to_come(line)}")
    return [*shown, *_sum(plan)]


def _what_is_to_come(line: Line) -> str:
    """Return the last column of a stage."""
    if line.state == "done":
        return f"done, took {duration(line.took)}"
    goes_on = "goes on; " if line.state == "begun" else ""
    if line.estimate is None:
        return f"{goes_on}known once it is measured"
    steps = f"{line.estimate.steps:,} steps, " if line.estimate.steps is not None else ""
    return f"{goes_on}{steps}about {duration(line.estimate.minutes)}"


def _sum(plan: Sequence[Line]) -> list[str]:
    """Return the last lines of the plan: time and memory of what is left, and whether that fits."""
    to_do = [line for line in plan if line.state != "done"]
    if not to_do:
        return []
    minutes = sum(line.minutes_left for line in to_do)
    unknown = " and what is measured first" if any(line.estimate is None for line in to_do) else ""
    needed = max((line.estimate.memory or 0.0 for line in to_do if line.estimate), default=0.0)
    free = free_memory()
    memory = f", {needed:.1f} GB of memory" if needed else ""
    known = f" ({free:.1f} GB are free)" if needed and free else ""
    shown = [f"  about {duration(minutes)}{unknown}{memory}{known}"]
    if needed and free and needed > TIGHT * free:
        shown.append("  warning: this may not fit into memory; end other programs first")
    return shown


def duration(minutes: float) -> str:
    """Return minutes as a person says them: "20 s", "12 min", "3 h 05 min"."""
    if minutes < 0.99:
        return f"{max(1, round(minutes * 60))} s"
    if minutes < 59.5:
        return f"{minutes:.0f} min"
    return f"{round(minutes) // 60} h {round(minutes) % 60:02d} min"


class TimeLeft:
    """Within its block, tell once a minute how much of the whole is left.

    `now` are the minutes that the present stage was expected to take, `later` those of the stages after it.
    """

    def __init__(self, name: str, now: float | None, later: float, tell: Tell, every: float = TELL_EVERY):
        self._name, self._now, self._later, self._tell, self._every = name, now, later, tell, every
        self._over, self._share = threading.Event(), 0.0

    def __enter__(self) -> TimeLeft:
        self._begun = time.monotonic()
        if self._now is not None:
            threading.Thread(target=self._run, name="time left", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def move(self, share: float) -> None:
        """Say which share of the stage is done, from 0 to 1: what is left follows from that."""
        self._share = share

    def minutes(self) -> float:
        """Return the minutes left: where a stage takes longer than expected, a tenth of its time so far."""
        gone = (time.monotonic() - self._begun) / 60
        if self._share > 0:
            return gone / self._share * (1 - self._share) + self._later
        return max((self._now or 0.0) - gone, 0.1 * gone) + self._later

    def _run(self) -> None:
        while not self._over.wait(self._every):
            self._tell(f"{self._name}: about {duration(self.minutes())} left of the whole")


def peak_memory() -> float | None:
    """Return the most memory that this process has had, in GB; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1e9 if sys.platform == "darwin" else 1e6  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def free_memory() -> float | None:
    """Return the memory that programs can still have, in GB; None where the system does not tell."""
    try:
        rows = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    sizes = [row.split()[1] for row in rows if row.startswith("MemAvailable:")]
    return float(sizes[0]) / 1e6 if sizes else None
