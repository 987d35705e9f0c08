import numpy as np
import pytest

from recipes.endpoint import layer
from recipes.endpoint.layer import Layer
from recipes.endpoint.silences import Silence

SHAPE = (6, 4)


def silences(count=120, seed=0, signal=2.0):
    """Recordings of an end and a pause each, told apart by the first feature."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        for seconds in (0.3, np.inf):  # both count alike
            clean = rng.normal(size=SHAPE)
            clean[0, 0] += signal if seconds == np.inf else -signal
            noisy = clean + rng.normal(size=SHAPE) * 0.3
            found.append(Silence(clean, noisy, seconds, f"clip {number}", 1.0))
    return found


NOTHING_KNOWN = Layer(np.zeros(SHAPE), 0.0)


def test_ends_are_told_from_pauses_in_recordings_that_were_not_fitted():
    found = silences()
    odds = layer.cross_validate(found, NOTHING_KNOWN)
    assert layer.area_under_curve(found, odds) > 0.97
    gained, low, high = layer.gain(found, NOTHING_KNOWN.odds(found), odds)
    assert 0 < low < gained < high


def test_noise_is_no_gain():
    found = silences(signal=0.0)
    odds = layer.cross_validate(found, NOTHING_KNOWN)
    assert layer.gain(found, NOTHING_KNOWN.odds(found), odds)[1] <= 0


def test_a_strong_penalty_keeps_what_was_known():
    known = Layer(np.full(SHAPE, 0.1), -0.5)
    found = silences(20)
    change = np.abs(layer.fit(found, known, 1e4).weights - known.weights).max()
    assert change < 1e-3 < np.abs(layer.fit(found, known, 0.1).weights - known.weights).max()


def test_a_little_speech_does_not_ruin_a_good_layer():
    known = layer.fit(silences(400, seed=1), NOTHING_KNOWN, 0.1)
    found, others = silences(12, seed=2), silences(200, seed=3)
    after = layer.adapt(found, known, layer.choose_strength(found, known))
    before = layer.area_under_curve(others, known.odds(others))
    assert layer.area_under_curve(others, after.odds(others)) > before - 0.02


def test_many_ends_do_not_make_turns_end_sooner():
    known = layer.fit(silences(400, seed=1), NOTHING_KNOWN, 0.1)
    found = silences(60, seed=2)
    found = [one for number, one in enumerate(found) if one.is_end or number % 10 == 0]
    ends = [one for one in found if one.is_end]
    after = layer.adapt(found, known, 0.1)
    assert np.median(after.odds(ends)) == pytest.approx(np.median(known.odds(ends)))
    assert np.median(layer.fit(found, known, 0.1).odds(ends)) > np.median(known.odds(ends))


def test_the_scores_are_what_a_conversation_would_do():
    found = [
        Silence(np.zeros(SHAPE), np.zeros(SHAPE), seconds, "a", 0.0) for seconds in (0.3, 0.9, np.inf, np.inf)
    ]
    sure, never = np.full(4, 20.0), np.full(4, -20.0)
    assert layer.interruption_rate(found, sure) == 1.0 and layer.interruption_rate(found, never) == 0.0
    assert layer.mean_wait(found, sure) == pytest.approx(0.22)
    assert layer.mean_wait(found, never) == pytest.approx(1.0)


def test_silences_of_one_recording_are_judged_together():
    folds = layer._folds(["a", "b", "a", "c", "b"], 2)
    assert folds[0] == folds[2] and folds[1] == folds[4]


def test_the_norm_of_a_matrix_is_never_too_small():
    rng = np.random.default_rng(0)
    for shape in ((40, 300), (300, 40), (5, 5)):
        rows = rng.normal(size=shape).astype(np.float32)
        exact = np.linalg.norm(rows, 2) ** 2
        assert exact <= layer._squared_norm(rows) <= 1.2 * exact
