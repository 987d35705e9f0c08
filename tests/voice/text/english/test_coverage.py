"""What a voice cannot read of a text, and how the person is told."""

from __future__ import annotations

import json
import random
import time

import pytest

from voice.errors import TextError
from voice.text.detection import foreign_language
from voice.text.english.coverage import reading_notes, unspeakable
from voice.text.english.language import ENGLISH
from voice.text.frontend import read_aloud
from voice.text.lexicon import parse_lexicon


def test_what_has_no_reading_is_named_as_written_each_part_once():
    assert unspeakable("Hello 你好 there, 你好 again. สวัสดี!") == ["你好", "สวัสดี"]
    assert unspeakable("It was 7:30 on May 3rd; naïve café, 50 % off 👍 — “so” (what)?") == []


def test_what_the_lexicon_or_markup_gives_a_sound_to_can_be_spoken():
    assert unspeakable("Say 你好.", parse_lexicon("你好 = knee how")) == []
    assert unspeakable('<speak>Say <sub alias="knee how">你好</sub> and 世界.</speak>') == ["世界"]
    with pytest.raises(TextError):
        unspeakable("<speak>你好</sub></speak>")


def test_what_is_named_is_what_the_voice_leaves_out():
    draw = random.Random(0)
    words = "Hello there, 你好 world. مرحبا 42 (so) हिन्दी! π € x² 한국어 Привет … 100kg".split()
    for _ in range(40):
        text = " ".join(draw.choices(words, k=12))
        left_out = [part for reading in read_aloud(text, ENGLISH) for part in reading.unread]
        assert unspeakable(text) == list(dict.fromkeys(left_out))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hello 你好 there", ["Not read aloud, because this voice has no sound for it: 你好."]),
        ("Привет my friend", ["Read letter by letter in English sounds: Привет."]),
        ("A circle has πr², α and Ω.", []),
        ("Guten Morgen. Heute ist es schön in Wien.", ["looks German"]),
        ("Bonjour, comment allez-vous ?", ["looks French"]),
        ("Die Hard was on in Los Angeles, en route to El Paso.", []),
    ],
)
def test_the_person_is_told_in_whole_sentences(text: str, said: list[str]):
    notes = reading_notes(text)
    assert len(notes) == len(said) and all(part in note for part, note in zip(said, notes, strict=True))
    assert all(note[0].isupper() and note.endswith(".") for note in notes)


def test_a_long_list_of_parts_is_cut_short():
    (note,) = reading_notes(" a ".join(["你" * 100, "好", "世", "界", "東", "京", "大"]))
    assert note.endswith("東 and others.") and len(note) < 150 and "你…" in note


def test_a_long_text_is_looked_through_long_before_it_is_spoken() -> None:
    begun = time.process_time()
    reading_notes("It was 7:30 on May 3rd, and “21” people saw Dr. Smith pay $3.50 for it, naïvely. " * 1200)
    reading_notes("你好 hello. " * 10000)
    assert time.process_time() - begun < 2.5  # putting all of it into words takes six times as long


def test_no_english_prompt_of_the_corpora_looks_foreign(corpora):
    lines = [line for name in ("kathleen", "speechocean762") for line in open(corpora / name / "test.jsonl")]
    texts = [json.loads(line)["text"] for line in lines]
    assert len(texts) > 150 and not [text for text in texts if foreign_language(text)]
