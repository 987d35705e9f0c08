"""SpeechT5 for speech synthesis: text and a speaker's x-vector to a mel spectrogram, HiFi-GAN to samples.

Ao et al. 2021, "SpeechT5: Unified-Modal Encoder-Decoder Pre-Training for Spoken Language Processing". The
vocoder stays as it is. Who speaks is an x-vector in a file, or a vector that is learned with the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import nn

from recipes.finetune.tasks import Example, Inputs, Kind
from voice.models import find
from voice.models.hub.networks import check_folder, load_weights, open_processing
from voice.text.english.normalization import normalize
from voice.tts.hub.speecht5 import (
    EMBEDDING,
    SPEAKER,
    SPEECHT5_VOCODER,
    VOCODER,
    VOCODER_SIZES,
    has_vocoder,
    read_speaker,
    read_vocoder,
)

PADDED = -100.0  # no spectrogram: what pads it
MOST_TOKENS = 600  # positions of the text encoder


class SpokenBy(nn.Module):
    """A network, and the x-vector (1, 512) of who speaks, learned where `learns`."""

    def __init__(self, network: nn.Module, speaker: torch.Tensor, *, learns: bool) -> None:
        super().__init__()
        self.network = network
        self.speaker = nn.Parameter(speaker, requires_grad=learns)


class SpeechT5Task:
    """A Task for SpeechT5ForTextToSpeech."""

    kind: Kind = "voice"

    def __init__(
        self,
        network: Any,
        extractor: Any,
        tokenizer: Any,
        speaker: torch.Tensor,
        vocoder: Any,
        *,
        learns: bool,
    ) -> None:
        self._spoken_by = SpokenBy(network, speaker, learns=learns)
        self.module: nn.Module = self._spoken_by
        self._network, self._extractor, self._tokenizer = network, extractor, tokenizer
        self._vocoder, self._learns = vocoder, learns
        self.rate: int = extractor.sampling_rate

    @classmethod
    def open(cls, folder: Path, seed: int) -> SpeechT5Task:
        """Open the network in a folder; without a speaker there, one is learned from a random start.

        Raises ModelError.
        """
        check_folder(folder)
        network = load_weights(folder, "SpeechT5ForTextToSpeech")
        width = network.config.speaker_embedding_dim
        learns = not (folder / SPEAKER).is_file()
        if learns:
            drawn = torch.randn(1, width, generator=torch.Generator().manual_seed(seed))
            speaker = nn.functional.normalize(drawn)
        else:
            speaker = read_speaker(folder, width)
        own = has_vocoder(folder)
        vocoder = (
            read_vocoder(folder) if own else load_weights(find(SPEECHT5_VOCODER).folder, "SpeechT5HifiGan")
        )
        extractor = open_processing(folder, "AutoFeatureExtractor")
        return cls(
            network, extractor, open_processing(folder, "AutoTokenizer"), speaker, vocoder, learns=learns
        )

    @property
    def head(self) -> tuple[str, ...]:
        """Return the speaker's vector, where it is learned."""
        return ("speaker",) if self._learns else ()

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """Return the encoder of text."""
        return {"encoder": self._network.speecht5.encoder}

    def tokens(self, text: str) -> np.ndarray:
        """Return the tokens (L,) of a text, its figures in words."""
        return np.array(self._tokenizer(normalize(text).text).input_ids, np.int64)

    def fits(self, seconds: float, tokens: np.ndarray) -> bool:
        """Tell whether there are positions for text and spectrogram."""
        frames = seconds * self.rate / self._extractor.sample_stride / self._network.config.reduction_factor
        positions = self._network.config.max_speech_positions
        return (
            1 < len(tokens) < min(MOST_TOKENS, self._network.config.max_text_positions) and frames < positions
        )

    def batch(self, examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        """Return tokens (B, L), their mask, and "labels" (B, T, 80): log-mel, PADDED where there is none."""
        texts = self._tokenizer.pad(
            {"input_ids": [each.tokens.tolist() for each in examples]}, return_tensors="pt"
        )
        mels = [self._mel(each.samples) for each in examples]
        longest = max(map(len, mels))
        labels = torch.full((len(mels), longest, mels[0].shape[1]), PADDED)
        for row, mel in zip(labels, mels, strict=True):
            row[: len(mel)] = mel
        return {"input_ids": texts["input_ids"], "attention_mask": texts["attention_mask"], "labels": labels}

    def _mel(self, samples: np.ndarray) -> torch.Tensor:
        """Return the spectrogram (T, 80) of samples (T,), cut to a multiple of the frames of a step."""
        made = self._extractor(audio_target=samples, sampling_rate=self.rate)["input_values"][0]
        step = self._network.config.reduction_factor
        return torch.from_numpy(np.asarray(made, np.float32)[: len(made) // step * step])

    def loss(self, batch: Inputs) -> torch.Tensor:
        """Return the distance of the spectrograms, of the ends, and of the attention to a diagonal."""
        speakers = self._spoken_by.speaker.expand(len(batch["input_ids"]), -1)
        return self._network(**batch, speaker_embeddings=speakers).loss

    def hypothesis(self, samples: np.ndarray) -> str:
        """Return nothing: a voice writes no text."""
        return ""

    def save(self, folder: Path) -> None:
        """Write the folder that `voice speak` opens, the vocoder and the speaker beside the network."""
        self._network.save_pretrained(folder)
        self._extractor.save_pretrained(folder)
        self._tokenizer.save_pretrained(folder)
        speaker = self._spoken_by.speaker.detach().cpu().contiguous()
        (folder / SPEAKER).write_bytes(save({EMBEDDING: speaker}))
        weights = {
            name: each.detach().cpu().contiguous() for name, each in self._vocoder.state_dict().items()
        }
        (folder / VOCODER).write_bytes(save(weights))
        self._vocoder.config.to_json_file(folder / VOCODER_SIZES)

    def card_options(self) -> dict[str, Any]:
        """Return nothing: the folder says it all."""
        return {}
