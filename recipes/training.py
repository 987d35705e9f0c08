"""What every recipe shares around its loop: where it computes, when it stops, what it saves and shows.

There is no Trainer here: the loop stays in the recipe, where it can be read. A run is a folder
with `last.pt` (all that an exact resume needs) and TensorBoard's event files. Of several processes that
train together (`devices.py`) the first writes them; the others go through the same calls.
"""

from __future__ import annotations

import contextlib
import functools
import math
import random
import signal
import time
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import nn

from data.batching import rng_for
from recipes.checkpoints import read_state, write_state
from recipes.devices import is_writer
from recipes.trackers import Progress as Progress  # a loop finds all it needs in this module

Model = TypeVar("Model", bound=nn.Module)


class Stateful(Protocol):
    """A model, an optimizer, a schedule, an average: what `Checkpoint` can keep."""

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> Any: ...


def best_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@functools.cache
def has_fast_bfloat16(device: torch.device) -> bool:
    """Tell whether it is a GPU with bfloat16, or a CPU with AVX512-BF16 or AMX (5 times fp32 there)."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text() if cpuinfo.exists() else ""
    return "avx512_bf16" in flags or "amx_bf16" in flags


def autocast(device: torch.device, enabled: bool = True) -> torch.autocast:
    """bfloat16 where the hardware has it; float32 otherwise, or when `enabled` is False."""
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled and has_fast_bfloat16(device))


def seed_everything(seed: int) -> None:
    """Weights and dropout. The data's order and augmentation have their own generators (`data.batching`)."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def seed_batch(seed: int, number: int) -> None:
    """Let dropout and masks of a batch follow from a run's seed and the batch's number.

    So they are the same after a resume, and whichever of several processes computes the batch.
    """
    seed_everything(int(rng_for(seed, number).integers(2**32)))


def warm_cosine(step: int, warmup: int, steps: int) -> float:
    """Return the learning rate's factor: up over `warmup` steps, then by a half cosine to zero at `steps`."""
    if step < warmup:
        return (step + 1) / warmup
    share = (step - warmup) / max(1, steps - warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


def warm_cosine_schedule(
    optimizer: torch.optim.Optimizer, warmup: int, steps: int
) -> torch.optim.lr_scheduler.LambdaLR:
    """Return the schedule that takes an optimizer's rates up and, over `steps`, down by `warm_cosine`."""
    factor = functools.partial(warm_cosine, warmup=warmup, steps=steps)
    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Return the rate of a step: up to `peak` over 200 steps, then by a half cosine to 5 % of it."""
    done = min(1.0, step / steps)
    return peak * min(1.0, (step + 1) / 200) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done)))


def adamw(model: nn.Module, rate: float) -> torch.optim.AdamW:
    """Return the optimizer of a generator or of its discriminators."""
    return torch.optim.AdamW(model.parameters(), rate, betas=(0.8, 0.99), weight_decay=0.01, fused=True)


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give all parameters of an optimizer this learning rate."""
    for each in optimizer.param_groups:
        each["lr"] = rate


class Deadline:
    """Set once `minutes` are over, or on SIGINT or SIGTERM, so that the loop can save and leave.

    A second signal ends the process at once.
    """

    def __init__(self, minutes: float | None = None):
        self.start = time.monotonic()
        self.seconds = None if minutes is None else minutes * 60
        self._signalled = False

    def __enter__(self) -> Deadline:
        self._previous = {s: signal.signal(s, self._stop) for s in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _stop(self, *_: object) -> None:
        self._signalled = True
        self._restore()

    @property
    def elapsed_time(self) -> float:
        return time.monotonic() - self.start

    @property
    def seconds_left(self) -> float | None:
        """Return the seconds that are left, below 0 after the end; None without an end."""
        return None if self.seconds is None else self.seconds - self.elapsed_time

    @property
    def passed(self) -> bool:
        return self._signalled or (self.seconds is not None and self.elapsed_time >= self.seconds)


class Ema:
    """Exponential moving average of a model's weights; the average is what gets exported.

    The decay warms up, (1 + n) / (10 + n) after n updates, so that short runs are not ruled by their start.
    """

    def __init__(self, model: nn.Module, decay: float = 0.999):
        self.decay, self.updates = decay, 0
        self.weights = {name: value.detach().clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                self.weights[name].lerp_(value, 1 - decay)
            else:
                self.weights[name].copy_(value)

    def state_dict(self) -> dict[str, Any]:
        return {"updates": self.updates, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.updates = state["updates"]
        for name, value in state["weights"].items():
            self.weights[name].copy_(value)


@contextlib.contextmanager
def averaged_weights(model: nn.Module, average: Ema) -> Iterator[None]:
    """Give a model, or parameters that learn, the average weights inside, its own again afterwards."""
    own = {name: value.detach().clone() for name, value in model.state_dict().items()}
    model.load_state_dict(average.weights)
    yield
    model.load_state_dict(own)


def average_model(model: Model, average: Ema) -> Model:
    """Return a copy of the model with the average weights; draws nothing at random, unlike a new model."""
    copy = deepcopy(model)
    copy.load_state_dict(average.weights)
    return copy


_NEW_PARTS = ("gradients", "discriminator_gradients", "kept")  # since 0.2: what runs before it lack
_RENAMED_PARTS = {"critics": "discriminators", "critic_optimizer": "discriminator_optimizer"}  # since 0.1


def named_parts(saved: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a checkpoint by their present names, of whatever version it is."""
    return {_RENAMED_PARTS.get(name, name): part for name, part in saved["parts"].items()}


class Checkpoint:
    """All parts of a run that must come back for it to go on as if it had never stopped.

    `save` leaves a whole file whenever it is killed, and the one before it as `last.older.pt`. Of several
    processes the first writes, and each restores.
    """

    def __init__(self, folder: Path, parts: Mapping[str, Stateful]):
        self.path = folder / "last.pt"
        self.parts = parts

    def save(self, step: int) -> None:
        """`step`: how many steps are done."""
        if not is_writer():
            return
        state = {name: part.state_dict() for name, part in self.parts.items()}
        write_state(self.path, {"step": step, "rng": _rng_state(), "parts": state}, keeps=True)

    def restore(self) -> int:
        """Load the newest state if there is one; returns how many steps are done.

        Raises ModelDamaged where it is cut short or holds more than plain state.
        """
        if not self.path.exists():
            return 0
        saved = read_state(self.path, "this recipe with --fresh")
        parts = named_parts(saved)
        for name, part in self.parts.items():
            if name in parts or name not in _NEW_PARTS:
                part.load_state_dict(parts[name])
        _set_rng_state(saved["rng"])
        return saved["step"]


def _rng_state() -> dict[str, Any]:
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    own = {"python": random.getstate(), "numpy": np.random.get_state()}
    return own | {"torch": torch.get_rng_state(), "cuda": cuda}


def _set_rng_state(state: dict[str, Any]) -> None:
    """Set all random generators to a state that a checkpoint keeps."""
    random.setstate(state["python"])
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, np.asarray(keys, np.uint32), *rest))
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])


@contextlib.contextmanager
def evaluating(*modules: nn.Module) -> Iterator[None]:
    """No gradients and no dropout inside; training mode afterwards."""
    for module in modules:
        module.eval()
    with torch.no_grad():
        yield
    for module in modules:
        module.train()
