"""SSML: what is understood reaches the readings, what is not is reported, what is broken is refused."""

from __future__ import annotations

import pytest

from voice.errors import TextError
from voice.text.english.language import ENGLISH
from voice.text.english.say_as import words_for
from voice.text.frontend import read_aloud
from voice.text.markup import as_ssml, is_ssml, parse
from voice.text.passages import read_passages
from voice.text.prosody import LEVELS
from voice.text.reading import Bookmarks, Break, Reading, SoundlessSentence, SpokenSentence, Style


def readings(content: str) -> list[Reading]:
    return list(read_passages(parse(as_ssml(content), ENGLISH).passages, ENGLISH))


def styles(content: str) -> dict[str, Style]:
    """The style of each written word of a single sentence."""
    (reading,) = readings(content)
    places = range(len(reading.phonemes))
    return {
        word.text: next(reading.styles[i] for i in places if reading.owners[i] == index)
        for index, word in enumerate(reading.words)
    }


def test_a_document_is_known_by_its_first_tag() -> None:
    assert is_ssml("<speak>Hi</speak>") and is_ssml(
        "\ufeff <?xml version='1.0'?>\n<!-- x --><speak version='1'>"
    )
    assert not any(map(is_ssml, ["Hi <speak>", "<speaker>", "speak", "", "a < b", "<p>Hi</p>"]))
    assert as_ssml("Hi") == "<speak>Hi</speak>" and as_ssml("<speak/>") == "<speak/>"


def test_text_without_tags_is_read_like_plain_text() -> None:
    text = "Dr. Lee paid $5 on 3/5/2024. Why? &amp; what else &lt; 3?"
    plain = list(read_aloud("Dr. Lee paid $5 on 3/5/2024. Why? & what else < 3?", ENGLISH))
    assert readings(text) == plain


def test_white_space_in_a_document_means_nothing() -> None:
    assert readings("One\n\n  two <emphasis level='none'> three </emphasis>\n four.") == list(
        read_aloud("One two three four.", ENGLISH)
    )


