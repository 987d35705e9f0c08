"""How a run stands on its dev clips: decoded by CTranslate2, where it will run, in its task's context."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import WhisperForConditionalGeneration

from data.augmentation import Sounds, with_noise
from data.batching import rng_for
from recipes.asr import model as whisper
from recipes.asr.examples import DataOptions, Example, collate
from recipes.asr.head import head_of
from recipes.asr.losses import LossOptions, losses
from recipes.asr.teacher import transcribe_encoded
from recipes.asr.tokenizer import TrainingTokenizer
from recipes.training import autocast, evaluating
from voice.asr.ctc.head import greedy_letters
from voice.asr.whisper.windows import MARGIN, WINDOW_SAMPLES, features, with_margin
from voice.metrics import Score, total, word_errors
from voice.models.adapter import WEIGHTS, merge
from voice.models.card import sha256
from voice.models.ct2 import Ct2Model, read_model, write_model

SMALL_FILES = ("config.json", "tokenizer.json", "vocabulary.txt", "vocabulary.json")


def fingerprint(base: Path) -> str:
    """Return the sha256 of what decides how a model in a folder hears: its weights and the small files."""
    digest = hashlib.sha256()
    for name in (WEIGHTS, *SMALL_FILES):
        if (base / name).exists():
            digest.update(f"{name} {sha256(base / name)}\n".encode())
    return digest.hexdigest()


def runtime_weights(model: WhisperForConditionalGeneration, base: Path) -> Ct2Model:
    """Return the model as CTranslate2 keeps it; a low-rank one is added to the weights in `base`."""
    tensors = whisper.adapter_tensors(model)
    if not tensors:
        return whisper.to_ct2(model)
    return merge(read_model(base / WEIGHTS), {name: tensor.numpy() for name, tensor in tensors.items()})


def write_folder(model: WhisperForConditionalGeneration, base: Path, out: Path) -> None:
    """Write a whole model folder that CTranslate2 opens; the small files are those of `base`."""
    out.mkdir(parents=True, exist_ok=True)
    for name in SMALL_FILES:
        if (base / name).exists():
            shutil.copyfile(base / name, out / name)
    write_model(out / WEIGHTS, runtime_weights(model, base))


def transcribe(
    folder: Path, sounds: Sequence[np.ndarray], tokenizer: TrainingTokenizer, *, context: str, threads: int
) -> Iterator[str]:
    """Yield greedy transcripts of sounds (T,) of at most 30 s, one after the other."""
    import ctranslate2

    decoder = ctranslate2.models.Whisper(str(folder), compute_type="int8", intra_threads=threads)
    for samples in sounds:
        length = WINDOW_SAMPLES if context == "full" else with_margin(len(samples))
        (tokens,) = transcribe_encoded(decoder, features(samples, length, decoder.n_mels)[None], tokenizer)
        yield tokenizer.decode(tokens)


def letters(model: WhisperForConditionalGeneration, samples: np.ndarray) -> str:
    """Return what the CTC head reads, letter by letter the likeliest, of samples (T,)."""
    mel = features(samples, with_margin(len(samples)), model.config.num_mel_bins)
    shown = torch.from_numpy(mel[None]).to(model.device)
    return greedy_letters(head_of(model)(whisper.encode(model, shown).float())[0].float().cpu().numpy())


def dev_scores(
    model: WhisperForConditionalGeneration, dev: Sequence[Example], data: DataOptions, weights: LossOptions,
    base: Path, folder: Path, *, seed: int, threads: int,
) -> dict[str, float]:  # fmt: skip
    """Return the dev loss, and word error rates of the exported model as CTranslate2 runs it.

    The model goes into `folder` for that, with the small files of the folder `base`.
    """
    with evaluating(model), autocast(model.device):
        loss = dev_loss(model, dev, data, weights)
    write_folder(model, base, folder)
    tokenizer, corpora = data.tokenizer, [each.corpus for each in dev]
    references = [each.text or tokenizer.decode(each.labels.tokens) for each in dev]

    def rates(sounds: Sequence[np.ndarray]) -> dict[str, float]:
        hypotheses = transcribe(folder, sounds, tokenizer, context=data.context, threads=threads)
        return error_rates(corpora, references, list(hypotheses), tokenizer.language)

    found = rates([each.sound() for each in dev])
    if data.augment and data.augment.noises:
        found["noisy"] = rates(noisy_sounds(dev, data.augment.noises, seed))["wer"]
    if data.ctc:
        with evaluating(model), autocast(model.device):
            read = [letters(model, each.sound()) for each in dev]
        found["ctc"] = error_rates(corpora, references, read, tokenizer.language)["wer"]
    return {"loss": loss} | found


def dev_loss(
    model: WhisperForConditionalGeneration, dev: Sequence[Example], data: DataOptions, weights: LossOptions
) -> float:
    """Return the mean loss over the dev examples, each alone, with the margin that it will have in use."""
    margin = np.array([MARGIN])
    each = [losses(model, collate([one], margin, data), data.tokenizer, weights)["loss"] for one in dev]
    return float(torch.stack(each).mean())


def noisy_sounds(dev: Sequence[Example], noises: Sounds, seed: int) -> list[np.ndarray]:
    """Return the dev sounds with a noise at 10 dB each, always the same."""
    rngs = [rng_for(seed, 3, place) for place in range(len(dev))]
    return [
        with_noise(each.sound(), noises[int(rng.integers(len(noises)))], 10.0, rng)
        for each, rng in zip(dev, rngs, strict=True)
    ]


def error_rates(
    corpora: Sequence[str], references: Sequence[str], hypotheses: Sequence[str], language: str = "en"
) -> dict[str, float]:
    """Return errors per word of each corpus, "wer/NAME", and of all together, "wer"."""
    scores: dict[str, list[Score]] = {}
    for corpus, reference, text in zip(corpora, references, hypotheses, strict=True):
        scores.setdefault(corpus, []).append(word_errors(reference, text, language))
    rates = {f"wer/{name}": total(of_one).rate for name, of_one in scores.items()}
    return rates | {"wer": total(score for of_one in scores.values() for score in of_one).rate}
