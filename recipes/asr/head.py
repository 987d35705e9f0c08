"""A CTC head (Graves et al. 2006): encoder output → log-probabilities of the letters that are spoken.

Blocks of ConvNeXt's kind along time over the frozen or learning encoder; convolutions alone, so that
it costs in proportion to the speech.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recipes.checkpoints import read_state
from recipes.exporting import save_graph, to_float16, trace
from recipes.modules import BlockNames, ConvNeXtBlock
from voice.asr.ctc.alphabet import BLANK, CLASSES

FILE = "head.onnx"
NAMES = BlockNames(widen="wide")  # as published heads have it
INSIDE = "letters/"  # how the names of a head's weights begin among those of a whole recognizer


class Head(nn.Module):
    """Encoder output (B, F, D) → log-probabilities (B, F, CLASSES)."""

    def __init__(
        self, inputs: int = 512, width: int = 256, blocks: int = 4, kernel: int = 9, dropout: float = 0.1
    ):
        super().__init__()
        self.shape = {"inputs": inputs, "width": width, "blocks": blocks, "kernel": kernel}
        self.dropout = nn.Dropout(dropout)
        self.enter = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList(
            ConvNeXtBlock(width, 3 * width, kernel, scale=0.1, names=NAMES) for _ in range(blocks)
        )
        self.norm = nn.LayerNorm(width)
        self.letters = nn.Linear(width, CLASSES)

    def forward(self, encoded: Tensor, inside: Tensor | None = None) -> Tensor:
        """Compute the log-probabilities; rows of a batch do not hear what is not `inside` (B, F)."""
        x = self.enter(self.dropout(F.layer_norm(encoded, encoded.shape[-1:])))
        for block in self.blocks:
            x = block(x if inside is None else x * inside[..., None])
        return F.log_softmax(self.letters(self.dropout(self.norm(x))).float(), dim=-1)


def head_of(model: nn.Module) -> Head:
    """Return the head that was attached to a recognizer. Raises TypeError where there is none."""
    head = getattr(model, "letters", None)
    if not isinstance(head, Head):
        raise TypeError("this recognizer has no CTC head")
    return head


def head_like(weights: Mapping[str, Tensor]) -> Head:
    """Return a head of the shape that these weights have."""
    blocks = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("blocks."))
    width, inputs = weights["enter.weight"].shape
    return Head(inputs, width, blocks, weights["blocks.0.depthwise.weight"].shape[-1])


def saved_head(run: Path) -> Head:
    """Return the head of a run of train_head.py, or of train.py with `--ctc`: the average of its weights.

    Raises ModelError where there is none.
    """
    saved = read_state(run / "last.pt", f"python -m recipes.asr.train_head --out {run}")
    weights = saved["parts"]["average"]["weights"]
    own = {n.removeprefix(INSIDE).replace("/", "."): w for n, w in weights.items() if n.startswith(INSIDE)}
    head = head_like(own or weights)
    head.load_state_dict(own or weights)
    return head


def ctc_loss(log_probs: Tensor, frames: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
    """Return nats a letter: (B, F, CLASSES), frames that count (B,), labels (B, L), how many they are (B,).

    Where there are more letters than frames can hold, the loss of that row is left out.
    """
    each = F.ctc_loss(
        log_probs.transpose(0, 1), labels, frames, lengths, blank=BLANK, reduction="none", zero_infinity=True
    )
    return each.sum() / lengths.sum()


def export(head: Head, folder: Path) -> Path:
    """Write `folder`/head.onnx, whole or not at all: weights as float16, batch and frames dynamic."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    batch, frames = torch.export.Dim("batch", min=1), torch.export.Dim("frames", min=2)
    examples = (torch.zeros(2, 40, head.shape["inputs"]),)
    model = trace(head, examples, {"encoded": {0: batch, 1: frames}}, ["log_probs"])
    save_graph(to_float16(model), path)
    return path
