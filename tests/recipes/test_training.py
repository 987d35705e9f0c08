from __future__ import annotations

import errno
import os
import random
import signal

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from recipes.training import Checkpoint, Deadline, Ema, Progress, evaluating, named_parts, seed_everything


def parts():
    model = torch.nn.Linear(2, 2)
    return model, torch.optim.AdamW(model.parameters(), lr=0.1)


def take_step(model, optimizer):
    loss = model(torch.randn(4, 2)).square().mean() + random.random() + float(np.random.rand())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def test_a_restored_run_goes_on_as_if_it_had_never_stopped(tmp_path):
    seed_everything(1)
    model, optimizer = parts()
    average = Ema(model)
    take_step(model, optimizer)
    average.update(model)
    Checkpoint(tmp_path, {"model": model, "optimizer": optimizer, "ema": average}).save(1)
    expected = [take_step(model, optimizer) for _ in range(3)]

    seed_everything(2)
    model, optimizer = parts()
    average = Ema(model)
    assert Checkpoint(tmp_path, {"model": model, "optimizer": optimizer, "ema": average}).restore() == 1
    assert [take_step(model, optimizer) for _ in range(3)] == expected
    assert average.updates == 1


def test_nothing_to_restore_means_step_zero(tmp_path):
    assert Checkpoint(tmp_path, {}).restore() == 0


def test_a_save_that_breaks_off_leaves_the_last_whole_checkpoint(tmp_path, monkeypatch):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    model, _ = parts()
    Checkpoint(tmp_path, {"model": model}).save(7)
    with monkeypatch.context() as disk, pytest.raises(OSError, match="No space"):
        disk.setattr(os, "fsync", full)
        Checkpoint(tmp_path, {"model": model}).save(8)
    assert Checkpoint(tmp_path, {"model": model}).restore() == 7
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]


def test_the_average_follows_the_weights():
    model, _ = parts()
    average = Ema(model, decay=0.5)
    with torch.no_grad():
        model.weight.fill_(1.0)
    for _ in range(50):
        average.update(model)
    assert torch.allclose(average.weights["weight"], torch.ones(2, 2), atol=1e-3)


def test_a_deadline_passes_on_a_signal_and_gives_the_handlers_back():
    before = signal.getsignal(signal.SIGTERM)
    with Deadline() as deadline:
        assert not deadline.passed
        os.kill(os.getpid(), signal.SIGTERM)
        assert deadline.passed
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_deadline_of_no_minutes_has_passed():
    assert Deadline(0).passed


def test_progress_tells_the_losses_and_the_time_left(tmp_path, capsys):
    progress = Progress(tmp_path, first=0, steps=2, deadline=Deadline())
    progress.step(1, {"loss": 1.0})
    progress.step(2, {"loss": torch.tensor(1.0)})
    progress.close()
    assert "step 2/2  loss 1" in capsys.readouterr().out
    assert any("tfevents" in path.name for path in tmp_path.iterdir())


def test_evaluating_restores_training_mode():
    model, _ = parts()
    with evaluating(model):
        assert not model.training and not torch.is_grad_enabled()
    assert model.training and torch.is_grad_enabled()


def test_parts_of_a_checkpoint_are_known_by_their_present_names():
    saved = {"parts": {"model": 1, "critics": 2, "critic_optimizer": 3}}
    assert named_parts(saved) == {"model": 1, "discriminators": 2, "discriminator_optimizer": 3}
