"""Batches that are added up are one step; half precision learns; options say what is wrong."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from recipes.options import defaults, parse
from recipes.scaling import Precision, Scale, ScaleOptions
from voice.errors import VoiceError


def learn(batches, accumulate=1, precision="float32", steps=1):
    """Return the weights after steps over the batches (B, 3), `accumulate` of them each."""
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    scale = Scale.join(ScaleOptions(accumulate=accumulate, precision=precision))
    gradients = scale.accumulator(optimizer, model.parameters(), 100.0)
    for _ in range(steps):
        for first in range(0, len(batches), accumulate):
            for batch in batches[first : first + accumulate]:
                with scale.precision.autocast():
                    loss = (model(batch) - batch.sum(1, keepdim=True)).square().mean()
                gradients.backward(loss)
            gradients.step()
    return model, gradients, loss.item()


def test_batches_that_are_added_up_are_one_large_batch():
    some = torch.randn(4, 6, 3)
    parts, whole = learn(list(some), accumulate=4)[0], learn([some.flatten(0, 1)])[0]
    torch.testing.assert_close(parts.weight, whole.weight)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_learns_with_weights_in_float32(precision):
    some = torch.randn(8, 3, generator=torch.Generator().manual_seed(1))
    model, gradients, loss = learn([some], precision=precision, steps=60)
    assert model.weight.dtype == torch.float32 and loss < 0.01
    assert bool(gradients.state_dict()) == (precision == "float16")


def test_a_step_whose_gradients_overflow_is_left_out_and_the_scale_is_kept():
    model, gradients, _ = learn([torch.randn(2, 3)], precision="float16")
    before, scale = model.weight.clone(), gradients.state_dict()["scale"]
    gradients.backward((model.weight * float("inf")).sum())
    gradients.step()
    assert torch.equal(model.weight, before) and gradients.state_dict()["scale"] < scale
    _, other, _ = learn([torch.randn(2, 3)], precision="float16")
    other.load_state_dict(gradients.state_dict())
    assert other.state_dict() == gradients.state_dict()


def test_precision_is_what_the_option_says():
    cpu = torch.device("cpu")
    assert Precision.of("float32", cpu).dtype is None and Precision.of("float16", cpu).dtype == torch.float16
    with Precision.of("bfloat16", cpu).autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16


def test_options_that_make_no_sense_say_so():
    with pytest.raises(VoiceError, match="--accumulate 0"):
        ScaleOptions(accumulate=0)
    with pytest.raises(VoiceError, match="--keep-best 0"):
        ScaleOptions(keep_best=0)


def test_a_dry_run_is_for_one_device_unless_more_are_named():
    assert [parse(ScaleOptions, words).dry_run for words in ([], ["--dry-run"], ["--dry-run", "8"])] == [
        0,
        1,
        8,
    ]
    assert defaults(ScaleOptions(accumulate=3))["accumulate"] == 1
