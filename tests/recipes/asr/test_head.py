from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from recipes.asr.head import Head, ctc_loss, export, head_like, saved_head
from voice.asr.ctc import head as ctc_head
from voice.asr.ctc.alphabet import letters_of, spell
from voice.errors import ModelError

TEXTS = ("Ten past four.", "It's $5.")


def random_encodings(rows: int, frames: int, width: int = 24) -> torch.Tensor:
    return torch.randn(rows, frames, width, generator=torch.Generator().manual_seed(0))


def test_overfits_one_batch_of_letters():
    torch.manual_seed(0)
    head, inputs = Head(24, 48, 2, 5, dropout=0.0), random_encodings(2, 60)
    labels = [spell(text).labels for text in TEXTS]
    lengths = torch.tensor([len(each) for each in labels])
    padded = torch.zeros(2, int(lengths.max()), dtype=torch.int64)
    for row, each in zip(padded, labels, strict=True):
        row[: len(each)] = torch.from_numpy(each)
    optimizer = torch.optim.AdamW(head.parameters(), lr=5e-3)
    for _ in range(120):
        loss = ctc_loss(head(inputs), torch.tensor([60, 60]), padded, lengths)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    read_back = [ctc_head.greedy_letters(row) for row in head.eval()(inputs).detach().numpy()]
    assert read_back == [letters_of(each) for each in labels]


def test_more_letters_than_frames_count_nothing():
    scores, letters = Head(24, 16, 1, 3)(random_encodings(1, 4)), torch.ones(1, 9).long()
    loss = ctc_loss(scores, torch.tensor([4]), letters, torch.tensor([9]))
    assert loss.item() == 0.0


def test_what_is_exported_says_the_same(tmp_path):
    torch.manual_seed(0)
    head = Head(24, 16, 2, 5).eval()
    opened = ctc_head.CTCHead.open(export(head, tmp_path), threads=1)
    for rows, frames in ((1, 7), (3, 51)):
        theirs = head(random_encodings(rows, frames)).detach().numpy()
        np.testing.assert_allclose(opened(random_encodings(rows, frames).numpy()), theirs, atol=0.02)


def test_a_head_is_made_anew_from_its_weights():
    head = Head(24, 16, 3, 7)
    assert head_like(head.state_dict()).shape == head.shape


def test_a_run_without_a_checkpoint_is_refused(tmp_path):
    with pytest.raises(ModelError, match="last.pt"):
        saved_head(tmp_path)
