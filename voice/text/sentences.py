"""Splits running text into sentences, with the place of each in what was written.

The stream is the primitive: push text as it arrives, a token at a time if need be, and sentences
come out as soon as what follows proves that they have ended. The whole is its fold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

MOST_CHARACTERS = 1200  # a "sentence" that goes on for longer is cut at a clause, a conjunction, a space
_LOOKAHEAD = 80

_NOTE = r"[¹²³⁰⁴-⁹]+|\[\d{1,3}\]|[*†‡]+|(?<=[a-z]{2}[.!?])\d{1,3}(?=\s+[A-Z])"  # the mark of a footnote
_STOP = re.compile(
    rf"(?:[.!?…]+|[。！？]+)(?P<closing>[\"'”’»)\]}}]*)(?:{_NOTE})?(?=\s|$)|[。！？]+[”’」』）]*|\n"
)
_FIGURE_NUMBER = re.compile(r"\d|\(\d+\w?\)")
_NUMERAL = re.compile(r"(?:[IVXLC]{2,}|[B-DF-HJ-NP-XZ]\d?)\b")  # "Vol. IV", "App. B"
_OPERATOR = re.compile(r"[=+*/×÷·^<>≤≥≈−]")
_FACTORIAL = re.compile(r"(?:\d|\)|(?<!\w)[a-z])$")
_COLUMN = 0.6  # of the longest line before: one as long is one of a column
_OPENING_MARKS = "\"'“‘([{"
_SPACE = re.compile(r"\s+")
_NON_SPACE = re.compile(r"\S+")
_BULLET = re.compile(r"(?:[-*•–—]|\(?\w{1,3}[.)])\s")
_CLAUSE = re.compile(r"[,;:—)][\"'”’]*\s+(?=\S)")
_SHORT_LINE = 50  # a line shorter than this was ended on purpose, not wrapped


@dataclass(frozen=True)
class SentenceRules:
    """Where sentences of a language end. All words are in small letters, without their last stop.

    - `never_final` stand before a name or an example: never an end, whatever follows.
    - `small` are those of them that stand in small letters too; elsewhere the others are words so.
    - `either` are an end only when the next word is one of `starters`, which often begin a sentence.
    - `numbered` are no end when a figure follows: "No. 5".
    - `joining` are words before which an overlong sentence may be cut.
    - `after_names` are those of `never_final` that end a sentence behind a name, when a starter follows that
      is not one of `names`: "Elm St. It", but "Dr. No".
    - `measures` are no end after a figure when the next word is in small letters: "6 ft. tall".
    - `days` follow a time of day in its sentence: "at 5 p.m. Monday".
    - `unfinished` are words after which no line ends a sentence.
    """

    never_final: frozenset[str]
    small: frozenset[str]
    either: frozenset[str]
    numbered: frozenset[str]
    starters: frozenset[str]
    joining: frozenset[str]
    after_names: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    measures: frozenset[str] = frozenset()
    days: frozenset[str] = frozenset()
    unfinished: frozenset[str] = frozenset()


ENGLISH_SENTENCES = SentenceRules(
    never_final=frozenset(
        "mr mrs ms dr prof st mt ft gen gov sen rep capt lt col sgt cmdr rev hon pres supt cpl maj adm fr"
        " msgr mx sra mme mlle e.g i.e eg ie cf viz vs v approx ca messrs".split()
    ),
    small=frozenset("mr mrs ms dr prof sr sra mme mlle messrs vs v cf viz approx ca ie eg".split()),
    either=frozenset(
        "u.s u.k u.n e.u d.c l.a n.y inc ltd co corp bros dept univ assn govt jr sr al etc ph.d m.d b.a m.a"
        " jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thurs fri sat ave blvd rd"
        " mass calif conn fla penn tenn est ed vol".split()
    ),
    numbered=frozenset(
        "no nos fig figs vol vols p pp ch chap sec art eq eqs ex op ver v para tel ext nr app tab hwy rte apt"
        " ste rm bldg c b d fl".split()
    ),
    starters=frozenset(
        "the a an it he she they we i you this that these those there in on at but and so if when while as"
        " for after before his her their our my your its what who why how where however then now not no"
        " yes".split()
    ),
    joining=frozenset(
        "and but or nor so yet because although though while when whenever where whereas which who whose if"
        " unless until before after since then than that as with without through during".split()
    ),
    after_names=frozenset("st dr mt ft".split()),
    names=frozenset("who no an yes so but".split()),
    measures=frozenset(
        "ft in yd mi lb lbs oz tsp tbsp pt qt gal hr hrs min mins sec secs km cm mm kg g ml wk yr".split()
    ),
    days=frozenset("monday tuesday wednesday thursday friday saturday sunday est edt cst pst et utc".split()),
    unfinished=frozenset(
        "the a an of to in at by for with from into and or but nor if than my your his her its our their"
        " is are was were will would can could".split()
    ),
)


@dataclass(frozen=True)
class Sentence:
    """`text` is what was written from `start` to `end` (characters); `after` is what ends it."""

    text: str
    start: int
    end: int
    after: str = "sentence"  # or "paragraph", or "clause" where an overlong one was cut


class SentenceSplitter:
    """One session of splitting; feed it with `push`, end it with `flush`."""

    def __init__(self, rules: SentenceRules = ENGLISH_SENTENCES) -> None:
        self._rules = rules
        self._buffer = ""
        self._offset = 0
        self._judged = 0  # characters of the buffer whose stops are known to end nothing

    def push(self, text: str) -> list[Sentence]:
        """Return the sentences that `text` completes: what follows them has been seen."""
        self._buffer += text
        return self._take(final=False)

    def flush(self) -> list[Sentence]:
        """Return what remains, now that no more text comes."""
        return self._take(final=True)

    def _take(self, final: bool) -> list[Sentence]:
        found: list[Sentence] = []
        while True:
            cut, self._judged = _first_cut(self._buffer, final, self._judged, self._rules)
            if not cut:
                return found
            end, after = cut
            if sentence := _trim(self._buffer[:end], self._offset, after):
                found.append(sentence)
            self._buffer = self._buffer[end:]
            self._offset, self._judged = self._offset + end, 0


def split_sentences(text: str, rules: SentenceRules = ENGLISH_SENTENCES) -> Iterator[Sentence]:
    """Yield the sentences of a whole text."""
    splitter = SentenceSplitter(rules)
    for start in range(0, len(text), 4096):
        yield from splitter.push(text[start : start + 4096])
    yield from splitter.flush()


def ends_sentence(before: str, following: str) -> bool:
    """Tell whether a sentence of a transcript ends between `before`, of which two words count, and a word.

    Recognizers begin sentences, and names too, with capitals. "est.", "mar." and "sen." in small letters are
    words of other languages, not the abbreviations that their capitals make of them. Recognizers write no
    lists: "5." is a sentence, not a label.
    """
    before = before.rstrip()
    stop = next((each for each in _STOP.finditer(before) if each.end() == len(before)), None)
    if stop is None or following[:1].islower():
        return False
    if stop[0][0] in "。！？" or _is_small_word(before[: stop.start()]):
        return True
    return _ends_sentence(before, 0, stop, following, ENGLISH_SENTENCES)


def _is_small_word(before: str) -> bool:
    """Tell whether the last word is an abbreviation only if it is written with capitals."""
    word = "".join(before.split()[-1:]).lstrip(_OPENING_MARKS)
    known = (ENGLISH_SENTENCES.never_final | ENGLISH_SENTENCES.either) - ENGLISH_SENTENCES.small
    return word.isalpha() and word.islower() and word in known


def _trim(text: str, offset: int, after: str) -> Sentence | None:
    body = text.strip()
    start = offset + len(text) - len(text.lstrip())
    return Sentence(body, start, start + len(body), after) if body else None


def _first_cut(
    text: str, final: bool, judged: int, rules: SentenceRules
) -> tuple[tuple[int, str] | None, int]:
    """Return where the first sentence of `text` ends, None while that cannot be known, and a second place.

    Up to that place, which begins with `judged`, no stop ends the sentence.
    """
    begin = len(text) - len(text.lstrip())
    judged = max(begin, judged)
    while stop := _STOP.search(text, judged):
        if stop.end() > begin + MOST_CHARACTERS:
            break
        verdict = _judge(text, begin, stop, final, rules)
        if verdict == "wait":
            return None, judged
        if verdict:
            return (stop.end(), verdict), judged
        judged = stop.end()
    if len(text) > begin + MOST_CHARACTERS + _LOOKAHEAD or (final and len(text) > begin + MOST_CHARACTERS):
        return (_forced_cut(text, begin, rules), "clause"), judged
    return ((len(text), "paragraph") if final and text else None), judged


def _forced_cut(text: str, begin: int, rules: SentenceRules) -> int:
    window = text[: begin + MOST_CHARACTERS]
    for pattern in (_CLAUSE, _joint(rules.joining), _SPACE):
        ends = [match.end() for match in pattern.finditer(window, begin + MOST_CHARACTERS // 4)]
        if ends:
            return ends[-1]
    return begin + MOST_CHARACTERS


@lru_cache(maxsize=16)
def _joint(joining: frozenset[str]) -> re.Pattern[str]:
    return re.compile(rf"\s+(?=(?:{'|'.join(sorted(joining))})\s)", re.IGNORECASE)


def _judge(text: str, begin: int, stop: re.Match[str], final: bool, rules: SentenceRules) -> str:
    """Return 'sentence' or 'paragraph' if the candidate ends one, '' if not, 'wait' to ask for more text."""
    space = _SPACE.match(text, stop.start() if stop[0] == "\n" else stop.end())
    after = space.end() if space else stop.end()
    if after == len(text):
        return "paragraph" if final else "wait"
    if space and space[0].count("\n") > 1:
        return "paragraph"
    if stop[0][0] in "。！？":
        return "sentence"
    if len(text) - after < _LOOKAHEAD and not final and not _SPACE.search(text, after):
        return "wait"
    word = _NON_SPACE.match(text, after)
    following = word[0] if word else ""
    if stop[0] == "\n":
        return "sentence" if _ends_line(text, begin, stop.start(), after, rules) else ""
    if _is_label(text[begin : stop.start()], stop[0]):
        return ""
    return "sentence" if _ends_sentence(text, begin, stop, following, rules) else ""


def _is_label(before: str, stop: str) -> bool:
    """Tell whether it is the label of a list's item: "1. First", "A. Second"."""
    label = before.strip()
    return stop.startswith(".") and not stop.startswith("..") and (label.isdigit() or len(label) == 1)


