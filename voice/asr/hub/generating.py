"""Networks of transformers that write a text token by token and know no times of words: Moonshine.

Jeffries et al. 2024, "Moonshine: Speech Recognition for Live Transcription and Voice Commands".
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from voice.abilities import Traits
from voice.asr.batching import refuse_translation
from voice.audio import resample
from voice.errors import AudioError
from voice.models.hub.networks import open_network, open_processing
from voice.text.languages import LANGUAGES
from voice.types import UNDETERMINED, Audio, Samples, Segment, Transcript

LONGEST = 30.0  # seconds of one call
SHORTEST = 0.5  # seconds that a network hears at least
UNCUT = 20.0
TOKENS_PER_SECOND = 6.5  # at most, by the authors: more of them is a loop
SPARE_TOKENS = 8  # the first and the last one, and what a very short sound may need


class GeneratingRecognizer:
    """A recognizer that asks `generate` of a network. It holds no state between calls.

    A window holds one stretch of speech, because nothing else tells when it is said.
    """

    traits = Traits(LONGEST, packed=0.0, uncut=UNCUT, batch=1)

    def __init__(
        self,
        network: Any,
        extractor: Any,
        tokenizer: Any,
        languages: Collection[str] = LANGUAGES,
        tokens_per_second: float = TOKENS_PER_SECOND,
    ) -> None:
        self._network, self._extractor, self._tokenizer = network, extractor, tokenizer
        self.rate: int = extractor.sampling_rate
        self.languages, self._tokens_per_second = frozenset(languages), tokens_per_second

    @classmethod
    def open(
        cls, folder: Path, class_name: str, languages: Collection[str], *,
        tokens_per_second: float = TOKENS_PER_SECOND, threads: int | None = None,
    ) -> GeneratingRecognizer:  # fmt: skip
        """Open the network in a folder as a class of transformers. Raises ModelMissing or ModelDamaged."""
        network = open_network(folder, class_name, threads=threads)
        extractor, tokenizer = (
            open_processing(folder, each) for each in ("AutoFeatureExtractor", "AutoTokenizer")
        )
        return cls(network, extractor, tokenizer, languages, tokens_per_second)

    def transcribe(
        self, speech: Audio, *, language: str | None = None, hotwords: Sequence[str] = ()
    ) -> Transcript:
        """Return the text of at most 30 s of speech as one segment without words; hotwords are not used.

        Raises AudioError for longer speech.
        """
        if speech.duration > LONGEST + 0.01:
            raise AudioError(f"{speech.duration:.1f} s are too much for one call; use voice.transcribe")
        samples = resample(speech, self.rate).samples
        samples = np.pad(samples, (0, max(0, round(SHORTEST * self.rate) - len(samples))))
        text = self._text(samples).strip()
        segments = (Segment(text, 0.0, speech.duration),) if text else ()
        only = next(iter(self.languages)) if len(self.languages) == 1 else UNDETERMINED
        return Transcript(segments, language or only, speech.duration)

    def transcribe_batch(
        self, speeches: Sequence[Audio], *, language: str | None, hotwords: Sequence[str], task: str
    ) -> list[Transcript]:
        """Return a transcript for each window. Raises VoiceError for a task other than "transcribe"."""
        refuse_translation(task)
        return [self.transcribe(each, language=language, hotwords=hotwords) for each in speeches]

    def _text(self, samples: Samples) -> str:
        """Return what the network writes of (T,) samples, greedily."""
        import torch

        inputs = self._extractor(samples, sampling_rate=self.rate, return_tensors="pt")
        most = math.ceil(len(samples) / self.rate * self._tokens_per_second) + SPARE_TOKENS
        with torch.inference_mode():
            tokens = self._network.generate(
                **inputs.to(self._network.device), max_new_tokens=most, do_sample=False, num_beams=1
            )
        return str(self._tokenizer.decode(tokens[0], skip_special_tokens=True))
