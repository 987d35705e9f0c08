"""Speechbrain's EncoderASR: an encoder that ends in log-probabilities, read as any other with CTC."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from voice.asr.ctc.emissions import PieceVocabulary
from voice.errors import ModelDamaged
from voice.models.hub.speechbrain_models import SpeechbrainModel, open_speechbrain
from voice.types import LogProbs, Samples


class SpeechbrainEmissions:
    """An EmissionNetwork of a model of speechbrain."""

    def __init__(self, model: SpeechbrainModel) -> None:
        self._encoder = model.part("modules", "encoder")
        self.rate = model.rate
        self.frame = self._measured_frame()
        self.vocabulary = vocabulary_of(model)

    @classmethod
    def open(cls, folder: Path, *, threads: int | None = None) -> SpeechbrainEmissions:
        """Open the model in a folder. Raises ModelMissing or ModelDamaged."""
        model = open_speechbrain(folder)
        if threads:
            import torch

            torch.set_num_threads(threads)
        return cls(model)

    def emissions(self, samples: Samples) -> LogProbs:
        """Return (F, C) log-probabilities of (T,) samples."""
        import torch

        with torch.inference_mode():
            encoded = self._encoder(torch.from_numpy(samples)[None], torch.ones(1))[0]
            found: LogProbs = encoded.float().log_softmax(-1).numpy()
        return found

    def _measured_frame(self) -> float:
        """Return the seconds of a frame: how many more there are of three seconds than of one."""
        import numpy as np

        short, long = (len(self.emissions(np.zeros(each * self.rate, np.float32))) for each in (1, 3))
        return 2.0 / (long - short)


def vocabulary_of(model: SpeechbrainModel) -> PieceVocabulary:
    """Return what the classes stand for. Raises ModelDamaged for a tokenizer of another kind."""
    tokenizer = model.part("tokenizer")
    if hasattr(tokenizer, "ind2lab"):
        pieces = {int(index): str(label) for index, label in tokenizer.ind2lab.items()}
        blank = int(tokenizer.get_blank_index())
    elif hasattr(tokenizer, "id_to_piece"):
        pieces = {index: str(tokenizer.id_to_piece(index)) for index in range(tokenizer.vocab_size())}
        blank = _blank(model.parts)
    else:
        raise ModelDamaged(f"{model.folder}: its tokenizer, a {type(tokenizer).__name__}, is not known here")
    silent = frozenset(index for index, piece in pieces.items() if piece[:1] == "<" and piece[-1:] == ">")
    count = max(pieces) + 1
    return PieceVocabulary(tuple(pieces.get(index, "") for index in range(count)), blank, silent)


def _blank(parts: dict[str, Any]) -> int:
    """Return the class of the blank as the hyperparameters or the decoder have it."""
    decoder = getattr(parts.get("decoding_function"), "keywords", {})
    return int(parts.get("blank_index", decoder.get("blank_id", 0)))
