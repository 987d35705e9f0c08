"""Which Italian words are stressed, or have open vowels, otherwise than their spelling suggests.

    pip download --no-deps gruut-lang-it==2.0.1      # MIT; unpack it
    python -m recipes.lexicons.italian --source gruut_lang_it-2.0.1/gruut_lang_it

The source has 29,388 words with their phonemes in `espeak/lexicon.db`. Of each only the stressed vowel, its
openness and the voice of z are kept, and only where `voice/text/italian/marks.py` would not find them by
itself.
"""

from __future__ import annotations

import argparse
import re
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from voice.metrics import edit_distance
from voice.text.italian.marks import find_marks, frequent_marks, without_marks
from voice.text.italian.sounds import phonemes_of

PLACE = Path(__file__).parents[2] / "voice" / "text" / "italian" / "lexicon.txt"
MOST_EDITS = 1  # phonemes; a word that no mark explains better is left out
_MARKS_OF = {"a": "à", "e": "èé", "i": "ì", "o": "òó", "u": "ù"}
_JOINED = {"t ʃ": "ʧ", "d ʒ": "ʤ", "t s": "ʦ", "d z": "ʣ", "s s": "S"}


def read_source(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield words in plain letters and their phonemes, with the primary stress alone."""
    with sqlite3.connect(folder / "espeak" / "lexicon.db") as database:
        for word, said in database.execute("select word, phonemes from word_phonemes where pron_order = 0"):
            for parts, one in _JOINED.items():
                said = said.replace(parts, one)
            said = said.replace(" ", "").replace("ˌ", "")
            if re.fullmatch("[a-z]{3,}", word) and "ˈ" in said:
                yield word, said


def ways_to_mark(word: str) -> Iterator[str]:
    """Yield a word with each vowel marked, and with its z voiced or not."""
    for spelled in sorted({word, word.replace("z", "ṡ")}):
        for place, letter in enumerate(spelled):
            for marked in _MARKS_OF.get(letter, ""):
                yield spelled[:place] + marked + spelled[place + 1 :]


def lexicon_of(source: Iterator[tuple[str, str]]) -> list[str]:
    """Return the marked words that the rules and the frequent words do not give."""
    own = frequent_marks()
    wanted = dict[str, str]()
    for word, said in source:
        tried = [(edit_distance(said, phonemes_of(way)), way) for way in ways_to_mark(word)]
        edits, best = min(tried, default=(MOST_EDITS + 1, ""))
        if edits <= MOST_EDITS and find_marks(word, own) != best:
            wanted[word] = best
    return sorted(_without_forms(wanted, own).values())


def _without_forms(wanted: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Return the words that none before them speaks for, as "tàvolo" does for "tàvoli"."""
    known, kept = dict(own), dict[str, str]()
    for word in sorted(wanted):
        if word not in own and find_marks(word, known) != wanted[word]:
            known[word] = kept[word] = wanted[word]
    return kept


def main() -> None:
    """Write the lexicon."""
    parser = argparse.ArgumentParser(description="stresses of Italian words")
    parser.add_argument("--source", type=Path, required=True, help="folder of gruut-lang-it")
    options = parser.parse_args()
    words = lexicon_of(read_source(options.source))
    assert all(without_marks(word).isalpha() for word in words)
    PLACE.write_text("\n".join(words) + "\n", "utf-8")
    print(f"{PLACE}: {len(words)} words")


if __name__ == "__main__":
    main()
