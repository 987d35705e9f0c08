"""Networks of transformers with connectionist temporal classification: wav2vec 2.0, HuBERT, WavLM, Parakeet.

Baevski et al. 2020, "wav2vec 2.0: A Framework for Self-Supervised Learning of Speech Representations". An
encoder that was only pretrained gets a vocabulary of the letters of the transcripts and a new last layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from data.batching import pad
from recipes.finetune.tasks import Example, Inputs, Kind
from recipes.finetune.writing import BLANK, DELIMITER, UNKNOWN, VOCABULARY, Writing, write_vocabulary
from voice.asr.ctc.emissions import read_words
from voice.asr.hub.transformers_ctc import TransformersEmissions, seconds_of_frame, vocabulary_of
from voice.models.hub.folders import architecture
from voice.models.hub.networks import check_folder, load_weights, open_processing

IGNORED = -100  # no label: what pads them
HEADS = ("lm_head", "ctc_head")


class CTCTask:
    """A Task for AutoModelForCTC."""

    kind: Kind = "recognizer"

    def __init__(self, network: Any, extractor: Any, tokenizer: Any, *, is_new: bool) -> None:
        self.module: nn.Module = network
        self._network, self._extractor, self._tokenizer, self._is_new = network, extractor, tokenizer, is_new
        self.rate: int = extractor.sampling_rate
        self._frame = seconds_of_frame(network.config, self.rate)
        self._vocabulary = vocabulary_of(network.config, tokenizer)
        self._writing = Writing.of(tokenizer.get_vocab())

    @classmethod
    def open(cls, folder: Path, texts: Sequence[str], own: Path, *, masked: bool) -> CTCTask:
        """Open the network in a folder; a new vocabulary is made of `texts` in `own`, or is there already.

        `masked` keeps the masks in time and frequency that the network's configuration has for training.
        Raises ModelError.
        """
        extractor = open_processing(folder, "AutoFeatureExtractor")
        is_new = not architecture(folder).endswith("ForCTC")
        if is_new:
            network, tokenizer = with_new_head(
                folder, write_vocabulary(own, texts) if texts else own / VOCABULARY
            )
        else:
            check_folder(folder)
            network, tokenizer = (
                load_weights(folder, "AutoModelForCTC"),
                open_processing(folder, "AutoTokenizer"),
            )
        network.config.ctc_loss_reduction, network.config.ctc_zero_infinity = "mean", True
        if not masked and hasattr(network.config, "apply_spec_augment"):
            network.config.apply_spec_augment = False
        return cls(network, extractor, tokenizer, is_new=is_new)

    @property
    def head(self) -> tuple[str, ...]:
        """Return the last layer, where it is new."""
        return HEADS if self._is_new else ()

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """Return the convolutions that hear the waveform or the spectrogram, and all but the last layer."""
        base = (
            self._network.base_model
            if self._network.base_model is not self._network
            else self._network.encoder
        )
        named = (getattr(base, name, None) for name in ("feature_extractor", "subsampling"))
        features = next((each for each in named if each is not None), None)
        return {"encoder": base} | ({} if features is None else {"features": features})

    def tokens(self, text: str) -> np.ndarray:
        """Return the labels (L,) of a text as the vocabulary writes it."""
        found = self._tokenizer(self._writing.write(text), add_special_tokens=False).input_ids
        return np.array(found, np.int64)

    def fits(self, seconds: float, tokens: np.ndarray) -> bool:
        """Tell whether there are frames for all labels and for the blanks between two that are the same."""
        least = len(tokens) + int(np.count_nonzero(tokens[1:] == tokens[:-1]))
        return least < seconds / self._frame

    def batch(self, examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        """Return the features of B recordings, and "labels" (B, L), IGNORED where there are none."""
        inputs = self._extractor(
            [each.samples for each in examples], sampling_rate=self.rate, padding=True, return_tensors="pt"
        )
        labels, _ = pad([each.tokens for each in examples], IGNORED)
        return {**inputs, "labels": torch.from_numpy(labels)}

    def loss(self, batch: Inputs) -> torch.Tensor:
        """Return the mean of -log P(labels | sound) by the length of the labels."""
        return self._network(**batch).loss

    def hypothesis(self, samples: np.ndarray) -> str:
        """Return the words of the likeliest labels."""
        emissions = TransformersEmissions(self._network, self._extractor).emissions(samples)
        return " ".join(word.text for word in read_words(emissions, self._vocabulary, self._frame))

    def save(self, folder: Path) -> None:
        """Write the folder that AutoModelForCTC opens."""
        self._network.save_pretrained(folder)
        self._extractor.save_pretrained(folder)
        self._tokenizer.save_pretrained(folder)

    def card_options(self) -> dict[str, Any]:
        """Return nothing: the folder says it all."""
        return {}


def with_new_head(folder: Path, vocabulary: Path) -> tuple[Any, Any]:
    """Return the pretrained encoder in a folder with a last layer for a vocabulary, and its tokenizer."""
    from transformers import AutoConfig, AutoModelForCTC, Wav2Vec2CTCTokenizer

    tokenizer = Wav2Vec2CTCTokenizer(
        str(vocabulary), pad_token=BLANK, unk_token=UNKNOWN, word_delimiter_token=DELIMITER,
        bos_token=None, eos_token=None,
    )  # fmt: skip
    check_folder(folder)
    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    config.vocab_size, config.pad_token_id = len(tokenizer), tokenizer.pad_token_id
    network = AutoModelForCTC.from_pretrained(
        folder, config=config, local_files_only=True, trust_remote_code=False, dtype=torch.float32
    )
    return network, tokenizer
