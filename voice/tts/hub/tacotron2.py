"""Tacotron 2 and HiFi-GAN, by speechbrain.

Shen et al. 2018, "Natural TTS Synthesis by Conditioning WaveNet on Mel Spectrogram Predictions"; Kong et al.
2020, "HiFi-GAN: Generative Adversarial Networks for Efficient and High Fidelity Speech Synthesis".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from voice.errors import VoiceError
from voice.models.hub.speechbrain_models import SpeechbrainModel, open_speechbrain
from voice.tts.hub.engine import SpokenText

TACOTRON2_VOCODER = "hf:speechbrain/tts-hifigan-ljspeech"
CLEANERS = ["english_cleaners"]


class Tacotron2Voice:
    """A TextNetwork of two models of speechbrain: letters to a mel spectrogram, and that to samples."""

    takes_speed = False

    def __init__(self, acoustic: SpeechbrainModel, vocoder: SpeechbrainModel) -> None:
        self._network, self._letters = acoustic.part("model"), acoustic.part("text_to_sequence")
        self._cleaners = acoustic.parts.get("text_cleaners", CLEANERS)
        self._vocoder = vocoder.part("generator")
        self.rate = vocoder.rate if "sample_rate" in vocoder.parts else acoustic.rate

    @classmethod
    def open(cls, folder: Path, vocoder: Path, *, threads: int | None = None) -> Tacotron2Voice:
        """Open the models in two folders. Raises ModelMissing or ModelDamaged."""
        made = cls(open_speechbrain(folder), open_speechbrain(vocoder))
        if threads:
            import torch

            torch.set_num_threads(threads)
        return made

    def speak(self, words: Sequence[str], speed: float) -> SpokenText:
        """Return the words as speech. Raises VoiceError for words without a letter that it knows."""
        import torch

        letters = self._letters(" ".join(words), self._cleaners)
        if not letters:
            raise VoiceError(f"this voice knows no letter of {' '.join(words)[:60]!r}")
        with torch.inference_mode():
            mel, _, _ = self._network.infer(torch.tensor(letters)[None], torch.tensor([len(letters)]))
            samples = self._vocoder.inference(mel)
        return SpokenText(samples.reshape(-1).float().numpy())
