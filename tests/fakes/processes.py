"""Processes as torchrun starts them, without its seconds of importing: forked from one that has PyTorch."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PRELOADED = [
    "recipes.asr.train",
    "recipes.asr.train_head",
    "recipes.asr.tuning.train",
    "recipes.ctc.train",
    "recipes.finetune.train",
    "recipes.tts.train",
    "recipes.tts.train_prosody",
    "recipes.vocoder.train",
]
PATIENCE = 240.0  # s, on a busy machine


def run_together(function: Callable[..., Any], count: int, *given: Any) -> list[Any]:
    """Return what `function(*given)` returns in each of `count` processes that find each other.

    `function` has to be one of a module that the processes can import, such as those of this one.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    port, results = _free_port(), context.SimpleQueue()
    processes = [
        context.Process(target=_as_one_of, args=(rank, count, port, results, function, given))
        for rank in range(count)
    ]
    for each in processes:
        each.start()
    for each in processes:
        each.join(PATIENCE)
    codes = [each.exitcode for each in processes]
    for each in processes:
        each.kill()
    assert codes == [0] * count, f"the processes ended with {codes}"
    return [value for _, value in sorted((results.get() for _ in processes), key=lambda found: found[0])]


def _as_one_of(
    rank: int, count: int, port: int, results: Any, function: Callable[..., Any], given: Sequence[Any]
) -> None:
    names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}
    os.environ.update({name: str(value) for name, value in names.items()})
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), CUDA_VISIBLE_DEVICES="")
    import torch

    torch.set_num_threads(1)
    results.put((rank, function(*given)))


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def train(recipe: str, options: Any) -> None:
    """Train with a recipe, named by its module."""
    importlib.import_module(recipe).main(options)


def assert_two_processes_learn_what_one_learns(recipe: str, options: Any, out: Path, *, weights: str) -> None:
    """Train alone with two batches a step, then as two processes with one each.

    Both have to end with the same `weights`, a part of the checkpoint, but for the rounding of sums.
    """
    from dataclasses import replace

    import torch

    plain = replace(options.scale, precision="float32")
    alone, together = (
        replace(options, out=out / name, scale=replace(plain, accumulate=count))
        for name, count in (("alone", 2), ("together", 1))
    )
    train(recipe, alone)
    run_together(train, 2, recipe, together)
    one, two = (torch.load(each.out / "last.pt", weights_only=True) for each in (alone, together))
    assert one["step"] == two["step"] == options.steps
    for name, value in one["parts"][weights].items():
        torch.testing.assert_close(two["parts"][weights][name], value, rtol=1e-3, atol=2e-4, msg=name)


def train_line(folder: str, steps: int, accumulate: int) -> list[tuple[int, list[int]]]:
    """Fit a small network with dropout, as recipes do; returns the (step, batches) of this process.

    The weights that it ends with lie in `folder`, which goes on if there is a checkpoint.
    """
    import torch

    from recipes.scaling import Scale, ScaleOptions
    from recipes.training import Checkpoint, seed_batch, seed_everything

    scale = Scale.join(ScaleOptions(accumulate=accumulate, precision="float32"))
    seed_everything(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Dropout(0.3), torch.nn.Linear(16, 1))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    gradients = scale.accumulator(optimizer, model.parameters(), 1.0)
    checkpoint = Checkpoint(Path(folder), {"model": model, "optimizer": optimizer, "gradients": gradients})
    first, seen = checkpoint.restore(), []
    for step, mine in enumerate(scale.share.by_step(scale.share.numbers(first)), first):
        if step == steps:
            break
        for number in mine:
            seed_batch(0, number)
            x = torch.randn(8, 4, generator=torch.Generator().manual_seed(number))
            gradients.backward((model(x) - x.sum(1, keepdim=True)).square().mean())
        gradients.step()
        seen.append((step, mine))
        checkpoint.save(step + 1)
    return seen
