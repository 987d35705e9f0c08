"""Which windows a recognizer is tuned on: usable clips alone, and packed side by side up to what it hears.

With the full context every window costs 30 s of computing however short its speech is, so most clips share
one there, those of a speaker together. Nothing is dropped without a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from data.batching import rng_for
from data.left_out import LeftOut
from data.loading import AudioCache
from recipes.asr.tokenizer import TrainingTokenizer
from recipes.asr.windows import PAUSE, Window
from voice.asr.whisper.tokenizer import TEXT_CONTEXT
from voice.asr.whisper.windows import MARGIN, WINDOW
from voice.errors import AudioError
from voice.features import WHISPER_RATE
from voice.manifest import Clip

PACKED = {"utterance": 11.0, "full": WINDOW - 1}  # seconds of windows of several clips, by context
ALONE = {"utterance": 1, "full": 12}  # one clip of so many has a window to itself as well
GRID = 0.5  # seconds: lengths of windows are multiples of it, so that a batch holds equal ones
SILENT = 1e-4  # peak
TOO_LONG = f"longer than the {WINDOW:g} s that a recognizer hears at once: cut them"


def usable(
    clips: Sequence[Clip], tokenizer: TrainingTokenizer, left_out: LeftOut, *, needs_text: bool = True
) -> AudioCache:
    """Return the sounds of the clips that can be learned from, each opened once; the others are counted."""
    sounds = AudioCache(clips, WHISPER_RATE)
    kept: list[Clip] = []
    for index, clip in enumerate(clips):
        reason = _text_problem(clip, tokenizer) if needs_text else None
        reason = reason or _sound_problem(clip, sounds, index)
        if reason:
            left_out.add(clip.id, reason)
        else:
            kept.append(clip)
    return AudioCache(kept, WHISPER_RATE)


def room_for_text(tokenizer: TrainingTokenizer) -> int:
    """Return how many tokens of text the decoder has room for, beside the prompt, a time and the end."""
    return TEXT_CONTEXT - len(tokenizer.prompt) - 2


def _text_problem(clip: Clip, tokenizer: TrainingTokenizer) -> str | None:
    """Return why the transcript of a clip cannot be learned, or None."""
    if clip.text is None or not clip.text.strip():
        return "without a transcript"
    room = room_for_text(tokenizer)
    if len(tokenizer.encode(clip.text)) > room:
        return f"whose transcript takes more than the {room} tokens that the decoder has room for: cut them"
    return None


def _sound_problem(clip: Clip, sounds: AudioCache, index: int) -> str | None:
    """Return why the sound of a clip cannot be learned from, or None."""
    if clip.duration > WINDOW:
        return TOO_LONG
    try:
        samples = sounds[index]
    except AudioError:
        return "that cannot be opened"
    if not np.isfinite(samples).all():
        return "with samples that are not numbers"
    if float(np.abs(samples).max(initial=0.0)) < SILENT:
        return "that are silent"
    if len(samples) > WINDOW * WHISPER_RATE:
        return TOO_LONG
    return None


def training_windows(clips: Sequence[Clip], context: str, *, seed: int) -> list[Window]:
    """Return the windows of a set in the base's `context`: clips alone, and packed with their speaker's."""
    alone = [Window((index,), (), clip.duration) for index, clip in enumerate(clips)]
    packed = [each for each in packed_windows(clips, context, seed=seed) if len(each.clips) > 1]
    chosen = rng_for(seed, 4).permutation(len(alone))[:: ALONE[context]]
    in_packs = {index for window in packed for index in window.clips}
    left = [window for window in alone if window.clips[0] not in in_packs]
    extra = [alone[index] for index in sorted(chosen.tolist()) if index in in_packs]
    return left + extra + packed


def packed_windows(clips: Sequence[Clip], context: str, *, seed: int) -> list[Window]:
    """Return windows that hold each clip once, together with others of its speaker where they fit."""
    return list(_pack(clips, PACKED[context], seed))


def _pack(clips: Sequence[Clip], longest: float, seed: int) -> Iterator[Window]:
    """Yield windows of clips of one speaker, in random order, each clip once."""
    speakers: dict[str | None, list[int]] = {}
    for index, clip in enumerate(clips):
        speakers.setdefault(clip.speaker, []).append(index)
    for number, group in enumerate(speakers.values()):
        rng = rng_for(seed, 5, number)
        window = Window((), (), 0.0)
        for index in rng.permutation(group).tolist():
            pause = float(rng.uniform(*PAUSE))
            if window.clips and window.duration + pause + clips[index].duration > longest:
                yield window
                window = Window((), (), 0.0)
            window = _with_clip(window, index, pause, clips[index].duration)
        if window.clips:
            yield window


def _with_clip(window: Window, index: int, pause: float, duration: float) -> Window:
    """Return a window with one more clip, after a pause unless it is the first."""
    if not window.clips:
        return Window((index,), (), duration)
    return Window((*window.clips, index), (*window.pauses, pause), window.duration + pause + duration)


def heard_seconds(window: Window, context: str) -> float:
    """Return how many seconds the encoder sees of a window: its margin and the grid's rest are silence."""
    if context == "full":
        return WINDOW
    return min(WINDOW, GRID * float(np.ceil((window.duration + MARGIN) / GRID)))


def batches_of_equal_length(
    lengths: Sequence[float], budget: float, *, seed: int, epoch: int
) -> list[list[int]]:
    """Return the batches of one epoch: indexes of equal lengths whose sum is at most `budget` seconds.

    A single window that is longer than the budget is a batch of its own.
    """
    rng = rng_for(seed, 6, epoch)
    groups: dict[float, list[int]] = {}
    for index in rng.permutation(len(lengths)).tolist():
        groups.setdefault(lengths[index], []).append(index)
    batches = []
    for length, group in groups.items():
        size = max(1, int(budget // length))
        batches += [group[first : first + size] for first in range(0, len(group), size)]
    return [batches[place] for place in rng.permutation(len(batches)).tolist()]


def batch_number(step: int, budget: float, longest: float) -> int | None:
    """Return which batch of a set a step takes, or None where it takes none.

    Where windows are as long as the budget at most, each step takes one. Where the `longest` takes more, only
    as many steps do as keep to the budget. Both are in seconds; a set without windows has a `longest` of 0.
    """
    if not longest or not budget:
        return None
    share = min(1.0, budget / longest)
    number = int(step * share)
    return number if int((step + 1) * share) > number else None


def batch_at(step: int, lengths: Sequence[float], budget: float, *, seed: int) -> list[int]:
    """Return the batch of a global step, which follows from the seed and the step alone."""
    epoch = 0
    while True:
        batches = batches_of_equal_length(lengths, budget, seed=seed, epoch=epoch)
        if step < len(batches):
            return batches[step]
        step, epoch = step - len(batches), epoch + 1
