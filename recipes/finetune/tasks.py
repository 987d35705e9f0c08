"""What a network of the Hub is trained to do: the one protocol that the loop knows, and which class has it.

CTCTask            transformers' …ForCTC: wav2vec 2.0, HuBERT, WavLM, Parakeet
GeneratingTask     Whisper and Moonshine
SpeechT5Task       SpeechT5 for speech synthesis
SpeechbrainTask    speechbrain's EncoderASR
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import nn

Inputs = Mapping[str, torch.Tensor]
Kind = Literal["recognizer", "voice"]


@dataclass(frozen=True, eq=False)
class Example:
    """A recording (T,) at the rate of its task, and the tokens (L,) of its text."""

    samples: np.ndarray
    tokens: np.ndarray


class Task(Protocol):
    """A network with what turns recordings and texts into its inputs. All that learns is in `module`."""

    kind: Kind
    module: nn.Module
    rate: int

    @property
    def head(self) -> tuple[str, ...]:
        """Return how the names of the parameters begin that are new, and so are always trained whole."""
        ...

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """Return the modules that --freeze can name: "features" and "encoder", as far as there are such."""
        ...

    def tokens(self, text: str) -> np.ndarray:
        """Return the tokens (L,) of a text, without those of the network's own that surround it."""
        ...

    def fits(self, seconds: float, tokens: np.ndarray) -> bool:
        """Tell whether a recording of so many seconds can hold these tokens."""
        ...

    def batch(self, examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        """Return the inputs of the network, targets included, for B examples."""
        ...

    def loss(self, batch: Inputs) -> torch.Tensor:
        """Return the loss () of a batch."""
        ...

    def hypothesis(self, samples: np.ndarray) -> str:
        """Return what a recognizer writes of samples (T,), as it will in use."""
        ...

    def save(self, folder: Path) -> None:
        """Write the network, and all that its use takes, as its library does."""
        ...

    def card_options(self) -> dict[str, Any]:
        """Return what the card of the model has to say to whoever opens it."""
        ...
