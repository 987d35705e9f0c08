"""SpeechT5 for speech synthesis with its HiFi-GAN vocoder, by transformers.

Ao et al. 2021, "SpeechT5: Unified-Modal Encoder-Decoder Pre-Training for Spoken Language Processing".

A folder holds the network, beside it the vocoder as vocoder.safetensors and vocoder.json, and who speaks as
speaker.safetensors: an x-vector "embedding" (1, 512).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from voice.errors import ModelDamaged, ModelMissing, VoiceError
from voice.models.hub.networks import check_installed, open_network, open_processing
from voice.tts.hub.engine import SpokenText

VOCODER, VOCODER_SIZES, SPEAKER = "vocoder.safetensors", "vocoder.json", "speaker.safetensors"
SPEECHT5_VOCODER = "hf:microsoft/speecht5_hifigan"
EMBEDDING = "embedding"


class SpeechT5Voice:
    """A TextNetwork of SpeechT5ForTextToSpeech with a vocoder and the x-vector of a speaker (1, 512)."""

    takes_speed = False

    def __init__(self, network: Any, tokenizer: Any, vocoder: Any, speaker: Any) -> None:
        self._network, self._tokenizer, self._vocoder, self._speaker = network, tokenizer, vocoder, speaker
        self.rate: int = vocoder.config.sampling_rate

    @classmethod
    def open(cls, folder: Path, vocoder: Path | None = None, *, threads: int | None = None) -> SpeechT5Voice:
        """Open the voice in a folder, with the `vocoder` of another one if it has none.

        Raises ModelMissing or ModelDamaged.
        """
        check_installed("torch", "transformers", "sentencepiece", extra="train")
        network = open_network(folder, "SpeechT5ForTextToSpeech", threads=threads)
        made = open_network(vocoder, "SpeechT5HifiGan") if vocoder else read_vocoder(folder)
        speaker = read_speaker(folder, network.config.speaker_embedding_dim)
        device = network.device
        return cls(network, open_processing(folder, "AutoTokenizer"), made.to(device), speaker.to(device))

    def speak(self, words: Sequence[str], speed: float) -> SpokenText:
        """Return the words as speech. Raises VoiceError for words without any token."""
        import torch

        inputs = self._tokenizer(" ".join(words), return_tensors="pt").to(self._network.device)
        if inputs["input_ids"].shape[1] < 2:  # its end alone
            raise VoiceError(f"this voice knows no letter of {' '.join(words)[:60]!r}")
        with torch.inference_mode():
            samples = self._network.generate(
                inputs["input_ids"], speaker_embeddings=self._speaker, vocoder=self._vocoder
            )
        return SpokenText(samples.float().cpu().numpy())


def has_vocoder(folder: Path) -> bool:
    """Tell whether a folder holds its vocoder beside the network."""
    return (folder / VOCODER).is_file()


def read_vocoder(folder: Path) -> Any:
    """Return the vocoder that lies beside a network. Raises ModelMissing or ModelDamaged."""
    if not has_vocoder(folder):
        raise ModelMissing(f"{folder} has no {VOCODER}; fetch one: voice models get {SPEECHT5_VOCODER}")
    from safetensors.torch import load_file
    from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

    try:
        made = SpeechT5HifiGan(SpeechT5HifiGanConfig.from_json_file(folder / VOCODER_SIZES))
        made.load_state_dict(load_file(folder / VOCODER))
    except Exception as error:  # whatever is wrong with the files
        raise ModelDamaged(f"{folder / VOCODER} does not load: {error}"[:500]) from error
    return made.eval()


def read_speaker(folder: Path, width: int) -> Any:
    """Return the x-vector (1, width) in a folder; without one zeros, which are nobody's.

    Raises ModelDamaged for a file that has none of that width.
    """
    import torch
    from safetensors.torch import load_file

    path = folder / SPEAKER
    if not path.is_file():
        return torch.zeros(1, width)
    try:
        found = load_file(path)[EMBEDDING].float().reshape(1, width)
    except Exception as error:  # the library's own kinds of error, a missing name, another width
        raise ModelDamaged(f"{path} holds no x-vector of {width} numbers ({error})"[:300]) from error
    return found
