"""Several processes learn what one learns, each batch once, and one that is killed is resumed exactly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from fakes.killing import CHECKOUT, first_difference
from fakes.processes import run_together, train_line

from recipes.devices import _buckets, is_writer, join_processes, place

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / "last.pt", weights_only=True)["parts"]["model"]


def test_two_processes_learn_what_one_learns_and_have_each_batch_once(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    (alone,) = [train_line(str(one), 6, 4)]
    together = run_together(train_line, 2, str(two), 6, 2)
    for (step, batches), (_, mine), (_, theirs) in zip(alone, *together, strict=True):
        assert sorted(mine + theirs) == batches == list(range(4 * step, 4 * step + 4))
    assert weights(one).keys() == weights(two).keys()
    for name, value in weights(one).items():
        torch.testing.assert_close(weights(two)[name], value, rtol=1e-5, atol=1e-6)


def test_one_process_alone_writes_and_sends_nothing():
    processes = join_processes()
    assert (processes.rank, processes.count) == (0, 1) and is_writer() and place() == (0, 1)
    layer = torch.nn.Linear(2, 2)
    layer(torch.ones(1, 2)).sum().backward()
    before = layer.weight.grad.clone()
    processes.average_gradients(layer.parameters())
    assert torch.equal(layer.weight.grad, before) and processes.any(True) and not processes.any(False)


def test_gradients_are_sent_in_parcels_of_one_type_and_a_bounded_size(monkeypatch):
    monkeypatch.setattr("recipes.devices.BUCKET", 10)
    sizes = [torch.nn.Parameter(torch.zeros(n)) for n in (4, 6, 1, 30)]
    half = torch.nn.Parameter(torch.zeros(2, dtype=torch.bfloat16))
    parcels = list(_buckets([*sizes, half, sizes[0]]))
    assert [[each.numel() for each in some] for some in parcels] == [[4, 6], [1], [30], [2], [4]]


SCRIPT = """
import sys
sys.path[:0] = [{tests!r}, {checkout!r}]
from fakes.processes import train_line
import time, pathlib
from recipes.training import Checkpoint
save = Checkpoint.save
def slowly(self, step):
    save(self, step)
    time.sleep({pause})
Checkpoint.save = slowly
train_line({folder!r}, 40, 1)
"""


def test_one_of_two_processes_is_killed_and_both_go_on_as_if_nothing_had_been(tmp_path):
    """By torchrun itself, which ends the other process."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run_together(train_line, 2, str(whole), 40, 1)
    script, environment = tmp_path / "train.py", os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    script.write_text(
        SCRIPT.format(tests=str(CHECKOUT / "tests"), checkout=str(CHECKOUT), folder=str(killed), pause=0.1)
    )
    process = subprocess.Popen([*TORCHRUN, str(script)], env=environment, stderr=subprocess.DEVNULL)
    _kill_a_worker(process, killed / "last.pt", script)
    assert process.wait(240) != 0
    assert torch.load(killed / "last.pt", weights_only=True)["step"] < 40
    run_together(train_line, 2, str(killed), 40, 1)
    assert torch.load(killed / "last.pt", weights_only=True)["step"] == 40
    assert first_difference(weights(whole), weights(killed)) is None


def _kill_a_worker(torchrun: subprocess.Popen[bytes], checkpoint: Path, script: Path) -> None:
    """Kill the second process of a training once there is a checkpoint."""
    started = time.monotonic()
    while not checkpoint.exists() and torchrun.poll() is None and time.monotonic() - started < 240:
        time.sleep(0.02)
    found = subprocess.run(["pgrep", "-P", str(torchrun.pid)], capture_output=True, text=True).stdout.split()
    ranks = {}
    for number in found:
        names = Path(f"/proc/{number}/environ").read_bytes().split(b"\0")
        ranks |= {name: int(number) for name in names if name.startswith(b"RANK=")}
    os.kill(ranks[b"RANK=1"], signal.SIGKILL)
