"""How well a model writes: the best path of its CTC layer on dev clips, and the errors of texts."""

from __future__ import annotations

import torch

from recipes.ctc.examples import Examples, dev_batch
from recipes.ctc.model import CTCModel, ctc_loss
from recipes.ctc.texts import TextEncoder
from recipes.training import evaluating
from voice.asr.ctc.recognizer import WHOLE
from voice.asr.ctc.units import greedy_labels
from voice.metrics import Score, edit_distance, normalize, total, word_errors


def character_errors(reference: str, hypothesis: str, language: str) -> Score:
    """Count the character errors, spaces included, of texts written alike as voice.metrics writes them."""
    reference, hypothesis = normalize(reference, language), normalize(hypothesis, language)
    return Score(edit_distance(reference, hypothesis), len(reference))


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
            words.append(word_errors(utterance.text, read, language))
    return {"loss": losses / labels, "cer": total(characters).rate, "wer": total(words).rate}
