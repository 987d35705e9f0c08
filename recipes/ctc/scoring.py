"""How well a model writes: the best path of its CTC layer on dev clips, and the errors of texts."""

from __future__ import annotations

import math

import torch

from recipes.ctc.examples import Examples, dev_batch
from recipes.ctc.model import CTCModel, ctc_loss
from recipes.ctc.texts import TextEncoder, write_lower
from recipes.training import evaluating
from voice.asr.ctc.recognizer import WHOLE
from voice.asr.ctc.units import greedy_labels
from voice.metrics import Score, edit_distance, normalize, total, word_errors


class Best:
    """The scores of the best weights so far: errors a character, and the loss where those are equal."""

    def __init__(self) -> None:
        self.cer, self.loss = math.inf, math.inf

    def improves(self, scores: dict[str, float]) -> bool:
        """Tell whether scores are better than all before, and remember them if they are."""
        better = (scores["cer"], scores["loss"]) < (self.cer, self.loss)
        if better:
            self.cer, self.loss = scores["cer"], scores["loss"]
        return better

    def state_dict(self) -> dict[str, float]:
        return {"cer": self.cer, "loss": self.loss}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.cer, self.loss = state["cer"], state["loss"]


def character_errors(reference: str, hypothesis: str, language: str) -> Score:
    """Count the character errors, spaces included, of texts that are written alike before.

    English as voice.metrics does, so that "8" is "eight"; else in lower case without punctuation.
    """
    write = normalize if language == "en" else write_lower
    reference, hypothesis = write(reference), write(hypothesis)
    return Score(edit_distance(reference, hypothesis), len(reference))


def words_wrong(reference: str, hypothesis: str, language: str) -> Score:
    """Count the word errors: of English as voice.metrics does, else of words in lower case."""
    if language == "en":
        return word_errors(reference, hypothesis)
    words = write_lower(reference).split()
    return Score(edit_distance(words, write_lower(hypothesis).split()), len(words))


def dev_scores(
    model: CTCModel, dev: Examples, encode: TextEncoder, language: str, device: torch.device
) -> dict[str, float]:
    """Return the CTC loss in nats a label, and the error rates of the best path, "cer" and "wer"."""
    losses, characters, words = 0.0, [], []
    labels = 0
    chunk = torch.tensor(WHOLE, device=device)
    with evaluating(model):
        for place, utterance in enumerate(dev.utterances):
            batch = dev_batch(dev, [place]).to(device)
            log_probs, frames = model(batch.features, batch.frames, chunk)
            losses += float(ctc_loss(log_probs, frames, batch.labels, batch.lengths)) * len(utterance.labels)
            labels += len(utterance.labels)
            read = encode.units.join(greedy_labels(log_probs[0].float().cpu().numpy()))
            characters.append(character_errors(utterance.text, read, language))
            words.append(words_wrong(utterance.text, read, language))
    return {"loss": losses / labels, "cer": total(characters).rate, "wer": total(words).rate}
