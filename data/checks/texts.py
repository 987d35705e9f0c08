"""What is wrong with a transcript, by itself and against the length of its recording."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from data.checks.findings import Finding
from data.checks.scripts import expected_scripts, mixed_words, other_language, scripts_of
from voice.manifest import Clip

LONGEST_TEXT = 200  # words: none can be said in the 30 s that recognizers take
FASTEST = 32.0  # letters a second; fast readers reach 25
FASTEST_IDEOGRAMS = 12.0
SLOWEST = 1.5  # letters a second, in what is not short
NOT_SHORT = 5.0  # seconds
REPEATS = 4  # times in a row that a word or phrase is said
_FOREIGN = 0.5  # share of the letters that are of another script
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_ENTITY = re.compile(r"&(?:[A-Za-z]{2,8}|#\d{1,6}|#x[0-9A-Fa-f]{1,5});")
_BRACKETS = re.compile(
    r"\[[^\]]*\]|\{[^}]*\}|<[^<>]*>|[*_#]{2,}|https?://\S+|[*~_♪♫]|(?:^|\s)[%@]\w+|\b(?:SIL|SPN|NSN)\b"
    r"|\((?:[a-z ]*(?:laugh|music|sigh|applause|door|cough|inaudible|noise|crosstalk)[a-z ]*)\)"
)
_PLACEHOLDER = re.compile(
    r"n/a|nan|null|none|todo|tbd|unk|unknown|inaudible|lorem ipsum.*|\S+\.(?:wav|mp3|flac|ogg|opus|m4a|txt)"
)
_FIGURE = re.compile(r"\d")
_REPEAT = re.compile(r"\b(\w+(?:\W+\w+){0,4}?)(?:\W+\1\b){" + str(REPEATS - 1) + r",}", re.IGNORECASE)
_MOJIBAKE = re.compile(r"[\u00c2\u00c3\u00d0\u00d1][^\x00-\x7fA-Za-z]|\u00e2\u20ac")  # UTF-8 read as cp1252
_IDEOGRAMS = {"CJK", "HIRAGANA", "KATAKANA", "HANGUL"}


@dataclass(frozen=True)
class Surroundings:
    """What most rows of a list have: their script and language, and whether a transcript is usual."""

    script: str | None = None
    language: str | None = None
    has_texts: bool = False


def text_findings(line: int, clip: Clip, around: Surroundings = Surroundings()) -> Iterator[Finding]:
    """Yield the problems of a clip's text."""
    text = clip.text
    if text is None:
        if around.has_texts:
            yield Finding(line, clip.id, "no transcript", "it has none, and most others have one")
        return
    if not text.strip():
        yield Finding(
            line, clip.id, "empty text", "the text is empty; null means that there is no transcript"
        )
        return
    if not any(letter.isalnum() for letter in text):
        yield Finding(line, clip.id, "nothing spoken", f"{text[:40]!r} holds no word")
        return
    for kind, message in (*_letters(clip, around), *_wording(clip), *_lengths(clip)):
        change = {"text": mended} if (mended := mend_text(text)) != text and kind in _MENDED else {}
        yield Finding(line, clip.id, kind, message, change)


_MENDED = ("wrong encoding", "control characters", "markup")


def _letters(clip: Clip, around: Surroundings) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the characters of a text."""
    text = clip.text or ""
    if _MOJIBAKE.search(text) and _decode_again(text) != text:
        yield "wrong encoding", f"{text[:40]!r} was UTF-8 and read as another encoding"
    if "\ufffd" in text:
        yield "lost characters", f"{text[:40]!r} holds U+FFFD, which stands for a letter that was lost"
    if any(unicodedata.category(letter) in ("Cc", "Cf") for letter in text):
        yield "control characters", f"{text[:40]!r} holds characters that nobody sees"
    scripts = scripts_of(text)
    expected = expected_scripts(clip.language, around.script)
    foreign = sum(count for script, count in scripts.items() if script not in expected) if expected else 0
    if foreign > _FOREIGN * sum(scripts.values()):
        usual = clip.language or f"most of the list, which is {around.script}"
        yield "other script", f"{text[:40]!r} is not written as {usual}"
    elif mixed := mixed_words(text):
        yield "mixed scripts", f"{mixed[0]!r} has letters of two alphabets"
    else:
        language = clip.language or around.language
        other = other_language(text, language) if language else None
        if other:
            yield "other language", f"{text[:40]!r} seems to be {other}, not {language}"


def _wording(clip: Clip) -> Iterator[tuple[str, str]]:
    """Yield what is in a text that nobody says, or that is said otherwise."""
    text = clip.text or ""
    found = _ENTITY.search(text) or _TAG.search(text) or _BRACKETS.search(text)
    if found:
        yield "markup", f"{found[0][:40]!r} is nothing that is said"
    if _PLACEHOLDER.fullmatch(text.strip().casefold()):
        yield "placeholder", f"{text[:40]!r} looks as if no transcript had been written"
    if _FIGURE.search(text):
        yield "figures", f"{text[:40]!r} holds figures"
    if repeat := _REPEAT.search(text[:2000]):
        yield "words repeat", f"{repeat[1]!r} comes {REPEATS} times or more in a row"


def _lengths(clip: Clip) -> Iterator[tuple[str, str]]:
    """Yield whether a text is too long or too short for its recording."""
    text = clip.text or ""
    if (words := len(text.split())) > LONGEST_TEXT:
        yield "very long text", f"it has {words:,} words"
        return
    scripts = scripts_of(text)
    letters = sum(scripts.values()) + sum(letter.isdigit() for letter in text)
    ideograms = sum(count for script, count in scripts.items() if script in _IDEOGRAMS)
    fastest = FASTEST_IDEOGRAMS if ideograms > letters / 2 else FASTEST
    rate = letters / clip.duration if clip.duration > 0 else 0.0
    if rate > fastest:
        yield "text too long", f"{letters} letters in {clip.duration:.1f} s cannot be said"
    elif clip.duration >= NOT_SHORT and 0 < rate < SLOWEST:
        yield "text too short", f"{letters} letters in {clip.duration:.1f} s"


def mend_text(text: str) -> str:
    """Return a text without tags, entities and hidden characters, decoded again where that was wrong."""
    text = _decode_again(text) if _MOJIBAKE.search(text) else text
    text = html.unescape(_TAG.sub(" ", text))
    hidden = {"Cc": " ", "Cf": ""}
    text = "".join(hidden.get(unicodedata.category(letter), letter) for letter in text)
    return " ".join(text.split())


def _decode_again(text: str) -> str:
    """Return a text that was UTF-8 and was read as cp1252 as it was.

    Unchanged where that is not what happened.
    """
    try:
        return text.encode("cp1252").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text
