"""The examples of docs/speaking.md are what it says they are."""

from __future__ import annotations

import re
from pathlib import Path

from voice.text.english.language import ENGLISH
from voice.text.lexicon import parse_lexicon
from voice.text.markup import parse
from voice.text.passages import read_passages
from voice.types import RANGES, Pronunciation

PAGE = Path(__file__).resolve().parents[2] / "docs" / "speaking.md"


def block(language: str) -> str:
    return re.search(rf"^```{language}\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)[1]


def test_its_document_is_understood_whole() -> None:
    markup = parse(block("xml"), ENGLISH)
    assert markup.problems == () and {passage.voice for passage in markup.passages} == {"", "kathleen"}
    assert [name for each in read_passages(markup.passages, ENGLISH) for name, _ in each.marks] == ["end"]


def test_its_lexicon_is_one() -> None:
    assert parse_lexicon(block("")) == {
        "Nguyen": Pronunciation(phonemes="wˈɪn"), "Siobhan": Pronunciation(phonemes="ʃɪvˈɔn"),
        "sql": Pronunciation(words="sequel"),
    }  # fmt: skip


def test_it_names_every_control() -> None:
    text = PAGE.read_text("utf-8")
    assert all(f"`{name}`" in text for name in RANGES)