def _ends_line(text: str, begin: int, end: int, after: int, rules: SentenceRules) -> bool:
    """Tell whether a lone line break was meant: before a list item, or after a short line.

    A line as long as those before it in the sentence is one of a narrow column.
    """
    *before, line = text[begin:end].split("\n")
    line = line.strip()
    if _BULLET.match(text, after):
        return True
    if len(line) >= _SHORT_LINE or text[after].islower() or line.endswith((",", "-", "\u00ad", "\u2010")):
        return False
    last = line.rsplit(None, 1)[-1].lower() if line else ""
    if last in rules.unfinished:
        return False
    if last.endswith(".") and last[:-1] in rules.never_final - rules.after_names:
        return False
    return not before or len(line) < _COLUMN * max(len(each.strip()) for each in before)


def _ends_sentence(text: str, begin: int, stop: re.Match[str], following: str, rules: SentenceRules) -> bool:
    closed, before = bool(stop["closing"]), text[begin : stop.start()]
    lower = following.lstrip("\"'“‘([")[:1].islower()
    if stop[0].startswith(("!", "?")):
        if stop[0] == "!" and _FACTORIAL.search(before) and (lower or following in ("-", "–")):
            return False
        return not (closed and lower) and not _OPERATOR.match(following)
    if stop[0].startswith(("..", "…")):
        return not lower and not re.match(r"I\b", following)  # "Oh… I see" may go on
    return _period_ends(before, following, lower, closed, rules)


