"""How far the phonemes of each language are from those of espeak-ng, on frequent words and on sentences.

    python -m benchmarks.text.phonemes [--language it] [--words 2000] [--skip 2000] [--wrong 20]

Needs the program espeak-ng and the package wordfreq, of which only this benchmark makes use. Frequent words
are the first of wordfreq's list that are letters alone; sentences are those of `sentences/`, read in words.
Phonemes and stress marks count one each; spaces and punctuation do not count.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from voice.metrics import Score, edit_distance, interval, total
from voice.text.language import Language
from voice.text.registry import find_language, language_cards

SENTENCES = Path(__file__).parent / "sentences"
ESPEAK_NAMES = {"en-GB": "en-gb-x-rp", "es": "es", "fr": "fr-fr", "it": "it", "pt": "pt-br"}
ACCENTS = {"en-GB": "British"}
# What Kokoro's alphabet has one character for; espeak-ng ties the parts together with "^".
_TIED = {
    "a^ɪ": "I", "a^ʊ": "W", "d^z": "ʣ", "d^ʒ": "ʤ", "e^ɪ": "A", "o^ʊ": "O", "ə^ʊ": "Q", "s^s": "S",
    "t^s": "ʦ", "t^ʃ": "ʧ", "ɔ^ɪ": "Y",
}  # fmt: skip
# What two ways of writing one British accent have: centring diphthongs, weak vowels, the "i" of "happy".
_SAME_SOUNDS = (("eə", "ɛː"), ("iə", "ɪə"), ("ɐ", "ə"), ("ᵊ", "ə"), ("æ", "a"), (r"(?<![ˈˌ])i(?!ː)", "ɪ"))
_UNCOUNTED = re.compile(r"[\s\W]")


@dataclass(frozen=True)
class Comparison:
    """A word or sentence, its phonemes by espeak-ng and by the front end, and how they differ."""

    written: str
    wanted: str
    found: str

    @property
    def score(self) -> Score:
        """Return the edits between both, of the phonemes that are wanted."""
        return Score(edit_distance(self.wanted, self.found), len(self.wanted))


def frequent_words(code: str, count: int, skip: int = 0) -> list[str]:
    """Return frequent words of a language that are letters alone and longer than one, after `skip` others."""
    from wordfreq import top_n_list

    words = (word for word in top_n_list(code[:2], 3 * (skip + count)) if word.isalpha() and len(word) > 1)
    return [*islice(words, skip, skip + count)]


def sentences(code: str) -> list[str]:
    """Return the sentences of a language."""
    return (SENTENCES / f"{code}.txt").read_text("utf-8").splitlines()


def kokoro_phonemes(text: str, code: str) -> str:
    """Return what espeak-ng says of a text, in the alphabet that Kokoro's voices were trained on."""
    command = ["espeak-ng", "-v", ESPEAK_NAMES[code], "-q", "--ipa", "--tie=^", "--", text]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    said = re.sub(r"\([a-z-]+\)", "", said)  # where it changes to another language for a word
    for parts, one in _TIED.items():
        said = said.replace(parts, one)
    return fold(said.replace("^", ""))


def fold(phonemes: str) -> str:
    """Return phonemes and stress marks without spaces, hyphens and punctuation."""
    return "".join(char for char in phonemes if char in "ˈˌː\u0303" or not _UNCOUNTED.match(char))


def unify(phonemes: str, code: str) -> str:
    """Return English phonemes with one character for what both sides mean by several."""
    for pattern, one in _SAME_SOUNDS if code in ACCENTS else ():
        phonemes = re.sub(pattern, one, phonemes)
    return phonemes


def our_phonemes(text: str, language: Language) -> str:
    """Return what the front end says of a text."""
    return fold(" ".join(language.pronounce([chunk.text for chunk in language.normalize(text).chunks])))


def compare(texts: Sequence[str], code: str) -> list[Comparison]:
    """Compare the phonemes of each text; those of English, which both write otherwise, in one writing."""
    language = find_language(code[:2], ACCENTS.get(code, ""))
    with ThreadPoolExecutor(2) as pool:
        wanted = pool.map(lambda text: kokoro_phonemes(text, code), texts)
        return [
            Comparison(text, unify(want, code), unify(our_phonemes(text, language), code))
            for text, want in zip(texts, wanted, strict=True)
        ]


def row(code: str, words: Sequence[Comparison], whole: Sequence[Comparison]) -> str:
    """Return a row of the table."""
    cells = [code]
    for compared in (words, whole):
        scores = [each.score for each in compared]
        low, high = interval(scores)
        cells += [f"{total(scores).rate:.1%} ({low:.1%}–{high:.1%})"]
    same = sum(each.wanted == each.found for each in words)
    return f"| {' | '.join([*cells, f'{same / len(words):.1%}'])} |"


def confusions(compared: Sequence[Comparison]) -> Iterator[str]:
    """Yield the most frequent differences, as "wanted → found" within one phoneme on both sides."""
    from difflib import SequenceMatcher

    counts: Counter[tuple[str, str]] = Counter()
    for each in compared:
        for kind, a, b, c, d in SequenceMatcher(None, each.wanted, each.found, False).get_opcodes():
            if kind != "equal":
                counts[each.wanted[a:b], each.found[c:d]] += 1
    for (wanted, found), count in counts.most_common(25):
        yield f"{count:5} {wanted!r} → {found!r}"


def main() -> None:
    """Print one table, a row a language."""
    parser = argparse.ArgumentParser(description="phonemes against those of espeak-ng")
    known = sorted(code for code in ESPEAK_NAMES if code[:2] in language_cards())
    parser.add_argument("--language", choices=known, action="append")
    parser.add_argument("--words", type=int, default=2000, help="how many frequent words")
    parser.add_argument("--skip", type=int, default=0, help="leave so many more frequent ones out")
    parser.add_argument("--wrong", type=int, default=0, help="print so many differences as well")
    options = parser.parse_args()
    if shutil.which("espeak-ng") is None:
        parser.error("espeak-ng is needed: apt-get install espeak-ng")
    print("| language | words: phoneme errors | sentences | words without any |\n|---|---|---|---|")
    for code in options.language or known:
        words = compare(frequent_words(code, options.words, options.skip), code)
        whole = compare(sentences(code), code)
        print(row(code, words, whole), flush=True)
        if options.wrong:
            print(*confusions([*words, *whole]), sep="\n")
            wrong = [each for each in [*words, *whole] if each.wanted != each.found]
            for each in wrong[: options.wrong] + wrong[-options.wrong // 4 :]:
                print(f"{each.written}: {each.wanted}, not {each.found}")


if __name__ == "__main__":
    main()
