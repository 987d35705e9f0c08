"""Rewrite transcripts in a recognizer's own way of writing, so that only words differ from what it says.

Transcripts often come in capitals without marks ("FIVE TWO FOUR SEVEN" where Whisper writes "5247."). A
model that is tuned to them has to learn another language of tokens first, and forgets its own. So case,
punctuation and figures are taken over from the recognizer's hypothesis of the same recording, by an alignment
of normalized words. Where the words differ, those of the transcript stay in a plain form: lower case but for
names, no marks, a full stop at the end. Figures are digits where the normalizer reads them as the transcript
("2891"; "2, 8, 9, 1" counts as four words), and words otherwise.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recipes.word_pairs import Pair, align, key
from voice.metrics import normalize
from voice.text.languages import WITHOUT_SPACES

SENTENCE_END = ".?!…。？！।؟"
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
    """Return a transcript with what its `style` lacks taken from the hypothesis of the same recording.

    Each line of the transcript begins and ends a sentence: they are recordings that were joined.
    """
    lines = [_split(line, language) for line in text.split("\n")]
    if not style.figures:
        lines = [_with_figures(line, language) for line in lines]
    words = [word for line in lines for word in line]
    pairs = align(words, _split(hypothesis, language), language)
    said = [place for place, pair in enumerate(pairs) if pair.words]
    matched = sum(len(pairs[place].words) for place in said if pairs[place].same)
    agreement = matched / max(1, len(words))
    if style.is_complete or not said:
        return Restyled(" ".join(text.split("\n")), agreement)
    ends = _line_ends(lines, [pairs[place] for place in said])
    written = [_write_pair(pairs[place], style, how, language, _starts(pairs, place)) for place in said]
    if not style.marks:
        written = [
            _with_marks(own, place, pairs, how, is_end=number in ends)
            for number, (own, place) in enumerate(zip(written, said, strict=True))
        ]
    if not style.case:
        written = _with_sentence_case(written, [pairs[place] for place in said], ends, how)
    joint = "" if language in WITHOUT_SPACES else " "
    return Restyled(joint.join(word for own in written for word in own), agreement)


def _with_figures(words: Sequence[str], language: str) -> list[str]:
    """Return words with runs of spoken digits as one figure, where that is read as the same number.

    Other runs become one word with spaces, for they are written in one way or not at all.
    """
    found: list[str] = []
    run: list[str] = []

    def close() -> None:
        number = normalize(" ".join(run), language)
        is_stable = number.isdigit() and normalize(number, language) == number
        if run:
            found.append(number if len(run) > 1 and is_stable else " ".join(run))
        run.clear()

    for word in words:
        # Twice, as the normalizer leaves a single "one" as it is.
        if word.isalpha() and normalize(f"{word} {word}", language).isdigit():
            run.append(word)
        else:
            close()
            found.append(word)
    close()
    return found


def _line_ends(lines: Sequence[Sequence[str]], pairs: Sequence[Pair]) -> set[int]:
    """Return the places of the pairs with which lines end; an end inside of a pair is none."""
    ends = set(np.cumsum([len(line) for line in lines]).tolist())
    counts = np.cumsum([len(pair.words) for pair in pairs]).tolist()
    return {place for place, count in enumerate(counts) if count in ends}


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


def _starts(pairs: Sequence[Pair], place: int) -> bool:
    """Tell whether a sentence of the hypothesis begins with a pair."""
    before = next((pair.heard[-1] for pair in reversed(pairs[:place]) if pair.heard), SENTENCE_END)
    return before[-1] in SENTENCE_END


def _write_pair(pair: Pair, style: Style, how: Conventions, language: str, starts: bool) -> list[str]:
    """Return the words of a pair as they are to be written, without regard to where sentences begin.

    They keep the transcript's own marks if it has some, and have none otherwise. Where a sentence of the
    hypothesis `starts`, a capital there tells nothing of a name.
    """
    spans = pair.same and [key(word) for word in pair.words] != [key(word) for word in pair.heard]
    if spans and _may_be_taken(pair, style, language):
        return [*pair.heard[:-1], _parts(pair.heard[-1])[1]] if not style.marks else list(pair.heard)
    theirs = _parts(pair.heard[-1])[1] if pair.heard else ""
    written = []
    for before, core, after in (_parts(word) for word in pair.words):
        if not style.case:
            core = (
                theirs
                if pair.same and not spans
                else _with_case(core, "" if starts else theirs, how, language)
            )
        written.append(before + core + after if style.marks else core)
    return written


def _may_be_taken(pair: Pair, style: Style, language: str) -> bool:
    """Tell whether other words for the same are taken from the hypothesis: not another count of words."""
    mine, theirs = " ".join(pair.words), " ".join(pair.heard)
    keeps = style.figures if any(letter.isdigit() for letter in mine + theirs) else style.case
    return not keeps and normalize(mine, language) == normalize(theirs, language)


def _with_marks(
    written: list[str], place: int, pairs: Sequence[Pair], how: Conventions, *, is_end: bool
) -> list[str]:
    """Return the words of a pair with the marks around it, where the hypothesis is right on both sides."""
    pair = pairs[place]
    before, after = "", how.ending if is_end else ""
    if pair.same:
        heard = _parts(pair.heard[-1])[2]
        is_last = place == len(pairs) - 1
        if is_last or (is_end and heard[-1:] and heard[-1] in SENTENCE_END):
            after = heard
        elif not is_end and pairs[place + 1].same:
            after = heard
        if place == 0 or pairs[place - 1].same:
            before = _parts(pair.heard[0])[0]
    return [*_put_before(written, before)[:-1], _put_before(written, before)[-1] + after]


def _put_before(words: Sequence[str], before: str) -> list[str]:
    """Return words with marks before the first, unless it has them."""
    first = words[0] if words[0].startswith(before) else before + words[0]
    return [first, *words[1:]]


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


def _with_sentence_case(
    written: list[list[str]], pairs: Sequence[Pair], ends: set[int], how: Conventions
) -> list[list[str]]:
    """Begin sentences with capitals; what was only capital at the hypothesis's own beginning is not."""
    starts, heard_starts = True, True
    for number, (words, pair) in enumerate(zip(written, pairs, strict=True)):
        for place, word in enumerate(words):
            before, core, after = _parts(word)
            if starts:
                core = capitalize(core)
            elif place == 0 and heard_starts and pair.same:
                core = how.forms.get(key(core), core if core.isupper() else core[:1].lower() + core[1:])
            words[place] = before + core + after
            starts = bool(after) and after[-1] in SENTENCE_END
        starts = starts or number in ends
        if pair.heard:
            heard_starts = pair.heard[-1][-1] in SENTENCE_END
    return written


def capitalize(word: str) -> str:
    """Return a word or a sentence with its first letter as a capital."""
    return word[:1].upper() + word[1:]
