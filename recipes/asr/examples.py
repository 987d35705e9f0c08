"""Training examples: windows of sound with the tokens to predict and what the teacher thought of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from data.augmentation import Augment
from data.batching import pad
from data.loading import AudioCache
from recipes.asr import windows
from recipes.asr.teacher import (
    FULL,
    Question,
    Target,
    Teacher,
    TeacherCache,
    answered,
    decoder_input,
    features,
    labels,
    loops,
)
from recipes.asr.tokenizer import TrainingTokenizer
from recipes.asr.windows import Window
from recipes.training import best_device
from voice.asr.ctc.alphabet import BLANK, FRAME, spell
from voice.errors import VoiceError
from voice.features import WHISPER_RATE
from voice.manifest import Clip
from voice.models.card import sha256

IGNORED = -100  # no token: what pads the targets
ASKED_AT_ONCE = 4
SHOWN_EVERY = 20.0  # s


@dataclass(frozen=True)
class Task:
    """What there is to learn: whose labels ("own" or "text"), heard in which context ("utterance" or
    "full"), by the model in the folder `base`. The answers of the teacher (`base` unless another is
    named), once given, stay in the folder `answers`. `augment` is what happens to the student's sound,
    not to the teacher's; `letters` asks for what a CTC head is to write."""

    base: Path
    vocabulary: TrainingTokenizer
    labels: str
    context: str
    answers: Path
    keep_loops: bool = False
    teacher: Path | None = None
    teacher_context: str = "full"
    augment: Augment | None = None
    letters: bool = False


@dataclass(frozen=True, eq=False)
class Example:
    """A window, where its sound comes from, what was said if that is known, and what to predict.

    `letters` (L,) are the labels of what is said by the text or else by an earlier recognizer's."""

    window: Window
    corpus: str
    text: str | None
    sounds: AudioCache
    target: Target
    letters: np.ndarray

    def sound(self) -> np.ndarray:
        """(T,) float32 samples at 16 kHz."""
        return windows.sound(self.window, self.sounds)


@dataclass(frozen=True, eq=False)
class Batch:
    """B examples: `features` (B, 80, T), `inputs` (B, P + L - 2) and `targets` (B, L) tokens, IGNORED where
    there are none, and the teacher's `hidden` states for each target that counts (N, width), or None.
    `letters` are (labels (B, L), how many each has (B,), encoder frames that count (B,)), or None."""

    features: torch.Tensor
    inputs: torch.Tensor
    targets: torch.Tensor
    hidden: torch.Tensor | None
    letters: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None


def gather(
    manifests: Sequence[str], task: Task, *, joins: int = 0, seed: int = 0, threads: int = 1
) -> list[Example]:
    """All clips of the manifests and `joins` windows of several, with what is to be learned from them.

    Asks the teacher where it has not answered yet, and leaves out what it looped on. Raises
    ManifestError for labels "text" where a clip has none, VoiceError where nothing is left.
    """
    clips = [clip for manifest in manifests for clip in windows.select(manifest)]
    sounds = AudioCache(clips, WHISPER_RATE)
    every = windows.single(clips) + windows.joined(clips, joins, seed=seed)
    if task.labels == "text":
        targets = [_read(windows.text(window, clips), task.vocabulary) for window in every]
    else:
        targets = _taught(every, sounds, task, threads)
    made = [_example(window, sounds, target) for window, target in zip(every, targets, strict=True)]
    kept = [each for each in made if task.keep_loops or not loops(task.vocabulary.decode(each.target.tokens))]
    if not kept:
        raise VoiceError("nothing is left to learn from: the model understood none of these clips")
    return kept


def _example(window: Window, sounds: AudioCache, target: Target) -> Example:
    clips = [sounds.clips[index] for index in window.clips]
    known = all(clip.text is not None for clip in clips)
    text = windows.text(window, sounds.clips) if known else None
    said = [clip.text or clip.extra.get("asr_text") or "" for clip in clips]
    letters = spell(" ".join(said)).labels if all(said) else np.zeros(0, np.int64)
    return Example(window, clips[0].audio.parent.parent.name, text, sounds, target, letters)


