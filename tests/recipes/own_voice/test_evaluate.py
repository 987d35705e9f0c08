"""The scores of a voice again: how they were measured stands on the card."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("numba")

from recipes.own_voice.evaluate import Options, evaluate_again, main, on_recordings
from recipes.own_voice.recordings import Recordings
from recipes.own_voice.scoring import Extent


def test_how_a_voice_was_scored_names_its_recordings_by_what_is_in_them(tmp_path):
    recordings = Recordings(tmp_path)
    for path in recordings.all:
        path.write_text(path.name, "utf-8")
    how = on_recordings(recordings, Extent(2, 3, "whisper-base")).table()
    assert list(how["sets"]) == ["train", "dev", "test"] and len(set(how["sets"].values())) == 3
    assert (how["own"], how["invented"], how["recognizer"]) == (2, 3, "whisper-base")
    assert str(tmp_path) not in str(how)


def test_with_a_part_of_the_recordings_nothing_is_held_against_the_card(tmp_path):
    assert list(evaluate_again("kathleen", {"test": str(tmp_path / "test.jsonl")}, {})) == []


def test_without_the_run_it_says_what_to_give(tmp_path):
    with pytest.raises(SystemExit, match="give the folder of the voice's run as --run"):
        main(Options("kathleen", tmp_path))
