"""The aligner, on synthetic speech whose boundaries are known."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from recipes.tts import align
from recipes.tts.align import Spoken
from voice.text.alphabet import BOUNDARY

PHONES = "AIOWsmnt"


def synthetic(count=40, seed=0):
    """Sentences of random phones, none twice in a row, each a spectrum of its own: clips, true durations."""
    rng = np.random.default_rng(seed)
    bands = np.arange(100)
    spectra = {phone: np.cos(bands * (k + 1) * 0.03 + k) * 3 - 4 for k, phone in enumerate(PHONES)}
    clips, truth = [], []
    for _ in range(count):
        halves = (PHONES[:4], PHONES[4:]) * 3
        words = ["".join(rng.permutation(list(half))[: rng.integers(2, 5)]) for half in halves]
        phonemes = BOUNDARY + " ".join("ˈ" + word for word in words) + "." + BOUNDARY
        units = align.units(phonemes)
        frames = np.array([rng.integers(5, 12) if unit.phone != align.GAP else 0 for unit in units])
        quiet = np.full((frames.sum(), 100), -9.0)
        shapes = [spectra.get(unit.phone, quiet[0]) for unit in units]
        mel = np.repeat(shapes, frames, axis=0) + rng.normal(0, 0.2, (frames.sum(), 100))
        clips.append(Spoken(phonemes, mel.T.astype(np.float32), _guess(frames, rng)))
        truth.append(align.spread(phonemes, frames))
    return clips, truth


def _guess(frames, rng):
    """The truth with every boundary moved by up to three frames."""
    moved = np.cumsum(frames)[:-1] + rng.integers(-3, 4, len(frames) - 1)
    ends = np.maximum.accumulate(np.clip(moved, 0, frames.sum()))
    return np.diff(np.concatenate([[0], ends, [frames.sum()]]))


def boundary_errors(found, truth):
    """Frames that each boundary between tokens is away from where it belongs."""
    return np.concatenate([np.abs(np.cumsum(a) - np.cumsum(b)) for a, b in zip(found, truth, strict=True)])


def test_finds_the_boundaries_of_synthetic_speech():
    clips, truth = synthetic()
    first, *_, last = align.refinements(clips)
    before = boundary_errors([each.durations for each in first], truth)
    after = boundary_errors([each.durations for each in last], truth)
    assert before.mean() > 0.8
    assert after.mean() < 0.1 and after.max() <= 2


def test_alignments_keep_every_frame_and_give_marks_none():
    clips, _ = synthetic(8)
    for clip, found in zip(clips, align.align(clips), strict=True):
        assert found.durations.sum() == clip.mel.shape[1] and np.isfinite(found.score)
        marks = [symbol in "ˈ " for symbol in clip.phonemes]
        assert not found.durations[marks].any()


def test_a_clip_with_fewer_frames_than_states_is_told_by_its_score():
    clips, _ = synthetic(8)
    guess = np.zeros(len(align.units(clips[0].phonemes)), np.int64)
    guess[0] = 6
    short = Spoken(clips[0].phonemes, clips[0].mel[:, :6], guess)
    *_, found = align.align([*clips[1:], short], rounds=1)
    assert found.score == -np.inf and found.durations.sum() == 6


def test_gathering_and_spreading_keep_every_frame():
    phonemes = BOUNDARY + "hˈA, ðɛɹ." + BOUNDARY
    durations = np.arange(1, len(phonemes) + 1)
    frames = align.unit_frames(phonemes, durations)
    spread = align.spread(phonemes, frames)
    assert frames.sum() == spread.sum() == durations.sum()
    assert spread[phonemes.index("ˈ")] == 0 and spread[phonemes.index("A")] == 3 + 4


def test_the_best_way_is_the_best_of_all_ways():
    rng = np.random.default_rng(0)
    owners, optional = np.array([0, 1, 1, 2, 3]), np.array([True, False, True, False])
    for _ in range(20):
        scores = rng.normal(size=(5, 5))
        frames, score = align.viterbi(scores, owners, optional)
        assert frames.sum() == 5 and score * 5 == pytest.approx(_best_of_all(scores, owners, optional))


def _best_of_all(scores, owners, optional):
    """Every sequence of states tried."""
    from itertools import combinations_with_replacement

    best = -np.inf
    for way in combinations_with_replacement(range(len(owners)), len(scores)):
        seen = set(way)
        whole = [all(s in seen for s in np.flatnonzero(owners == unit)) for unit in range(len(optional))]
        none = [not any(s in seen for s in np.flatnonzero(owners == unit)) for unit in range(len(optional))]
        if all(w or (n and o) for w, n, o in zip(whole, none, optional, strict=True)):
            best = max(best, sum(scores[t, s] for t, s in enumerate(way)))
    return best
