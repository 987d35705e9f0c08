from __future__ import annotations

from itertools import groupby, product
from pathlib import Path

import numpy as np
import pytest

from voice.asr.ctc.alphabet import BLANK, CLASSES, spell
from voice.asr.ctc.head import CTCHead, align_labels, end_frame, greedy_letters, log_likelihood, min_frames
from voice.errors import ModelDamaged, ModelMissing


def random_log_probs(frames: int, classes: int, seed: int) -> np.ndarray:
    """Random log-probabilities (frames, classes)."""
    logits = 2 * np.random.default_rng(seed).normal(size=(frames, classes))
    return (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)


def run_log_probs(*runs: tuple[int, int], sure: float = 0.9) -> np.ndarray:
    """Log-probabilities of (label, frames) runs, each label `sure`."""
    labels = np.concatenate([[label] * frames for label, frames in runs])
    chances = np.full((len(labels), CLASSES), (1 - sure) / (CLASSES - 1))
    chances[np.arange(len(labels)), labels] = sure
    return np.log(chances).astype(np.float32)


def paths_of(labels: list[int], frames: int, classes: int) -> list[tuple[int, ...]]:
    """Every path that reads as `labels`, by trying all."""
    return [
        path
        for path in product(range(classes), repeat=frames)
        if [label for label, _ in groupby(path) if label != BLANK] == labels
    ]


CASES = [([1], 3), ([1, 2], 4), ([1, 1], 4), ([2, 1, 1], 5), ([1, 2, 1], 5), ([2, 2, 2], 5)]


@pytest.mark.parametrize(("labels", "frames"), CASES)
def test_the_score_is_the_sum_over_all_paths(labels: list[int], frames: int) -> None:
    log_probs = random_log_probs(frames, 3, seed=len(labels))
    paths = paths_of(labels, frames, 3)
    expected = np.logaddexp.reduce([log_probs[np.arange(frames), path].sum() for path in paths])
    assert log_likelihood(log_probs, np.array(labels)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("labels", "frames"), CASES)
def test_the_alignment_is_the_best_of_all_paths(labels: list[int], frames: int) -> None:
    log_probs = random_log_probs(frames, 3, seed=frames)
    best = max(paths_of(labels, frames, 3), key=lambda path: log_probs[np.arange(frames), path].sum())
    spans = align_labels(log_probs, np.array(labels))
    found = np.zeros(frames, int)
    for label, (start, end) in zip(labels, spans, strict=True):
        found[start:end] = label
    assert tuple(found) == best


def test_what_does_not_fit_scores_nothing_and_is_spread_evenly() -> None:
    labels = np.array([1, 1, 2])
    assert min_frames(labels) == 4
    assert log_likelihood(random_log_probs(3, 3, 0), labels) == -np.inf
    assert align_labels(random_log_probs(3, 3, 0), labels).tolist() == [[0, 1], [1, 2], [2, 3]]
    assert align_labels(np.zeros((0, 3), np.float32), labels).tolist() == [[0, 0]] * 3


def test_no_labels_are_all_blanks() -> None:
    log_probs = random_log_probs(4, 3, 0)
    assert align_labels(log_probs, np.zeros(0, np.int64)).shape == (0, 2)
    assert log_likelihood(log_probs, np.zeros(0, np.int64)) == pytest.approx(
        log_probs[:, BLANK].sum(), abs=1e-4
    )


def test_letters_are_found_where_they_are_said() -> None:
    labels = spell("ab b").labels
    log_probs = run_log_probs(
        (BLANK, 3), (labels[0], 2), (labels[1], 4), (labels[2], 1), (labels[3], 2), (BLANK, 2)
    )
    assert greedy_letters(log_probs) == "ab b"
    assert align_labels(log_probs, labels).tolist() == [[3, 5], [5, 9], [9, 10], [10, 12]]


def test_labels_end_where_they_are_heard_first() -> None:
    a, b = spell("ab").labels
    log_probs = run_log_probs((BLANK, 2), (a, 2), (b, 1), (BLANK, 3), (a, 1), (b, 1), (BLANK, 2))
    assert end_frame(log_probs, np.array([a, b])) == 5
    assert end_frame(log_probs, np.array([a, b, a])) == 9
    assert end_frame(log_probs, np.zeros(0, np.int64)) == 0
    assert end_frame(log_probs[:1], np.array([a, b])) == 1


def test_greedy_reads_doubled_letters_only_across_a_blank() -> None:
    label = spell("e").labels[0]
    assert greedy_letters(run_log_probs((label, 2), (BLANK, 1), (label, 3))) == "ee"
    assert greedy_letters(run_log_probs((label, 5))) == "e"
    assert greedy_letters(np.zeros((0, CLASSES), np.float32)) == ""


def test_a_missing_or_damaged_head_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="fetch"):
        CTCHead.open(tmp_path / "head.onnx")
    (tmp_path / "head.onnx").write_bytes(b"nonsense")
    with pytest.raises(ModelDamaged, match="fetch"):
        CTCHead.open(tmp_path / "head.onnx")
