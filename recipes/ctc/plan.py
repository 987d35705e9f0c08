"""What a run takes before it starts: steps, epochs, and the memory of one device, computed without training.

A batch goes through the network on PyTorch's "meta" device, where tensors have shapes and no content; what
autograd keeps for the gradients is counted there, each storage once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from recipes.ctc.building import WARM_FRAME, Architecture, count_weights
from recipes.ctc.examples import Examples
from recipes.ctc.model import CTCModel, attention_loss
from voice.asr.ctc.recognizer import FEATURE_WIDTHS, SAMPLE_RATE

SPEECH = 15.0  # seconds of an utterance: most of LibriSpeech's are 10 to 16 s
LABELS = {"pieces": 4.0, "characters": 15.0, "letters": 15.0}  # in a second
CHARACTERS = 30
FILLED = 0.95  # share of a batch that is speech; the rest is padding
COPIES = 5  # of each weight: itself, its gradient, Adam's two moments, the average
SINGLE = 4  # bytes


@dataclass(frozen=True)
class Plan:
    """What a run takes; bytes are those of one device in single precision."""

    weights: int
    hours: float
    devices: int
    steps: int
    batch_seconds: float
    fixed_bytes: int
    batch_bytes: int

    @property
    def steps_per_epoch(self) -> int:
        """Return the steps in which all speech is heard once."""
        return max(1, math.ceil(self.hours * 3600 / (self.devices * self.batch_seconds * FILLED)))

    def table(self) -> str:
        """Return lines to print."""
        together = self.devices * self.batch_seconds / 60
        gigabytes = [count / 1e9 for count in (self.fixed_bytes, self.batch_bytes)]
        rows = {
            "weights": f"{self.weights / 1e6:.1f} million",
            "speech": f"{self.hours:,.1f} hours, on {self.devices} devices",
            "batch": f"{self.batch_seconds:g} s on each device, {together:.1f} minutes together",
            "steps": f"{self.steps_per_epoch:,} an epoch; {self.steps:,} in all, "
            f"{self.steps / self.steps_per_epoch:.1f} epochs",
            "memory of a device": f"{sum(gigabytes):.1f} GB in single precision: {gigabytes[0]:.1f} for "
            f"weights, gradients, Adam and the average, {gigabytes[1]:.1f} for clips of {SPEECH:g} s",
        }
        return "\n".join(f"{name:<20}{text}" for name, text in rows.items())


def estimate(
    architecture: Architecture, *, units: str, vocabulary: int, hours: float, devices: int, steps: int,
    batch_seconds: float,
) -> Plan:  # fmt: skip
    """Compute what a run takes; a frozen base is done with before, and counts for nothing."""
    classes = 1 + (vocabulary if units == "pieces" else CHARACTERS)
    model = architecture.build(classes).train()
    weights = count_weights(model)
    inputs, frames = FEATURE_WIDTHS[architecture.features], 100.0
    if architecture.freeze:
        inputs, frames = architecture.base_encoder().width, 1 / WARM_FRAME
    elif architecture.features == "samples":
        frames = SAMPLE_RATE
    kept = saved_bytes(model, inputs, classes, batch_seconds, LABELS[units], frames=frames)
    return Plan(weights, hours, devices, steps, batch_seconds, COPIES * SINGLE * weights, kept)


def saved_bytes(
    model: CTCModel, inputs: int, classes: int, seconds: float, rate: float, *, frames: float = 100.0
) -> int:
    """Return the bytes that a batch's forward pass keeps for its gradients, and those of the CTC loss.

    `rate`: labels in a second; `frames`: rows of features in a second.
    """
    rows = max(1, round(seconds / SPEECH))
    length = round(SPEECH * frames)
    labels = round(rate * SPEECH)
    found: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        found[storage._cdata] = storage.nbytes()
        held.append(tensor)
        return tensor

    held: list[Tensor] = []  # so that no storage is counted in the place of one that is gone
    owned = {each.untyped_storage()._cdata for each in nn.Module.to(model, "meta").parameters()}
    with torch.device("meta"), saved_tensors_hooks(keep, lambda tensor: tensor):
        features = torch.zeros(rows, length, inputs)
        lengths = torch.full((rows,), length)
        encoded, lengths = model.encode(features, lengths, torch.tensor(1))
        log_probs = model.log_probs(encoded)
        if model.decoder is not None:
            some = torch.zeros(rows, labels, dtype=torch.long)
            attention_loss(model.decoder(encoded, lengths, some), some, torch.full((rows,), labels))
    activations = sum(count for storage, count in found.items() if storage not in owned)
    paths = 2 * rows * log_probs.shape[1] * (2 * labels + 1) * SINGLE  # forward and backward sums
    return activations + paths + 2 * rows * log_probs.shape[1] * classes * SINGLE


def describe(examples: Examples) -> str:
    """Return one line on what there is to learn from, and on what was left out."""
    dropped = ", ".join(f"{count} {reason}" for reason, count in examples.dropped.items())
    line = f"{len(examples.utterances)} utterances, {examples.hours * 60:.1f} minutes"
    return f"{line} (left out: {dropped})" if dropped else line
