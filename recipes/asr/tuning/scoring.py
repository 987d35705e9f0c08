"""How a recognizer that is being tuned stands on dev: losses, and word errors as CTranslate2 will decode."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn
from transformers import WhisperForConditionalGeneration

from recipes.asr import model as whisper
from recipes.asr.examples import loops
from recipes.asr.scoring import write_folder
from recipes.asr.teacher import transcribe_encoded
from recipes.asr.tokenizer import TrainingTokenizer
from recipes.asr.tuning.encoder import upper_encoded
from recipes.asr.tuning.examples import Example, collate
from recipes.asr.tuning.guard import Candidate, Reading
from recipes.asr.tuning.objective import ObjectiveOptions, objective
from recipes.asr.tuning.packing import batches_of_equal_length
from recipes.kept_weights import KeptWeights
from recipes.training import autocast, evaluating

DECODED_AT_ONCE = 60.0  # seconds of windows


class Scorer:
    """Reads the dev utterances of a set (`own`) and of general speech with a model, whole or in part learned.

    The encoder runs in torch from the states on disk, the decoder in CTranslate2 from weights in `folder`.
    """

    def __init__(
        self, own: Sequence[Example], general: Sequence[Example], tokenizer: TrainingTokenizer, top: int,
        base: Path, folder: Path, threads: int,
    ) -> None:  # fmt: skip
        self.own, self.general, self.tokenizer, self.top = own, general, tokenizer, top
        self._base, self._folder, self._threads = base, folder, threads

    def read(self, model: WhisperForConditionalGeneration, scale: float = 1.0) -> Candidate:
        """Return the word errors of the model with a share of what it has learned."""
        import ctranslate2

        with scale_additions(model, scale):
            write_folder(model, self._base, self._folder)
            decoder = ctranslate2.models.Whisper(
                str(self._folder), compute_type="int8", intra_threads=self._threads
            )
            with evaluating(model), autocast(model.device):
                own = self._reading(model, decoder, self.own)
                general = self._reading(model, decoder, self.general) if self.general else None
        return Candidate(scale, own, general)

    def losses(self, model: WhisperForConditionalGeneration, options: ObjectiveOptions) -> dict[str, float]:
        """Return the cross-entropy of the set's dev tokens, and the KL to the base on general speech."""
        with evaluating(model), autocast(model.device):
            found = {"loss": self._mean(model, self.own, options, "cross_entropy")}
            if self.general:
                found["general"] = self._mean(model, self.general, options, "kl")
        return found

    def _mean(
        self, model: WhisperForConditionalGeneration, some: Sequence[Example], options: ObjectiveOptions,
        name: str,
    ) -> float:  # fmt: skip
        """Return a loss as a mean over the tokens of some examples."""
        summed = count = 0.0
        for group in _groups(some):
            batch = collate(group, self.tokenizer)
            tokens = len(batch.hidden)
            summed += tokens * float(objective(model, batch, self.tokenizer, self.top, options)[name])
            count += tokens
        return summed / max(1.0, count)

    def _reading(
        self, model: WhisperForConditionalGeneration, decoder: object, some: Sequence[Example]
    ) -> Reading:
        """Return what the model says of some examples, in their order."""
        said: dict[int, str] = {}
        place = {id(each): index for index, each in enumerate(some)}
        for group in _groups(some):
            states = torch.from_numpy(np.stack([each.heard.load_states() for each in group]))
            encoded = upper_encoded(model, states.to(model.device), self.top).float().cpu().numpy()
            found = transcribe_encoded(decoder, encoded, self.tokenizer)
            texts = [self.tokenizer.decode(tokens) for tokens in found]
            # A recognizer that runs keeps no loop; here the 200 words of one would outweigh all others.
            texts = ["" if loops(text) else text for text in texts]
            said |= {place[id(each)]: text for each, text in zip(group, texts, strict=True)}
        hypotheses = [said[index] for index in range(len(some))]
        return Reading.of([each.reference for each in some], hypotheses, self.tokenizer.language)


def _groups(some: Sequence[Example]) -> Iterator[list[Example]]:
    """Yield examples of equal length in groups."""
    lengths = [each.heard.seconds for each in some]
    for indexes in batches_of_equal_length(lengths, DECODED_AT_ONCE, seed=0, epoch=0):
        yield [some[index] for index in indexes]


@contextlib.contextmanager
def scale_additions(model: WhisperForConditionalGeneration, scale: float) -> Iterator[None]:
    """Give the model a share of its low-rank additions inside, all of them again afterwards."""
    ups = [p for name, p in model.named_parameters() if name.endswith(whisper.UP)]
    kept = [up.detach().clone() for up in ups]
    with torch.no_grad():
        for up in ups:
            up.mul_(scale)
    yield
    with torch.no_grad():
        for up, own in zip(ups, kept, strict=True):
            up.copy_(own)


def check(
    scorer: Scorer, model: WhisperForConditionalGeneration, options: ObjectiveOptions, kept: KeptWeights,
    step: int, weights: nn.ParameterDict,
) -> dict[str, float]:  # fmt: skip
    """Score the model, keep its weights where they have the lowest dev loss so far, and return the scores."""
    candidate = scorer.read(model)
    scores = scorer.losses(model, options) | {"wer": candidate.own.rate}
    if candidate.general is not None:
        scores["wer/general"] = candidate.general.rate
    kept.consider(step, [scores["loss"]], weights.state_dict(), scores)
    return scores
