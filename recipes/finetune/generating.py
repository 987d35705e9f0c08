"""Networks of transformers that write token by token: Whisper of all sizes, and Moonshine.

Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision"; Jeffries et al. 2024,
"Moonshine: Speech Recognition for Live Transcription and Voice Commands".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from transformers import BatchFeature

from data.batching import pad
from recipes.finetune.tasks import Example, Inputs, Kind
from voice.asr.hub.generating import SPARE_TOKENS, TOKENS_PER_SECOND
from voice.asr.whisper.windows import full_window_features
from voice.errors import VoiceError
from voice.models.converting import ENGLISH
from voice.models.hub.networks import check_folder, load_weights, open_processing

IGNORED = -100  # no token: what pads the targets
MOST_PER_SECOND = 25.0  # tokens that a hypothesis may have, if each is a letter
WINDOW = 30.0  # seconds
TIME_STEP = 0.02  # seconds from one time token to the next


class GeneratingTask:
    """A Task for a network with an encoder of sound and a decoder of tokens, which begins with `prefix`.

    Whisper learns every text in two forms, so that it keeps both: without times, and between the times of its
    beginning and its end, `first_time` being the token of 0 seconds.
    """

    kind: Kind = "recognizer"

    def __init__(
        self,
        network: Any,
        extractor: Any,
        tokenizer: Any,
        prefix: Sequence[int],
        first_time: int | None = None,
    ) -> None:
        self.module: nn.Module = network
        self._network, self._extractor, self._tokenizer = network, extractor, tokenizer
        self.rate: int = extractor.sampling_rate
        self._prefix, self._end, self._first_time = list(prefix), int(tokenizer.eos_token_id), first_time
        self._densest = 0.0  # tokens a second in what is learned

    @classmethod
    def open(cls, folder: Path, language: str) -> GeneratingTask:
        """Open the network in a folder. Raises ModelError, VoiceError for a language without a token."""
        import transformers

        check_folder(folder)
        config = transformers.AutoConfig.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        network = load_weights(folder, config.architectures[0])
        if hasattr(network.config, "apply_spec_augment"):
            network.config.apply_spec_augment = False
        extractor = open_processing(folder, "AutoFeatureExtractor")
        tokenizer = open_processing(folder, "AutoTokenizer")
        if config.model_type != "whisper":
            return cls(network, extractor, tokenizer, [config.decoder_start_token_id])
        prefix = whisper_prefix(tokenizer, config, language)
        return cls(network, extractor, tokenizer, prefix, prefix[-1] + 1)  # times follow after "no times"

    @property
    def head(self) -> tuple[str, ...]:
        """Return nothing: the projection to tokens is that of the embeddings."""
        return ()

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """Return the encoder, and its convolutions."""
        encoder = self._network.model.encoder
        names = [name for name in ("conv1", "conv2", "conv3", "groupnorm") if hasattr(encoder, name)]
        return {"encoder": encoder, "features": nn.ModuleList(getattr(encoder, name) for name in names)}

    def tokens(self, text: str) -> np.ndarray:
        """Return the tokens (L,) of a text; for Whisper a space begins it."""
        space = "" if self._first_time is None else " "
        return np.array(self._tokenizer(space + text.strip(), add_special_tokens=False).input_ids, np.int64)

    def fits(self, seconds: float, tokens: np.ndarray) -> bool:
        """Tell whether the decoder's positions and the encoder's window are enough."""
        self._densest = max(self._densest, len(tokens) / max(seconds, 0.1))
        return len(self._prefix) + len(tokens) + 2 <= self._most_tokens and seconds <= WINDOW

    @property
    def _most_tokens(self) -> int:
        config = self._network.config
        return int(getattr(config, "max_target_positions", 0) or config.max_position_embeddings)

    def batch(self, examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        """Return features of B sounds, "decoder_input_ids" (N B, L) and "targets" (N B, L) in N forms.

        The first B rows are of the first form; targets are IGNORED where there are none.
        """
        inputs = self._features([each.samples for each in examples])
        forms = [form for several in zip(*map(self._forms, examples), strict=True) for form in several]
        shown, _ = pad([np.array([*prefix, *told[:-1]], np.int64) for prefix, told in forms], self._end)
        hidden = [[IGNORED] * (len(prefix) - 1) + told for prefix, told in forms]
        targets, _ = pad([np.array(each, np.int64) for each in hidden], IGNORED)
        return {**inputs, "decoder_input_ids": torch.from_numpy(shown), "targets": torch.from_numpy(targets)}

    def _forms(self, example: Example) -> list[tuple[list[int], list[int]]]:
        """Return the ways to write an example: what the decoder begins with, and what it is to write."""
        tokens = example.tokens.tolist()
        plain = (self._prefix, [*tokens, self._end])
        if self._first_time is None:
            return [plain]
        end = self._first_time + round(min(WINDOW, len(example.samples) / self.rate) / TIME_STEP)
        return [plain, (self._prefix[:-1], [self._first_time, *tokens, end, self._end])]

    def _features(self, sounds: Sequence[np.ndarray]) -> Any:
        """Return what the encoder takes of B sounds (T,), for Whisper as CTranslate2 will show it."""
        bands = getattr(self._network.config, "num_mel_bins", None)
        if bands is None:
            return self._extractor(sounds, sampling_rate=self.rate, padding=True, return_tensors="pt")
        windows = np.stack([full_window_features(sound, bands) for sound in sounds])
        return BatchFeature({"input_features": torch.from_numpy(windows)})

    def loss(self, batch: Inputs) -> torch.Tensor:
        """Return the cross-entropy of the tokens, the end included; each sound is encoded once."""
        shown, targets = batch["decoder_input_ids"], batch["targets"]
        told = ("decoder_input_ids", "targets")
        sounds = {name: value for name, value in batch.items() if name not in told}
        encoded = self._network.get_encoder()(**sounds)
        hidden = encoded.last_hidden_state
        if len(hidden) < len(shown):
            encoded.last_hidden_state = hidden.repeat(len(shown) // len(hidden), 1, 1)
        made = self._network(encoder_outputs=encoded, decoder_input_ids=shown, use_cache=False)
        logits = made.logits
        return functional.cross_entropy(logits.transpose(1, 2).float(), targets, ignore_index=IGNORED)

    def hypothesis(self, samples: np.ndarray) -> str:
        """Return the likeliest token after token."""
        device = self._network.device
        inputs = self._features([samples]).to(device)
        most = min(self._most_tokens, round(len(samples) / self.rate * MOST_PER_SECOND) + SPARE_TOKENS)
        encoded = self._network.get_encoder()(**inputs)
        tokens = [*self._prefix]
        while len(tokens) < most:
            shown = torch.tensor([tokens], device=device)
            made = self._network(encoder_outputs=encoded, decoder_input_ids=shown, use_cache=False)
            tokens.append(int(made.logits[0, -1].argmax()))
            if tokens[-1] == self._end:
                break
        written = [each for each in tokens[len(self._prefix) :] if not self._is_time(each)]
        return self._tokenizer.decode(written, skip_special_tokens=True).strip()

    def _is_time(self, token: int) -> bool:
        """Tell whether a token of Whisper is a time."""
        return self._first_time is not None and token >= self._first_time

    def save(self, folder: Path) -> None:
        """Write the folder that transformers opens, and for Whisper CTranslate2's converter."""
        self._network.save_pretrained(folder)
        self._extractor.save_pretrained(folder)
        self._tokenizer.save_pretrained(folder)

    def card_options(self) -> dict[str, Any]:
        """Return how many tokens a second of speech may have, by what was learned from."""
        return {"tokens_per_second": max(TOKENS_PER_SECOND, round(1.5 * self._densest, 1))}


def whisper_prefix(tokenizer: Any, config: Any, language: str) -> list[int]:
    """Return the tokens with which Whisper's decoder begins; those that know English alone have no language.

    Raises VoiceError for a language without a token.
    """
    names = ["<|startoftranscript|>", f"<|{language}|>", "<|transcribe|>", "<|notimestamps|>"]
    if config.vocab_size <= ENGLISH:  # as CTranslate2 tells them apart
        if language != "en":
            raise VoiceError(f"this Whisper knows English alone, not {language}; take one without .en")
        names = [names[0], names[-1]]
    known = tokenizer.get_vocab()
    absent = [name for name in names if name not in known]
    if absent:
        raise VoiceError(f"this Whisper has no {absent[0]}; give another --language")
    return [known[name] for name in names]
