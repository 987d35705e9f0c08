from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("speechbrain")

from recipes.asr.head import Head
from recipes.ctc.building import Architecture
from recipes.ctc.model import CTCModel, FrameStacking, Size, is_inside
from recipes.ctc.warm import OnFrozen, WithLetters
from voice.asr.ctc.alphabet import CLASSES
from voice.asr.ctc.recognizer import WHOLE

SMALL = Size(layers=1, width=16, heads=2, feed_forward=32, kernel=5, dropout=0.0, decoder_layers=1)


class Halving(torch.nn.Module):
    """Gives every second frame."""

    width = 80

    def __init__(self) -> None:
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(1))

    def forward(self, features, frames, chunk):
        return self.gain * features[:, ::2], (frames + 1) // 2


@pytest.mark.parametrize("letters", [False, True])
def test_layers_on_a_frozen_encoder_do_not_hear_padding(letters):
    torch.manual_seed(0)
    base = WithLetters(Halving(), Head(80, 16, 2, 5)) if letters else Halving()
    architecture = Architecture("quick", SMALL, freeze=True)
    whole = OnFrozen(base, architecture.build(7, base.width).encoder, architecture.stack_size).eval()
    short, long = torch.randn(1, 60, 80), torch.randn(1, 101, 80)
    alone, frames = whole(short, torch.tensor([60]), torch.tensor(WHOLE))
    padded = torch.nn.functional.pad(short, (0, 0, 0, 41), value=9.0)
    together, lengths = whole(torch.cat([padded, long]), torch.tensor([60, 101]), torch.tensor(WHOLE))
    assert frames.tolist() == [15] and lengths.tolist() == [15, 26]
    torch.testing.assert_close(together[0, :15], alone[0], atol=1e-4, rtol=1e-4)


def test_what_corrects_letters_begins_by_changing_none():
    torch.manual_seed(0)
    head = Head(80, 16, 2, 5).eval()
    size = replace(SMALL, subsampling=2)
    architecture = Architecture("quick", size, base_head=True, freeze=True, letters=True)
    base = WithLetters(Halving(), head)
    learned = architecture.build(CLASSES, base.width)
    encoder = OnFrozen(base, learned.encoder, architecture.stack_size)
    whole = CTCModel(encoder, learned.labels, learned.decoder).eval()
    features, frames = torch.randn(2, 60, 80), torch.tensor([60, 40])
    log_probs, counts = whole(features, frames, torch.tensor(WHOLE))
    assert counts.tolist() == [30, 20]
    expected = head(features[:, ::2], is_inside(counts, 30))
    torch.testing.assert_close(log_probs[0], expected[0], atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(log_probs[1, :20], expected[1, :20], atol=1e-3, rtol=1e-3)


def test_a_frozen_encoder_learns_nothing():
    base = Halving()
    top = Architecture("quick", SMALL, freeze=True).build(7, base.width).encoder
    encoded, _ = OnFrozen(base, top, 2)(torch.randn(1, 40, 80), torch.tensor([40]), torch.tensor(WHOLE))
    encoded.sum().backward()
    assert base.gain.grad is None
    assert all(each.grad is not None for each in top.parameters())


def test_frames_beside_each_other_are_all_there_and_the_last_is_filled_up():
    stacking = FrameStacking(1, 2, 2)
    with torch.no_grad():
        stacking.leave.weight.copy_(torch.eye(2))
        stacking.leave.bias.zero_()
    stacked, frames = stacking(torch.arange(1.0, 6.0).reshape(1, 5, 1), torch.tensor([5]))
    assert stacked.tolist() == [[[1, 2], [3, 4], [5, 0]]] and frames.tolist() == [3]
