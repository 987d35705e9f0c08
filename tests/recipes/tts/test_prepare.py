"""What one run of prepare.py leaves to the next: features of the same recordings, and of no others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("numba")

from recipes.tts import corpus, prepare
from recipes.tts.corpus import Utterance
from voice.errors import VoiceError
from voice.manifest import DURATION_TOLERANCE, Clip

ANN = Clip(Path("ann.wav"), "Hello.", 0.5, "ann", "1")  # 40 frames
LIST = "ann/train.jsonl"
BOB = replace(ANN, audio=Path("bob.wav"), speaker="bob", id="2")


@pytest.fixture
def guesses(monkeypatch) -> list[Clip]:
    """The clips whose features had to be made."""
    made = []

    def guess(clip: Clip, teacher: None) -> Utterance:
        made.append(clip)
        frames = round(clip.duration * 80)
        return Utterance(
            clip.id,
            clip.speaker,
            np.zeros(3, np.int16),
            np.ones(3, np.int16),
            np.zeros(frames),
            np.zeros((frames, 100)),
        )

    monkeypatch.setattr(prepare, "_guess", guess)
    return made


def test_what_is_made_is_not_made_again_and_a_manifest_may_grow(guesses, tmp_path):
    options = prepare.Options(out=tmp_path)
    prepare._initial_utterances("ann-train", LIST, [ANN], options, None)
    found = prepare._initial_utterances("ann-train", LIST, [BOB, ANN], options, None)
    assert [each.id for each in found] == ["2", "1"] and guesses == [ANN, BOB]


def test_another_recording_of_the_same_id_is_made_anew(guesses, tmp_path):
    options = prepare.Options(out=tmp_path)
    prepare._initial_utterances("ann-train", LIST, [ANN], options, None)
    for other in (replace(ANN, duration=0.7), replace(ANN, duration=0.7, speaker="eve")):
        (found,) = prepare._initial_utterances("ann-train", LIST, [other], options, None)
        assert guesses[-1] == other
        assert (found.speaker, len(found.f0)) == (other.speaker, 56)
    (kept,) = corpus.read(tmp_path / "guessed" / "ann-train.npz")
    assert kept.speaker == "eve"


def test_a_manifest_s_duration_may_be_as_far_off_as_a_manifest_s_may(guesses, tmp_path):
    options = prepare.Options(out=tmp_path)
    for duration in (0.5, 0.5 + DURATION_TOLERANCE, 0.5 - DURATION_TOLERANCE):
        prepare._initial_utterances("ann-train", LIST, [replace(ANN, duration=duration)], options, None)
    assert guesses == [ANN]


def test_manifests_that_are_called_the_same_do_not_overwrite_each_other(guesses, tmp_path):
    mine, other, theirs = (
        str(tmp_path / name) for name in ("a/ann/train.jsonl", "a/ann/dev.jsonl", "b/ann/train.jsonl")
    )
    both = prepare.Options((mine, other, mine), tmp_path)
    for _ in range(2):
        assert prepare._name_features(both) == {"ann-train": mine, "ann-dev": other}
        prepare._initial_utterances("ann-train", mine, [ANN], both, None)
    refusal = "a/ann/train.jsonl; .*b/ann/train.jsonl would .* name another --out, or delete"
    with pytest.raises(VoiceError, match=refusal):
        prepare._name_features(prepare.Options((theirs,), tmp_path))
    with pytest.raises(
        VoiceError, match="a/ann/train.jsonl; .*b/ann/train.jsonl would .* name another --out$"
    ):
        prepare._name_features(prepare.Options((mine, theirs), tmp_path / "new"))


def test_a_run_that_made_nothing_leaves_the_name_to_others(monkeypatch, tmp_path):
    def fail(clip: Clip, teacher: None) -> Utterance:
        raise VoiceError("no such recording")

    monkeypatch.setattr(prepare, "_guess", fail)
    options = prepare.Options((str(tmp_path / "a/ann/train.jsonl"),), tmp_path)
    with pytest.raises(VoiceError, match="no such"):
        prepare._initial_utterances(*prepare._name_features(options).popitem(), [ANN], options, None)
    other = str(tmp_path / "b/ann/train.jsonl")
    assert prepare._name_features(prepare.Options((other,), tmp_path)) == {"ann-train": other}


def test_what_was_made_before_names_were_kept_can_be_used(guesses, tmp_path):
    corpus.write(tmp_path / "guessed" / "ann-train.npz", [prepare._guess(ANN, None)])
    options = prepare.Options((str(tmp_path / "a/ann/train.jsonl"),), tmp_path)
    prepare._initial_utterances(*prepare._name_features(options).popitem(), [ANN], options, None)
    assert guesses == [ANN]
    with pytest.raises(VoiceError, match="would overwrite it"):
        prepare._name_features(prepare.Options((LIST,), tmp_path))
