"""What the base says of each window before it is tuned, worked out once and kept on disk.

Three things: the states that enter the encoder layers which learn (float16, 1.5 MB for 30 s of whisper-base),
the base's own transcript, and its last hidden states where it reads the text to be learned, which give its
distribution back through the tied projection. An interrupted run goes on where it was.
"""

from __future__ import annotations

import functools
import hashlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import WhisperForConditionalGeneration

from data.loading import AudioCache
from recipes.asr import model as whisper
from recipes.asr import windows
from recipes.asr.scoring import fingerprint
from recipes.asr.teacher import transcribe_encoded
from recipes.asr.tokenizer import TrainingTokenizer
from recipes.asr.tuning.encoder import lower_states, upper_encoded
from recipes.asr.tuning.packing import heard_seconds
from recipes.asr.windows import Window
from recipes.training import autocast, best_device
from voice.asr.whisper.windows import WINDOW_SAMPLES, features, full_window_features
from voice.features import WHISPER_RATE
from voice.models.card import sha256

PADDED_AT_ONCE = 60.0  # seconds of windows that are encoded together
SHOWN_EVERY = 20.0  # seconds
VERSION = 3  # of the files

Tell = Callable[[str], None]


@dataclass(frozen=True)
class BaseOptions:
    """The base's `folder`, the `context` and `language` it hears in, how many encoder layers learn (`top`),
    and the folder of its `answers`."""

    folder: Path
    context: str
    language: str
    top: int
    answers: Path
    threads: int = 1


@dataclass(frozen=True, eq=False)
class Heard:
    """A window with what the base gave for it: the file of its `states`, and its own transcript."""

    window: Window
    sounds: AudioCache
    seconds: float  # that the encoder sees, silence included
    states: Path
    hypothesis: str

    def load_states(self) -> np.ndarray:
        """Return what enters the layers that learn: (F, D) float32, or log-mel (bands, T)."""
        return np.asarray(np.load(self.states), np.float32)


