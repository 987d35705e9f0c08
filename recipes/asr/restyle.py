"""Rewrite transcripts in a recognizer's own way of writing, so that only words differ from what it says.

Transcripts often come in capitals without marks ("FIVE TWO FOUR SEVEN" where Whisper writes "5247."). A
model that is tuned to them has to learn another language of tokens first, and forgets its own. So case,
punctuation and figures are taken over from the recognizer's hypothesis of the same recording, by an alignment
of normalized words. Where the words differ, those of the transcript stay, in the case of their place.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from voice.metrics import normalize
from voice.text.languages import WITHOUT_SPACES

SENTENCE_END = ".?!…。？！।؟"
LONGEST_SPAN = 6  # words that may be written as one figure, or the other way round
OWN_SHARE = 0.5  # of the texts that must be written with capitals or marks for that to be their style
OWN_FIGURES = 0.02  # of the texts that must hold figures


@dataclass(frozen=True)
class Style:
    """What transcripts write themselves, and keep: `case`, punctuation `marks`, `figures`."""

    case: bool
    marks: bool
    figures: bool

    @property
    def is_complete(self) -> bool:
        """Tell whether nothing is to be taken over."""
        return self.case and self.marks and self.figures


@dataclass(frozen=True)
class Conventions:
    """How a recognizer writes: the usual `forms` of words inside of a sentence, by key, and the `ending` of
    a text."""

    forms: Mapping[str, str]
    ending: str


@dataclass(frozen=True)
class Restyled:
    """A transcript as the recognizer would write it, and the share of its words that the hypothesis has."""

    text: str
    agreement: float


@dataclass(frozen=True)
class _Pair:
    """Words of the transcript and those of the hypothesis at the same place; `same` if they say the same."""

    words: tuple[str, ...]
    heard: tuple[str, ...]
    same: bool


def style_of(texts: Sequence[str]) -> Style:
    """Return what transcripts write themselves, by what most of them do."""
    cased = [text for text in texts if any(letter.lower() != letter.upper() for letter in text)]
    mixed = sum(text != text.upper() and text != text.lower() for text in cased)
    marked = sum(any(_is_mark(letter) for letter in text) for text in texts)
    figured = sum(any(letter.isdigit() for letter in text) for text in texts)
    count = max(1, len(texts))
    return Style(
        case=mixed >= OWN_SHARE * len(cased),
        marks=marked >= OWN_SHARE * count,
        figures=figured > OWN_FIGURES * count,
    )


def conventions_of(hypotheses: Iterable[str]) -> Conventions:
    """Return how a recognizer writes words inside of sentences, and how it ends a text."""
    forms: dict[str, Counter[str]] = {}
    endings: Counter[str] = Counter()
    for text in hypotheses:
        words = text.split()
        for before, word in zip(words, words[1:], strict=False):
            if before[-1] not in SENTENCE_END:
                core = _parts(word)[1]
                forms.setdefault(key(core), Counter())[core] += 1
        if words:
            last = words[-1][-1]
            endings[last if last in SENTENCE_END else ""] += 1
    usual = {name: counts.most_common(1)[0][0] for name, counts in forms.items() if name}
    return Conventions(usual, endings.most_common(1)[0][0] if endings else "")


def restyle(text: str, hypothesis: str, style: Style, how: Conventions, language: str = "en") -> Restyled:
    """Return a transcript with what its `style` lacks taken from the hypothesis of the same recording."""
    pairs = _align(_split(text, language), _split(hypothesis, language), language)
    said = [pair for pair in pairs if pair.words]
    matched = sum(len(pair.words) for pair in said if pair.same)
    agreement = matched / max(1, sum(len(pair.words) for pair in said))
    if style.is_complete or not said:
        return Restyled(text, agreement)
    written = [_write_pair(pair, style, how, language) for pair in said]
    if not style.marks:
        written = _with_ending(written, said, hypothesis, how)
    if not style.case:
        written = _with_sentence_case(written, said, how)
    joint = "" if language in WITHOUT_SPACES else " "
    return Restyled(joint.join(word for words in written for word in words), agreement)


def key(word: str) -> str:
    """Return what makes two written words the same: letters and digits, whatever their case."""
    folded = unicodedata.normalize("NFKC", word).casefold()
    return "".join(letter for letter in folded if letter.isalnum() or unicodedata.category(letter)[0] == "M")


def _is_mark(letter: str) -> bool:
    """Tell whether a letter is punctuation that ends or parts sentences; an apostrophe is part of a word."""
    return unicodedata.category(letter) == "Po" and letter not in "'’"


def _split(text: str, language: str) -> list[str]:
    """Return the words of a text, or its characters with the marks after them where there are no spaces."""
    words = text.split()
    if language in WITHOUT_SPACES:
        words = [letter for word in words for letter in word]
    joined: list[str] = []
    for word in words:
        if joined and not key(word):
            joined[-1] += word  # a mark that stands alone belongs to the word before it
        else:
            joined.append(word)
    return joined


def _parts(word: str) -> tuple[str, str, str]:
    """Return the marks before a word, the word itself, and the marks after it."""
    places = [place for place, letter in enumerate(word) if key(letter)]
    if not places:
        return "", word, ""
    return word[: places[0]], word[places[0] : places[-1] + 1], word[places[-1] + 1 :]


def _align(words: Sequence[str], heard: Sequence[str], language: str) -> list[_Pair]:
    """Pair the words of a transcript with those of a hypothesis, in order."""
    from rapidfuzz.distance import Levenshtein

    keys, theirs = [key(word) for word in words], [key(word) for word in heard]
    pairs: list[_Pair] = []
    region = [0, 0, 0, 0]  # the words that differ since the last ones that are equal

    def close() -> None:
        pairs.extend(_pair_differing(words[region[0] : region[1]], heard[region[2] : region[3]], language))

    for code in Levenshtein.opcodes(keys, theirs):
        if code.tag == "equal":
            close()
            both = words[code.src_start : code.src_end], heard[code.dest_start : code.dest_end]
            pairs += [_Pair((word,), (other,), True) for word, other in zip(*both, strict=True)]
            region = [code.src_end, code.src_end, code.dest_end, code.dest_end]
        else:
            region[1], region[3] = code.src_end, code.dest_end
    close()
    return pairs


def _pair_differing(words: Sequence[str], heard: Sequence[str], language: str) -> list[_Pair]:
    """Pair words that differ as written: spans that say the same ("five two", "52"), then one by one."""
    rows, columns = len(words), len(heard)
    best: dict[tuple[int, int], tuple[float, _Pair | None]] = {(rows, columns): (0.0, None)}
    for i in range(rows, -1, -1):
        for j in range(columns, -1, -1):
            if (i, j) != (rows, columns):
                steps = _steps(words[i:], heard[j:], language)
                best[i, j] = min(
                    ((cost + best[i + len(p.words), j + len(p.heard)][0], p) for cost, p in steps),
                    key=lambda step: step[0],
                )
    pairs, place = [], (0, 0)
    while (pair := best[place][1]) is not None:
        pairs.append(pair)
        place = place[0] + len(pair.words), place[1] + len(pair.heard)
    return pairs


def _steps(words: Sequence[str], heard: Sequence[str], language: str) -> list[tuple[float, _Pair]]:
    """Return what may come next of two rests, with its cost."""
    steps: list[tuple[float, _Pair]] = []
    for m in range(1, min(LONGEST_SPAN, len(words)) + 1):
        for n in range(1, min(LONGEST_SPAN, len(heard)) + 1):
            if say_the_same(" ".join(words[:m]), " ".join(heard[:n]), language):
                steps.append((0.01 * (m + n), _Pair(tuple(words[:m]), tuple(heard[:n]), True)))
    if words and heard:
        steps.append((1.0, _Pair((words[0],), (heard[0],), False)))
    if words:
        steps.append((1.0, _Pair((words[0],), (), False)))
    if heard:
        steps.append((1.0, _Pair((), (heard[0],), False)))
    return steps


def say_the_same(text: str, other: str, language: str) -> bool:
    """Tell whether two texts are the same once normalized, spaces aside ("ice cream", "icecream", "52")."""
    if key(text) == key(other):
        return bool(key(text))
    mine = normalize(text, language).replace(" ", "")
    return bool(mine) and mine == normalize(other, language).replace(" ", "")


def _write_pair(pair: _Pair, style: Style, how: Conventions, language: str) -> list[str]:
    """Return the words of a pair as they are to be written, without regard to where sentences begin."""
    spans = pair.same and [key(word) for word in pair.words] != [key(word) for word in pair.heard]
    if spans:
        figures = any(letter.isdigit() for letter in "".join((*pair.words, *pair.heard)))
        keeps = style.figures if figures else style.case
        if not keeps:
            return list(pair.heard)
    ours = [_parts(word) for word in pair.words]
    theirs = _parts(pair.heard[-1]) if pair.heard else ("", "", "")
    written = []
    for place, (before, core, after) in enumerate(ours):
        last = place == len(ours) - 1
        if not style.marks:
            before, after = (theirs[0] if place == 0 else ""), (theirs[2] if last else "")
        if not style.case:
            core = theirs[1] if pair.same and not spans else _with_case(core, theirs[1], how, language)
        written.append(before + core + after)
    return written


def _with_case(word: str, heard: str, how: Conventions, language: str) -> str:
    """Return a word that the hypothesis does not have as the recognizer would write it inside a sentence."""
    usual = how.forms.get(key(word))
    if usual is not None:
        return usual
    low = word.lower()
    if language == "en" and (low == "i" or low.startswith(("i'", "i’"))):
        return capitalize(low)
    is_name = heard[:1].isupper() and how.forms.get(key(heard), heard)[:1].isupper() and key(heard) != "i"
    return capitalize(low) if is_name else low


def _with_ending(
    written: list[list[str]], pairs: Sequence[_Pair], hypothesis: str, how: Conventions
) -> list[list[str]]:
    """Let the text end as the hypothesis does, or as is usual if that is empty, and not before its end."""
    heard = hypothesis.split()
    ending = _parts(heard[-1])[2] if heard else how.ending
    for words, pair in zip(written[:-1], pairs[:-1], strict=True):
        if pair.heard and heard and pair.heard[-1] == heard[-1]:
            words[-1] = words[-1].rstrip(SENTENCE_END)
    last = written[-1][-1]
    if ending and not _parts(last)[2].endswith(ending):
        before, core, _ = _parts(last)
        written[-1][-1] = before + core + ending
    return written


def _with_sentence_case(
    written: list[list[str]], pairs: Sequence[_Pair], how: Conventions
) -> list[list[str]]:
    """Begin sentences with capitals; what was only capital at the hypothesis's own beginning is not."""
    starts, heard_starts = True, True
    for words, pair in zip(written, pairs, strict=True):
        for place, word in enumerate(words):
            before, core, after = _parts(word)
            if starts:
                core = capitalize(core)
            elif place == 0 and heard_starts and pair.same:
                core = how.forms.get(key(core), core if core.isupper() else core[:1].lower() + core[1:])
            words[place] = before + core + after
            starts = bool(after) and after[-1] in SENTENCE_END
        if pair.heard:
            heard_starts = pair.heard[-1][-1] in SENTENCE_END
    return written


def capitalize(word: str) -> str:
    """Return a word or a sentence with its first letter as a capital."""
    return word[:1].upper() + word[1:]
