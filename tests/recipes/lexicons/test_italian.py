"""The lexicon of Italian stresses keeps what the rules do not know."""

from __future__ import annotations

import sqlite3

from recipes.lexicons.italian import lexicon_of, read_source, ways_to_mark


def test_keeps_one_form_of_what_is_stressed_unexpectedly_and_nothing_that_follows_from_the_ending(tmp_path):
    (tmp_path / "espeak").mkdir()
    with sqlite3.connect(tmp_path / "espeak" / "lexicon.db") as database:
        database.execute("create table word_phonemes (word, pron_order, phonemes)")
        rows = [
            ("tavolo", "t ˈa v o l o"),
            ("tavoli", "t ˈa v o l i"),
            ("gatto", "ɡ ˈa tː o"),
            ("zanzara", "d z a n d z ˈa ɾ a"),
        ]
        database.executemany("insert into word_phonemes values (?, 0, ?)", rows)
    assert lexicon_of(read_source(tmp_path)) == ["tàvoli", "ṡanṡàra"]


def test_marks_every_vowel_with_and_without_a_voiced_z():
    assert [*ways_to_mark("zero")] == ["zèro", "zéro", "zerò", "zeró", "ṡèro", "ṡéro", "ṡerò", "ṡeró"]
