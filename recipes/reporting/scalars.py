"""Read what a run has written for TensorBoard: its curves, and how long a step takes."""

from __future__ import annotations

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
    if not run.is_dir():
        return {}
    events = _events(run, purge=False)
    found: Curves = {}
    for name in sorted(events.Tags()["scalars"]):
        by_step = {event.step: event.value for event in events.Scalars(name)}
        found[name] = _thin(sorted(by_step.items()))
    return found


def step_times(run: Path) -> dict[int, float]:
    """Return the seconds of each step of the run in a folder, but for the first that it wrote."""
    events = _events(run, purge=True)
    names = [name for name in events.Tags()["scalars"] if name.startswith("train/")]
    longest: list[Any] = max((events.Scalars(name) for name in names), key=len, default=[])
    return {now.step: now.wall_time - before.wall_time for before, now in pairwise(longest)}


def seconds_per_step(run: Path, skipped: int = 2) -> float:
    """Return the median time of the steps of the run in a folder, the first `skipped` of them left out.

    Raises ModelMissing where too few steps were written to tell.
    """
    times = list(step_times(run).values())[skipped:]
    if not times:
        raise ModelMissing(f"{run} has too few steps to tell how long one takes; give it more time")
    return float(np.median(times))


def _events(run: Path, *, purge: bool) -> Any:
    """Return the event files of a run, read; `purge` drops what a run that went on did again."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run), size_guidance={"scalars": 0}, purge_orphaned_data=purge)
    events.Reload()
    return events


def _thin(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    if len(points) <= POINTS:
        return points
    return [points[index] for index in np.linspace(0, len(points) - 1, POINTS).round().astype(int)]
