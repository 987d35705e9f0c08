from __future__ import annotations

import numpy as np

from recipes.asr.calibrate import Words, fit, report
from voice.asr.whisper.confidence import FEATURES, Calibration
from voice.metrics import auroc, calibration_error


def sample_words(count: int, seed: int) -> Words:
    """Words of which the likelier are more often right, as a logistic model has it."""
    draw = np.random.default_rng(seed)
    rows = np.zeros((count, len(FEATURES)))
    rows[:, :2] = -draw.exponential(1.0, (count, 2))
    right = draw.random(count) < 1 / (1 + np.exp(-(3 * rows[:, 0] + 2.0)))
    return Words(rows, right)


def test_weights_are_found_again_and_are_honest_about_other_words() -> None:
    weights = fit(sample_words(5000, 0), decay=1.0)
    assert (
        abs(weights["least"] - 3.0) < 0.3 and abs(weights["mean"]) < 0.2 and abs(weights["bias"] - 2.0) < 0.2
    )
    assert set(weights) == {"least", "mean", "bias"}  # what never varies has no weight
    other = sample_words(5000, 1)
    sure = Calibration(weights)(other.rows)
    assert calibration_error(sure, other.right) < 0.03
    assert auroc(sure, other.right) > 0.85
    assert "ECE 0.0" in report("others", other, Calibration(weights))
