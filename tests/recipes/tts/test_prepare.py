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
from recipes.tts.preparation.shards import Guess, Shards
from voice.errors import VoiceError
from voice.manifest import DURATION_TOLERANCE, Clip

ANN = Clip(Path("ann.wav"), "Hello.", 0.5, "ann", "1")  # 40 frames
LIST = "ann/train.jsonl"
BOB = replace(ANN, audio=Path("bob.wav"), speaker="bob", id="2")


@pytest.fixture
def guesses(monkeypatch) -> list[Clip]:
    """The clips whose features had to be made."""
    made = []

    def guess(clip: Clip, teacher: None) -> Guess:
        made.append(clip)
        frames = round(clip.duration * 80)
        tokens, durations = np.zeros(3, np.int16), np.ones(3, np.int16)
        loud = np.full(frames, float(len(made)))
        one = Utterance(clip.id, clip.speaker, tokens, durations, np.zeros(frames), loud)
        return Guess(one, np.full((frames, 100), float(len(made)), np.float16))

    monkeypatch.setattr(prepare, "guess", guess)
    return made


def read(shards: Shards, *names: str) -> list[Guess]:
    return list(shards.read(names))


def test_what_is_made_is_not_made_again_and_a_manifest_may_grow(guesses, tmp_path):
    prepare.guess_durations("ann-train", LIST, [ANN], tmp_path, None)
    shards = prepare.guess_durations("ann-train", LIST, [BOB, ANN], tmp_path, None)
    assert {each.utterance.id for each in read(shards, "1", "2")} == {"1", "2"} and guesses == [ANN, BOB]


def test_another_recording_of_the_same_id_is_made_anew(guesses, tmp_path):
    prepare.guess_durations("ann-train", LIST, [ANN], tmp_path, None)
    for other in (replace(ANN, duration=0.7), replace(ANN, duration=0.7, speaker="eve")):
        (found,) = read(prepare.guess_durations("ann-train", LIST, [other], tmp_path, None), "1")
        assert guesses[-1] == other
        assert (found.utterance.speaker, len(found.utterance.f0)) == (other.speaker, 56)


def test_what_was_written_stays_as_it_is_however_much_is_added(guesses, monkeypatch, tmp_path):
    monkeypatch.setattr(prepare, "SAVE_EVERY", 2)
    clips = [replace(ANN, id=str(number)) for number in range(5)]
    prepare.guess_durations("ann-train", LIST, clips[:4], tmp_path, None)
    files = sorted((tmp_path / "guessed" / "ann-train").iterdir())
    before = [(path, path.read_bytes()) for path in files]
    prepare.guess_durations("ann-train", LIST, clips, tmp_path, None)
    assert len(files) == 2 and [(path, path.read_bytes()) for path in files] == before
    shards = Shards(tmp_path / "guessed" / "ann-train")
    assert len(shards) == 5
    for each in read(shards, "3", "4"):
        number = float(each.utterance.id) + 1
        assert (each.mel == number).all() and (each.utterance.loud == number).all() and len(each.mel) == 40


def test_a_manifest_s_duration_may_be_as_far_off_as_a_manifest_s_may(guesses, tmp_path):
    for duration in (0.5, 0.5 + DURATION_TOLERANCE, 0.5 - DURATION_TOLERANCE):
        prepare.guess_durations("ann-train", LIST, [replace(ANN, duration=duration)], tmp_path, None)
    assert guesses == [ANN]


def test_manifests_that_are_called_the_same_do_not_overwrite_each_other(guesses, tmp_path):
    mine, other, theirs = (
        str(tmp_path / name) for name in ("a/ann/train.jsonl", "a/ann/dev.jsonl", "b/ann/train.jsonl")
    )
    both = prepare.Options((mine, other, mine), tmp_path)
    for _ in range(2):
        assert prepare.name_features(both) == {"ann-train": mine, "ann-dev": other}
        prepare.guess_durations("ann-train", mine, [ANN], tmp_path, None)
    refusal = "a/ann/train.jsonl; .*b/ann/train.jsonl would .* name another --out, or delete"
    with pytest.raises(VoiceError, match=refusal):
        prepare.name_features(prepare.Options((theirs,), tmp_path))
    with pytest.raises(
        VoiceError, match="a/ann/train.jsonl; .*b/ann/train.jsonl would .* name another --out$"
    ):
        prepare.name_features(prepare.Options((mine, theirs), tmp_path / "new"))


def test_a_run_that_made_nothing_leaves_the_name_to_others(monkeypatch, tmp_path):
    def fail(clip: Clip, teacher: None) -> Guess:
        raise VoiceError("no such recording")

    monkeypatch.setattr(prepare, "guess", fail)
    mine, other = (str(tmp_path / name / "ann" / "train.jsonl") for name in "ab")
    with pytest.raises(VoiceError, match="no such"):
        prepare.guess_durations("ann-train", mine, [ANN], tmp_path, None)
    assert prepare.name_features(prepare.Options((other,), tmp_path)) == {"ann-train": other}


def test_smoke(tmp_path, capsys):
    prepare.main(prepare.Options(out=tmp_path, smoke=True))
    made = corpus.read(tmp_path / "tiny-train.npz")
    assert max(len(each.f0) for each in made) <= 3.0 * 80
    assert "cut at pauses" in capsys.readouterr().out and any(each.recording for each in made)
    for each in made:
        assert each.durations.sum() == len(each.f0) == len(each.loud)
