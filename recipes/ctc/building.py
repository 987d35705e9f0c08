"""From options to a network, and from a run's folder to its trained network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

from torch import nn

from recipes.asr.scoring import fingerprint
from recipes.checkpoints import read_state
from recipes.ctc import warm
from recipes.ctc.model import AttentionDecoder, Conformer, CTCModel, Size
from recipes.ctc.texts import TextEncoder, read_text_encoder
from recipes.runs import Base, Run
from voice.asr.ctc.recognizer import FEATURE_WIDTHS, FeatureKind
from voice.models import find

RECIPE = "recipes.ctc.train"
WARM_FRAME = 0.02  # seconds of a frame of Whisper's encoder and of wav2vec 2.0's
KALDI_FRAME = 0.01  # seconds of a frame of features

Weights = Literal["best", "average"]


def feature_kind(base: str | None) -> FeatureKind:
    """Return the features that an encoder takes; `base` None is one from scratch."""
    if base is None:
        return "kaldi"
    return "samples" if base.startswith(warm.HUB) else "whisper"


def frame_of(base: str | None, size: Size) -> float:
    """Return the seconds between two outputs of the encoder."""
    return WARM_FRAME if base else KALDI_FRAME * size.subsampling


def start_encoder(base: str | None, size: Size) -> Any:
    """Return the encoder to begin with: random, or that of `base`. Raises ModelMissing for an unknown one."""
    if base is None:
        return Conformer(FEATURE_WIDTHS["kaldi"], size)
    return warm.hub_encoder(base) if base.startswith(warm.HUB) else warm.whisper_encoder(find(base).folder)


def base_of(base: str | None) -> Base | None:
    """Return what a run says of the model that it starts from."""
    if base is None:
        return None
    if base.startswith(warm.HUB):
        return Base(base, "")
    return Base(base, fingerprint(find(base).folder))


def build(
    base: str | None, size: Size, classes: int, *, attention: float, base_head: bool = False
) -> CTCModel:
    """Return the whole network; without a share of attention there is no decoder.

    `base_head` takes the base's own head of English letters instead of a new layer. Raises ModelMissing
    where the base has none.
    """
    encoder = start_encoder(base, size)
    decoder = AttentionDecoder(classes, encoder.width, size) if attention > 0 else None
    head = warm.letter_head(find(base or "").folder) if base_head else nn.Linear(encoder.width, classes)
    return CTCModel(encoder, head, decoder)


def weight_groups(model: CTCModel, rate: float, encoder_rate: float) -> list[dict[str, Any]]:
    """Return the parameters for an optimizer: a warm encoder learns at its own rate."""
    encoder = [each for each in model.encoder.parameters() if each.requires_grad]
    others = [each for part in (model.labels, model.decoder) if part for each in part.parameters()]
    return [{"params": others, "lr": rate}, {"params": encoder, "lr": encoder_rate}]


def size_of(options: Mapping[str, Any]) -> Size:
    """Return the sizes that a run's options hold."""
    return Size(**{each.name: options[each.name] for each in fields(Size)})


def read_model(folder: Path, run: Run, weights: Weights) -> tuple[CTCModel, TextEncoder]:
    """Return the trained network of a run, for evaluation, and its units.

    "best": the averaged weights that were best on dev; "average": the averaged weights of the last step.
    Raises ModelError.
    """
    encode = read_text_encoder(folder, run.options["writing"])
    model = build(
        run.options.get("base"), size_of(run.options), encode.units.classes,
        attention=run.options["attention"], base_head=run.options.get("base_head", False),
    )  # fmt: skip
    maker = f"python -m {RECIPE} --out {folder}"
    if weights == "best":
        state = read_state(folder / "best.pt", maker)["weights"]
    else:
        state = read_state(folder / "last.pt", maker)["parts"]["average"]["weights"]
    model.load_state_dict(state)
    model.eval()
    return model, encode


def count_weights(model: nn.Module) -> int:
    """Return how many numbers a network learns or keeps."""
    return sum(each.numel() for each in model.parameters())
