from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("speechbrain")

from recipes.ctc import plan
from recipes.ctc.building import Architecture
from recipes.ctc.model import JointLoss, Size

SMALL = Size(layers=2, width=32, heads=2, feed_forward=64, kernel=5, dropout=0.0, decoder_layers=1)


def test_the_bytes_of_a_batch_are_those_that_training_really_keeps():
    seconds, rate, classes = 30.0, 4.0, 40
    estimated = plan.saved_bytes(
        Architecture(None, SMALL, 0.3).build(classes).train(), 80, classes, seconds, rate
    )
    model, found, held = Architecture(None, SMALL, 0.3).build(classes).train(), {}, []
    owned = {each.untyped_storage()._cdata for each in model.parameters()}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        held.append(tensor)
        found[tensor.untyped_storage()._cdata] = tensor.untyped_storage().nbytes()
        return tensor

    features, frames = torch.randn(2, 1500, 80), torch.tensor([1500, 1500])
    labels, lengths = torch.ones(2, 60, dtype=torch.long), torch.tensor([60, 60])
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        JointLoss(model, 0.3)(features, frames, labels, lengths, torch.tensor(1))
    real = sum(count for storage, count in found.items() if storage not in owned)
    assert estimated == pytest.approx(real, rel=0.15)


def test_steps_follow_from_hours_devices_and_batches():
    found = plan.estimate(
        Architecture(None, SMALL), units="pieces", vocabulary=100, hours=10.0, devices=2, steps=1000,
        batch_seconds=100.0,
    )  # fmt: skip
    assert found.steps_per_epoch == 190  # 36,000 s / (2 · 100 s · 0.95)
    assert found.fixed_bytes == 20 * found.weights and "5.3 epochs" in found.table()


def test_a_longer_batch_takes_more_memory():
    one, two = (plan.saved_bytes(Architecture(None, SMALL).build(20), 80, 20, s, 4.0) for s in (30.0, 60.0))
    assert two == pytest.approx(2 * one, rel=0.05)
