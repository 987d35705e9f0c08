"""A subset of SSML (W3C, Speech Synthesis Markup Language 1.1) → passages of text, and how they are spoken.

Understood: speak, p, s, break, prosody, emphasis, say-as, phoneme, sub, voice, lang, mark, and xml:lang. Any
other tag is reported, and its content spoken without it. Document types and entities are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from xml.parsers import expat

from voice.errors import TextError
from voice.text.language import Language
from voice.text.languages import parse_language
from voice.text.lexicon import LONGEST_WORDS
from voice.text.phones import ALPHABETS
from voice.text.prosody import BREAKS, LONGEST_BREAK, break_length, emphasis, prosody
from voice.text.reading import PLAIN, Annotations, Passage, PronouncedSpan, Style, StyledSpan
from voice.text.registry import can_read, find_language
from voice.types import Pronunciation

DEEPEST = 100  # elements within one another
WORDLESS = frozenset("meta metadata lexicon lookup desc title script style".split())
RANK = {"clause": 0, "sentence": 1, "paragraph": 2}
_BLANK = "\ufeff \t\r\n"
_SSML_START = re.compile(
    r"(?:<\?xml[^>]*\?>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*<(?:speak[\s>/]|!DOCTYPE\s+speak\b)", re.DOTALL
)


@dataclass(frozen=True)
class Markup:
    """The `passages` of a document, and its `problems`: what is in it and not understood."""

    passages: tuple[Passage, ...]
    problems: tuple[str, ...] = ()


def is_ssml(text: str) -> bool:
    """Tell whether `text` is a document in SSML: its first tag is <speak>."""
    return _SSML_START.match(text.lstrip(_BLANK)) is not None


def as_ssml(text: str) -> str:
    """Return `text` as a document, if only its content was written."""
    return text if is_ssml(text) else f"<speak>{text}</speak>"


def parse(text: str, language: Language) -> Markup:
    """Read a document in SSML. Raises TextError where it is malformed, with the line."""
    document = _Document(language)
    try:
        document.parser.Parse(text.lstrip(_BLANK).encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        problem = expat.errors.messages[error.code]
        place = f"line {error.lineno}, column {error.offset + 1}"
        raise TextError(f"the SSML is malformed in {place}: {problem}") from error
    return Markup(tuple(document.passages), tuple(dict.fromkeys(document.problems)))


@dataclass(frozen=True)
class _Element:
    """The settings inside an element.

    `attributes` are those of an element that gives its content, from `start` on, a pronunciation;
    `is_pronounced` holds for elements within such content.
    """

    name: str
    style: Style = PLAIN
    voice: str = ""
    language: str = ""
    is_silent: bool = False
    is_pronounced: bool = False
    attributes: Mapping[str, str] | None = None
    start: int = 0


class _Document:
    """One document in the making; expat calls its handlers."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self.passages: list[Passage] = []
        self.problems: list[str] = []
        self._open = [_Element("")]
        self._clear()
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._write

    def _clear(self) -> None:
        self._text = ""
        self._pronunciations: list[PronouncedSpan] = []
        self._styles: list[StyledSpan] = []
        self._marks: list[tuple[str, int]] = []

    def _refuse(self, *_: object) -> None:
        raise TextError(f"{self._where()}: a document type or entity in SSML is not allowed; leave it out")

    def _where(self) -> str:
        return f"line {self.parser.CurrentLineNumber}"

    def _in_language(self, element: _Element, attributes: Mapping[str, str]) -> _Element:
        """Return an element with the language that its xml:lang names, which begins a passage."""
        tag = attributes.get("xml:lang", "")
        try:
            code = parse_language(tag) if tag else element.language
        except TextError:
            code = None
        if code is None or (code and not can_read(code)):
            self._report(f'xml:lang="{tag}" names no language that is read here')
            return element
        if code != element.language:
            self.flush(self._end_of_text())
        return replace(element, language=code)

    def _report(self, problem: str) -> None:
        shown = "".join(c if c.isprintable() else " " for c in problem)  # it goes to terminals and headers
        self.problems.append(f"{self._where()}: {shown}")

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        outer = self._open[-1]
        if len(self._open) > DEEPEST:
            raise TextError(f"{self._where()}: SSML with more than {DEEPEST} tags within one another")
        if len(self._open) == 1 and name != "speak":
            raise TextError(f"{self._where()}: SSML begins with <speak>, not <{name}>")
        is_pronounced = outer.is_pronounced or outer.attributes is not None
        inner = replace(outer, name=name, attributes=None, is_pronounced=is_pronounced)
        if inner.is_pronounced or outer.is_silent:
            self._report(f"<{name}> inside of <{outer.name}> is ignored")
        elif name in _BEGIN:
            inner = self._in_language(_BEGIN[name](self, inner, attributes), attributes)
        elif name in WORDLESS:
            self._report(f"<{name}> is not supported, and nothing in it is spoken")
            inner = replace(inner, is_silent=True)
        elif name == "lang" or (name == "speak" and len(self._open) == 1):
            inner = self._in_language(inner, attributes)
        else:
            self._report(f"<{name}> is not supported; what it holds is spoken without it")
        self._open.append(inner)

    def _end(self, name: str) -> None:
        closed = self._open.pop()
        if closed.is_pronounced or closed.is_silent:
            return
        if closed.attributes is not None:
            self._add_pronunciation(closed)
        elif name in ("p", "s"):
            self.flush("paragraph" if name == "p" else "sentence", speaker=closed)
        elif (closed.voice, closed.language) != (
            self._open[-1].voice,
            self._open[-1].language,
        ) and self._open[1:]:
            self.flush(self._end_of_text(), speaker=closed)
        elif name == "speak" and len(self._open) == 1:
            self.flush("paragraph", speaker=closed)
            if self._marks:
                self.passages.append(Passage("", marks=tuple(self._marks)))

    def _add_pronunciation(self, element: _Element) -> None:
        """Note the pronunciation that a sub, say-as or phoneme gives to its text."""
        attributes = element.attributes or {}
        if len(self._text) == element.start and element.name == "phoneme":
            self._write(attributes["ph"])  # nothing is written: the phones are
        start, end = _strip_span(self._text, element.start)
        pronunciation = self._pronunciation_of(element.name, attributes, self._text[start:end])
        if pronunciation and end > start:
            self._pronunciations.append(PronouncedSpan(start, end, pronunciation))

    def _pronunciation_of(self, name: str, attributes: Mapping[str, str], text: str) -> Pronunciation | None:
        if name == "sub":
            return self._words(attributes["alias"])
        if name == "phoneme":
            return self._phoneme(attributes)
        kind = attributes.get("interpret-as", "")
        try:
            code = self._open[-1].language
            words = (find_language(code) if code else self._language).say_as(
                text, kind, attributes.get("format", "")
            )
        except KeyError:
            self._report(f'<say-as interpret-as="{kind}"> is not supported; its text is read as it is')
            return None
        return self._words(words) if words else None

    def _words(self, words: str) -> Pronunciation:
        if len(words) > LONGEST_WORDS:
            raise TextError(f"{self._where()}: {words[:20]}… has more than {LONGEST_WORDS} characters")
        return Pronunciation(words=words)

    def _phoneme(self, attributes: Mapping[str, str]) -> Pronunciation:
        alphabet = attributes.get("alphabet", "ipa").lower()
        if alphabet not in ALPHABETS:
            raise TextError(f'{self._where()}: <phoneme> has the alphabet "{alphabet}"; it can be ipa or cmu')
        try:
            return Pronunciation(phonemes=ALPHABETS[alphabet](attributes["ph"]))
        except TextError as error:
            raise TextError(f"{self._where()}: {error}") from error

    def _write(self, text: str) -> None:
        element = self._open[-1]
        if element.is_silent:
            return
        text = re.sub(r"\s+", " ", text)
        if not self._text or self._text.endswith(" "):
            text = text.lstrip()
        start = len(self._text)
        self._text += text
        if element.style != PLAIN and text:
            self._styles.append(StyledSpan(start, len(self._text), element.style))

    def _end_of_text(self) -> str:
        return "sentence" if self._text.rstrip()[-1:] in tuple(".!?…") else "clause"

    def flush(self, after: str, pause: float | None = None, speaker: _Element | None = None) -> None:
        """End a passage with the text so far; without text, the last passage learns what follows it.

        The text is in voice and language of the element `speaker`, usually the innermost.
        """
        speaker = speaker or self._open[-1]
        if self._text.strip():
            annotations = Annotations(tuple(self._pronunciations), tuple(self._styles))
            self.passages.append(
                Passage(
                    self._text, annotations, tuple(self._marks), after, pause, speaker.voice, speaker.language
                )
            )  # fmt: skip
            self._clear()
        elif pause is not None and (self._marks or not self.passages):
            self.passages.append(Passage("", marks=tuple(self._marks), pause=pause))
            self._clear()
        elif self.passages:
            last = self.passages[-1]
            if pause is not None:
                last = replace(last, pause=min(LONGEST_BREAK, (last.pause or 0.0) + pause))
            self.passages[-1] = replace(last, after=max(last.after, after, key=RANK.__getitem__))

    # ---- what begins with each tag

    def start_part(self, element: _Element, attributes: Mapping[str, str]) -> _Element:
        self.flush("paragraph" if element.name == "p" else "sentence")
        return element

    def pause(self, element: _Element, attributes: Mapping[str, str]) -> _Element:
        length = break_length(attributes)
        if length is None:
            given = " ".join(f'{name}="{value}"' for name, value in attributes.items())
            raise TextError(f"{self._where()}: <break {given}> is no pause; its {BREAKS}")
        self.flush("clause", length)
        return element

    def style(self, element: _Element, attributes: Mapping[str, str]) -> _Element:
        read = emphasis if element.name == "emphasis" else prosody
        style, problems = read(attributes)
        for problem in problems:
            self._report(problem)
        return replace(element, style=element.style.around(style))

    def pronounce(self, element: _Element, attributes: Mapping[str, str]) -> _Element:
        needed = {"sub": "alias", "say-as": "interpret-as", "phoneme": "ph"}[element.name]
        if not attributes.get(needed, "").strip():
            raise TextError(f'{self._where()}: <{element.name}> needs {needed}="…"')
        return replace(element, attributes=attributes, start=len(self._text))

    def change_voice(self, element: _Element, attributes: Mapping[str, str]) -> _Element:
        name = attributes.get("name", "").split()
        if not name:
            self._report("<voice> without a name is ignored")
            return element
        if name[0] != element.voice:
            self.flush(self._end_of_text())
        return replace(element, voice=name[0])

    def mark(self, element: _Element, attributes: Mapping[str, str]) -> _Element:
        if not attributes.get("name"):
            raise TextError(f'{self._where()}: <mark> needs name="…"')
        self._marks.append((attributes["name"], len(self._text)))
        return element


_BEGIN = {
    "p": _Document.start_part, "s": _Document.start_part, "break": _Document.pause,
    "prosody": _Document.style, "emphasis": _Document.style,
    "sub": _Document.pronounce, "say-as": _Document.pronounce, "phoneme": _Document.pronounce,
    "voice": _Document.change_voice, "mark": _Document.mark,
}  # fmt: skip


def _strip_span(text: str, start: int) -> tuple[int, int]:
    """Return the span from `start` to the end of `text`, without spaces at either end."""
    inner = text[start:]
    return start + len(inner) - len(inner.lstrip()), start + len(inner.rstrip())
