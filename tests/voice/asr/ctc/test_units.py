from __future__ import annotations

import numpy as np
import pytest

from voice.asr.ctc.units import UNITS_FILE, Units, WrittenWord, greedy_labels
from voice.errors import ModelDamaged, ModelMissing

PIECES = Units(("▁the", "▁k", "et", "tle", "▁"))
LETTERS = Units(("▁", "a", "b"))


def test_pieces_join_to_words():
    assert PIECES.words([1, 2, 3, 4]) == [WrittenWord("the", 0, 1), WrittenWord("kettle", 1, 4)]
    assert PIECES.join([1, 2, 3, 4]) == "the kettle"


def test_characters_join_to_words_and_a_space_belongs_to_none():
    assert LETTERS.words([2, 3, 1, 3]) == [WrittenWord("ab", 0, 2), WrittenWord("b", 3, 4)]
    assert LETTERS.join([1, 2, 1, 1, 3, 1]) == "a b"


def test_a_piece_after_a_lone_space_belongs_to_its_word():
    assert PIECES.words([5, 3, 5]) == [WrittenWord("et", 1, 2)]


def test_nothing_is_no_word():
    assert PIECES.words([]) == [] and PIECES.join([5]) == ""


def test_the_best_path_has_no_repeats_and_no_blanks():
    best = [0, 2, 2, 0, 2, 1, 1, 0]
    assert greedy_labels(np.eye(3)[best]) == [2, 2, 1]


def test_units_are_read_as_they_were_written(tmp_path):
    PIECES.write(tmp_path)
    assert Units.read(tmp_path) == PIECES and PIECES.classes == 6


@pytest.mark.parametrize("content", ["", "{}", "[]", "[1]", '["a", ""]', "[" * 100_000])
def test_a_damaged_list_of_units_is_refused(tmp_path, content):
    (tmp_path / UNITS_FILE).write_text(content)
    with pytest.raises(ModelDamaged, match="units.json"):
        Units.read(tmp_path)


def test_a_missing_list_of_units_is_named(tmp_path):
    with pytest.raises(ModelMissing, match="units.json is missing"):
        Units.read(tmp_path)
