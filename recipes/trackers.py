"""What a training shows on its way: curves and sounds in TensorBoard, and in Weights & Biases if
installed; a line to the terminal."""

from __future__ import annotations

import hashlib
import importlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from recipes.devices import is_writer
from voice.errors import VoiceError

PROJECT = "voice"


class Tracker(Protocol):
    """Takes what a training has to show at a step."""

    def scalars(self, values: Mapping[str, float], step: int) -> None: ...
    def audio(self, name: str, samples: np.ndarray, rate: int, step: int) -> None: ...
    def close(self) -> None: ...


class Clock(Protocol):
    """Tells how long a training has run, and how long it may, in seconds."""

    seconds: float | None

    @property
    def elapsed_time(self) -> float: ...


class TensorBoard:
    """Event files in the run's folder; what an interrupted run showed of steps from `first` on is dropped."""

    def __init__(self, folder: Path, first: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(folder, purge_step=first)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def audio(self, name: str, samples: np.ndarray, rate: int, step: int) -> None:
        """Show (T,) samples; louder ones than full scale are clipped."""
        self._writer.add_audio(name, np.clip(samples, -1, 1)[None], step, sample_rate=rate)

    def close(self) -> None:
        self._writer.close()


class WeightsAndBiases:
    """A run of the service by the name of the run's folder; one that is resumed goes on there.

    What it sends and where to is decided by the user's own settings (WANDB_MODE, WANDB_BASE_URL).
    """

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        try:
            self._wandb: Any = importlib.import_module("wandb")
        except ImportError as error:
            raise VoiceError("--wandb wants the package: pip install wandb, or leave it out") from error
        key = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
        self._run = self._wandb.init(
            project=PROJECT, name=folder.name, id=key, resume="allow", dir=folder, config=dict(config)
        )

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        self._run.log(dict(values), step=step)

    def audio(self, name: str, samples: np.ndarray, rate: int, step: int) -> None:
        self._run.log({name: self._wandb.Audio(np.clip(samples, -1, 1), sample_rate=rate)}, step=step)

    def close(self) -> None:
        self._run.finish()


def open_trackers(folder: Path, first: int, *, wandb: bool, config: Mapping[str, Any]) -> list[Tracker]:
    """Return what shows a training whose next step is `first`. Raises VoiceError where wandb is missing."""
    extra: list[Tracker] = [WeightsAndBiases(folder, config)] if wandb else []
    return [*extra, TensorBoard(folder, first)]


class Progress:
    """Losses as curves and a line to the terminal every few seconds, with the time left.

    Of several processes that train together the first shows its own losses, the others nothing. `wandb`: show
    them in Weights & Biases too, with the options in `config`.
    """

    def __init__(
        self, folder: Path, *, first: int, steps: int, deadline: Clock, every: float = 10.0,
        wandb: bool = False, config: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self.trackers: list[Tracker] = []
        if is_writer():
            self.trackers = open_trackers(folder, first, wandb=wandb, config=config or {})
        self.first, self.steps, self.deadline, self.every = first, steps, deadline, every
        self._shown = time.monotonic()
        self._means: dict[str, float] = {}

    def step(
        self, step: int, values: Mapping[str, float | torch.Tensor], *, rate: float | None = None
    ) -> None:
        """`step`: how many steps are done, this one included; `rate`: the learning rate that it had."""
        if not self.trackers:
            return
        losses = {name: float(value) for name, value in values.items()}
        for name, value in losses.items():
            self._means[name] = 0.95 * self._means.get(name, value) + 0.05 * value
        curves = losses | ({} if rate is None else {"learning_rate": rate})
        self._to_trackers({f"train/{name}": value for name, value in curves.items()}, step)
        if time.monotonic() - self._shown >= self.every or step == self.steps:
            self._show(step)

    def scores(self, step: int, values: Mapping[str, float]) -> None:
        """Scores on the dev set."""
        self._to_trackers({f"dev/{name}": value for name, value in values.items()}, step)
        print(f"step {step}  dev  " + "  ".join(f"{n} {v:.4g}" for n, v in values.items()), flush=True)

    def audio(self, step: int, name: str, samples: np.ndarray, rate: int) -> None:
        """Let a sound (T,) of the dev set be heard beside the curves."""
        for tracker in self.trackers:
            tracker.audio(f"dev/{name}", samples, rate, step)

    def _to_trackers(self, values: Mapping[str, float], step: int) -> None:
        for each in self.trackers:
            each.scalars(values, step)

    def _show(self, step: int) -> None:
        """Print the losses, the pace and the time left."""
        self._shown = time.monotonic()
        pace = self.deadline.elapsed_time / max(1, step - self.first)
        left = (self.steps - step) * pace
        if self.deadline.seconds is not None:
            left = min(left, self.deadline.seconds - self.deadline.elapsed_time)
        losses = "  ".join(f"{name} {mean:.4g}" for name, mean in self._means.items())
        clock = time.strftime("%H:%M:%S", time.gmtime(max(0, left)))
        print(f"step {step}/{self.steps}  {losses}  {pace:.2f} s/step  {clock} left", flush=True)

    def close(self) -> None:
        for tracker in self.trackers:
            tracker.close()
