"""The frozen model that a student learns from: its tokens, and its last hidden states where it predicts them.

The teacher hears 30 s, as Whisper was trained, or the utterance alone if it is tuned to that. Its last
decoder hidden states (30 KB an utterance) give its whole distribution back through the tied projection, so
that the costly pass happens once for each window and not once an epoch; results are kept in a folder and
found again by the sound itself.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from data.batching import pad
from data.loading import AudioCache
from recipes import devices
from recipes.asr import model as whisper
from recipes.asr import windows
from recipes.asr.tokenizer import TrainingTokenizer
from recipes.asr.windows import Window
from recipes.training import autocast, best_device
from voice.asr.whisper.encoder import storage_view
from voice.asr.whisper.search import MAX_GENERATED
from voice.asr.whisper.tokenizer import TEXT_CONTEXT
from voice.asr.whisper.windows import WINDOW_SAMPLES, features, with_margin
from voice.models.card import sha256

WINDOWS_AT_ONCE = 4
SHOWN_EVERY = 20.0  # s


class Labels(NamedTuple):
    """`tokens` (L,) int32 to predict, and the teacher's `hidden` (L, width) float16 where it predicts them.

    The first is the language, which the start token predicts, and with it whether there is speech at
    all; then the text; then the end token. `hidden` has no rows where no teacher was asked.
    """

    tokens: np.ndarray
    hidden: np.ndarray


@dataclass(frozen=True)
class TeacherOptions:
    """The `folder` of the teacher's model, what its encoder sees ("utterance" or "full"), and the folder
    `answers` that its labels stay in."""

    folder: Path
    context: str
    answers: Path


class Teacher:
    """A frozen model in its own context, which transcribes and gives its hidden states."""

    def __init__(self, options: TeacherOptions, tokenizer: TrainingTokenizer, *, threads: int):
        import ctranslate2

        self.tokenizer, self.context, self.device = tokenizer, options.context, best_device()
        self.model = whisper.load(options.folder, self.device).requires_grad_(False)
        self.decoder = ctranslate2.models.Whisper(
            str(options.folder), device="cpu", compute_type="int8", intra_threads=threads
        )

    @torch.no_grad()
    def labels(self, sounds: Sequence[np.ndarray], texts: Sequence[str | None]) -> list[Labels]:
        """Return what to learn for each sound (T,): tokens of its text, or the teacher's own for None."""
        longest = max(len(samples) for samples in sounds)
        length = WINDOW_SAMPLES if self.context == "full" else with_margin(longest)
        bands = self.model.config.num_mel_bins
        inputs = np.stack([features(samples, length, bands) for samples in sounds])
        with autocast(self.device):
            encoded = whisper.encode(self.model, torch.from_numpy(inputs).to(self.device))
            tokens = self._tokens(encoded, texts)
            padded, _ = pad([self.tokenizer.decoder_input(row) for row in tokens], self.tokenizer.end)
            hidden = whisper.decode(self.model, encoded, torch.from_numpy(padded).to(self.device))
        rows = self.tokenizer.predicting(hidden).half().cpu().numpy()
        return [Labels(np.array(row, np.int32), h[: len(row)]) for row, h in zip(tokens, rows, strict=True)]

    def _tokens(self, encoded: torch.Tensor, texts: Sequence[str | None]) -> list[list[int]]:
        """Return the tokens of each text, or those that the decoder finds itself where that is None."""
        given = [None if text is None else self.tokenizer.targets(text) for text in texts]
        if None not in given:
            return [row for row in given if row is not None]
        own = transcribe_encoded(self.decoder, encoded.float().cpu().numpy(), self.tokenizer)
        language = self.tokenizer.prompt[1]
        return [row or [language, *found] for row, found in zip(given, own, strict=True)]


def transcribe_encoded(decoder: Any, encoded: np.ndarray, tokenizer: TrainingTokenizer) -> list[list[int]]:
    """Return greedy tokens for encoder outputs (B, S, width), with the end unless the limit cut them."""
    results = decoder.generate(
        storage_view(encoded), [list(tokenizer.prompt)] * len(encoded), beam_size=1, max_length=TEXT_CONTEXT
    )
    found = [result.sequences_ids[0] for result in results]
    return [row if len(row) >= MAX_GENERATED else [*row, tokenizer.end] for row in found]


class TeacherCache:
    """Labels in a folder, one small file each, named by who the teacher was and what it was asked."""

    def __init__(self, options: TeacherOptions, language: str):
        teacher = f"{sha256(options.folder / 'model.bin')[:16]} {language}"
        self.folder = options.answers
        self.teacher = teacher if options.context == "full" else f"{teacher} {options.context}"
        self.folder.mkdir(parents=True, exist_ok=True)

    def path(self, window: str, text: str | None) -> Path:
        """Return where the labels of a window lie: its identity, and the text that it is read as."""
        key = hashlib.sha256(f"{self.teacher}\n{window}\n{text}".encode())
        return self.folder / f"{key.hexdigest()[:32]}.npz"

    def put(self, path: Path, labels: Labels) -> None:
        """Write labels, whole or not at all."""
        beside = path.with_name(f".{path.stem}.{os.getpid()}.npz")
        np.savez(beside, tokens=labels.tokens, hidden=labels.hidden)
        beside.replace(path)

    def get(self, path: Path) -> Labels | None:
        """Read labels; there are none of a window that could not be opened."""
        if not path.exists():
            return None
        with np.load(path) as kept:
            return Labels(kept["tokens"], kept["hidden"])


def ask(
    every: Sequence[Window], sounds: AudioCache, tokenizer: TrainingTokenizer, options: TeacherOptions,
    threads: int,
) -> Callable[[Window], Labels | None]:  # fmt: skip
    """Have the teacher label all windows that its cache lacks; returns what gives the labels of a window.

    They are None for a window whose recording cannot be opened, which is counted. Of several processes that
    train together each asks it about its part.
    """
    cache = TeacherCache(options, tokenizer.language)

    def place(window: Window) -> tuple[Path, str | None]:
        text = windows.earlier_text(window, sounds.clips)
        return cache.path(windows.identity(window, sounds.clips), text), text

    rank, processes = devices.place()
    mine = range(rank, len(every), processes)
    missing = [index for index in mine if not place(every[index])[0].exists()]
    if missing:
        teacher, show = Teacher(options, tokenizer, threads=threads), _Progress(len(missing))
        for first in range(0, len(missing), WINDOWS_AT_ONCE):
            some = [every[index] for index in missing[first : first + WINDOWS_AT_ONCE]]
            heard = [(place(window), windows.open_sound(window, sounds)) for window in some]
            opened = [(where, samples) for where, samples in heard if samples is not None]
            found = teacher.labels([samples for _, samples in opened], [text for (_, text), _ in opened])
            for ((path, _), _), labels in zip(opened, found, strict=True):
                cache.put(path, labels)
            show(first + len(some))
    devices.wait_for_all()
    return lambda window: cache.get(place(window)[0])


class _Progress:
    """A line every `SHOWN_EVERY` seconds, and at the end."""

    def __init__(self, count: int):
        self.count = count
        self.start = self.shown = time.monotonic()

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now - self.shown > SHOWN_EVERY or done == self.count:
            self.shown, left = now, (now - self.start) / done * (self.count - done) / 60
            print(f"the teacher has answered {done} of {self.count}, {left:.0f} minutes left", flush=True)
