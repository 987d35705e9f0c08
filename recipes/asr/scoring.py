"""How a run stands on its dev clips: decoded by CTranslate2, where it will run, in its task's context."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import WhisperForConditionalGeneration

from recipes.asr import model as whisper
from recipes.asr.teacher import FULL, features, transcribe_encoded
from recipes.asr.tokenizer import TrainingTokenizer
from voice.asr.ctc.head import greedy_letters
from voice.features import WHISPER_RATE
from voice.metrics import Score, total, word_errors
from voice.models.adapter import WEIGHTS, merge
from voice.models.ct2 import Ct2Model, read_model, write_model

SMALL_FILES = ("config.json", "tokenizer.json", "vocabulary.txt", "vocabulary.json")
MARGIN = 0.3  # s of silence after an utterance, as in use


def merged(model: WhisperForConditionalGeneration, base: Path) -> Ct2Model:
    """The model as CTranslate2 keeps it; a low-rank one is added to the weights of the folder `base`."""
    tensors = whisper.adapter_tensors(model)
    if not tensors:
        return whisper.to_ct2(model)
    return merge(read_model(base / WEIGHTS), {name: tensor.numpy() for name, tensor in tensors.items()})


def write_folder(model: WhisperForConditionalGeneration, base: Path, out: Path) -> None:
    """A whole model folder that CTranslate2 opens; the small files are those of `base`."""
    out.mkdir(parents=True, exist_ok=True)
    for name in SMALL_FILES:
        if (base / name).exists():
            shutil.copyfile(base / name, out / name)
    write_model(out / WEIGHTS, merged(model, base))


def transcribe(
    folder: Path, sounds: Sequence[np.ndarray], vocabulary: TrainingTokenizer, *, context: str, threads: int
) -> Iterator[str]:
    """Greedy transcripts of sounds (T,) of at most 30 s, one after the other."""
    import ctranslate2

    decoder = ctranslate2.models.Whisper(str(folder), compute_type="int8", intra_threads=threads)
    for samples in sounds:
        length = FULL if context == "full" else min(FULL, len(samples) + round(MARGIN * WHISPER_RATE))
        (tokens,) = transcribe_encoded(decoder, features(samples, length)[None], vocabulary)
        yield vocabulary.decode(tokens)


def letters(model: WhisperForConditionalGeneration, samples: np.ndarray) -> str:
    """What the CTC head reads, letter by letter the likeliest, of samples (T,)."""
    length = min(FULL, len(samples) + round(MARGIN * WHISPER_RATE))
    shown = torch.from_numpy(features(samples, length)[None]).to(model.device)
    return greedy_letters(model.letters(whisper.encode(model, shown).float())[0].float().cpu().numpy())


def error_rates(corpora: Sequence[str], said: Sequence[str], heard: Sequence[str]) -> dict[str, float]:
    """Errors per word of each corpus, "wer/NAME", and of all together, "wer"."""
    scores: dict[str, list[Score]] = {}
    for corpus, reference, text in zip(corpora, said, heard, strict=True):
        scores.setdefault(corpus, []).append(word_errors(reference, text))
    rates = {f"wer/{name}": total(of_one).rate for name, of_one in scores.items()}
    return rates | {"wer": total(score for of_one in scores.values() for score in of_one).rate}
