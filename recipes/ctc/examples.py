"""From manifests to batches: the features of clips, and their labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from data.batching import batches_from, pad
from data.loading import AudioCache
from data.shards.workers import load_ahead
from recipes.asr.windows import select_any
from recipes.ctc.features import Changes, Features, SoundFeatures
from recipes.ctc.texts import TextEncoder
from recipes.scaling import Scale
from voice.asr.ctc.alphabet import BLANK
from voice.asr.ctc.recognizer import LONGEST_SPEECH, SAMPLE_RATE, FeatureKind
from voice.errors import VoiceError
from voice.manifest import Clip


@dataclass(frozen=True)
class Utterance:
    """A clip by its index, what is said in it, and its labels."""

    index: int
    text: str
    labels: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Batch:
    """Features (B, T, D), their frames (B,), labels (B, L) padded with the blank, and their lengths (B,)."""

    features: Tensor
    frames: Tensor
    labels: Tensor
    lengths: Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        parts = (self.features, self.frames, self.labels, self.lengths)
        return Batch(*(part.to(device, non_blocking=True) for part in parts))


@dataclass(frozen=True, eq=False)
class Examples:
    """The clips of manifests and what is said. `dropped` says why clips were left out, and how many."""

    clips: Sequence[Clip]
    utterances: Sequence[Utterance]
    features: Features
    dropped: dict[str, int] = field(default_factory=dict)

    @property
    def durations(self) -> list[float]:
        """Return the seconds of each utterance."""
        return [self.clips[each.index].duration for each in self.utterances]

    @property
    def hours(self) -> float:
        """Return the hours of speech."""
        return sum(self.durations) / 3600


def text_of(clip: Clip) -> str | None:
    """Return the transcript of a clip, or what another recognizer wrote (`asr_text`)."""
    return clip.text if clip.text is not None else clip.extra.get("asr_text")


def select(manifests: Sequence[str]) -> list[Clip]:
    """Return all clips of `PATH`, `PATH:N` or `PATH:-N`. Raises ManifestError."""
    return [clip for manifest in manifests for clip in select_any(manifest)]


def texts_of(clips: Sequence[Clip]) -> list[str]:
    """Return the transcripts of clips that have one."""
    return [text for text in map(text_of, clips) if text]


def gather(
    clips: Sequence[Clip], encode: TextEncoder, kind: FeatureKind, changes: Changes | None = None,
    keep: Callable[[SoundFeatures], Features] | None = None,
) -> Examples:  # fmt: skip
    """Return the examples of clips; those without words or beyond 30 s are left out and counted.

    `changes` says how batches change the sounds, `keep` makes other features of theirs, and keeps those.
    Raises VoiceError where none is left.
    """
    dropped = {"without a transcript": 0, f"over {LONGEST_SPEECH:g} s": 0, "without a word": 0}
    kept = []
    for index, clip in enumerate(clips):
        text = text_of(clip)
        if text is None:
            dropped["without a transcript"] += 1
        elif clip.duration > LONGEST_SPEECH:
            dropped[f"over {LONGEST_SPEECH:g} s"] += 1
        elif labels := tuple(encode(text)):
            kept.append(Utterance(index, text, labels))
        else:
            dropped["without a word"] += 1
    if not kept:
        why = ", ".join(f"{count} {reason}" for reason, count in dropped.items() if count)
        raise VoiceError(f"no clip can be learned from ({why or 'the manifests are empty'})")
    sounds = AudioCache(clips, SAMPLE_RATE, memory=0.0) if keep else AudioCache(clips, SAMPLE_RATE)
    features = SoundFeatures(sounds, kind, changes)
    return Examples(
        clips, kept, keep(features) if keep else features, {k: v for k, v in dropped.items() if v}
    )


def batch_of(features: Sequence[np.ndarray], labels: Sequence[Sequence[int]]) -> Batch:
    """Return features (T, D) and labels of several utterances as one batch."""
    stacked, frames = pad(features, axis=0)
    padded, lengths = pad([np.array(each, np.int64) for each in labels], BLANK)
    return Batch(*(torch.from_numpy(each) for each in (stacked, frames, padded, lengths)))


def batches(
    examples: Examples, first: int, budget: float, seed: int, scale: Scale
) -> Iterator[list[tuple[int, Batch]]]:
    """Yield this process's (number, batch) of step `first`, then of the next.

    All of it follows from the seed and the batch's number. A batch holds at most `budget` padded seconds.
    """

    def load(planned: tuple[int, list[int]]) -> tuple[int, Batch]:
        number, indices = planned
        some = [examples.utterances[index] for index in indices]
        features = [examples.features(each.index, number) for each in some]
        return number, batch_of(features, [each.labels for each in some])

    durations, share = examples.durations, scale.share
    planned = batches_from(first * share.per_step, durations, max(budget, *durations), seed=seed, share=share)
    yield from share.by_step(load_ahead(planned, load, scale.options.workers))


def dev_batch(examples: Examples, indices: Sequence[int]) -> Batch:
    """Return some utterances as they are."""
    some = [examples.utterances[index] for index in indices]
    return batch_of([examples.features(each.index) for each in some], [each.labels for each in some])


def feature_statistics(examples: Examples, most: int = 200) -> tuple[Tensor, Tensor]:
    """Return the mean and the standard deviation (D,) of the features of some utterances, evenly chosen."""
    count = len(examples.utterances)
    places = np.unique(np.linspace(0, count - 1, min(most, count)).astype(int))
    total = squares = np.float64(0)
    frames = 0
    for place in places.tolist():
        values = examples.features(examples.utterances[place].index).astype(np.float64)
        total, squares, frames = (
            total + values.sum(0),
            squares + np.square(values).sum(0),
            frames + len(values),
        )
    mean = total / frames
    deviation = np.sqrt(np.maximum(squares / frames - np.square(mean), 1e-4))
    return torch.from_numpy(mean).float(), torch.from_numpy(deviation).float()
