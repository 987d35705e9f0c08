"""What a training does with more than one batch and one device: the options that all recipes share.

Precision of the computing; gradients added up over batches and averaged over processes, and one step; what a
training will take, before it is begun.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from data.batching import Share
from recipes.devices import Processes, join_processes
from recipes.options import option
from recipes.training import has_fast_bfloat16
from voice.errors import VoiceError

PrecisionName = Literal["auto", "float32", "bfloat16", "float16"]
MOMENTS = 2  # of AdamW, for each weight that learns
_DTYPES = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class ScaleOptions:
    """How a training uses its devices, and which of its weights it keeps."""

    accumulate: int = option(
        1, "batches of each process that make one step; times the processes a run keeps it", may_change=True
    )
    precision: PrecisionName = option(
        "auto", "what matrices are multiplied in; auto: bfloat16 where that is fast", may_change=True
    )
    keep_best: int = option(
        1, "keep the weights of so many best checks on dev, and, if several, their mean", may_change=True
    )
    average_last: int = option(0, "keep the mean of the weights at the last so many checks", may_change=True)
    patience: int = option(0, "stop after so many checks without a better one; 0: never", may_change=True)
    workers: int = option(0, "processes that make batches, for each device; 0: a thread", may_change=True)
    wandb: bool = option(False, "show curves in Weights & Biases too, if installed", may_change=True)
    dry_run: int = option(
        0, "only print the plan for so many devices: steps, memory, time", may_change=True, alone=1
    )

    def __post_init__(self) -> None:
        if self.accumulate < 1:
            raise VoiceError(f"--accumulate {self.accumulate}: a step takes a batch at least; give 1 or more")
        if self.keep_best < 1:
            raise VoiceError(f"--keep-best {self.keep_best}: the best are always kept; give 1 or more")


@dataclass(frozen=True)
class Precision:
    """What matrices are multiplied in on a device: `dtype`, or float32 where it is None."""

    device: torch.device
    dtype: torch.dtype | None = None

    @classmethod
    def of(cls, name: PrecisionName, device: torch.device) -> Precision:
        """Return the precision of an option: "auto" is bfloat16 where the hardware has it."""
        if name == "auto":
            return cls(device, torch.bfloat16 if has_fast_bfloat16(device) else None)
        return cls(device, _DTYPES[name])

    def autocast(self) -> torch.autocast:
        """Return the context that a forward pass runs in."""
        return torch.autocast(self.device.type, self.dtype or torch.bfloat16, enabled=self.dtype is not None)


class GradientAccumulator:
    """Gradients of a step's batches, of all processes: added up, averaged, clipped; then a step.

        for batch in mine:
            gradients.backward(loss_of(batch))
        gradients.step()

    In float16 losses are scaled so that small gradients do not vanish (Micikevicius et al. 2018), and a step
    whose gradients overflow is left out, in every process alike.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, parameters: Iterable[nn.Parameter], processes: Processes, *,
        precision: Precision, batches: int, clip: float,
    ) -> None:  # fmt: skip
        """`batches`: how many this process has in a step; `clip`: highest norm of all gradients together."""
        self.optimizer, self.parameters, self.processes = optimizer, list(parameters), processes
        self.batches, self.clip = batches, clip
        self._scaler = torch.amp.GradScaler(precision.device.type, enabled=precision.dtype is torch.float16)

    def backward(self, loss: torch.Tensor) -> None:
        """Add the gradients of one batch's loss, of which the step takes the mean."""
        self._scaler.scale(loss / self.batches).backward()

    def step(self) -> torch.Tensor:
        """Take a step along the mean gradient and forget it; returns its norm before it was clipped."""
        self.processes.average_gradients(self.parameters)
        self._scaler.unscale_(self.optimizer)
        norm = nn.utils.clip_grad_norm_(self.parameters, self.clip)
        self._scaler.step(self.optimizer)
        self._scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return norm

    def state_dict(self) -> dict[str, Any]:
        return self._scaler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state and self._scaler.is_enabled():  # a run may go on in another precision
            self._scaler.load_state_dict(state)


