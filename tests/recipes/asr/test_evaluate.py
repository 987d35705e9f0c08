from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy")

from recipes.asr import evaluate
from recipes.asr.evaluate import Options, Part, parts, score, sounds, spoken_language
from voice.errors import VoiceError
from voice.manifest import read_manifest

TINY = Path(__file__).parents[3] / "data/tiny/dev.jsonl"


def options(**changed) -> Options:
    return dataclasses.replace(Options(manifest=(f"{TINY}:2",), noises=TINY, noise=(10.0,)), **changed)


def test_a_recognizer_that_hears_everything_makes_no_errors():
    clips = read_manifest(TINY)[:2]
    # The first is asked for once more, untimed.
    answers = iter([clips[0].text, *(clip.text for clip in clips)])
    row = score(lambda samples, language: next(answers), "ear", Part("tiny", clips, None), options())
    assert (row.model, row.clips, row.rate) == ("ear", 2, 0.0)
    assert row.words > 0 and row.memory > 0


def test_the_noise_is_the_same_for_every_recognizer_and_as_loud_as_asked():
    clean, noisy = parts(options())
    assert noisy.snr == 10.0
    first, second = list(sounds(noisy, options())), list(sounds(noisy, options()))
    for one, other, plain in zip(first, second, sounds(clean, options()), strict=True):
        np.testing.assert_array_equal(one, other)
        added = one - plain
        assert 10 * np.log10(np.mean(plain**2) / np.mean(added**2)) == pytest.approx(10.0, abs=5.0)


def test_a_model_that_nobody_knows_is_named():
    with pytest.raises(VoiceError, match="no-such-model"):
        next(iter(evaluate.rows(options(model=("no-such-model",), noise=()))))


def test_a_language_that_the_card_contradicts_and_a_run_that_is_no_model_are_refused(tmp_path):
    assert spoken_language("whisper-base", None) == "en" and spoken_language("whisper-base", "de") == "de"
    with pytest.raises(VoiceError, match="quick recognizes en, not de: leave --language out"):
        spoken_language("quick", "de")
    (tmp_path / "run.toml").write_text("")
    with pytest.raises(VoiceError, match="is a run, not a model; export it"):
        spoken_language(str(tmp_path), None)
