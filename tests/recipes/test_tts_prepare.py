"""What one run of prepare.py leaves to the next: features of the same recordings, and of no others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("numba")

from recipes.tts import corpus, prepare  # noqa: E402
from recipes.tts.corpus import Utterance  # noqa: E402
from voice.errors import VoiceError  # noqa: E402
from voice.manifest import Clip  # noqa: E402

ANN = Clip(Path("ann.wav"), "Hello.", 0.5, "ann", "1")  # 40 frames
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
    prepare._guessed("ann-train", [ANN], options, None)
    found = prepare._guessed("ann-train", [BOB, ANN], options, None)
    assert [each.id for each in found] == ["2", "1"] and guesses == [ANN, BOB]


def test_another_recording_of_the_same_id_is_made_anew(guesses, tmp_path):
    options = prepare.Options(out=tmp_path)
    prepare._guessed("ann-train", [ANN], options, None)
    for other in (replace(ANN, duration=0.6), replace(ANN, duration=0.6, speaker="eve")):
        (found,) = prepare._guessed("ann-train", [other], options, None)
        assert guesses[-1] == other
        assert (found.speaker, len(found.f0)) == (other.speaker, 48)
    (kept,) = corpus.read(tmp_path / "guessed" / "ann-train.npz")
    assert kept.speaker == "eve"


def test_manifests_that_are_called_the_same_do_not_overwrite_each_other(tmp_path):
    for _ in range(2):
        assert prepare._name(str(tmp_path / "a/ann/train.jsonl"), tmp_path) == "ann-train"
    assert prepare._name(str(tmp_path / "a/ann/dev.jsonl"), tmp_path) == "ann-dev"
    with pytest.raises(
        VoiceError, match="a/ann/train.jsonl; .*b/ann/train.jsonl would .* name another --out"
    ):
        prepare._name(str(tmp_path / "b/ann/train.jsonl"), tmp_path)


def test_what_was_made_before_names_were_kept_can_be_used(guesses, tmp_path):
    corpus.write(tmp_path / "guessed" / "ann-train.npz", [prepare._guess(ANN, None)])
    name = prepare._name(str(tmp_path / "a/ann/train.jsonl"), tmp_path)
    prepare._guessed(name, [ANN], prepare.Options(out=tmp_path), None)
    assert guesses == [ANN]