@dataclass(frozen=True)
class Scale:
    """What the options come to in this process: its place among others, its batches, its precision."""

    options: ScaleOptions
    processes: Processes
    share: Share
    precision: Precision

    @classmethod
    def join(cls, options: ScaleOptions) -> Scale:
        """Return this process's part in a training; a recipe's `main` calls it first. Raises VoiceError."""
        processes = join_processes()
        share = Share(processes.rank, processes.count, options.accumulate)
        return cls(options, processes, share, Precision.of(options.precision, processes.device))

    @property
    def device(self) -> torch.device:
        """The device that this process computes on."""
        return self.processes.device

    def accumulator(
        self, optimizer: torch.optim.Optimizer, parameters: Iterable[nn.Parameter], clip: float
    ) -> GradientAccumulator:
        """Return what takes the steps of an optimizer; `clip` is the highest norm of its gradients."""
        return GradientAccumulator(
            optimizer, parameters, self.processes, precision=self.precision, batches=self.share.accumulate,
            clip=clip,
        )  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What a training takes. Memory is in bytes, of each device; `seconds` are those of a batch here."""

    devices: int
    batches: int  # a step, of all devices
    steps: int
    epoch: float  # batches
    weights: int
    learning: int  # weights that learn
    state: int  # bytes of weights, gradients, moments and averages
    activations: int  # bytes of what a batch leaves for the way back
    seconds: float

    @property
    def steps_an_epoch(self) -> float:
        """Return how many steps see all the data once."""
        return self.epoch / self.batches


def show_plan(
    scale: Scale, steps: int, epoch: float, models: Mapping[str, nn.Module], loss: Callable[[], Tensor]
) -> None:
    """Print the plan of a training on as many devices as `--dry-run` says.

    `epoch`: batches that see all the data once; `loss` computes a batch's loss, of the largest kind there is.
    """
    devices = max(scale.options.dry_run, scale.processes.count)
    batches = devices * scale.options.accumulate
    plan = measure(models.values(), loss, devices=devices, batches=batches, steps=steps, epoch=epoch)
    print("\n".join(lines(plan, str(scale.device), models)), flush=True)


def measure(
    models: Iterable[nn.Module], loss: Callable[[], Tensor], *, devices: int, batches: int, steps: int,
    epoch: float,
) -> Plan:  # fmt: skip
    """Compute a batch twice, the first time for its memory, the second for its time; nothing is learned.

    What a batch leaves for the way back is the same on any kind of device; the time is this machine's.
    """
    parameters = [each for model in models for each in model.parameters()]
    learning = [each for each in parameters if each.requires_grad]
    own = {each.untyped_storage().data_ptr() for each in parameters}
    sizes: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda kept: kept):
        loss().backward()
    begun = time.monotonic()
    loss().backward()
    _finish(parameters)
    seconds = time.monotonic() - begun
    for each in parameters:
        each.grad = None
    held, moving = _bytes(parameters), _bytes(learning)
    state = held + (1 + MOMENTS + 1) * moving  # gradients, moments, the moving average
    counts = sum(each.numel() for each in parameters), sum(each.numel() for each in learning)
    return Plan(devices, batches, steps, epoch, *counts, state, sum(sizes.values()), seconds)


def _finish(parameters: Iterable[Tensor]) -> None:
    """Wait for what a GPU has been asked to do."""
    if any(each.is_cuda for each in parameters):
        torch.cuda.synchronize()


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(each.numel() * each.element_size() for each in tensors)


def lines(plan: Plan, device: str, names: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a plan."""
    per_step = plan.batches // plan.devices
    yield f"{', '.join(names)}: {plan.weights / 1e6:.1f} M weights, {plan.learning / 1e6:.1f} M of them learn"
    yield (
        f"{plan.devices} devices × {per_step} batches a step: {plan.steps_an_epoch:,.0f} steps an epoch; "
        f"{plan.steps:,} steps are {plan.steps / max(plan.steps_an_epoch, 1e-9):.1f} epochs"
    )
    whole, state, activations = (
        each / 1e9 for each in (plan.state + plan.activations, plan.state, plan.activations)
    )
    yield (
        f"memory of each device: {whole:.2f} GB, {state:.2f} of them for weights, gradients and averages, "
        f"{activations:.2f} for a batch"
    )
    hours = plan.steps * per_step * plan.seconds / 3600
    yield f"time here ({device}): {plan.seconds:.2f} s a batch, {hours:,.1f} hours for all steps"
