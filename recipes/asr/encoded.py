"""What a frozen encoder gives of every window, computed once and kept in a file instead of memory."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np

from data.augmentation import Augment
from data.batching import rng_for
from data.loading import AudioCache
from data.shards.arrays import ArrayWriter, map_arrays
from recipes.asr import windows
from recipes.asr.windows import Windows
from voice.asr.ctc.alphabet import FRAME, spell
from voice.asr.whisper.encoder import storage_view
from voice.asr.whisper.windows import MARGIN, WINDOW_SAMPLES, features
from voice.errors import ManifestError
from voice.features import WHISPER_RATE
from voice.manifest import Clip

SHOWN_EVERY = 20.0  # s
LONGEST_MARGIN = 0.8  # s of silence after an utterance that is augmented
ENCODER_HOP = 320  # samples of a frame of the encoder


@dataclass(frozen=True, eq=False)
class Example:
    """A window's encoder output (F, D) float16, the letters said in it, and where it is from."""

    encoded: np.ndarray
    labels: np.ndarray
    text: str
    corpus: str


@dataclass(frozen=True)
class Ways:
    """How windows are heard: as they are and in augmented `copies`; `joins` of them hold several clips."""

    augment: Augment | None = None
    copies: int = 0
    joins: int = 0
    seed: int = 0


class EncodedExamples(Sequence[Example]):
    """The examples in a file that `write_examples` made, mapped and not read."""

    def __init__(self, path: Path) -> None:
        self._arrays = map_arrays(path)
        self._ends = {name: np.cumsum(self._arrays[f"{name}_counts"]) for name in _COLUMNS}

    @property
    def durations(self) -> np.ndarray:
        """Seconds of each example (N,)."""
        return self._arrays["encoded_counts"] * FRAME

    @property
    def width(self) -> int:
        """Channels of the encoder."""
        return int(self._arrays["encoded"].shape[1])

    def __len__(self) -> int:
        return len(self._ends["encoded"])

    @overload
    def __getitem__(self, number: int) -> Example: ...
    @overload
    def __getitem__(self, number: slice) -> list[Example]: ...
    def __getitem__(self, number: int | slice) -> Example | list[Example]:
        if isinstance(number, slice):
            return [self[each] for each in range(len(self))[number]]
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        encoded, labels, text, corpus = (self._part(name, number) for name in _COLUMNS)
        return Example(encoded, labels, text.tobytes().decode(), corpus.tobytes().decode())

    def _part(self, name: str, number: int) -> np.ndarray:
        """Return the rows of one example in an array."""
        end = int(self._ends[name][number])
        return self._arrays[name][end - int(self._arrays[f"{name}_counts"][number]) : end]


_COLUMNS = ("encoded", "labels", "text", "corpus")


def text_of(clip: Clip) -> str | None:
    """Return the transcript of a clip, or what an earlier recognizer wrote."""
    return clip.text if clip.text is not None else clip.extra.get("asr_text")


def encode(samples: np.ndarray, model: Any, margin: float) -> np.ndarray:
    """Return the encoder's output (F, D) float16 of (T,) samples and `margin` seconds of silence."""
    length = min(WINDOW_SAMPLES, len(samples) + round(margin * WHISPER_RATE))
    mel = features(samples, length // ENCODER_HOP * ENCODER_HOP, model.n_mels)
    view = storage_view(mel[None])
    return np.asarray(model.encode(view, to_cpu=True))[0].astype(np.float16)


def name_of(what: Mapping[str, Any]) -> str:
    """Return the name of the file for examples that were made in this way of these files."""
    key = hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()[:16]
    return f"encoded-{key}.npz"


def write_examples(path: Path, manifests: Sequence[str], models: Sequence[Any], ways: Ways) -> None:
    """Encode all windows into a file, whole or not at all."""
    with ArrayWriter(path) as writer:
        for each in examples(manifests, models, ways):
            labels = each.labels.astype(np.int64)
            texts = (np.frombuffer(text.encode(), np.uint8) for text in (each.text, each.corpus))
            for name, rows in zip(_COLUMNS, (each.encoded, labels, *texts), strict=True):
                writer.append(**{name: rows, f"{name}_counts": np.array([len(rows)])})


def examples(manifests: Sequence[str], models: Sequence[Any], ways: Ways) -> Iterator[Example]:
    """Yield every window as it is through each encoder, and augmented copies of it through the first."""
    listed, left_out = windows.select(manifests)
    said = np.array([bool(text_of(clip)) for clip in listed])
    if not said.any():
        raise ManifestError(f"{' '.join(manifests)}: no clip has a text, or asr_text of a recognizer")
    windows.count_missing(listed, ~said, "without a transcript", left_out)
    clips = listed.select(said)
    sounds = AudioCache(clips, WHISPER_RATE, left_out=left_out)
    every = Windows(clips, windows.join_clips(clips, ways.joins, seed=ways.seed))
    heard = [(model, 0) for model in models]
    heard += [(models[0], 1 + copy) for copy in range(ways.copies if ways.augment else 0)]
    begun = shown = time.monotonic()
    for number, window in enumerate(every):
        text = " ".join(text_of(clips[index]) or "" for index in window.clips)
        corpus = clips[window.clips[0]].audio.parent.parent.name
        whole = windows.open_sound(window, sounds)
        if whole is None:
            continue
        for model, copy in heard:
            rng = rng_for(ways.seed, 2, number, copy)
            samples = ways.augment(whole, rng)[:WINDOW_SAMPLES] if copy and ways.augment else whole
            margin = rng.uniform(0.0, LONGEST_MARGIN) if ways.augment else MARGIN
            yield Example(encode(samples, model, margin), spell(text).labels, text, corpus)
        now = time.monotonic()
        if now - shown > SHOWN_EVERY:
            shown = now
            left = (now - begun) / (number + 1) * (len(every) - number - 1) / 60
            print(f"encoded {number + 1} of {len(every)}, {left:.0f} minutes left", flush=True)
    if left_out:
        print(left_out, flush=True)
