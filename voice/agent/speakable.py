"""Text for the ear: what a language model writes, without what only an eye can use.

Markdown, emoji, code, links, tables' rules, `<think>` blocks and tool calls are taken out or put
into words, even when they arrive a token at a time. Feeding a text in pieces gives what feeding it
whole gives.
"""

from __future__ import annotations

import re
import unicodedata

HELD = 520  # characters that an unfinished link, tag or piece of code is waited for

_HIDDEN = ("think", "thinking", "reasoning", "tool_call", "tool_code", "function_call", "script", "style")
_OPEN = re.compile(rf"<({'|'.join(_HIDDEN)})\b[^>]*>", re.IGNORECASE)
_FENCE = re.compile(r"[ \t]*(```+|~~~+)[^\n]*\n")
_LINE_START = re.compile(
    r"[ \t]*(?:(?:>[ \t]?)+[ \t]*)?"  # a quotation
    r"(?:#{1,6}[ \t]+|[-*+•][ \t]+(?:\[[ xX]\][ \t]+)?|(\d{1,3})[.)][ \t]+)?"  # a heading, a list's item
    r"\|?[ \t]*"  # a table's row
)
_RULE_LINE = re.compile(r"[ \t]*(?:[-*_=][ \t]*){3,}\n|[ \t]*\|?[-:| \t]{3,}\|?[ \t]*\n")
# A line that so far holds only marks may still turn out to be a heading, a list item or a rule.
_UNDECIDED = re.compile(r"[ \t>]*(?:#{0,6}|[-*+•_=:|~` \t]*|\d{0,3}[.)]?)[ \t]*(?:\[[ xX]?\]?)?[ \t]*")
# Parts of a word that may hold spaces; what begins like one and never ends is taken as it stands.
_PARTS = {
    "[": re.compile(r"\[[^\]\n]{0,250}\](?:\([^)\n]{0,250}\))?"),  # a link or an image
    "`": re.compile(r"`++[^`\n]{1,250}`++"),  # code within a line
    "<": re.compile(r"</?[A-Za-z|!][^>\n]{0,250}>"),  # a tag
}
_NO_TAG = re.compile(r"<(?:/?[^A-Za-z|!/]|/[^A-Za-z|!])")
_LINK = re.compile(r"!?\[([^\]]*)\]\(([^)]*)\)")
_CODE = re.compile(r"`++([^`]+)`++")
_TAG = re.compile(r"</?[A-Za-z|!][^>]*>")
_ADDRESS = re.compile(r"<?(?:https?://|www\.)[^\s<>)\]]+>?", re.IGNORECASE)
_HOST = re.compile(r"(?:\w+://)?(?:www\.)?([^/?#\s]+)", re.IGNORECASE)
_EMPHASIS = re.compile(r"\*+(?=\S)|(?<=\S)\*+|~~+|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)")
_ENTITIES = {
    "&amp;": "&",
    "&lt;": "less than",
    "&gt;": "greater than",
    "&nbsp;": " ",
    "&quot;": '"',
    "&#39;": "'",
}
_SAYABLE_CODE = re.compile(r"[\w .,'/+-]{1,40}")
_ENDED = (".", "!", "?", ":", ";", ",", "…")


