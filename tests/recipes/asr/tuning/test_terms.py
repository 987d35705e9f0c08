from __future__ import annotations

import pytest

from recipes.asr.tuning.terms import (
    LEARNED,
    WATCHED,
    TermCount,
    count_terms,
    read_terms,
    sentences,
    term_errors,
)
from voice.errors import VoiceError


def test_terms_are_the_lines_of_a_file_each_once(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("\ufeffxylofen\r\n\r\n  Brno  Tower \nxylofen\n", "utf-8")
    assert read_terms(path) == ("xylofen", "Brno Tower")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\x00", b"a" * 200, b"Brno\n!!!\n"])
def test_what_is_no_list_of_terms_is_refused(tmp_path, content):
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(VoiceError, match="1 to 500 terms|one term a line|is no term"):
        read_terms(path)


def test_each_voice_reads_each_term_and_watched_sentences_are_others():
    pairs = sentences(["xylofen", "brno"], ["heart", "lj"], LEARNED, 3, seed=0)
    assert len(pairs) == 12 and len(set(pairs)) == 12
    assert {voice for _, voice in pairs} == {"heart", "lj"}
    assert not set(LEARNED) & set(WATCHED)
    assert all("xylofen" in text.lower() or "brno" in text.lower() for text, _ in pairs)


def test_a_term_is_missed_where_it_is_not_written():
    references = ["We saw Brno Tower.", "Brno Tower and xylofen.", "Nothing here."]
    hypotheses = ["We saw brno tower", "Burno tower and xylofen", "xylofen"]
    assert term_errors(["Brno Tower", "xylofen"], references, hypotheses) == (1, 3)
    counts = count_terms(["Brno Tower", "xylofen"], references, hypotheses, references)
    assert counts == (TermCount("Brno Tower", 2, 1, 2), TermCount("xylofen", 1, 1, 1))
