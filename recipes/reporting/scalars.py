"""Read what a run has written for TensorBoard: its curves, and how long a step takes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from voice.errors import ModelMissing

POINTS = 1_000  # of a curve that are kept, evenly

Curves = dict[str, list[tuple[int, float]]]  # the scalar's name → (step, value), in order


def read_curves(run: Path) -> Curves:
    """Return the scalars of the run in a folder by their names, such as "train/loss" and "dev/wer".

    A run that went on several times counts once: later values replace those of the same step. Empty where
    nothing was written.
    """
    return {
        name: _thin([(event.step, event.value) for event in events])
        for name, events in _read_events(run).items()
    }


def step_times(run: Path) -> dict[int, float]:
    """Return the seconds of each step of the run in a folder, but for the first that it wrote."""
    training = [events for name, events in _read_events(run).items() if name.startswith("train/")]
    longest: list[Any] = max(training, key=len, default=[])
    return {now.step: now.wall_time - before.wall_time for before, now in pairwise(longest)}


def seconds_per_step(run: Path, skipped: int = 2) -> float:
    """Return the median time of the steps of the run in a folder, the first `skipped` of them left out.

    Raises ModelMissing where too few steps were written to tell.
    """
    times = list(step_times(run).values())[skipped:]
    if not times:
        raise ModelMissing(f"{run} has too few steps to tell how long one takes; give it more time")
    return float(np.median(times))


def _read_events(run: Path) -> dict[str, list[Any]]:
    """Return the scalars' events of a run by name, in order of steps; what was done again, as it was last."""
    if not run.is_dir():
        return {}
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run), size_guidance={"scalars": 0}, purge_orphaned_data=False)
    events.Reload()
    return {name: _last_of_each_step(events.Scalars(name)) for name in sorted(events.Tags()["scalars"])}


def _last_of_each_step(events: Iterable[Any]) -> list[Any]:
    """Return the events without those that a run which went on from an earlier step did again.

    Event files that begin within one second are not read in the order in which they were written.
    """
    kept: list[Any] = []
    for event in sorted(events, key=lambda each: each.wall_time):
        while kept and kept[-1].step >= event.step:
            kept.pop()
        kept.append(event)
    return kept


def _thin(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    if len(points) <= POINTS:
        return points
    return [points[index] for index in np.linspace(0, len(points) - 1, POINTS).round().astype(int)]
