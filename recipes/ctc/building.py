"""From options to a network, and from a run's folder to its trained network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from torch import nn

from recipes.asr.scoring import fingerprint
from recipes.checkpoints import read_state
from recipes.ctc import warm
from recipes.ctc.model import (
    AttentionDecoder,
    BesideLetters,
    Conformer,
    Correction,
    CTCModel,
    FrameStacking,
    Size,
    Subsampling,
)
from recipes.ctc.texts import TextEncoder, read_text_encoder
from recipes.runs import Base, Run
from voice.asr.ctc.recognizer import FEATURE_WIDTHS, FeatureKind
from voice.models import find

RECIPE = "recipes.ctc.train"
WARM_FRAME = 0.02  # seconds of a frame of Whisper's encoder and of wav2vec 2.0's
KALDI_FRAME = 0.01  # seconds of a frame of features

Weights = Literal["best", "average"]


@dataclass(frozen=True)
class Architecture:
    """What a network is made of: an encoder, from `base` or from scratch, and how large the rest is.

    A frozen base stays as it is, and a Conformer of `size` learns on what it gives. `base_head` takes the
    base's own head of English letters instead of a new layer; on a frozen base the Conformer reads, beside
    what the encoder gives, what that head writes, and if it writes `letters` too, it only corrects them.
    Without a share of `attention` there is no decoder.
    """

    base: str | None
    size: Size
    attention: float = 0.0
    base_head: bool = False
    freeze: bool = False
    letters: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Architecture:
        """Return what a run's options say."""
        size = Size(**{each.name: options[each.name] for each in fields(Size)})
        return cls(
            options.get("base"), size, options["attention"], options.get("base_head", False),
            options.get("freeze", False), options["units"] == "letters",
        )  # fmt: skip

    @property
    def features(self) -> FeatureKind:
        """Return the features that the whole network takes."""
        if self.base is None:
            return "kaldi"
        return "samples" if self.base.startswith(warm.HUB) else "whisper"

    @property
    def frame(self) -> float:
        """Return the seconds between two outputs of the encoder."""
        return WARM_FRAME if self.base and not self.freeze else KALDI_FRAME * self.size.subsampling

    @property
    def corrects(self) -> bool:
        """Tell whether the letters of a frozen base's head are corrected."""
        return self.freeze and self.base_head and self.letters

    @property
    def stack_size(self) -> int:
        """Return how many frames of a frozen base make one of the Conformer on it."""
        return self.size.subsampling // round(WARM_FRAME / KALDI_FRAME)

    def base_encoder(self, *, quantized: bool = False) -> Any:
        """Return the encoder of `base`, a frozen one with what its head writes if that is wanted.

        `quantized`: in 8 bits where it is a Whisper, which is faster on a CPU and cannot learn. Raises
        ModelMissing for an unknown base, or one without a head.
        """
        base = self.base or ""
        if base.startswith(warm.HUB):
            return warm.hub_encoder(base)
        folder = find(base).folder
        encoder: Any = warm.whisper_encoder(folder)
        if quantized:
            encoder = warm.QuantizedEncoder(folder, encoder.width)
        if self.freeze and self.base_head:
            return warm.WithLetters(encoder, warm.letter_head(folder))
        return encoder

    def build(self, classes: int, inputs: int | None = None) -> CTCModel:
        """Return the network that learns: on a frozen base without that one, which gives `inputs` numbers.

        Raises ModelMissing where there is no such base, or where it has no head to begin with.
        """
        encoder = self._learning_encoder(inputs)
        if self.corrects:
            encoder = BesideLetters(encoder, classes)
        decoder = AttentionDecoder(classes, encoder.width, self.size) if self.attention > 0 else None
        if self.corrects:
            return CTCModel(encoder, Correction(encoder.width, classes, self.size.dropout), decoder)
        if self.base_head and not self.freeze:
            return CTCModel(encoder, warm.letter_head(find(self.base or "").folder), decoder)
        return CTCModel(encoder, nn.Linear(encoder.width, classes), decoder)

    def _learning_encoder(self, inputs: int | None) -> Any:
        """Return the encoder to begin with: the base's, or a random Conformer."""
        if self.base is None:
            width = FEATURE_WIDTHS["kaldi"]
            return Conformer(Subsampling(width, self.size.width, self.size.subsampling), width, self.size)
        if not self.freeze:
            return self.base_encoder()
        width = inputs or self.base_encoder().width
        return Conformer(FrameStacking(width, self.size.width, self.stack_size), width, self.size)

    def complete(self, model: CTCModel) -> CTCModel:
        """Return the network from features on: a frozen base goes below what was learned on it."""
        if not self.freeze:
            return model
        encoder = warm.OnFrozen(self.base_encoder(), model.encoder, self.stack_size)
        return CTCModel(encoder, model.labels, model.decoder)


def base_of(base: str | None) -> Base | None:
    """Return what a run says of the model that it starts from."""
    if base is None:
        return None
    if base.startswith(warm.HUB):
        return Base(base, "")
    return Base(base, fingerprint(find(base).folder))


def weight_groups(model: CTCModel, rate: float, encoder_rate: float) -> list[dict[str, Any]]:
    """Return the parameters for an optimizer: a warm encoder learns at its own rate."""
    encoder = [each for each in model.encoder.parameters() if each.requires_grad]
    others = [each for part in (model.labels, model.decoder) if part for each in part.parameters()]
    return [{"params": others, "lr": rate}, {"params": encoder, "lr": encoder_rate}]


def read_model(folder: Path, run: Run, weights: Weights) -> tuple[CTCModel, TextEncoder]:
    """Return the trained network of a run, for evaluation, and its units.

    "best": the averaged weights that were best on dev; "average": the averaged weights of the last step.
    Raises ModelError.
    """
    encode = read_text_encoder(folder, run.options["writing"])
    architecture = Architecture.of(run.options)
    maker = f"python -m {RECIPE} --out {folder}"
    if weights == "best":
        state = read_state(folder / "best.pt", maker)["weights"]
    else:
        state = read_state(folder / "last.pt", maker)["parts"]["average"]["weights"]
    model = architecture.build(encode.units.classes)
    model.load_state_dict(state)
    whole = architecture.complete(model)
    whole.eval()
    return whole, encode


def count_weights(model: nn.Module) -> int:
    """Return how many numbers a network learns or keeps."""
    return sum(each.numel() for each in model.parameters())
