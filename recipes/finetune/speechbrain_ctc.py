"""Speechbrain's EncoderASR: the encoder of its hyperparameters, trained with CTC.

Ravanelli et al. 2021, "SpeechBrain: A General-Purpose Speech Toolkit".
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from data.batching import pad
from recipes.finetune.tasks import Example, Inputs, Kind
from recipes.finetune.writing import Writing
from voice.asr.ctc.emissions import WORD, read_words
from voice.asr.hub.speechbrain_ctc import SpeechbrainEmissions
from voice.errors import ModelDamaged
from voice.models.hub.folders import HYPERPARAMETERS
from voice.models.hub.speechbrain_models import open_speechbrain


class SpeechbrainTask:
    """A Task for a model that EncoderASR opens."""

    kind: Kind = "recognizer"

    def __init__(self, folder: Path) -> None:
        model = open_speechbrain(folder)
        self._folder, self._loadables = folder, model.part("pretrainer").loadables
        self._encoder = model.part("modules", "encoder")
        self._tokenizer = model.part("tokenizer")
        self._network = SpeechbrainEmissions(model)
        self.module: nn.Module = nn.ModuleDict({"encoder": self._encoder})
        self.rate = model.rate
        self._writing = Writing.of(self._network.vocabulary.pieces)

    @property
    def head(self) -> tuple[str, ...]:
        """Return nothing: all layers are trained already."""
        return ()

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """Return nothing that could be frozen: the hyperparameters name no layers."""
        return {}

    def tokens(self, text: str) -> np.ndarray:
        """Return the labels (L,) of a text as the tokenizer writes it."""
        written = self._writing.write(text)
        if hasattr(self._tokenizer, "encode_as_ids"):
            return np.array(self._tokenizer.encode_as_ids(written), np.int64)
        letters = [each for each in written if each in self._tokenizer.lab2ind]
        return np.array(self._tokenizer.encode_sequence(letters), np.int64)

    def fits(self, seconds: float, tokens: np.ndarray) -> bool:
        """Tell whether there are frames for all labels and for the blanks between two that are the same."""
        least = len(tokens) + int(np.count_nonzero(tokens[1:] == tokens[:-1]))
        return least < seconds / self._network.frame

    def batch(self, examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        """Return "wavs" (B, T), "shares" of the longest (B,), "labels" (B, L) and their "counts" (B,)."""
        wavs, lengths = pad([each.samples for each in examples])
        labels, counts = pad([each.tokens for each in examples], self._network.vocabulary.blank)
        found = {"wavs": wavs, "shares": lengths / wavs.shape[1], "labels": labels, "counts": counts}
        return {name: torch.from_numpy(each) for name, each in found.items()}

    def loss(self, batch: Inputs) -> torch.Tensor:
        """Return the mean of -log P(labels | sound) by the length of the labels."""
        shares = batch["shares"].float()
        log_probs = self._encoder(batch["wavs"].float(), shares).log_softmax(-1)
        frames = torch.round(shares * log_probs.shape[1]).long()
        return functional.ctc_loss(
            log_probs.transpose(0, 1), batch["labels"], frames, batch["counts"],
            blank=self._network.vocabulary.blank, zero_infinity=True,
        )  # fmt: skip

    def hypothesis(self, samples: np.ndarray) -> str:
        """Return the words of the likeliest labels."""
        words = read_words(self._network.emissions(samples), self._network.vocabulary, self._network.frame)
        return " ".join(word.text.strip(WORD) for word in words)

    def save(self, folder: Path) -> None:
        """Write the folder that EncoderASR opens: the base's, with the weights that were learned."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._folder / HYPERPARAMETERS, folder / HYPERPARAMETERS)
        for name, each in self._loadables.items():
            if isinstance(each, nn.Module):
                torch.save(each.state_dict(), folder / f"{name}.ckpt")
            elif (self._folder / f"{name}.ckpt").is_file():
                shutil.copyfile(self._folder / f"{name}.ckpt", folder / f"{name}.ckpt")
            else:
                raise ModelDamaged(f"{self._folder} has no {name}.ckpt to take along")

    def card_options(self) -> dict[str, Any]:
        """Return nothing: the hyperparameters say it all."""
        return {}