def _read(text: str, vocabulary: TrainingTokenizer) -> Target:
    return Target(np.array(labels(vocabulary, text), np.int32), np.zeros((0, 0), np.float16))


def _taught(every: Sequence[Window], sounds: AudioCache, task: Task, threads: int) -> list[Target]:
    """The teacher's answers, taken from the shelf or asked for."""
    teacher = f"{sha256((task.teacher or task.base) / 'model.bin')[:16]} {task.vocabulary.language}"
    shelf = TeacherCache(task.answers, teacher if task.teacher_context == "full" else f"{teacher} utterance")
    texts = [_own_text([sounds.clips[index] for index in window.clips]) for window in every]
    paths = [
        shelf.path(f"{windows.identity(window, sounds.clips)}\n{text}")
        for window, text in zip(every, texts, strict=True)
    ]
    missing = [
        Question(path, partial(windows.sound, window, sounds), text)
        for window, path, text in zip(every, paths, texts, strict=True)
        if not path.exists()
    ]
    if missing:
        _ask(missing, shelf, task, threads)
    return [shelf.get(path) for path in paths]


def _own_text(clips: Sequence[Clip]) -> str | None:
    """What Whisper wrote for these clips when they were collected, so that it need not search again."""
    texts = [clip.extra.get("asr_text") for clip in clips]
    return " ".join(texts) if all(texts) else None


def _ask(missing: Sequence[Question], shelf: TeacherCache, task: Task, threads: int) -> None:
    teacher = Teacher(
        task.teacher or task.base,
        task.vocabulary,
        best_device(),
        threads=threads,
        context=task.teacher_context,
    )
    start = shown = time.monotonic()
    for done in answered(teacher, shelf, missing, ASKED_AT_ONCE):
        now = time.monotonic()
        if now - shown > SHOWN_EVERY or done == len(missing):
            shown, left = now, (now - start) / done * (len(missing) - done) / 60
            print(f"the teacher has answered {done} of {len(missing)}, {left:.0f} minutes left", flush=True)


def collate(
    some: Sequence[Example],
    margins: np.ndarray,
    task: Task,
    rngs: Sequence[np.random.Generator] | None = None,
) -> Batch:
    """A batch whose every window is as long as the longest with its margin (seconds, one each).

    With `rngs`, one each, the sounds are augmented.
    """
    sounds = [each.sound() for each in some]
    if rngs and task.augment:
        sounds = [task.augment(sound, rng)[:FULL] for sound, rng in zip(sounds, rngs, strict=True)]
    lengths = [len(s) + round(float(m) * WHISPER_RATE) for s, m in zip(sounds, margins, strict=True)]
    length = FULL if task.context == "full" else min(FULL, max(lengths))
    tokens = [each.target.tokens for each in some]
    inputs, _ = pad([decoder_input(task.vocabulary, row) for row in tokens], task.vocabulary.end)
    targets, _ = pad([row.astype(np.int64) for row in tokens], IGNORED)
    taught = task.labels == "own"
    return Batch(
        torch.from_numpy(np.stack([features(s, length) for s in sounds])),
        torch.from_numpy(inputs),
        torch.from_numpy(targets),
        torch.from_numpy(np.concatenate([each.target.hidden for each in some])) if taught else None,
        _letters(some, [min(each, length) for each in lengths]) if task.letters else None,
    )


def _letters(
    some: Sequence[Example], lengths: Sequence[int]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    labels, counts = pad([each.letters for each in some], BLANK)
    frames = np.array([int(length / WHISPER_RATE / FRAME) for length in lengths])
    return torch.from_numpy(labels), torch.from_numpy(counts), torch.from_numpy(frames)
