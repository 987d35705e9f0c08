from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import groupby, product
from pathlib import Path

import numpy as np
import pytest

from voice.asr.ctc.alphabet import BLANK
from voice.asr.ctc.beam_search import BeamSearch, SearchOptions
from voice.asr.ctc.ngram import NgramModel
from voice.asr.ctc.units import Units, greedy_labels

UNITS = Units(("▁", "a", "b"))
WIDE = SearchOptions(beam=10_000, label_floor=1e9)
ARPA = r"""\data\
ngram 1=5
ngram 2=2

\1-grams:
-3.0	<unk>
-99	<s>	-0.3
-0.4	ab	-0.2
-1.5	ba	-0.2
-0.6	</s>

\2-grams:
-0.1	<s> ba
-0.2	ba ab

\end\
"""


def random_log_probs(frames: int, classes: int, seed: int) -> np.ndarray:
    logits = 2 * np.random.default_rng(seed).normal(size=(frames, classes))
    return (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)


def all_readings(log_probs: np.ndarray) -> dict[tuple[int, ...], float]:
    """The log-probability of every sequence of labels, summed over all paths, by trying all."""
    found: dict[tuple[int, ...], float] = defaultdict(lambda: -np.inf)
    frames, classes = log_probs.shape
    for path in product(range(classes), repeat=frames):
        labels = tuple(label for label, _ in groupby(path) if label != BLANK)
        found[labels] = float(np.logaddexp(found[labels], sum(log_probs[range(frames), path])))
    return found


@pytest.fixture
def model(tmp_path: Path) -> NgramModel:
    (tmp_path / "lm.arpa").write_text(ARPA)
    return NgramModel.read(tmp_path / "lm.arpa")


@pytest.mark.parametrize("seed", range(4))
def test_a_beam_that_loses_nothing_sums_all_paths(seed):
    log_probs = random_log_probs(5, 4, seed)
    expected = all_readings(log_probs)
    found = {tuple(labels): score for labels, score in BeamSearch(UNITS, WIDE).best(log_probs)}
    assert found.keys() == expected.keys()
    for labels, score in expected.items():
        assert found[labels] == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_with_a_language_model_the_score_is_the_weighted_sum(model, seed):
    log_probs, options = random_log_probs(5, 4, seed), SearchOptions(10_000, 0.7, 0.4, label_floor=1e9)
    found = {tuple(each): score for each, score in BeamSearch(UNITS, options, model).best(log_probs)}
    for labels, sound in all_readings(log_probs).items():
        state, text = model.begin, 0.0
        words = UNITS.join(labels).split()
        for word in words:
            log_prob, state = model.score(state, word)
            text += log_prob
        expected = sound + 0.7 * (text + model.end(state)) + 0.4 * len(words)
        assert found[labels] == pytest.approx(expected, abs=1e-4)


def test_the_best_hypothesis_is_not_always_the_best_path():
    log_probs = np.log(np.array([[0.55, 0.0, 0.45, 0.0], [0.55, 0.0, 0.45, 0.0]], np.float32) + 1e-9)
    assert greedy_labels(log_probs) == []
    assert BeamSearch(UNITS)(log_probs) == [2]
    assert BeamSearch(UNITS, SearchOptions(beam=1))(log_probs) == []


def test_the_language_model_decides_between_words_that_sound_alike(model):
    frames = [[0.02, 0.02, 0.52, 0.44], [0.02, 0.02, 0.44, 0.52]]
    log_probs = np.log(np.array(frames, np.float32))
    plain, helped = BeamSearch(UNITS), BeamSearch(UNITS, SearchOptions(lm_weight=1.0), model)
    assert UNITS.join(plain(log_probs)) == "ab" and UNITS.join(helped(log_probs)) == "ba"


def test_a_word_that_the_language_model_does_not_know_can_be_made_dear(model):
    assert "ab" in model.words and "aab" not in model.words
    labels = [2, BLANK, 2, BLANK, 3]
    log_probs = np.log(np.full((5, 4), 0.1, np.float32) + 0.6 * np.eye(4, dtype=np.float32)[labels])
    free = SearchOptions(lm_weight=0.01, word_bonus=0.0)
    assert UNITS.join(BeamSearch(UNITS, free, model)(log_probs)) == "aab"
    assert UNITS.join(BeamSearch(UNITS, replace(free, unknown_word=-20.0), model)(log_probs)) in model.words


def test_an_expected_word_gets_its_bonus():
    frames = [[0.02, 0.02, 0.52, 0.44], [0.02, 0.02, 0.44, 0.52]]
    log_probs = np.log(np.array(frames, np.float32))
    assert UNITS.join(BeamSearch(UNITS)(log_probs, ["BA"])) == "ba"


def test_a_narrow_beam_finds_what_a_wide_one_finds_where_the_sound_is_clear():
    labels = [2, BLANK, 3, 1, 3, 3, BLANK, 2]
    log_probs = np.log(np.full((8, 4), 0.02, np.float32) + 0.92 * np.eye(4, dtype=np.float32)[labels])
    for beam in (1, 2, 64):
        assert UNITS.join(BeamSearch(UNITS, SearchOptions(beam=beam))(log_probs)) == "ab ba"


def test_no_frames_are_no_words():
    assert BeamSearch(UNITS)(np.zeros((0, 4), np.float32)) == []
