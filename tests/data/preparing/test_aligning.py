from __future__ import annotations

from data.preparing.aligning import LONGEST, Gap, Piece, pieces_of
from voice.types import Word


def spoken(text: str, pace: float = 0.5, pause: float = 0.4) -> list[Word]:
    """The words of a text, with a pause behind each sentence."""
    words, clock = [], 0.0
    for word in text.split():
        words.append(Word(word, clock, clock + 0.8 * pace))
        clock += pace + pause * word.endswith(".")
    return words


SENTENCES = [
    f"Here is what sentence {n} tells us all." for n in "alpha beta gamma delta epsilon zeta eta".split()
]
TEXT = " ".join(SENTENCES)


def test_pieces_end_with_sentences_and_hold_the_whole_text():
    pieces = list(pieces_of(TEXT, spoken(TEXT)))
    assert all(isinstance(piece, Piece) and piece.text.endswith(".") for piece in pieces)
    assert " ".join(piece.text for piece in pieces) == TEXT
    assert all(piece.end - piece.start <= LONGEST for piece in pieces)
    assert all(before.end <= after.start for before, after in zip(pieces, pieces[1:], strict=False))


def test_hyphens_make_no_difference():
    text = "It was twenty-one years ago, one-shilling and nine pence. Well-then it ended."
    heard = spoken("It was twenty one years ago, one shilling and nine-pence. Well then it ended.")
    (piece,) = pieces_of(text, heard)
    assert piece.text == text and piece.agreement == 1.0


def test_a_part_that_was_not_recorded_is_left_out():
    middle = " ".join(f"word{n} was never said by anybody" for n in range(9))
    found = list(pieces_of(f"{TEXT} {middle}. {TEXT}", spoken(f"{TEXT} {TEXT}")))
    texts = " ".join(piece.text for piece in found if isinstance(piece, Piece))
    assert "never said" not in texts and texts.count("sentence") >= 12
    assert any(isinstance(each, Gap) for each in found)


def test_words_that_nobody_said_at_the_ends_are_told():
    found = list(pieces_of(f"Chapter one. {TEXT} The very end.", spoken(TEXT)))
    assert [each.reason for each in found if isinstance(each, Gap)] == [
        "the first 2 words of the text were not heard",
        "the last 3 words of the text were not heard",
    ]


def test_another_text_is_told():
    found = list(pieces_of("Nothing at all alike.", spoken(TEXT)))
    assert [type(each) for each in found] == [Gap] and "hardly a word" in found[0].reason
    assert isinstance(next(pieces_of(TEXT, [])), Gap)
