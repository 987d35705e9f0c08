"""VITS and the voices of Massively Multilingual Speech, which read letters, by transformers.

Kim et al. 2021, "Conditional Variational Autoencoder with Adversarial Learning for End-to-End
Text-to-Speech"; Pratap et al. 2023, "Scaling Speech Technology to 1,000+ Languages".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from voice.errors import ModelDamaged, VoiceError
from voice.models.hub.networks import open_network, open_processing
from voice.tts.hub.engine import SpokenText


class VitsVoice:
    """A TextNetwork of transformers' VitsModel and its tokenizer, which writes every letter as a token."""

    takes_speed = True

    def __init__(self, network: Any, tokenizer: Any) -> None:
        self._network, self._tokenizer = network, tokenizer
        self.rate: int = network.config.sampling_rate
        self._hop = math.prod(network.config.upsample_rates)

    @classmethod
    def open(cls, folder: Path, *, threads: int | None = None) -> VitsVoice:
        """Open the voice in a folder. Raises ModelMissing or ModelDamaged, also if it reads phonemes."""
        network = open_network(folder, "VitsModel", threads=threads)
        tokenizer = open_processing(folder, "AutoTokenizer")
        if tokenizer.phonemize:
            raise ModelDamaged(f"{folder} reads phonemes of espeak; take one that reads letters")
        if tokenizer.is_uroman:
            raise ModelDamaged(f"{folder} reads Latin letters that uroman writes; it is not here")
        return cls(network, tokenizer)

    def speak(self, words: Sequence[str], speed: float) -> SpokenText:
        """Return the words as speech, timed by the durations of their letters."""
        import torch

        tokens = [self._tokens(word) for word in words]
        text = " ".join("".join(each) for each in tokens if each)
        if not text:
            raise VoiceError(f"this voice knows no letter of {' '.join(words)[:60]!r}")
        inputs = self._tokenizer(text, return_tensors="pt").to(self._network.device)
        lengths: list[torch.Tensor] = []
        predictor = self._network.duration_predictor
        watched = predictor.register_forward_hook(lambda _, __, logs: lengths.append(logs))
        try:
            with torch.inference_mode():
                made = self._network(**inputs, speaking_rate=speed * self._network.speaking_rate)
        finally:
            watched.remove()
        frames = torch.ceil(lengths[0].exp() / (speed * self._network.speaking_rate))[0, 0]
        spans = self._spans([len(each) for each in tokens], frames.cpu().numpy())
        return SpokenText(made.waveform[0].float().cpu().numpy(), spans)

    def _tokens(self, word: str) -> list[str]:
        """Return the letters of a word that the network knows."""
        prepared, _ = self._tokenizer.prepare_for_tokenization(word)
        return [each for each in prepared if not each.isspace()]

    def _spans(self, counts: Sequence[int], frames: np.ndarray) -> tuple[tuple[float, float], ...] | None:
        """Return the seconds of words of so many letters each, by (L,) frames of the tokens.

        Between the letters are blanks, between the words a space; None where the tokens are others.
        """
        ends = np.concatenate(([0.0], np.cumsum(frames))) * self._hop / self.rate
        step = 2 if self._tokenizer.add_blank else 1
        letters = sum(counts) + sum(map(bool, counts)) - 1
        if len(frames) != step * letters + step - 1:
            return None
        first, spans = step - 1, []
        for count in counts:
            last = max(first, first + step * (count - 1))
            spans.append((float(ends[first]), float(ends[last + 1] if count else ends[first])))
            first += step * (count + 1) if count else 0
        return tuple(spans)
