from __future__ import annotations

import numpy as np
import pytest

from voice.asr.ctc.alphabet import BLANK, CLASSES, spell
from voice.asr.ctc.forced_alignment import align_words
from voice.asr.whisper.confidence import FEATURES, Calibration, mean_token_probability, with_confidence
from voice.asr.whisper.decoding import Hypothesis
from voice.asr.whisper.tokenizer import WordTokens
from voice.errors import ModelDamaged
from voice.types import Word

WRITTEN = [WordTokens("one", 0, 2), WordTokens(" two", 2, 3)]
WORDS = [Word("one", 0.0, 0.3), Word("two", 0.3, 0.6)]
HYPOTHESIS = Hypothesis((1, 2, 3), "one two", np.log([0.9, 0.5, 0.8]).astype(np.float32), -0.3, 0.0)


def features_of(**options) -> tuple[list[Word], dict[str, np.ndarray]]:
    """The words, and what was asked about each feature of them."""
    asked = []

    def half(rows: np.ndarray) -> np.ndarray:
        asked.append(rows)
        return np.full(len(rows), 0.5)

    words = with_confidence(WORDS, WRITTEN, HYPOTHESIS, half, **options)
    return words, dict(zip(FEATURES, asked[0].T, strict=True))


def test_a_word_is_as_sure_as_the_calibration_finds_it() -> None:
    words, features = features_of()
    assert [word.confidence for word in words] == [0.5, 0.5]
    assert features["least"] == pytest.approx(np.log([0.5, 0.8]))
    assert features["mean"] == pytest.approx([np.log([0.9, 0.5]).mean(), np.log(0.8)])
    assert features["sentence"] == pytest.approx([-0.3, -0.3])
    assert features["pace"] == pytest.approx(np.log([0.1 / 0.07] * 2))
    assert not features["sound"].any() and not features["heard"].any()


def test_what_a_head_heard_speaks_for_a_word_or_against_it() -> None:
    labels = spell("one six").labels  # where the decoder wrote "two"
    probabilities = np.full((50, CLASSES), 1e-3)
    probabilities[:, BLANK] = 0.97
    for number, label in enumerate(labels):
        probabilities[5 + 5 * number, [BLANK, label]] = 0.05, 0.93
    log_probs = np.log(probabilities).astype(np.float32)
    places = align_words(["one", " two"], log_probs, 1.0)
    _, features = features_of(aligned=places, log_probs=log_probs)
    assert features["heard"].tolist() == [1.0, 0.0]
    assert features["extra"][0] == 0.0 and features["sound"][0] > features["sound"][1] + 3
    assert features["softest"][0] > features["softest"][1]


def test_without_calibration_it_is_the_mean_likelihood_of_its_tokens() -> None:
    words = with_confidence(WORDS, WRITTEN, HYPOTHESIS, mean_token_probability)
    assert [word.confidence for word in words] == pytest.approx([np.sqrt(0.45), 0.8])
    assert with_confidence([], [], HYPOTHESIS, mean_token_probability) == []


def test_weights_make_probabilities_and_unknown_ones_are_refused() -> None:
    calibration = Calibration({"mean": 2.0, "bias": 1.0})
    rows = np.zeros((2, len(FEATURES)))
    rows[1, FEATURES.index("mean")] = -0.5
    assert calibration(rows) == pytest.approx([1 / (1 + np.exp(-1)), 0.5])
    with pytest.raises(ModelDamaged, match="confidence has no luck"):
        Calibration({"luck": 1.0})
