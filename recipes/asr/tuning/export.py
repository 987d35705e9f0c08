"""Write a tuned recognizer as a model folder: what differs from the base, and all that the base has besides.

A base of the catalog gets `adapter.safetensors`; its CTC head, its layer for ends of sentences and its
decoder's graphs come along when the model is derived on first use. From a base that is a folder, whole
weights are written and those files copied. The base's options (context, confidence, whose head it borrows)
stay.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import WhisperForConditionalGeneration

from recipes.asr import model as whisper
from recipes.asr.scoring import SMALL_FILES, write_folder
from recipes.asr.tuning.encoder import add_low_rank
from recipes.asr.tuning.scoring import scale_additions
from recipes.checkpoints import read_state
from voice.errors import ModelError
from voice.features import WHISPER_RATE
from voice.models import Model, entries, quantized
from voice.models.adapter import ADAPTER, WEIGHTS, write_adapter
from voice.models.card import BASE, Card, hashes, sha256, write_card

COMPANIONS = ("head.onnx", "ending.npz", quantized.CROSS, quantized.DECODER)  # files of a base beside its own


@dataclass(frozen=True)
class Description:
    """What the card of a tuned recognizer says: its name, its language, what was done, and the scores."""

    name: str
    language: str
    description: str
    scores: Mapping[str, Any]


def load_tuned(base: Path, run: Path, device: torch.device | str = "cpu") -> WhisperForConditionalGeneration:
    """Return the base with the weights of a run's best.pt in it. Raises ModelError where there is none."""
    saved = read_state(run / "best.pt", f"python -m recipes.asr.tuning.train --out {run}")["weights"]
    weights = {whisper.parameter_name(name): value for name, value in saved.items()}
    layers = {n.split(".")[3] for n in weights if n.startswith("model.encoder.layers.")}
    rank = next(len(value) for name, value in weights.items() if ".lora_A." in name)
    model = whisper.load(base, device)
    add_low_rank(model, rank, len(layers))
    if model.load_state_dict(weights, strict=False).unexpected_keys:
        raise ModelError(f"{run} was not started from {base}; name the base that it was started from")
    return model


def write_model(
    model: WhisperForConditionalGeneration, scale: float, base: Model, base_name: str, out: Path,
    about: Description,
) -> None:  # fmt: skip
    """Write the base with a share of what the model has learned into the folder `out`, with its card."""
    out.mkdir(parents=True, exist_ok=True)
    settings = {key: value for key, value in base.card.options.items() if key != BASE}
    with scale_additions(model, scale), torch.no_grad():
        if base_name in entries():
            tensors = {name: tensor.numpy() for name, tensor in whisper.adapter_tensors(model).items()}
            write_adapter(out / ADAPTER, tensors, sha256(base.folder / WEIGHTS))
            settings[BASE], files = base_name, [ADAPTER]
        else:
            files = _write_whole(model, base.folder, out)
    origin = f"{base.card.origin or base_name}; tuned by recipes/asr/tuning"
    card = Card(
        about.name, "recognizer", "whisper", WHISPER_RATE, about.language, base.card.license,
        about.description, origin, hashes(out, files), settings, dict(about.scores),
    )  # fmt: skip
    write_card(out, card)


def _write_whole(model: WhisperForConditionalGeneration, base: Path, out: Path) -> list[str]:
    """Write whole weights and copies of the base's other files; return the names of all."""
    write_folder(model, base, out)
    for name in COMPANIONS:
        if (base / name).exists():
            shutil.copyfile(base / name, out / name)
    quantized.complete(out)
    names = (WEIGHTS, *SMALL_FILES, *COMPANIONS, quantized.QUANTIZED)
    return [name for name in names if (out / name).exists()]
