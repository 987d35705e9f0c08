"""The vocoders' table: copies beside the recording, and others for their speed alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="recipes are not installed; pip install '.[train]'")

from recipes.vocoder import evaluate
from recipes.vocoder.evaluate import COLUMNS, Options, line, recording, recordings, rows, score, time_peer
from voice.errors import ManifestError

TINY = Path(__file__).resolve().parents[3] / "data" / "tiny" / "train.jsonl"


@pytest.fixture(scope="module")
def clips():
    return [np.concatenate(recordings(TINY, 4))]  # STOI wants some seconds


def test_a_recording_is_like_itself_and_noise_is_not(clips):
    real = score(("test", "recording"), recording, clips)
    assert (real.mel_l1, real.pitch_rmse, real.voicing_f1) == (0, 0, 1) and real.stoi > 0.99
    rng = np.random.default_rng(0)
    noise = score(("test", "noise"), lambda mel, f0, real: rng.normal(0, 0.1, len(real)), clips)
    assert noise.mel_l1 > 1 and noise.voicing_f1 < 0.7 and noise.stoi < 0.6
    assert np.isnan(real.mos) and "–" in line(real) and line(real).count("|") == len(COLUMNS) + 1


def test_what_stands_there_for_its_speed_has_no_quality(clips):
    row = time_peer("fast", lambda seconds: seconds + 0 * sum(range(1000)), clips)
    assert np.isnan(row.pesq) and row.speed > 1 and row.test == "speed only"


def test_speakers_never_trained_on_have_rows_of_their_own():
    o = Options(manifest=(TINY,), unseen=(TINY,), model=(), peers=False, clips=1, griffin_lim=0)
    assert [(row.test, row.system) for row in rows(o)] == [
        ("tiny train", "recording"), ("tiny train, never trained on", "recording"),
    ]  # fmt: skip


def test_a_manifest_that_is_missing_is_named(tmp_path):
    with pytest.raises((SystemExit, ManifestError), match="none.jsonl"):
        evaluate.main(Options(manifest=(tmp_path / "none.jsonl",), unseen=(), model=(), peers=False))
