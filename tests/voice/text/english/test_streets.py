"""House numbers, compass points, and "St." and "Dr." before and after a name."""

import pytest

from voice.text.english.normalization import normalize


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("708 N 1st St, San City", "seven oh eight North first Street, San City"),
        ("100 N Main St", "one hundred North Main Street"),
        ("50 W 34th St, New York", "fifty West thirty-fourth Street, New York"),
        ("12 S 1st st", "twelve South first street"),
        ("1211 E Arques Ave", "twelve eleven East Arques Avenue"),
        ("123 Laguna Ct, Town", "one twenty-three Laguna Court, Town"),
        ("402 NE Glisan St.", "four oh two Northeast Glisan Street."),
        ("I live at 324 south st in lincoln", "I live at three twenty-four south street in lincoln"),
        ("1600 Pennsylvania Avenue", "sixteen hundred Pennsylvania Avenue"),
        ("five miles NW of town", "five miles northwest of town"),
    ],
)
def test_an_address_is_read_as_people_say_it(written, spoken):
    assert normalize(written).text == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Main St. Then we left.", "Main Street. Then we left."),
        ("He lived on Oak Dr. He was tall.", "He lived on Oak Drive. He was tall."),
        ("She lives on Elm St.", "She lives on Elm Street."),
        ("We met Mary St. Clair.", "We met Mary Saint Clair."),
        ("In 2010 Mary St. Clair sang.", "In twenty ten Mary Saint Clair sang."),
        ("They flew to St. Louis.", "They flew to Saint Louis."),
        ("200 Lee Dr in Baytown", "two hundred Lee Drive in Baytown"),
        ("I saw Dr. Brown.", "I saw Doctor Brown."),
    ],
)
def test_an_abbreviation_is_a_street_after_a_name_and_a_title_before_one(written, spoken):
    assert normalize(written).text == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("150 people on Main St. left", "one hundred fifty people on Main Street left"),
        ("3 men in a boat", "three men in a boat"),
        ("a wire of 12 N", "a wire of twelve newtons"),
    ],
)
def test_what_is_counted_is_no_house(written, spoken):
    assert normalize(written).text == spoken
