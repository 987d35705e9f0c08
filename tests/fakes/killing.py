"""For every recipe's test that a run which breaks off and is resumed equals the uninterrupted one.

One recipe's process is really killed, at a random moment; whatever else runs here, so that nothing has to be
imported anew: the others break off after one of their checkpoints.
"""

from __future__ import annotations

import importlib
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE = 300.0  # s, for the first checkpoint on a busy machine


class Killed(BaseException):
    """Ends a run in the middle, past whatever it catches."""


def assert_resumed_equals_uninterrupted(train: Callable[[Path], None], out: Path, saves: int) -> None:
    """`train` runs a recipe in the folder that it is given; it saves more than `saves` checkpoints.

    Runs it whole into `out`/whole; into `out`/broken until the last of `saves` checkpoints is written and
    again to the end. All that an exact resume needs must then be the same, bit for bit.
    """
    from recipes.training import Checkpoint

    whole, broken, save = out / "whole", out / "broken", Checkpoint.save
    train(whole)
    left = saves

    def save_and_die(self: Checkpoint, step: int) -> None:
        nonlocal left
        save(self, step)
        left -= 1
        if not left:
            raise Killed

    Checkpoint.save = save_and_die
    try:
        train(broken)
        raise AssertionError("the run was over before it could be killed; give it more steps")
    except Killed:
        pass
    finally:
        Checkpoint.save = save
    assert _state(broken)["step"] < _state(whole)["step"]
    train(broken)
    difference = first_difference(_state(whole), _state(broken))
    assert difference is None, f"the resumed run differs at {difference}"


def assert_killed_and_resumed_equals_uninterrupted(recipe: str, arguments: Sequence[str], out: Path) -> None:
    """`arguments` of the recipe's module, without `--out`: it saves a checkpoint well before its end.

    Runs it whole into `out`/whole; as a program into `out`/killed until some time after its first
    checkpoint, SIGKILL, and again to the end. All that an exact resume needs must then be the same, bit for
    bit.
    """
    whole, killed = out / "whole", out / "killed"
    _run(recipe, arguments, whole)
    command = [sys.executable, "-m", recipe, *arguments, "--out", str(killed)]
    _kill_after_a_checkpoint(command, killed / "last.pt")
    _run(recipe, arguments, killed)
    difference = first_difference(_state(whole), _state(killed))
    assert difference is None, f"the resumed run differs at {difference}"


def _run(recipe: str, arguments: Sequence[str], out: Path) -> None:
    """Train in this process, which has imported what that takes."""
    from recipes.options import parse

    module = importlib.import_module(recipe)
    module.main(parse(module.Options, [*arguments, "--out", str(out)]))


def _kill_after_a_checkpoint(command: Sequence[str], checkpoint: Path) -> None:
    process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL)
    started = time.monotonic()
    while not checkpoint.exists() and process.poll() is None and time.monotonic() - started < PATIENCE:
        time.sleep(0.01)
    time.sleep(random.uniform(0, 0.3))
    process.kill()
    assert process.wait() == -signal.SIGKILL, "the run was over before it could be killed; give it more steps"
    assert checkpoint.exists(), f"there was no checkpoint after {PATIENCE:g} s"


def _state(folder: Path) -> Any:
    import torch

    return torch.load(folder / "last.pt", map_location="cpu", weights_only=False)


def first_difference(a: Any, b: Any, where: str = "") -> str | None:
    """The path of the first leaf that is not the same in both, or None."""
    import numpy as np
    import torch

    if isinstance(a, dict):
        if not isinstance(b, dict) or a.keys() != b.keys():
            return where or "/"
        return next((d for key in a if (d := first_difference(a[key], b[key], f"{where}/{key}"))), None)
    if isinstance(a, list | tuple):
        if not isinstance(b, list | tuple) or len(a) != len(b):
            return where or "/"
        return next((d for i in range(len(a)) if (d := first_difference(a[i], b[i], f"{where}/{i}"))), None)
    if isinstance(a, torch.Tensor):
        same = isinstance(b, torch.Tensor) and torch.equal(a, b)
    elif isinstance(a, np.ndarray):
        same = isinstance(b, np.ndarray) and np.array_equal(a, b)
    else:
        same = a == b
    return None if same else where or "/"
