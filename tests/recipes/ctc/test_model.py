from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("speechbrain")

from recipes.ctc.building import Architecture
from recipes.ctc.model import CTCModel, JointLoss, Size, hides, relative_positions
from voice.asr.ctc.recognizer import WHOLE

SMALL = Size(layers=2, width=16, heads=2, feed_forward=32, kernel=5, dropout=0.1, decoder_layers=1)
EVERYTHING = torch.tensor(WHOLE)


@pytest.fixture
def model() -> CTCModel:
    torch.manual_seed(0)
    return Architecture(None, SMALL, 0.3).build(7).eval()


def sound(frames: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(1, frames, 80, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("factor", "count"), [(2, 51), (4, 26), (8, 13)])
def test_the_encoder_has_a_frame_for_each_few_of_features(factor, count):
    size = Size(1, 16, 2, 32, 5, factor, 0.0, 1)
    log_probs, frames = Architecture(None, size).build(7).eval()(sound(101), torch.tensor([101]), EVERYTHING)
    assert log_probs.shape == (1, count, 7) and frames.tolist() == [count]
    torch.testing.assert_close(log_probs.exp().sum(-1), torch.ones(1, count))


@pytest.mark.parametrize("chunk", [3, WHOLE])
def test_padding_changes_nothing(model, chunk):
    alone, frames = model(sound(60), torch.tensor([60]), torch.tensor(chunk))
    padded = torch.cat([torch.nn.functional.pad(sound(60), (0, 0, 0, 41), value=9.0), sound(101, 1)])
    together, lengths = model(padded, torch.tensor([60, 101]), torch.tensor(chunk))
    assert lengths.tolist() == [15, 26]
    torch.testing.assert_close(together[0, : int(frames)], alone[0], atol=1e-4, rtol=1e-4)


def test_a_chunk_does_not_hear_what_comes_after_it(model):
    whole, _ = model(sound(160), torch.tensor([160]), torch.tensor(5))
    changed = sound(160)
    changed[:, 84:] = 3.0  # frame 20 begins with feature 80; the convolutions look ahead by 3
    other, _ = model(changed, torch.tensor([160]), torch.tensor(5))
    torch.testing.assert_close(other[:, :20], whole[:, :20], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(other[:, 20:], whole[:, 20:], atol=1e-3)
    full, _ = model(sound(160), torch.tensor([160]), EVERYTHING)
    later, _ = model(changed, torch.tensor([160]), EVERYTHING)
    assert not torch.allclose(later[:, :20], full[:, :20], atol=1e-3)


def test_chunks_hide_later_frames_and_no_earlier_ones():
    hidden = hides(5, torch.tensor(2), torch.device("cpu"))
    assert hidden.int().tolist() == [
        [0, 0, 1, 1, 1], [0, 0, 1, 1, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0],
    ]  # fmt: skip


def test_positions_tell_before_from_after():
    positions = relative_positions(4, 8)[0]
    assert positions.shape == (7, 8)
    torch.testing.assert_close(positions[3, ::2], torch.zeros(4))  # the distance 0
    torch.testing.assert_close(positions[2, ::2], -positions[4, ::2])


def test_the_loss_does_not_depend_on_padding(model):
    loss_of = JointLoss(model, 0.3)
    labels, lengths = torch.tensor([[1, 2, 2, 3], [4, 5, 0, 0]]), torch.tensor([4, 2])
    features = torch.cat([sound(80), torch.nn.functional.pad(sound(60, 1), (0, 0, 0, 20))])
    both = loss_of(features, torch.tensor([80, 60]), labels, lengths, EVERYTHING)
    one = loss_of(sound(80), torch.tensor([80]), labels[:1], lengths[:1], EVERYTHING)
    two = loss_of(sound(60, 1), torch.tensor([60]), labels[1:, :2], lengths[1:], EVERYTHING)
    torch.testing.assert_close(both["ctc"], (4 * one["ctc"] + 2 * two["ctc"]) / 6, atol=1e-4, rtol=1e-4)
    expected = (5 * one["attention"] + 3 * two["attention"]) / 8
    torch.testing.assert_close(both["attention"], expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(both["loss"], 0.7 * both["ctc"] + 0.3 * both["attention"])


def test_all_weights_learn():
    torch.manual_seed(0)
    model = Architecture(None, SMALL, 0.3).build(7).train()
    loss_of = JointLoss(model, 0.3)
    loss_of(sound(80), torch.tensor([80]), torch.tensor([[1, 2]]), torch.tensor([2]), torch.tensor(4))[
        "loss"
    ].backward()
    assert [name for name, weight in model.named_parameters() if weight.grad is None] == []


def test_the_attention_decoder_sees_no_later_label(model):
    encoded, frames = model.encode(sound(80), torch.tensor([80]), EVERYTHING)
    one = model.decoder(encoded, frames, torch.tensor([[1, 2, 3]]))
    other = model.decoder(encoded, frames, torch.tensor([[1, 2, 6]]))
    torch.testing.assert_close(one[:, :3], other[:, :3])
    assert one.shape == (1, 4, 7)
