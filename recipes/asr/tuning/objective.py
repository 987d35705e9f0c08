"""What is minimized: the words of the set, without leaving the base's own distribution.

At each token of the set the target is a mixture: mostly the token itself, and for the rest the base's
distribution there (Yu et al. 2013, "KL-divergence regularized deep neural network adaptation"). At tokens of
old speech the base's distribution is all that is learned, so that what is not in the set stays as it was
(rehearsal, Robins 1995, with the labels of Li and Hoiem 2016, "Learning without forgetting").
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from transformers import WhisperForConditionalGeneration

from recipes.asr import model as whisper
from recipes.asr.examples import IGNORED
from recipes.asr.tokenizer import TrainingTokenizer
from recipes.asr.tuning.encoder import upper_encoded
from recipes.asr.tuning.examples import TuningBatch
from recipes.options import option


@dataclass(frozen=True)
class ObjectiveOptions:
    """The weights of the two distributions that are learned."""

    base_share: float = option(0.1, "share of the base's distribution in the targets of the set, 0 to 1")
    general_weight: float = option(1.0, "weight of the KL to the base on old speech")


def objective(
    model: WhisperForConditionalGeneration, batch: TuningBatch, tokenizer: TrainingTokenizer, top: int,
    options: ObjectiveOptions,
) -> dict[str, torch.Tensor]:  # fmt: skip
    """Return "loss", and what it is made of: the mean "cross_entropy" of set tokens and "kl" of all."""
    device = model.device
    targets = batch.targets.to(device)
    counted = targets != IGNORED
    encoded = upper_encoded(model, batch.states.to(device), top)
    hidden = whisper.decode(model, encoded, batch.inputs.to(device))
    mine = tokenizer.predicting(hidden)[counted]  # (N, width)
    log_mine = F.log_softmax(whisper.project(model, mine).float(), dim=-1)  # (N, vocabulary)
    with torch.no_grad():
        theirs = whisper.project(model, batch.hidden.to(device, mine.dtype)).float()
        log_theirs = F.log_softmax(theirs, dim=-1)
    general = batch.is_general.to(device)
    cross_entropy = -log_mine.gather(1, targets[counted][:, None])[:, 0]
    kl = F.kl_div(log_mine, log_theirs, log_target=True, reduction="none").sum(-1)
    mixed = (1 - options.base_share) * cross_entropy + options.base_share * kl
    loss = torch.where(general, options.general_weight * kl, mixed).mean()
    own = cross_entropy[~general].mean() if bool((~general).any()) else cross_entropy.new_zeros(())
    return {"loss": loss, "cross_entropy": own, "kl": kl.mean()}
