"""Training examples: windows of sound with the tokens to predict, and batches of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import overload

import numpy as np
import torch

from data.augmentation import Augment
from data.batching import pad
from data.loading import AudioCache
from recipes import devices
from recipes.asr import windows
from recipes.asr.restyle import style_of
from recipes.asr.teacher import Labels, TeacherOptions, ask
from recipes.asr.tokenizer import TrainingTokenizer
from recipes.asr.windows import Window, Windows
from voice.asr.ctc.alphabet import BLANK, FRAME, spell
from voice.asr.whisper.decoding import COMPRESSION_RATIO_THRESHOLD, compression_ratio
from voice.asr.whisper.tokenizer import TEXT_CONTEXT
from voice.asr.whisper.windows import WINDOW_SAMPLES, features
from voice.errors import ManifestError, VoiceError
from voice.features import WHISPER_BANDS, WHISPER_RATE
from voice.manifest import Clip

SAMPLED = 500  # transcripts tell how all of them are written
IGNORED = -100  # no token: what pads the targets


@dataclass(frozen=True, eq=False)
class DataOptions:
    """How recordings become batches.

    `context` is what the student's encoder sees, "utterance" or "full", in so many mel `bands`; `augment`
    what happens to its sound; `ctc` asks for the letters that a CTC head is to write; `keep_loops` keeps
    texts that repeat themselves, `as_written` transcripts that are not written as a recognizer writes.
    """

    tokenizer: TrainingTokenizer
    context: str
    bands: int = WHISPER_BANDS
    augment: Augment | None = None
    ctc: bool = False
    keep_loops: bool = False
    as_written: bool = False


@dataclass(frozen=True, eq=False)
class Example:
    """A window, where its sound comes from, what was said if that is known, and what to predict.

    `letters` (L,) are the labels of what is said by the text or else by an earlier recognizer's."""

    window: Window
    corpus: str
    text: str | None
    sounds: AudioCache
    labels: Labels
    letters: np.ndarray

    def sound(self) -> np.ndarray:
        """Return (T,) float32 samples at 16 kHz."""
        return windows.sound(self.window, self.sounds)


@dataclass(frozen=True, eq=False)
class Batch:
    """B examples: `features` (B, bands, T), `inputs` (B, P + L - 2), `targets` (B, L) tokens, IGNORED where
    there are none, and the teacher's `hidden` states for each target that counts (N, width), or None.
    `letters` are (labels (B, L), how many each has (B,), encoder frames that count (B,)), or None."""

    features: torch.Tensor
    inputs: torch.Tensor
    targets: torch.Tensor
    hidden: torch.Tensor | None
    letters: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None


@dataclass(frozen=True, eq=False)
class Examples(Sequence[Example]):
    """The examples of windows, made when asked for: what is held of each is its number.

    `labels` gives what is to be learned from a window.
    """

    windows: Windows
    sounds: AudioCache
    labels: Callable[[Window], Labels]
    kept: np.ndarray  # (N,) the numbers of windows

    @property
    def durations(self) -> np.ndarray:
        """Seconds of each example (N,)."""
        return self.windows.durations[self.kept]

    @property
    def sections(self) -> np.ndarray | None:
        """The shard of each example (N,), or None where there are windows of several clips."""
        return None if self.windows.joins else self.windows.clips.sections[self.kept]

    def readable(self) -> Examples:
        """Return the examples whose recordings can be opened; the others are counted."""
        opened = [windows.open_sound(self.windows[int(n)], self.sounds) is not None for n in self.kept]
        return replace(self, kept=self.kept[np.array(opened, bool)])

    def __len__(self) -> int:
        return len(self.kept)

    @overload
    def __getitem__(self, number: int) -> Example: ...
    @overload
    def __getitem__(self, number: slice) -> list[Example]: ...
    def __getitem__(self, number: int | slice) -> Example | list[Example]:
        if isinstance(number, slice):
            return [self[each] for each in range(len(self))[number]]
        window = self.windows[int(self.kept[number])]
        return _example(window, self.sounds, self.labels(window))


