"""The block that the networks are built of."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from recipes.modules import BlockNames, ConvNeXtBlock


def test_its_parts_are_stored_under_the_names_that_a_recipe_gives_them():
    block = ConvNeXtBlock(4, 8, 5, scale=0.2, names=BlockNames("dw", "norm", "pw1", "pw2", "gamma"))
    names = [name for name, _ in block.named_parameters()]
    assert names == [
        "gamma",
        *(f"{part}.{kind}" for part in ("dw", "norm", "pw1", "pw2") for kind in ("weight", "bias")),
    ]
    assert list(block.state_dict()) == names and torch.equal(block.gamma, torch.full((4,), 0.2))


def test_what_a_mask_hides_does_not_reach_its_neighbors():
    torch.manual_seed(0)
    block, x = ConvNeXtBlock(4, 8, 3, scale=1.0), torch.randn(1, 6, 4)
    mask = torch.tensor([1.0, 1, 1, 0, 0, 0])[None, :, None]
    other = torch.where(mask > 0, x, 9.0)
    assert torch.equal(block(x, mask)[:, :3], block(other, mask)[:, :3])
    assert not torch.equal(block(x)[:, 2], block(other)[:, 2])


def test_a_tone_of_zeros_changes_nothing_and_another_does():
    torch.manual_seed(0)
    block, x = ConvNeXtBlock(4, 8, 3, scale=1.0, gelu="tanh"), torch.randn(1, 6, 4)
    assert torch.equal(block(x, tone=torch.zeros(1, 2, 4)), block(x))
    assert not torch.equal(block(x, tone=torch.ones(1, 2, 4)), block(x))
