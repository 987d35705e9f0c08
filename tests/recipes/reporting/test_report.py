import base64
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from recipes.reporting.report import (
    Hypothesis,
    Paragraph,
    Picture,
    Report,
    Section,
    Sound,
    Table,
    Utterance,
    facts,
    page,
    sound,
    with_interval,
    write_report,
)
from voice import audio
from voice.types import Audio

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; background: url(https://example.org)",
    "</style><style>@import url(//example.org)",
    "\x00\x1b[31m\u202e reversed \ud800",
    "&lt;b&gt; &amp; &#x3c;",
    "]]><![CDATA[",
    "javascript:alert(1)",
]


class Tags(HTMLParser):
    """The elements of a page with their attributes, and whether they close in order."""

    def __init__(self, text):
        super().__init__()
        self.seen, self.open, self.texts = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def whole(text, data=b"x"):
    utterance = Utterance(
        text, (Hypothesis(text, text), Hypothesis(text, text, "right " + text)), (Sound(data, text, text),)
    )
    parts = (Paragraph(text), Table((text, text), ((text, text),), text), Picture(data, text), utterance)
    return Report(text, text, (Section(text, parts),))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_add_no_element_and_no_attribute(text):
    tame, hostile = Tags(page(whole("plain"))), Tags(page(whole(text)))
    assert {tag for tag, _ in hostile.seen} - {"del", "mark"} <= {tag for tag, _ in tame.seen}
    assert not hostile.open
    for tag, attributes in hostile.seen:
        assert not any(name.startswith("on") for name in attributes)
        if tag in ("img", "audio"):
            assert attributes["src"].startswith("data:")
    page(whole(text)).encode("utf-8")


def test_nothing_is_loaded_from_elsewhere():
    text = page(whole("plain"))
    assert not re.search(r"<(script|link|iframe|object|form)\b", text)
    assert "default-src 'none'" in text
    assert not re.search(r"""(src|href)=["'](?!data:)""", text)


def test_a_text_is_as_long_as_it_may_be():
    assert len(page(Report("a" * 1_000_000, "", ()))) < 20_000


def test_wrong_words_are_marked_and_missing_ones_struck_out():
    text = page(
        Report("t", "", (Section("s", (Utterance("u", (Hypothesis("after", "Set a time, please.",
                                                               "set a timer now please"),)),)),))
    )  # fmt: skip
    assert "<del><bdi>timer</bdi></del> <mark><bdi>time,</bdi></mark> <del><bdi>now</bdi></del>" in text
    assert "<mark><bdi>Set" not in text and "<mark><bdi>please" not in text


def test_a_sound_can_be_heard_again(tmp_path):
    heard = Audio(np.sin(np.arange(48_000) / 10).astype(np.float32) / 2, 24_000)
    text = page(Report("t", "", (Section("s", (sound(heard, "tone"),)),)))
    found = re.search(r'src="data:audio/mpeg;base64,([^"]+)"', text)
    (tmp_path / "again.mp3").write_bytes(base64.b64decode(found[1]))
    again = audio.read(tmp_path / "again.mp3")
    assert again.duration == pytest.approx(2.0, abs=0.1)
    assert np.abs(again.samples).max() == pytest.approx(0.5, abs=0.1)


def test_long_sounds_are_cut():
    assert len(sound(Audio(np.zeros(60 * 16_000, np.float32), 16_000)).data) < 300_000


def test_a_report_is_there_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "report.html"
    assert write_report(path, whole("plain")).read_text("utf-8").endswith("</html>\n")
    with pytest.raises(AttributeError):
        write_report(path, None)
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]


def test_figures_have_their_interval():
    assert with_interval(0.063, 0.041, 0.088) == "6.3 % (4.1–8.8)"
    assert with_interval(4.1, 3.94, 4.32, ".2f") == "4.10 (3.94–4.32)"


def test_facts_read_like_words_and_not_like_code() -> None:
    table = facts({"splits": {"train": 53, "dev": 3}, "steps_of_sounds": 439, "base": ["quick", "heart"]})
    assert table.rows == [("splits", "train 53, dev 3"), ("steps of sounds", "439"), ("base", "quick, heart")]
