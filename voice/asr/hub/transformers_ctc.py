"""Networks of transformers that end in CTC: wav2vec 2.0, HuBERT, WavLM, Parakeet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from voice.asr.ctc.emissions import DELIMITERS, PieceVocabulary
from voice.models.hub.networks import open_network, open_processing
from voice.types import LogProbs, Samples

HOP = 0.01  # seconds between the features of networks that hear a spectrogram


class TransformersEmissions:
    """An EmissionNetwork of a network for AutoModelForCTC and its feature extractor."""

    def __init__(self, network: Any, extractor: Any) -> None:
        self._network, self._extractor = network, extractor
        self.rate: int = extractor.sampling_rate
        self.frame = seconds_of_frame(network.config, self.rate)

    @classmethod
    def open(cls, folder: Path, *, threads: int | None = None) -> TransformersEmissions:
        """Open the network in a folder. Raises ModelMissing or ModelDamaged."""
        network = open_network(folder, "AutoModelForCTC", threads=threads)
        return cls(network, open_processing(folder, "AutoFeatureExtractor"))

    def emissions(self, samples: Samples) -> LogProbs:
        """Return (F, C) log-probabilities of (T,) samples."""
        import torch

        inputs = self._extractor(samples, sampling_rate=self.rate, return_tensors="pt")
        inputs = inputs.to(self._network.device)
        with torch.inference_mode():
            logits = self._network(**inputs).logits[0]
            logits = logits[: self._count(inputs.get("attention_mask"), len(logits))]
            found: LogProbs = logits.float().log_softmax(-1).cpu().numpy()
        return found

    def _count(self, mask: Any, frames: int) -> int:
        """Return how many frames count by the `mask` (1, T) of the input; others were never learned."""
        if mask is None:
            return frames
        if hasattr(self._network, "_get_output_attention_mask"):
            return int(self._network._get_output_attention_mask(mask, target_length=frames).sum())
        if hasattr(self._network, "_get_feat_extract_output_lengths"):
            return min(frames, int(self._network._get_feat_extract_output_lengths(mask.sum(-1))))
        return frames

    def vocabulary(self, folder: Path) -> PieceVocabulary:
        """Return what the classes stand for, by the tokenizer in a folder."""
        return vocabulary_of(self._network.config, open_processing(folder, "AutoTokenizer"))


def vocabulary_of(config: Any, tokenizer: Any) -> PieceVocabulary:
    """Return what the classes of a network stand for; the padding is the blank."""
    count = int(config.vocab_size)
    pieces = tuple(tokenizer.convert_ids_to_tokens(each) or "" for each in range(count))
    special = (each for each in tokenizer.all_special_ids if each < count)
    silent = frozenset(each for each in special if pieces[each] not in DELIMITERS)
    return PieceVocabulary(pieces, int(config.pad_token_id), silent)


def seconds_of_frame(config: Any, rate: int) -> float:
    """Return the seconds between two emissions: the product of the strides."""
    encoder = getattr(config, "encoder_config", None)
    if encoder is not None:
        return HOP * int(encoder.subsampling_factor)
    seconds = float(np.prod(config.conv_stride)) / rate if hasattr(config, "conv_stride") else 2 * HOP
    adapted = getattr(config, "add_adapter", False)
    return seconds * (config.adapter_stride**config.num_adapter_layers if adapted else 1)
