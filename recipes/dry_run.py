"""What a training will take, before it is begun: steps an epoch, memory of each device, time.

One batch is really computed, forwards and backwards, on the device that is here. What it leaves for the way
back is what a device needs besides weights, gradients and the optimizer's moments; it is the same on any kind
of device. Other devices compute faster: only the time is this machine's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recipes.scaling import Scale

MOMENTS = 2  # of AdamW, for each weight that learns


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
    """Compute a batch twice, the first time for its memory, the second for its time; nothing is learned."""
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