class BaseAnswers:
    """The frozen base, opened only if something is asked that is not on disk yet."""

    def __init__(self, options: BaseOptions, tokenizer: TrainingTokenizer, tell: Tell = print) -> None:
        self.options, self.tokenizer, self._tell = options, tokenizer, tell
        self._base = fingerprint(options.folder)
        self._opened: tuple[WhisperForConditionalGeneration, object] | None = None
        options.answers.mkdir(parents=True, exist_ok=True)

    def hear(self, every: Sequence[Window], sounds: AudioCache) -> list[Heard]:
        """Return all windows with their states and the base's transcripts, made now where missing."""
        context = self.options.context
        seconds = [heard_seconds(window, context) for window in every]
        names = [self._name(window, sounds) for window in every]
        paths, told = (
            [self._states_file(name) for name in names],
            [self._transcript_file(name) for name in names],
        )
        missing = [
            i
            for i, (path, text) in enumerate(zip(paths, told, strict=True))
            if not (path.exists() and text.exists())
        ]
        progress = _Progress(len(missing), "the base has heard", self._tell)
        for group in _groups(missing, seconds):
            samples = [windows.sound(every[index], sounds) for index in group]
            self._hear_some(samples, seconds[group[0]], [(paths[index], told[index]) for index in group])
            progress(len(group))
        texts = [path.read_text("utf-8") for path in told]
        return [Heard(w, sounds, s, p, t) for w, s, p, t in zip(every, seconds, paths, texts, strict=True)]

    def hidden_files(self, heard: Sequence[Heard], inputs: Sequence[np.ndarray]) -> list[Path]:
        """Return files of the base's last hidden states (L, width) float16 where it predicts each text.

        `inputs` (P + L - 2,) are the decoder's tokens for the text of each window.
        """
        paths = [_beside(each.states, row) for each, row in zip(heard, inputs, strict=True)]
        missing = [index for index, path in enumerate(paths) if not path.exists()]
        progress = _Progress(len(missing), "the base has read", self._tell)
        for group in _groups(missing, [each.seconds for each in heard]):
            self._read_some([heard[i] for i in group], [inputs[i] for i in group], [paths[i] for i in group])
            progress(len(group))
        return paths

    @torch.no_grad()
    def _hear_some(
        self, samples: Sequence[np.ndarray], seconds: float, paths: Sequence[tuple[Path, Path]]
    ) -> None:
        """Write states and transcripts of some windows that are equally long."""
        model, decoder = self._open()
        mel = torch.from_numpy(np.stack([self._features(each, seconds, model) for each in samples]))
        with autocast(model.device):
            states = lower_states(model, mel.to(model.device), self.options.top)
        for (path, _), row in zip(paths, states.half().cpu().numpy(), strict=True):
            _write(path, row)
        untold = [place for place, (_, text) in enumerate(paths) if not text.exists()]
        if not untold:
            return
        with autocast(model.device):
            encoded = upper_encoded(model, states[untold], self.options.top)
        found = transcribe_encoded(decoder, encoded.float().cpu().numpy(), self.tokenizer)
        for place, tokens in zip(untold, found, strict=True):
            text = paths[place][1]
            beside = text.with_suffix(f".{os.getpid()}")
            beside.write_text(self.tokenizer.decode(tokens), "utf-8")
            beside.replace(text)

    def _features(
        self, samples: np.ndarray, seconds: float, model: WhisperForConditionalGeneration
    ) -> np.ndarray:
        """Return log-mel (bands, T) of a window, as the recognizer computes it in its context."""
        bands = model.config.num_mel_bins
        if self.options.context == "full":
            return full_window_features(samples[:WINDOW_SAMPLES], bands)
        return features(samples, round(seconds * WHISPER_RATE), bands)

    @torch.no_grad()
    def _read_some(self, heard: Sequence[Heard], inputs: Sequence[np.ndarray], paths: Sequence[Path]) -> None:
        """Write the hidden states of some windows that are equally long, the encoder's output made anew."""
        model, _ = self._open()
        states = torch.from_numpy(np.stack([each.load_states() for each in heard])).to(model.device)
        with autocast(model.device):
            encoded = upper_encoded(model, states, self.options.top)
            for place, (row, path) in enumerate(zip(inputs, paths, strict=True)):
                tokens = torch.from_numpy(row[None]).to(model.device)
                hidden = whisper.decode(model, encoded[place : place + 1], tokens)
                _write(path, self.tokenizer.predicting(hidden)[0].half().cpu().numpy())

    def _open(self) -> tuple[WhisperForConditionalGeneration, object]:
        """Return the frozen network and CTranslate2's decoder of the same weights."""
        if self._opened is None:
            import ctranslate2

            folder = self.options.folder
            model = whisper.load(folder, best_device()).requires_grad_(False)
            decoder = ctranslate2.models.Whisper(
                str(folder), device="cpu", compute_type="int8", intra_threads=self.options.threads
            )
            self._opened = model, decoder
        return self._opened

    def close(self) -> None:
        """Give the memory of the base back."""
        self._opened = None

    def _name(self, window: Window, sounds: AudioCache) -> str:
        """Return what tells apart windows, by what is in their files, and the bases that hear them."""
        inside = [_digest(sounds.clips[index].audio) for index in window.clips]
        how = f"{VERSION} {self._base} {self.options.context} {self.options.language}"
        return "\n".join((how, windows.identity(window, sounds.clips), *inside))

    def _states_file(self, name: str) -> Path:
        """Return where the states of a window lie; they differ by the layers that learn."""
        return self.options.answers / f"{_hash(f'{name} {self.options.top}')}.npy"

    def _transcript_file(self, name: str) -> Path:
        """Return where the base's transcript of a window lies."""
        return self.options.answers / f"{_hash(name)}.txt"


@functools.lru_cache(100_000)
def _digest(file: Path) -> str:
    """Return the sha256 of a file, so that copies of a corpus find the same answers."""
    return sha256(file)


def _hash(name: str) -> str:
    """Return a name for a file."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def _groups(indexes: Sequence[int], seconds: Sequence[float]) -> list[list[int]]:
    """Return the indexes in groups of equally long windows that are computed together."""
    groups: list[list[int]] = []
    for index in sorted(indexes, key=lambda index: -seconds[index]):
        last = groups[-1] if groups else []
        fits = last and seconds[last[0]] == seconds[index]
        if fits and seconds[index] * (len(last) + 1) <= PADDED_AT_ONCE:
            last.append(index)
        else:
            groups.append([index])
    return groups


def _beside(states: Path, tokens: np.ndarray) -> Path:
    """Return the file of hidden states for a text of tokens, beside the window's states."""
    name = hashlib.sha256(tokens.astype(np.int64).tobytes()).hexdigest()[:16]
    return states.with_name(f"{states.stem}-{name}.npy")


def _write(path: Path, array: np.ndarray) -> None:
    """Write an array, whole or not at all."""
    beside = path.with_name(f".{path.stem}.{os.getpid()}.npy")
    np.save(beside, array)
    beside.replace(path)


class _Progress:
    """A line every `SHOWN_EVERY` seconds with the minutes left, and one at the end."""

    def __init__(self, count: int, what: str, tell: Tell) -> None:
        self.count, self.what, self.tell, self.done = count, what, tell, 0
        self.start = self.shown = time.monotonic()

    def __call__(self, more: int) -> None:
        self.done += more
        now = time.monotonic()
        if now - self.shown > SHOWN_EVERY or self.done == self.count:
            self.shown, left = now, (now - self.start) / self.done * (self.count - self.done) / 60
            self.tell(f"{self.what} {self.done} of {self.count} windows, {left:.0f} minutes left")
