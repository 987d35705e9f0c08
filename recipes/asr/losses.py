"""What a recognizer learns by: the teacher's distribution and hidden states, tokens, and letters."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from transformers import WhisperForConditionalGeneration

from recipes.asr import model as whisper
from recipes.asr.examples import IGNORED, Batch
from recipes.asr.head import ctc_loss, head_of
from recipes.asr.tokenizer import TrainingTokenizer
from recipes.options import option

ENOUGH_TOKENS = 100


@dataclass(frozen=True)
class LossOptions:
    """The weights of the losses."""

    kl: float = option(1.0, "weight of the KL to the teacher (labels own)")
    hidden: float = option(0.2, "weight of the squared error of the last hidden states (labels own)")
    cross_entropy: float = option(0.1, "weight of the cross-entropy (1 where labels are text)")
    ctc: float = option(0.0, "weight of a CTC head's loss; 0 is no head")


def losses(
    model: WhisperForConditionalGeneration, batch: Batch, tokenizer: TrainingTokenizer, o: LossOptions
) -> dict[str, torch.Tensor]:
    """Return each loss by name, a mean over the tokens to predict; "loss" is their weighted sum."""
    device = model.device
    targets = batch.targets.to(device)
    counted = targets != IGNORED
    encoded = whisper.encode(model, batch.features.to(device))
    hidden = whisper.decode(model, encoded, batch.inputs.to(device))
    mine = tokenizer.predicting(hidden)[counted]  # (N, width)
    log_mine = F.log_softmax(whisper.project(model, mine).float(), dim=-1)  # (N, vocabulary)
    cross_entropy = F.nll_loss(log_mine, targets[counted])
    letters = {} if batch.letters is None else {"ctc": letter_loss(model, encoded, batch.letters)}
    if batch.hidden is None:
        return {"loss": cross_entropy + o.ctc * letters.get("ctc", 0.0)} | letters
    theirs = batch.hidden.to(device).float()
    with torch.no_grad():
        log_theirs = F.log_softmax(whisper.project(model, theirs).float(), dim=-1)
    kl = F.kl_div(log_mine, log_theirs, log_target=True, reduction="batchmean")
    squared = F.mse_loss(mine.float(), theirs)
    loss = o.kl * kl + o.hidden * squared + o.cross_entropy * cross_entropy
    loss = loss + o.ctc * letters.get("ctc", 0.0)
    return {"loss": loss, "kl": kl, "hidden": squared, "cross_entropy": cross_entropy} | letters


def letter_loss(
    model: WhisperForConditionalGeneration, encoded: torch.Tensor,
    letters: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
) -> torch.Tensor:  # fmt: skip
    """Return the nats a letter of the CTC head on an encoder output (B, F, D)."""
    labels, counts, frames = (part.to(encoded.device) for part in letters)
    return ctc_loss(head_of(model)(encoded.float()), frames.clamp(max=encoded.shape[1]), labels, counts)


def weight(batch: Batch) -> float:
    """Return how much a batch counts: a few words must not pull as hard as a hundred tokens of speech."""
    return min(1.0, int((batch.targets != IGNORED).sum()) / ENOUGH_TOKENS)
