"""How readings of published cases are judged."""

from __future__ import annotations

from benchmarks.text.reading import EQUIVALENT, Case, fold, judge, read_cases, read_rows, summary

HEADER = "class\tinput\texpected\tours\n"


def test_cases_come_from_all_files_of_a_folder(tmp_path):
    (tmp_path / "a.tsv").write_text(
        HEADER + "date\tjune 30\tjune thirtieth // the thirtieth of june\tjune thirty\n"
    )
    (tmp_path / "b.tsv").write_text(HEADER + "word\tno\tno\tno\n")
    assert [case.expected for case in read_cases(tmp_path)] == [
        ("june thirtieth", "the thirtieth of june"),
        ("no",),
    ]


def test_what_good_readers_differ_in_does_not_count():
    assert fold("One hundred and twenty-three, oh four A M") == fold("one hundred twenty three zero four AM")


def test_a_reading_is_right_word_for_word_or_as_a_listed_equivalent():
    listed = read_rows(EQUIVALENT)[0]
    cases = [
        Case("a", "k", "june 30", ("june thirtieth",)),
        Case("a", "k", listed["input"], ("something else",)),
        Case("a", "k", "two", ("three",)),
    ]
    readings = judge(cases)
    assert [(each.literal, each.right) for each in readings] == [(True, True), (False, True), (False, False)]
    assert summary("a", readings)[:3] == ["a", "3", "33.3%"]


def test_all_listed_equivalents_are_still_how_they_are_read():
    cases = [Case("a", "k", row["input"], ("no such reading",)) for row in read_rows(EQUIVALENT)]
    assert [each.case.written for each in judge(cases) if not each.right] == []