def test_sentences_and_paragraphs_end_where_they_are_said_to() -> None:
    found = readings("<p><s>One</s><s>two</s></p><p>Three</p> Four")
    assert [(each.text, each.after) for each in found] == [
        ("One", "sentence"), ("two", "paragraph"), ("Three", "paragraph"), ("Four", "paragraph"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tag", "seconds"),
    [
        ("<break time='500ms'/>", 0.5), ("<break time='1.25s'/>", 1.25),
        ("<break time='+0.5s'></break>", 0.5),
        ("<break strength='none'/>", 0.0), ("<break/>", 0.3), ("<break time='1s'/> <break time='1s'/>", 2.0),
        ("<break time='40s'/><break time='50s'/>", 60.0),
    ],
)  # fmt: skip
def test_breaks_divide_a_sentence_that_sounds_as_if_it_goes_on(tag: str, seconds: float) -> None:
    first, second = readings(f"Hello {tag} there.")
    assert (first.text, first.pause, second.pause) == ("Hello", seconds, None)
    assert first.phonemes.endswith(",") and len(first.owners) == len(first.phonemes)


def test_a_break_takes_the_place_of_the_pause_between_sentences() -> None:
    first, second = readings("One.<break time='2s'/> Two.")
    assert (first.pause, first.phonemes[-1], second.text) == (2.0, ".", "Two.")


def test_breaks_at_either_end_are_silences_of_their_own() -> None:
    first, second = readings("<break time='1s'/>One.<break time='2s'/>")
    assert first == Break(1.0) and (second.text, second.pause) == ("One.", 2.0)
    assert readings("<break time='1s'/>…<break time='2s'/>") == [
        Break(1.0), SoundlessSentence("…", after="paragraph"), Break(2.0),
    ]  # fmt: skip


def test_prosody_adds_up_inwards() -> None:
    found = styles(
        "Go <prosody rate='80%' pitch='+2st'>on <prosody rate='50%' volume='+6dB'>now</prosody></prosody>"
    )
    assert found == {"Go": Style(), "on": Style(0.8, 2.0, 0.0), "now": Style(0.4, 2.0, 6.0)}


@pytest.mark.parametrize(
    ("attribute", "style"),
    [
        ("rate='slow'", Style(0.75)), ("rate='+20%'", Style(1.2)), ("rate='1.5'", Style(1.5)),
        ("pitch='high'", Style(1.0, 3.0)), ("pitch='-100%'", Style(1.0, -12.0)),
        ("pitch='+100%'", Style(1.0, 12.0)),
        ("volume='50'", Style(1.0, 0.0, -6.02)), ("volume='-3.5dB'", Style(1.0, 0.0, -3.5)),
        ("volume='loud'", Style(1.0, 0.0, 4.0)), ("volume='silent'", Style(1.0, 0.0, -96.0)),
    ],
)  # fmt: skip
def test_prosody_takes_words_numbers_and_percentages(attribute: str, style: Style) -> None:
    found = styles(f"<prosody {attribute}>Now</prosody>")["Now"]
    assert (found.pace, found.pitch, found.energy) == pytest.approx(
        (style.pace, style.pitch, style.energy), abs=0.01
    )


def test_emphasis_falls_on_its_word_alone() -> None:
    found = styles("I said <emphasis level='strong'>this</emphasis>, not that.")
    assert found["this,"] == LEVELS["strong"]
    assert {found[word] for word in ("I", "said", "not", "that.")} == {Style()}


def test_what_is_said_for_several_sentences_is_said_once() -> None:
    found = readings("<sub alias='maybe'>Who knows? They say so.</sub> Yes.")
    assert [each.phonemes for each in found if isinstance(each, SpokenSentence)] == [
        next(read_aloud("Maybe", ENGLISH)).phonemes, next(read_aloud("Yes.", ENGLISH)).phonemes,
    ]  # fmt: skip


def test_words_are_shown_as_written_and_said_as_asked() -> None:
    (sub,) = readings("The <sub alias='World Wide Web Consortium'>W3C</sub> met.")
    assert [word.text for word in sub.words] == ["The", "W3C", "met."]
    assert sub.phonemes == next(read_aloud("The World Wide Web Consortium met.", ENGLISH)).phonemes
    (ipa,) = readings("A <phoneme ph='təˈmɑtoʊ'>tomato</phoneme>.")
    (cmu,) = readings("A <phoneme alphabet='cmu' ph='T AH0 M AA1 T OW0'>tomato</phoneme>.")
    assert "təmˈɑtO" in ipa.phonemes and "təmˈɑTO" in cmu.phonemes and ipa.words[1].text == "tomato."


@pytest.mark.parametrize(
    ("text", "kind", "form", "words"),
    [
        ("B2-b", "characters", "", "B two dash B"), ("a.b", "spell-out", "", "A dot B"),
        ("1,024", "digits", "", "one zero two four"), ("-12", "cardinal", "", "minus twelve"),
        ("3rd", "ordinal", "", "third"), ("21", "ordinal", "", "twenty-first"),
        ("+1 555-0123", "telephone", "", "plus one, five five five, zero one two three"),
        ("5/3/2024", "date", "dmy", "March 5, 2024"), ("5/3", "date", "md", "May 3"),
        ("2024-03", "date", "ym", "March 2024"), ("5/30", "date", "dm", None), ("7:30", "time", "", None),
        ("many", "cardinal", "", None),
    ],
)  # fmt: skip
def test_say_as(text: str, kind: str, form: str, words: str | None) -> None:
    assert words_for(text, kind, form) == words


def test_marks_stand_before_the_word_that_follows_them() -> None:
    text = "<mark name='a'/>One <mark name='b'/>two. <mark name='c'/>Three.<mark name='d'/>"
    first, second = readings(text)
    assert first.marks == (("a", 0), ("b", 1)) and second.marks == (("c", 0), ("d", 1))


def test_marks_beside_breaks_and_without_words_are_kept() -> None:
    *found, last = readings("One<mark name='a'/><break/><mark name='b'/>two.<break/><mark name='c'/>")
    assert [each.marks for each in found] == [(("a", 1),), (("b", 0),)] and last == Bookmarks(("c",))
    assert readings("… <mark name='a'/>")[-1] == Bookmarks(("a",))
    assert readings("<mark name='a'/><break time='1s'/>")[:2] == [Bookmarks(("a",)), Break(1.0)]


def test_voices_change_where_they_are_named() -> None:
    found = readings("One. <voice name='kathleen'>Two <voice name='heart'>three</voice></voice> four.")
    assert [(each.text, each.voice) for each in found] == [
        ("One.", ""), ("Two", "kathleen"), ("three", "heart"), ("four.", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "spoken", "problem"),
    [
        ("a <foo bar='b'>c</foo> d", "a c d", "<foo> is not supported"),
        ("a <audio src='x.mp3'>c</audio>", "a c", "<audio> is not supported"),
        ("a <metadata>x <p>y</p></metadata>d", "a d", "nothing in it is spoken"),
        ("a <sub alias='x'>b <emphasis>c</emphasis></sub>", "a b c", "<emphasis> inside of <sub> is ignored"),
        ("<prosody contour='(0%,+2st)'>a</prosody>", "a", 'contour="(0%,+2st)"> is not supported'),
        ("<prosody rate='9'>a</prosody>", "a", "out of reach"),
        ("<emphasis level='huge'>a</emphasis>", "a", "taken as moderate"),
        ("<say-as interpret-as='song'>a</say-as>", "a", '"song"> is not supported'),
        ("<voice gender='male'>a</voice>", "a", "<voice> without a name"),
        ("a<speak>b</speak>", "ab", "<speak> is not supported"),
    ],
)
def test_what_is_not_understood_is_reported_and_never_spoken(content: str, spoken: str, problem: str) -> None:
    markup = parse(as_ssml(content), ENGLISH)
    assert problem in "; ".join(markup.problems) and markup.problems[0].startswith("line 1: ")
    assert " ".join("".join(passage.text for passage in markup.passages).split()) == spoken


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("<speak>a<b></speak>", "malformed in line 1, column 14: mismatched tag"),
        ("<speak>a\n&nbsp;</speak>", "malformed in line 2, column 1: undefined entity"),
        ("<speak>a", "malformed in line 1, column 9: no element found"),
        ("<speak>a</speak>b", "junk after document element"),
        ("<speak>\x00</speak>", "malformed"),
        ("<!DOCTYPE speak [<!ENTITY a 'b'>]><speak>&a;</speak>", "line 1: a document type or entity"),
        ("<!DOCTYPE speak SYSTEM 'file:///etc/passwd'><speak/>", "a document type"),
        ("<speak>" + "<p>" * 200 + "</p>" * 200 + "</speak>", "more than 100 tags"),
        ("<speak><break time='5'/></speak>", '<break time="5"> is no pause'),
        ("<speak><break time='61s'/></speak>", "up to 60s"),
        ("<speak><break strength='huge'/></speak>", "strength none, x-weak"),
        ("<speak><phoneme>a</phoneme></speak>", '<phoneme> needs ph="…"'),
        ("<speak>\n<phoneme ph='9'>a</phoneme></speak>", "line 2: 9 in '9' is no sound"),
        ("<speak><phoneme alphabet='x-sampa' ph='a'>a</phoneme></speak>", "it can be ipa or cmu"),
        ("<speak><mark/></speak>", "<mark> needs name"),
        (f"<speak><sub alias='{'a ' * 300}'>a</sub></speak>", "more than 400 characters"),
        (f"<speak><phoneme ph='{'la' * 200}'>a</phoneme></speak>", "more than 300 characters of IPA"),
    ],
)
def test_what_is_broken_is_refused_with_its_place(document: str, complaint: str) -> None:
    with pytest.raises(TextError) as error:
        parse(document, ENGLISH)
    assert complaint in str(error.value)


def test_entities_that_grow_without_bound_are_never_expanded() -> None:
    levels = "".join(f"<!ENTITY e{i} '{f'&e{i - 1};' * 10}'>" for i in range(1, 12))
    with pytest.raises(TextError, match="document type"):
        parse(f"<!DOCTYPE speak [<!ENTITY e0 'lol'>{levels}]><speak>&e11;</speak>", ENGLISH)


def test_styles_are_as_long_as_the_phonemes_however_a_text_is_cut() -> None:
    long = "one two, three four " * 60
    for reading in readings(f"<prosody rate='slow'>{long}</prosody> and {long} <emphasis>5.5 GB</emphasis>"):
        count = len(reading.phonemes)
        assert len(reading.styles) in (0, count) and len(reading.owners) == count
