"""Transcripts in the characters of a vocabulary."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torch")

from recipes.finetune.writing import Writing, write_vocabulary

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def test_case_is_that_of_the_vocabulary():
    assert Writing.of(["<pad>", "|", *LETTERS, "'"]).write("Don't GO.") == "don't go"
    assert Writing.of(["<pad>", "[UNK]", "|", *LETTERS.upper()]).write("Don't go.") == "DONT GO"
    assert Writing.of([*LETTERS, *LETTERS.upper(), "."]).write("Go now.") == "Go now."


def test_figures_are_put_into_words_only_where_there_are_none():
    assert Writing.of(LETTERS).write("3 well-known cats") == "three well known cats"
    assert Writing.of([*LETTERS, *"0123456789"]).write("3 cats") == "3 cats"


def test_pieces_of_sentencepiece_are_characters_too():
    assert Writing.of(["<unk>", "▁the", "▁", "cat"]).write("The cat!") == "the cat"


def test_a_new_vocabulary_has_the_letters_of_the_texts(tmp_path):
    path = write_vocabulary(tmp_path / "new", ["Añb 1, c'd!"])
    pieces = list(json.loads(path.read_text("utf-8")))
    assert pieces[:3] == ["<pad>", "<unk>", "|"] and set(pieces[3:]) == set("añbonec'd")