class Speakable:
    """One answer on its way to the ear: `feed` it as it arrives, then `flush`."""

    def __init__(self) -> None:
        self._buffer = ""
        self._closing = ""  # what ends the hidden part that we are in
        self._at_line_start = True
        self._last = ""  # the last word of the line so far
        self._space_due = False

    def feed(self, text: str) -> str:
        """What can be said by now."""
        self._buffer += text
        return self._taken(final=False)

    def flush(self) -> str:
        """The rest, now that no more comes."""
        return self._taken(final=True)

    def _taken(self, final: bool) -> str:
        said = []
        while self._buffer:
            piece = self._skip_hidden(final) if self._closing else self._next(final)
            if piece is None:
                break
            said.append(piece)
        return "".join(said)

    def _skip_hidden(self, final: bool) -> str | None:
        place = self._buffer.lower().find(self._closing)
        if place < 0:
            self._buffer = "" if final else self._buffer[1 - len(self._closing) :]
            return None
        if self._closing.startswith("\n"):  # a fence ends with its whole line
            line_end = self._buffer.find("\n", place + 1)
            if line_end < 0 and not final:
                return None
            self._buffer = self._buffer[line_end + 1 :] if line_end >= 0 else ""
            self._at_line_start = True
        else:
            self._at_line_start = self._at_line_start or not self._last
            self._buffer = self._buffer[place + len(self._closing) :]
        self._closing = ""
        return ""

    def _next(self, final: bool) -> str | None:
        hidden = _OPEN.match(self._buffer)
        if hidden:
            self._closing = f"</{hidden[1].lower()}>"
            self._buffer = self._buffer[hidden.end() :]
            return ""
        if self._at_line_start:
            return self._line_start(final)
        if self._buffer[0].isspace():
            return self._space(final)
        return self._word(final)

    def _line_start(self, final: bool) -> str | None:
        if not final and _UNDECIDED.fullmatch(self._buffer):
            return None
        if not final and "\n" not in self._buffer and self._buffer.lstrip().startswith(("```", "~~~")):
            return None
        text = self._buffer + "\n" if final and "\n" not in self._buffer else self._buffer
        fence = _FENCE.match(text)
        if fence:
            self._buffer = "\n" + text[fence.end() :]
            self._closing = "\n" + fence[1][:3]
            return "I've left out some code. "
        rule = _RULE_LINE.match(text)
        if rule:
            self._buffer = text[rule.end() :]
            return ""
        mark = _LINE_START.match(self._buffer)
        self._buffer = self._buffer[mark.end() :]
        self._at_line_start = False
        return f"{mark[1]}, " if mark[1] else ""

    def _space(self, final: bool) -> str | None:
        space = re.match(r"\s+", self._buffer)[0]
        if len(space) == len(self._buffer) and not final:
            return None
        self._buffer = self._buffer[len(space) :]
        if "\n" not in space:
            self._space_due = bool(self._last)
            return ""
        self._buffer = space[space.rindex("\n") + 1 :] + self._buffer  # the next line's indent
        self._at_line_start, self._space_due = True, False
        ended, self._last = self._last, ""
        if not ended:
            return ""
        return "\n" if ended.endswith(_ENDED) else ".\n"

    def _word(self, final: bool) -> str | None:
        end = _word_end(self._buffer, final)
        if end is None:
            return None
        word = self._buffer[:end]
        hidden = _OPEN.search(word)
        if hidden and hidden.start():
            word = word[: hidden.start()]
        self._buffer = self._buffer[len(word) :]
        said = spoken_word(word)
        if not said:
            return ""
        space = " " if self._space_due and said[0] not in _ENDED else ""
        self._space_due = False
        self._last = said.rstrip("\"')”’ ") or self._last or said
        return space + said


def _word_end(text: str, final: bool) -> int | None:
    """Where the word at the start of `text` ends; None while that cannot be known."""
    at = 0
    while at < len(text) and not text[at].isspace():
        part = _PARTS.get(text[at])
        found = part.match(text, at) if part else None
        rest = len(text) - at
        if part and not final and "\n" not in text[at:] and rest < HELD and _may_go_on(text, at, found):
            return None
        at = found.end() if found else at + 1
    return None if at == len(text) and not final else at


def _may_go_on(text: str, at: int, found: re.Match[str] | None) -> bool:
    """Whether more text may still change what begins at `at`."""
    if not found:
        return not _NO_TAG.match(text, at)
    return found.end() == len(text) or (
        text[at] == "[" and text[found.end() - 1] == "]" and text[found.end()] == "("
    )


def speakable(text: str) -> str:
    """The whole of a text, for the ear."""
    stream = Speakable()
    return stream.feed(text) + stream.flush()


def spoken_word(word: str) -> str:
    """One word of a line, or a link or a piece of code with its spaces, as it is said."""
    word = _LINK.sub(lambda link: link[1] or _site(link[2]), word)
    word = _CODE.sub(lambda code: code[1] if _SAYABLE_CODE.fullmatch(code[1]) else "some code", word)
    word = _ADDRESS.sub(lambda address: _site(address[0]), word)
    word = _TAG.sub("", word)
    for entity, meaning in _ENTITIES.items():
        word = word.replace(entity, meaning)
    if word == "|":
        return ","
    word = _EMPHASIS.sub("", word).replace("|", ", ").replace("`", "")
    return "".join(each for each in word if not _is_picture(each)).strip()


def _site(address: str) -> str:
    """An address → the name of its site, with the punctuation that only happened to stand behind it."""
    address = address.strip("<>")
    bare = address.rstrip(".,;:!?")
    host = _HOST.match(bare)
    return (host[1] if host and "." in bare else "a link") + address[len(bare) :]


def _is_picture(mark: str) -> bool:
    """Whether a character is an emoji, or one that only changes another's look."""
    if ord(mark) < 0x200B:
        return False
    kept = "°€£™©®…→≈≤≥≠∞√×÷"
    return unicodedata.category(mark) in ("So", "Sk", "Cf", "Mn", "Co", "Cn") and mark not in kept
