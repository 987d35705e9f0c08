from __future__ import annotations

from dataclasses import replace

import pytest

from recipes.evaluations import Evaluation, find_sets, fingerprint, measured_in, split_selection
from voice.errors import VoiceError
from voice.models.card import Card, read_card, write_card


def test_a_set_is_found_by_what_is_in_it_wherever_it_lies(tmp_path):
    first, moved = tmp_path / "a" / "test.jsonl", tmp_path / "b" / "deeper" / "other.jsonl"
    for path in (first, moved):
        path.parent.mkdir(parents=True)
    first.write_text("one\n")
    wanted = Evaluation.on("somewhere", {"a test": first, "few": f"{first}:20"}).sets
    first.rename(moved)
    (tmp_path / "b" / "same.txt").write_text("another\n")
    assert find_sets(wanted, [tmp_path / "none", tmp_path]) == {"a test": str(moved), "few": f"{moved}:20"}
    moved.write_text("changed\n")
    assert find_sets(wanted, [tmp_path]) == {}


def test_the_number_of_clips_belongs_to_the_set(tmp_path):
    path = tmp_path / "test.jsonl"
    path.write_text("")
    assert split_selection(f"{path}:-20") == (str(path), "-20") and split_selection("a:b") == ("a:b", "")
    assert fingerprint(f"{path}:5") == fingerprint(str(path)) + ":5"


def test_a_card_gives_back_how_its_scores_were_measured(tmp_path):
    rows = [{"test": "my test", "rate": 0.1, "data": "ab12"}]
    measured = measured_in("recipes.x", rows, "test", {"my test WER": 0.1}, {"limit": 3})
    card = Card("mine", "voice", "acoustic", 24_000, "en", "MIT", scores=measured.scores)
    with pytest.raises(VoiceError, match="card of mine does not say how"):
        Evaluation.read(card)
    write_card(tmp_path, replace(card, evaluation=measured.evaluation))
    assert Evaluation.read(read_card(tmp_path)) == Evaluation("recipes.x", {"my test": "ab12"}, {"limit": 3})
    assert measured_in("recipes.x", [], "test", {}).scores == {}
