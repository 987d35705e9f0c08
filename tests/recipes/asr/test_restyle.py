from __future__ import annotations

import pytest

from recipes.asr.restyle import Conventions, Style, conventions_of, restyle, style_of

BARE = Style(case=False, marks=False, figures=False)
HOW = conventions_of(["We met Tom on Monday, and I'm sure.", "He said that I know the bear.", "She runs."])


@pytest.mark.parametrize(
    "text, hypothesis, expected",
    [
        ("WE CALL IT BEAR", "We call it bear.", "We call it bear."),
        ("WE CALL IT BEAR", "We call it beer.", "We call it bear."),
        ("FIVE TWO FOUR SEVEN", "5247.", "5247."),
        ("ROOM FIVE TWO IS BLUE", "Room 52 is brew.", "Room 52 is blue."),
        ("I AM FINE", "I'm fine.", "I'm fine."),
        ("TOM GIVES UP BOXING", "Don gives up boxing!", "Tom gives up boxing!"),
        (
            "MARK HAS A BEAUTIFUL SUNGLASSES",
            "Marc. Has beautiful. Song. Gracias.",
            "Mark has a beautiful sunglasses.",
        ),
        ("LILLY LOVES CHINA", "Lily, laos China?", "Lilly loves China?"),
        ("TWO EIGHT NINE ONE", "2, 8, 9, 1.", "2891."),
        ("ZERO SEVEN ZERO FOUR", "0, 7, 0, 4", "Zero seven zero four"),
        ("ONE SEVEN FIVE FIVE", "Wrong 7, 5, 5.", "1755."),
        ("WE CALL IT BEAR\nLYNDA LEFT", "We call it bear, Linda left", "We call it bear. Lynda left"),
        ("SHE SAW MICHAEL YESTERDAY", "She saw Maike yesterday.", "She saw Michael yesterday."),
        ("I LIKE IT", "I like.", "I like it."),
        ("I LIKE", "I like it too.", "I like."),
        ("SEE THE SUN BOY", "See the sunboy.", "See the sun boy."),
        ("ON MONDAY WE REST", "On one day, we rest.", "On Monday we rest."),
        ("HE SAID YES WE CAN", "He said: Yes. We can.", "He said: Yes. We can."),
        ("LOOK AT ANN'S PANTS", "Look at Ann's pens.", "Look at Ann's pants."),
        ("THE BEAR", "", "The bear."),
        ("ice cream now", "Ice-cream now?", "Ice-cream now?"),
        ("AND TOM LAUGHED", "Tom laughed.", "And Tom laughed."),
    ],
)
def test_only_the_words_differ_from_what_the_recognizer_writes(text, hypothesis, expected):
    assert restyle(text, hypothesis, BARE, HOW).text == expected


def test_what_a_transcript_writes_itself_stays():
    full = Style(case=True, marks=True, figures=True)
    assert restyle("the iPhone rang", "The iphone rang.", full, HOW).text == "the iPhone rang"
    cased = Style(case=True, marks=False, figures=False)
    assert (
        restyle("My iPhone has five apps", "my iphone has 5 apps.", cased, HOW).text
        == "My iPhone has 5 apps."
    )
    marked = Style(case=False, marks=True, figures=True)
    assert restyle("WAIT, TOM: FIVE!", "Wait Tom, 5.", marked, HOW).text == "Wait, Tom: five!"


def test_the_agreement_is_the_share_of_words_that_were_heard():
    assert restyle("ONE TWO THREE CATS", "123 dogs.", BARE, HOW).agreement == pytest.approx(0.5)
    assert restyle("A B", "", BARE, HOW).agreement == 0


def test_the_style_of_a_set_is_that_of_most_of_its_texts():
    assert style_of(["FIVE TWO", "WE CALL IT BEAR", "OK"]) == BARE
    assert style_of(["five two", "we call"]) == BARE
    assert style_of(["Activated.", "You are now unmuted", "Dial 9, please."]) == Style(True, True, True)
    assert style_of(["你好世界", "谢谢"]).case, "a script without capitals has nothing to take over"


def test_german_nouns_and_chinese_characters_are_taken_over_too():
    how = Conventions({}, ".")
    text = restyle(
        "DER KÄFER LÄUFT ÜBER DIE STRASSE", "Der Käfer lauft über die Straße.", BARE, how, "de"
    ).text
    assert text == "Der Käfer läuft über die Straße."
    assert restyle("你好世界", "你好，世界。", BARE, how, "zh").text == "你好，世界。"


def test_a_recognizers_conventions_are_its_words_inside_of_sentences():
    assert HOW.forms["tom"] == "Tom" and HOW.forms["im"] == "I'm" and "we" not in HOW.forms
    assert HOW.ending == "."
