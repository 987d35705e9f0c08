"""Several processes that train one model: which one this is, gradients averaged, a single one that writes.

    torchrun --nproc-per-node 8 -m recipes.asr.train --out runs/mine …

`torchrun` starts one process for each GPU, or several on the cores of a CPU. Each computes the gradients of
batches that no other one has (`data.batching.Share`); `average_gradients` makes them the same everywhere
before the optimizers take the same step. Only the first process prints, scores and writes. A recipe makes
the same calls when it runs alone, and then nothing is sent.

Gradients are averaged by one call in the loop and not by `DistributedDataParallel`, which hooks `forward`
alone: our losses call other methods of a model, and weights would be stored under other names.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import nn

from voice.errors import VoiceError

# The others wait so long while one process prepares data or scores. Where one dies, torchrun ends them.
TIMEOUT = timedelta(hours=6)
BUCKET = 2**25  # elements of gradients that are sent together: 128 MB in float32


@dataclass(frozen=True)
class Processes:
    """This process (`rank`, from 0) of the `count` that train together, and the `device` it computes on."""

    rank: int
    count: int
    device: torch.device

    def any(self, here: bool) -> bool:
        """Return whether it is so in any process; all have to ask at the same place."""
        if self.count == 1:
            return here
        asked = torch.tensor([int(here)])
        dist.all_reduce(asked, op=dist.ReduceOp.MAX)
        return bool(asked.item())

    @torch.no_grad()
    def equalize(self, *modules: nn.Module) -> None:
        """Give every process the weights and buffers of the first."""
        if self.count > 1:
            for module in modules:
                for tensor in module.state_dict().values():
                    dist.broadcast(tensor, src=0)

    @torch.no_grad()
    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by its mean over the processes; one that a process lacks counts as zeros.

        Parameters without a gradient in any process keep none. Every process has to give the same ones.
        """
        if self.count == 1:
            return
        learning = [each for each in parameters if each.requires_grad]
        held = torch.tensor([each.grad is not None for each in learning], dtype=torch.uint8)
        dist.all_reduce(held, op=dist.ReduceOp.MAX)
        for bucket in _buckets([each for each, some in zip(learning, held.tolist(), strict=True) if some]):
            for each in bucket:
                each.grad = torch.zeros_like(each) if each.grad is None else each.grad
            gradients = [each.grad for each in bucket if each.grad is not None]
            flat = torch.cat([gradient.flatten() for gradient in gradients])
            dist.all_reduce(flat)
            flat /= self.count
            for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
                gradient.copy_(mean.view_as(gradient))


def _buckets(parameters: Sequence[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    """Yield parameters together whose gradients have one type and at most BUCKET elements."""
    some: list[nn.Parameter] = []
    for each in parameters:
        full = sum(one.numel() for one in some) + each.numel() > BUCKET
        if some and (full or some[0].dtype != each.dtype):
            yield some
            some = []
        some.append(each)
    if some:
        yield some


def is_writer() -> bool:
    """Tell whether this is the process that writes, scores and prints: the first, or the only one."""
    return not dist.is_initialized() or dist.get_rank() == 0


def place() -> tuple[int, int]:
    """Return which process this is, from 0, and how many train together."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def are_joined() -> bool:
    """Tell whether `join_processes` has brought several processes together."""
    return dist.is_initialized()


def wait_for_all() -> None:
    """Return when every process has come here."""
    if dist.is_initialized():
        dist.all_reduce(torch.zeros(1))  # `barrier` would ask the GPU


@contextlib.contextmanager
def first_alone() -> Iterator[None]:
    """Let the first process through, then the others, who find what it has left on the disk."""
    if not is_writer():
        wait_for_all()
    yield
    if is_writer():
        wait_for_all()


def alone() -> Processes:
    """Return the one process of a training that runs alone, on the best device."""
    return Processes(0, 1, torch.device("cuda" if torch.cuda.is_available() else "cpu"))


def expected_processes() -> int:
    """Return how many processes torchrun has started for this training; 1 where it did not start it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def join_processes() -> Processes:
    """Return this process among those that torchrun started, or `alone`; a recipe's `main` calls it first.

    All but the first lose their standard output: they would print what the first one prints. Raises
    VoiceError where there are more processes than GPUs.
    """
    count = expected_processes()
    if count == 1:
        return alone()
    rank, local = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", os.environ["RANK"]))
    device = _device(local, int(os.environ.get("LOCAL_WORLD_SIZE", count)))
    if not dist.is_initialized():
        backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(backend, rank=rank, world_size=count, timeout=TIMEOUT)
        atexit.register(_leave)
        if rank:
            sys.stdout = open(os.devnull, "w")  # until the process ends
    return Processes(rank, count, device)


def _device(local: int, beside: int) -> torch.device:
    """Return the device of process `local` of the `beside` on this machine. Raises VoiceError."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    if beside > torch.cuda.device_count():
        raise VoiceError(
            f"torchrun started {beside} processes here and there are {torch.cuda.device_count()} GPUs: give "
            "--nproc-per-node as many, or set CUDA_VISIBLE_DEVICES= to train on the CPU"
        )
    torch.cuda.set_device(local)
    return torch.device("cuda", local)


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()
