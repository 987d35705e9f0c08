from __future__ import annotations

import pytest

from voice.errors import TextError
from voice.text.phrase_grammar import (
    DEEPEST_BRACKETS,
    Alternatives,
    MacroReference,
    SlotReference,
    Words,
    parse,
    walk,
)


def test_a_phrase_reads_as_a_tree():
    assert parse("[brew, make  me] (a, $size:size @kind) $thing coffee") == (
        Alternatives(((Words("brew"),), (Words("make  me"),)), optional=False),
        Alternatives(((Words("a"),), (SlotReference("size", "size"), MacroReference("kind"))), optional=True),
        SlotReference("thing"),
        Words("coffee"),
    )


def test_brackets_stand_inside_brackets():
    (outer,) = parse("(really [now, (right) then])")
    assert outer.choices[0][1].choices[1][0].optional


def test_walking_a_phrase_finds_what_stands_in_brackets():
    assert [type(node).__name__ for node in walk(parse("a [$b, (@c)]"))] == [
        "Words",
        "Alternatives",
        "SlotReference",
        "Alternatives",
        "MacroReference",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("make (me", r"column 6: '\(' is not closed; add '\)'"),
        ("make [me) x", r"column 6: '\[' is not closed; add ']'"),
        ("make me]", "column 8: ']' stands alone; nothing was opened"),
        ("a, b", "column 2: ',' stands alone; put it between"),
        ("[a, , b]", "column 5: a choice is empty"),
        ("()", "column 2: a choice is empty"),
        ("make $", r"column 6: \$ is no slot; after the \$ stands a name"),
        ("make $a:b:c", r"column 6: \$a:b:c is no slot"),
        ("make @", "column 6: @ is no macro"),
        (" ", "the phrase is empty"),
        ("(a " * (DEEPEST_BRACKETS + 1), "too deep"),
    ],
)
def test_a_wrong_phrase_says_where_and_what_to_do(text, message):
    with pytest.raises(TextError, match=message):
        parse(text)