def gather(
    manifests: Sequence[str], data: DataOptions, teacher: TeacherOptions | None, *,
    joins: int = 0, seed: int = 0, threads: int = 1,
) -> Examples:  # fmt: skip
    """Return all clips of the manifests and `joins` windows of several, with what is to be learned from them.

    Without a teacher that is their transcripts. What is left out is told: what is longer than a window, has
    no transcript, or is what the teacher repeats itself in. Raises ManifestError where no clip has a
    transcript or where they are not to be learned as they are written, VoiceError where nothing is left.
    """
    clips, left_out = windows.select(manifests)
    if teacher is None:
        clips = windows.with_texts(clips, left_out)
        if not data.as_written:
            every_nth = range(0, len(clips), 1 + len(clips) // SAMPLED)
            check_style([clips[index].text or "" for index in every_nth])
    sounds = AudioCache(clips, WHISPER_RATE, left_out=left_out)
    every = Windows(clips, windows.join_clips(clips, joins, seed=seed))
    if teacher is None:
        found = Examples(every, sounds, partial(_read, clips, data.tokenizer), np.arange(len(every)))
    else:
        answers = ask(every, sounds, data.tokenizer, teacher, threads)
        kept = np.flatnonzero([_is_understood(window, answers(window), sounds, data) for window in every])
        found = Examples(every, sounds, partial(_labels_of, answers), kept)
    if left_out and devices.is_writer():
        print(left_out, flush=True)
    if not len(found):
        raise VoiceError("nothing is left to learn from: the model understood none of these clips")
    return found


def _is_understood(window: Window, labels: Labels | None, sounds: AudioCache, data: DataOptions) -> bool:
    """Tell whether a teacher wrote labels of a window that are no loop; loops are counted."""
    if labels is None:  # its recording cannot be opened
        return False
    if data.keep_loops or not loops(data.tokenizer.decode(labels.tokens)):
        return True
    sounds.left_out.add(sounds.clips[window.clips[0]].id, "in which the teacher repeats itself")
    return False


def _labels_of(answers: Callable[[Window], Labels | None], window: Window) -> Labels:
    """Return the labels of a window that has some."""
    labels = answers(window)
    assert labels is not None  # only those are kept
    return labels


def check_style(texts: Sequence[str]) -> None:
    """Raise ManifestError where most transcripts lack capitals or marks, which every Whisper writes.

    A recognizer that learns them as they are forgets how it writes, and with that what it knows.
    """
    style = style_of(texts)
    parts = (("capitals beside small letters", style.case), ("punctuation", style.marks))
    lacking = [name for name, there in parts if not there]
    if lacking:
        raise ManifestError(
            f"most transcripts have no {' and no '.join(lacking)}, such as {texts[0]:.60}: a recognizer that "
            "learns them so forgets what it knows; `python -m recipes.asr.tuning.train` writes them as the "
            "base does first, and --as-written learns them all the same"
        )


def loops(text: str) -> bool:
    """Tell whether a transcript repeats itself so much that it must be the decoder's loop."""
    return compression_ratio(text) > COMPRESSION_RATIO_THRESHOLD


def _example(window: Window, sounds: AudioCache, labels: Labels) -> Example:
    """Return a window with its labels and, where a text of it is known, its letters."""
    clips = [sounds.clips[index] for index in window.clips]
    known = all(clip.text is not None for clip in clips)
    text = windows.text(window, sounds.clips) if known else None
    spoken = [clip.text or clip.extra.get("asr_text") or "" for clip in clips]
    letters = spell(" ".join(spoken)).labels if all(spoken) else np.zeros(0, np.int64)
    return Example(window, clips[0].audio.parent.parent.name, text, sounds, labels, letters)


def _read(clips: Sequence[Clip], tokenizer: TrainingTokenizer, window: Window) -> Labels:
    """Return the labels of a window's transcript, without a teacher's."""
    tokens = tokenizer.targets(windows.text(window, clips))
    return Labels(np.array(tokens, np.int32), np.zeros((0, 0), np.float16))


def collate(
    some: Sequence[Example],
    margins: np.ndarray,
    data: DataOptions,
    rngs: Sequence[np.random.Generator] | None = None,
) -> Batch:
    """Return a batch whose every window is as long as the longest with its margin (seconds, one each).

    With `rngs`, one each, the sounds are augmented. What cannot be opened, or has a longer text than the
    decoder takes, is left out and counted. Raises ManifestError where nothing is left.
    """
    heard = [_hear(each, data) for each in some]
    opened = [index for index, samples in enumerate(heard) if samples is not None]
    if not opened:
        raise ManifestError(f"nothing of a batch can be used: {some[0].sounds.left_out}")
    some, margins = [some[index] for index in opened], margins[opened]
    rngs = [rngs[index] for index in opened] if rngs else None
    sounds = [samples for samples in heard if samples is not None]
    if rngs and data.augment:
        sounds = [data.augment(sound, rng)[:WINDOW_SAMPLES] for sound, rng in zip(sounds, rngs, strict=True)]
    lengths = [len(s) + round(float(m) * WHISPER_RATE) for s, m in zip(sounds, margins, strict=True)]
    length = WINDOW_SAMPLES if data.context == "full" else min(WINDOW_SAMPLES, max(lengths))
    tokens = [each.labels.tokens for each in some]
    inputs, _ = pad([data.tokenizer.decoder_input(row) for row in tokens], data.tokenizer.end)
    targets, _ = pad([row.astype(np.int64) for row in tokens], IGNORED)
    hidden = np.concatenate([each.labels.hidden for each in some])
    return Batch(
        torch.from_numpy(np.stack([features(s, length, data.bands) for s in sounds])),
        torch.from_numpy(inputs),
        torch.from_numpy(targets),
        torch.from_numpy(hidden) if len(hidden) else None,
        _letters(some, [min(each, length) for each in lengths]) if data.ctc else None,
    )


def _hear(each: Example, data: DataOptions) -> np.ndarray | None:
    """Return the samples of an example; None where it cannot be learned from, which is counted."""
    name, left_out = each.sounds.clips[each.window.clips[0]].id, each.sounds.left_out
    if len(each.labels.tokens) > TEXT_CONTEXT - len(data.tokenizer.prompt):
        left_out.add_once(name, "with a longer text than the decoder takes")
        return None
    return windows.open_sound(each.window, each.sounds)


def _letters(
    some: Sequence[Example], lengths: Sequence[int]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the letters of each example, how many it has, and how many encoder frames count."""
    labels, counts = pad([each.letters for each in some], BLANK)
    frames = np.array([int(length / WHISPER_RATE / FRAME) for length in lengths])
    return torch.from_numpy(labels), torch.from_numpy(counts), torch.from_numpy(frames)
