"""Contractions, sounds, letters, notes and cut line ends."""

import pytest

from voice.text.english.normalization import normalize
from voice.text.english.pronunciation import pronounce


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Howre you, and whatre these?", "How are you, and what are these?"),
        ("Where're they? Theyre here.", "Where are they? They're here."),
        ("We were there, and so were you.", "We were there, and so were you."),
        ("Shhhh! Hmmph, grrrr.", "shh! hmph, grr."),
        ("Call at 11 PM (PST).", "Call at eleven P M (PST)."),
        ("th' boat", "the boat"),
        ("AT&T and R&D", "A T and T and R and D"),
        ("N/A, AC/DC, TCP/IP", "N A, A C D C, T C P I P"),
        ("Press Ctrl+Shift+C.", "Press control Shift C."),
        ("Smith said so.² Then he left.[12]", "Smith said so. Then he left."),
        ("as Smith³ said, 5 m² of x²", "as Smith said, five square meters of x squared"),
        ("a hyphen-\nation of well-\nknown com-\nmon words", "a hyphenation of well-known common words"),
        ("Wait 30s, or come in 5s.", "Wait thirty seconds, or come in five seconds."),
        ("She is in her 30s.", "She is in her thirties."),
        ("your otp is ab9453", "your otp is A B nine four five three"),
        ("0x1F", "zero X one F"),
        ("Bend, OR, is far. Or so.", "Bend, Oregon, is far. Or so."),
        ("Chapter 01, Vol. IV, Eq. (3)", "Chapter one, volume four, equation (three)"),
        ("William Simmons Sr and Billy Simmons Jr", "William Simmons Senior and Billy Simmons Junior"),
    ],
)
def test_what_is_written_in_a_way_of_its_own_is_read_in_words(written, spoken):
    assert normalize(written).text == spoken


def sound(text: str) -> list[str]:
    return pronounce([chunk.text for chunk in normalize(text).chunks])


@pytest.mark.parametrize("text", ["A4 paper", "vitamin A is", "A/C is on", "AT&T", "a ≤ b", "A. Answer"])
def test_a_letter_is_named(text):
    assert [phonemes for phonemes in sound(text) if phonemes.strip("ˈˌ.") == "A"]


@pytest.mark.parametrize("text", ["A man left", "A four-door car", "a b-side"])
def test_an_article_is_no_letter(text):
    assert sound(text)[0].strip("ˈˌ") in ("ɐ", "ə")


def test_contractions_have_the_sound_of_their_words():
    assert sound("I ain't going")[1] == sound("aint")[0] == "ˈAnt"


@pytest.mark.parametrize(
    ("accented", "plain"),
    [("Siobhán", "Siobhan"), ("Zoë", "Zoe"), ("coöperate", "cooperate"), ("rôle", "role")],
)
def test_an_accent_is_left_out_where_the_word_is_known_without(accented, plain):
    assert sound(accented) == sound(plain)


@pytest.mark.parametrize(
    ("accented", "plain"), [("résumé", "resume"), ("rosé", "rose"), ("exposé", "expose")]
)
def test_a_spoken_e_at_the_end_makes_another_word(accented, plain):
    assert sound(accented) != sound(plain)
