"""What each spoken sentence is worth: what recognizers hear of it, and how it sounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from recipes.tts import scores
from recipes.tts.scores import Likeness
from recipes.tts.systems import Made
from voice import audio
from voice.errors import TextError
from voice.manifest import read_manifest
from voice.metrics import Score, reading_errors
from voice.types import Audio

Hear = Callable[[Audio], str]  # what a recognizer writes down
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Item:
    """A sentence to speak, and a recording of it if there is one."""

    text: str
    recording: Audio | None = None


@dataclass(frozen=True, eq=False)
class Judged:
    """What one sentence of a system scored; None is what was not or cannot be measured."""

    errors: Score
    second: Score | None
    mos: float | None
    likeness: Likeness | None
    voice: np.ndarray | None
    log_f0: np.ndarray
    made: Made
    hypotheses: tuple[str, ...] = ()  # what each recognizer heard


def items_of(path: Path, limit: int | None) -> list[Item]:
    """Return the sentences of a manifest or of a text file. Raises VoiceError where there are none."""
    if path.suffix == ".jsonl":
        clips = _spread([clip for clip in read_manifest(path) if clip.text], limit)
        found = [Item(clip.text or "", audio.read(clip.audio)) for clip in clips]
    elif path.is_file():
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
        found = [Item(line) for line in _spread([line for line in lines if line], limit)]
    else:
        raise TextError(f"{path} is not there; give a file with a sentence a line")
    if not found:
        raise TextError(f"{path} holds no sentence to speak")
    return found


def _spread(every: list[T], limit: int | None) -> list[T]:
    """Return at most `limit` of all, spread evenly."""
    if limit is None or limit >= len(every):
        return every
    return [every[i] for i in np.linspace(0, len(every) - 1, limit).astype(int)]


class Judge:
    """Listens to what is said: one for all systems, so that they are measured alike."""

    def __init__(
        self, recognizers: Sequence[Hear], rate_quality: Callable[[np.ndarray], float] | None
    ) -> None:
        """Take one recognizer or two; `rate_quality` takes samples at 24 kHz."""
        self._recognizers, self._rate_quality = recognizers, rate_quality

    def __call__(self, item: Item, made: Made, show: str = "") -> Judged:
        """Score a sentence. `show`: the system's name, to print what was misheard."""
        sound = made.sound
        hypotheses = [hear(sound) for hear in self._recognizers]
        errors = [reading_errors(item.text, text) for text in hypotheses]
        if show and errors[0].errors:
            print(f"  {show} said:  {item.text}\n  {' ' * len(show)} heard: {hypotheses[0]}", flush=True)
        alike = None
        if item.recording is not None and sound is not item.recording:
            alike = scores.likeness(item.recording, sound)
        mos = self._rate_quality(audio.resample(sound, 24_000).samples) if self._rate_quality else None
        second = errors[1] if len(errors) > 1 else None
        voice, log_f0 = scores.embedding(sound), scores.log_f0(sound)
        return Judged(errors[0], second, mos, alike, voice, log_f0, made, tuple(hypotheses))