def _period_ends(before: str, following: str, lower: bool, closed: bool, rules: SentenceRules) -> bool:
    two = ["", "", *before.rsplit(None, 2)[-2:]][-2:]  # of a long text, without splitting all of it
    earlier_word, word = (each.strip().lstrip(_OPENING_MARKS) for each in two)
    known, next_word = word.lower(), following.strip("\"'“‘”’([.,;:!?)]").lower()
    is_measure = known in rules.measures and earlier_word[:1].isdigit()
    if lower and (closed or is_measure):
        return False
    if (
        known in rules.after_names
        and not is_measure
        and (earlier_word == "the" or not earlier_word[:1].islower())
    ):
        return bool(earlier_word) and next_word in rules.starters - rules.names
    if (known in rules.never_final and not is_measure) or _is_numbered(known, following, rules):
        return False
    if len(word) == 1 and word.isupper() and word != "I":  # an initial
        return next_word in rules.starters and next_word not in ("a", "i")
    if known in rules.either or re.fullmatch(r"(?:[^\W\d]\.)+[^\W\d]", word):  # "U.S.", "p.m."
        is_time = known in ("a.m", "p.m") and next_word not in rules.days
        return not lower and (next_word in rules.starters or is_time)
    return True


def _is_numbered(known: str, following: str, rules: SentenceRules) -> bool:
    """Tell whether an abbreviation and what follows are one name: "No. 5", "Eq. (3)", "Vol. IV"."""
    if known not in rules.numbered:
        return False
    return bool(_FIGURE_NUMBER.match(following) or (known != "no" and _NUMERAL.match(following)))
