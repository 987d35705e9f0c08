"""The list of written → spoken cases, class by class."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from recipes.asr.aligner import phones
from tests.fakes.spoken_cases import cases_of, letters
from voice.text.english.language import ENGLISH
from voice.text.english.normalization import normalize
from voice.text.frontend import read_aloud

LIST = Path(__file__).parent / "spoken.txt"
VOWELS = frozenset("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split())


def fold_phones(sounds: list[str]) -> str:
    """Phones of CMUdict without what good readers differ in: weak vowels and weak stress."""
    alone = sum(sound.rstrip("012") in VOWELS for sound in sounds) < 2
    out = []
    for sound in sounds:
        bare, stressed = sound.rstrip("012"), sound.endswith("1") and not alone
        if bare in ("IH", "AH", "EH") and not stressed and not alone:
            bare = "AH"
        out.append(bare + "1" * stressed)
    return re.sub(r"AH L\b", "L", " ".join(out))


def phones_of(phonemes: str) -> str:
    """The same of ours; of several stresses, as in spelled letters, the last counts."""
    sounds: list[str] = []
    *unstressed, last = phonemes.replace("T", "t").split("ˈ")
    for part in unstressed:
        sounds += phones(part)
    strong = phones(last)
    if unstressed and strong:
        strong[next((i for i, sound in enumerate(strong) if sound in VOWELS), 0)] += "1"
    return fold_phones(sounds + strong)


def pronunciation(written: str) -> str:
    """The phones of the word in brackets, or of everything."""
    marked = re.search(r"\[(.+?)\]", written)
    text = written.replace("[", "").replace("]", "")
    start, end = (marked.start(), marked.end() - 2) if marked else (0, len(text))
    sounds = ""
    for reading in read_aloud(text, ENGLISH):
        for phoneme, owner in zip(reading.phonemes, reading.owners, strict=True):
            if owner >= 0 and reading.words[owner].start < end and reading.words[owner].end > start:
                sounds += phoneme
    return phones_of(sounds)


def wrong(written: str, spoken: tuple[str, ...]) -> str | None:
    """What was said instead, or None if it is right."""
    if spoken[0].startswith("/"):
        heard = pronunciation(written)
        wanted = [expected_phones(each) for each in spoken]
        return None if heard in wanted else heard
    heard = normalize(written).text
    return None if letters(heard) in map(letters, spoken) else heard


def expected_phones(dictionary_phones: str) -> str:
    sounds = dictionary_phones.strip("/").split()
    stresses = [i for i, sound in enumerate(sounds) if sound.endswith("1")]
    return fold_phones([s.rstrip("1") if i in stresses[:-1] else s for i, s in enumerate(sounds)])


@pytest.mark.parametrize("name", list(cases_of(LIST)))
def test_each_class_is_said_as_a_good_reader_says_it(name):
    missed = {written: heard for written, spoken in cases_of(LIST)[name] if (heard := wrong(written, spoken))}
    assert not missed, f"{name}: {missed}"


def test_the_list_is_long_and_each_class_has_twenty_cases():
    assert sum(map(len, cases_of(LIST).values())) >= 400
    assert len(cases_of(LIST)) >= 21 and min(map(len, cases_of(LIST).values())) >= 20
