import pytest

from voice.text.english.british import to_british
from voice.text.english.language import BRITISH, ENGLISH
from voice.text.registry import find_language


def said(text: str) -> str:
    return " ".join(BRITISH.pronounce([chunk.text for chunk in BRITISH.normalize(text).chunks]))


@pytest.mark.parametrize(
    "word, phonemes",
    [
        ("schedule", "ʃˈɛdjuːl"), ("tomato", "təmˈɑːtQ"), ("bath", "bˈɑːθ"), ("lot", "lˈɒt"),
        ("car", "kˈɑː"), ("water", "wˈɔːtə"), ("tune", "tjˈuːn"), ("nurse", "nˈɜːs"), ("Z,", "zˈɛd,"),
    ],
)  # fmt: skip
def test_words_sound_british(word: str, phonemes: str):
    assert BRITISH.pronounce([word]) == [phonemes]


@pytest.mark.parametrize(
    "american, word, british",
    [
        ("kˈɑɹtəɹ", "Carter", "kˈɑːtə"), ("mˈɔɹtən", "Morton", "mˈɔːtən"), ("tˈOtO", "Toto", "tˈQtQ"),
        ("tˈudəɹ", "Tudor", "tjˈuːdə"), ("mˈuɹi", "Moorey", "mˈʊəɹi"), ("bˈɑb", "Bob", "bˈɒb"),
        ("dɹˈɑmə", "Drama", "dɹˈɑːmə"), ("wˈɑlɪs", "Wallis", "wˈɒlɪs"), ("lˈɔɹəns", "Laurens", "lˈɒɹəns"),
        ("bˈɜɹtən", "Burton", "bˈɜːtən"), ("sˈiti", "Seety", "sˈiːti"), ("mˈAɹiə", "Maria", "mˈAɹɪə"),
    ],
)  # fmt: skip
def test_american_phonemes_of_names_become_british(american: str, word: str, british: str):
    assert to_british(american, word) == british


def test_homographs_have_their_british_readings():
    verb, noun = BRITISH.pronounce("They record a record".split())[1::2]
    assert verb.endswith("kˈɔːd") and noun == "ɹˈɛkɔːd"
    assert "lˈɛd" in said("The old pipes are made of lead.")
    assert "ɹˈW" in said("They had a terrible row.")


@pytest.mark.parametrize(
    "written, spoken",
    [
        ("1,234", "one thousand two hundred and thirty-four"),
        ("115,000", "one hundred and fifteen thousand"),
        ("5,200", "five thousand two hundred"),
        ("the 103rd", "the one hundred and third"),
        ("in 1984", "in nineteen eighty-four"),
        ("03/04/2025", "the third of April, twenty twenty-five"),
        ("12/31/2024", "the thirty-first of December, twenty twenty-four"),
    ],
)
def test_figures_are_read_as_in_britain(written: str, spoken: str):
    assert BRITISH.normalize(written).text == spoken


def test_the_order_of_dates_can_be_asked_for():
    assert ENGLISH.normalize("03/04/2025").text == "March fourth, twenty twenty-five"
    assert "third of April" in ENGLISH.with_dates("dmy").normalize("03/04/2025").text
    assert "March fourth" in BRITISH.with_dates("mdy").normalize("03-04-2025").text
    assert ENGLISH.with_dates(None) is ENGLISH
    spanish = find_language("es")
    assert spanish.with_dates("mdy") is spanish


def test_weekdays_and_short_dates_keep_the_order_too():
    british = ENGLISH.with_dates("dmy")
    assert british.normalize("Mon 3/12").text == "Monday the third of December"
    assert "the fifth of June" in british.normalize("It is due on 5/6.").text


def test_an_accent_of_a_voice_finds_its_language():
    assert find_language("en", "British") is BRITISH
    assert find_language("en", "American") is ENGLISH
    assert find_language("en") is ENGLISH
