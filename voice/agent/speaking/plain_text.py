"""Text for speech: what a language model writes, without what only makes sense to a reader.

Markdown, emoji, code, links, tables' rules, `<think>` blocks and tool calls are taken out or put
into words, even when they arrive a token at a time. Feeding a text in pieces gives the same as feeding
it whole.
"""

from __future__ import annotations

import json
import re

from voice.agent.speaking.markdown import TAG, word_for_speech

HELD = 520  # characters of an unfinished link, tag or piece of code that are held back at most
LONGEST_CALL = 2000  # characters of a tool call that is written as bare JSON

# Tags that hide everything up to the closing tag, however a chat template writes the two.
_HIDDEN = (
    "think thinking reasoning tool_call tool_calls tool_code tool_response tool_result function_call"
    " function_calls function invoke script style svg"
).split()
_HIDDEN_OPENING = re.compile(
    rf"<({'|'.join(_HIDDEN)})\b[^<>\n]{{0,200}}>|<\|({'|'.join(_HIDDEN)})\|>|<!--"
    r"|<\|channel\|>(?!final)\w+[^<\n]*<\|message\|>|\[TOOL_CALLS\]",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"(<\|(?:start|im_start|start_header_id)\|>)(?:system|user|assistant|model)\b|(<\|channel\|>)final\b"
)
_NEVER = "\0"  # closes nothing: hidden to the end
_FENCE = re.compile(r"[ \t]*(```+|~~~+)[^\n]*\n")
_LINE_START = re.compile(
    r"[ \t]*(?:(?:>[ \t]?)+[ \t]*)?"  # a quotation
    r"(?:#{1,6}[ \t]+|[-*+•][ \t]+(?:\[[ xX]\][ \t]+)?|(\d{1,3})[.)][ \t]+)?"  # a heading, a list's item
    r"\|?[ \t]*"  # a table's row
)
_RULE_LINE = re.compile(r"[ \t]*(?:[-*_=][ \t]*){3,}\n|[ \t]*\|?[-:| \t]{3,}\|?[ \t]*\n")
# A line that so far holds only marks may still turn out to be a heading, a list item or a rule.
_UNDECIDED = re.compile(r"[ \t>]*(?:#{0,6}|[-*+•_=:|~` \t]*|\d{0,3}[.)]?)[ \t]*(?:\[[ xX]?\]?)?[ \t]*")
# Parts of a word that may hold spaces; one that begins and never ends is taken as it is written.
_SPACED_PARTS = {
    "[": re.compile(r"\[[^\]\n]{0,250}\](?:\([^)\n]{0,250}\)|\[[^\]\n]{0,100}\])?"),  # a link or an image
    "`": re.compile(r"`++[^`\n]{1,250}`++"),  # code within a line
    "<": TAG,
}
_NO_TAG = re.compile(r"<(?:/?[^A-Za-z|!/]|/[^A-Za-z|!])")
# The definition of a link, and the beginning of one.
_DEFINITION = re.compile(r"[ \t]{0,3}\[[^\]^\n][^\]\n]{0,100}\]:[ \t][^\n]{1,300}\n")
_MAYBE_DEFINITION = re.compile(r"[ \t]{0,3}\[(?:[^\]^\n][^\]\n]{0,100}(?:\](?::(?:[ \t][^\n]{0,300})?)?)?)?")
# The length fed at a time: short, because each step copies the rest, but a word is scanned once.
_PIECE = re.compile(r"(?s:.{1,1024})\S*")
_ENDED = (".", "!", "?", ":", ";", ",", "…")


class SpeakableText(str):
    """Text that a TextForSpeech has already made speakable."""


class TextForSpeech:
    """The text for speech of one reply: `feed` it as it arrives, then `flush`."""

    def __init__(self) -> None:
        self._buffer = ""
        self._closing = ""  # ends the hidden part under way
        self._at_line_start = True
        self._last = ""  # the last word of the line so far
        self._space_due = self._bar_due = False  # before the next word

    def feed(self, text: str) -> str:
        """Return the text that can be spoken by now."""
        self._buffer += text
        return self._take(final=False)

    def flush(self) -> str:
        """Return the rest, now that no more comes."""
        return self._take(final=True)

    def _take(self, final: bool) -> str:
        spoken = []
        while self._buffer:
            piece = self._skip_hidden(final) if self._closing else self._next(final)
            if piece is None:
                break
            spoken.append(piece)
        return "".join(spoken)

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
        hidden = _HIDDEN_OPENING.match(self._buffer)
        if hidden:
            self._closing = _closing(hidden)
            self._buffer = self._buffer[hidden.end() :]
            return ""
        if self._at_line_start:
            return self._line_start(final)
        if self._buffer[0].isspace():
            return self._space(final)
        return self._word(final)

    def _line_start(self, final: bool) -> str | None:
        if not final and (_UNDECIDED.fullmatch(self._buffer) or _MAYBE_DEFINITION.fullmatch(self._buffer)):
            return None
        if not final and "\n" not in self._buffer and self._buffer.lstrip().startswith(("```", "~~~")):
            return None
        if self._buffer.lstrip()[:1] in ("{", "["):
            call = _json_call(self._buffer, final)
            if call is None:
                return None
            if call:
                self._buffer = self._buffer[call:]
                return ""
        text = self._buffer + "\n" if final and "\n" not in self._buffer else self._buffer
        fence = _FENCE.match(text)
        if fence:
            self._buffer = "\n" + text[fence.end() :]
            self._closing = "\n" + fence[1][:3]
            return "I've left out some code. "
        rule = _RULE_LINE.match(text) or _DEFINITION.match(text)
        if rule:
            self._buffer = text[rule.end() :]
            return ""
        mark = _LINE_START.match(self._buffer)  # perhaps empty
        number = mark[1] if mark else None
        self._buffer = self._buffer[mark.end() if mark else 0 :]
        self._at_line_start = False
        return f"{number}, " if number else ""

    def _space(self, final: bool) -> str | None:
        space = self._buffer[: len(self._buffer) - len(self._buffer.lstrip())]
        if len(space) == len(self._buffer) and not final:
            return None
        self._buffer = self._buffer[len(space) :]
        if "\n" not in space:
            self._space_due = bool(self._last)
            return ""
        self._buffer = space[space.rindex("\n") + 1 :] + self._buffer  # the next line's indent
        self._at_line_start, self._space_due, self._bar_due = True, False, False
        ended, self._last = self._last, ""
        if not ended:
            return ""
        return "\n" if ended.endswith(_ENDED) else ".\n"

    def _word(self, final: bool) -> str | None:
        end = _word_end(self._buffer, final)
        if end is None:
            return None
        word = self._buffer[:end]
        hidden = _HIDDEN_OPENING.search(word)
        if hidden and hidden.start():
            word = word[: hidden.start()]
        self._buffer = self._buffer[len(word) :]
        spoken = self._in_its_row(word_for_speech(_ROLE.sub(r"\1\2", word)))
        if not spoken:
            return ""
        space = " " if self._space_due and spoken[0] not in _ENDED else ""
        self._space_due = False
        self._last = spoken.rstrip("\"')”’ ") or self._last or spoken
        return space + spoken

    def _in_its_row(self, spoken: str) -> str:
        """Turn a table's bars into commas, where another cell follows."""
        cells = [cell.strip() for cell in spoken.split("|")]
        full = [cell for cell in cells if cell]
        before = ", " if full and self._last and (self._bar_due or not cells[0]) else ""
        self._bar_due = len(cells) > 1 and not cells[-1] or (self._bar_due and not full)
        return before + ", ".join(full)


def _word_end(text: str, final: bool) -> int | None:
    """Return where the word at the start of `text` ends; None while that cannot be known."""
    at = 0
    while at < len(text) and not text[at].isspace():
        part = _SPACED_PARTS.get(text[at])
        found = part.match(text, at) if part else None
        rest = len(text) - at
        if part and not final and rest < HELD and "\n" not in text[at:] and _may_go_on(text, at, found):
            return None
        at = found.end() if found else at + 1
    return None if at == len(text) and not final else at


def _may_go_on(text: str, at: int, found: re.Match[str] | None) -> bool:
    """Tell whether more text may still change the part that begins at `at`."""
    if not found:
        return not _NO_TAG.match(text, at)
    return found.end() == len(text) or (
        text[at] == "[" and text[found.end() - 1] == "]" and text[found.end()] == "("
    )


def _closing(opening: re.Match[str]) -> str:
    """Return the text that ends the hidden part with this opening."""
    if opening[1]:
        return f"</{opening[1].lower()}>"
    if opening[2]:
        return f"<|/{opening[2].lower()}|>"
    return {"<!": "-->", "<|": "<|end|>"}.get(opening[0][:2], _NEVER)


def _json_call(text: str, final: bool) -> int | None:
    """Return how much of a line's start is a tool call in bare JSON; None while that cannot be known."""
    begin = len(text) - len(text.lstrip())
    depth, quoted, at = 0, False, begin
    while at < min(len(text), begin + LONGEST_CALL):
        mark = text[at]
        if quoted:
            at += mark == "\\"
            quoted = mark != '"'
        elif mark == '"':
            quoted = True
        elif mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
            if not depth:
                return at + 1 if _is_call(text[begin : at + 1]) else 0
        if at == begin + 1 and not quoted and not mark.isspace() and mark not in "{":
            return 0
        at += 1
    return None if not final and len(text) < begin + LONGEST_CALL else 0


def _is_call(text: str) -> bool:
    try:
        value = json.loads(text)
    except ValueError:
        return False
    first = value[0] if isinstance(value, list) and value else value
    return isinstance(first, dict) and bool({"name", "function"} & set(first))


def text_for_speech(text: str) -> str:
    """Return the text for speech of a whole text."""
    stream = TextForSpeech()
    return "".join([*(stream.feed(piece[0]) for piece in _PIECE.finditer(text)), stream.flush()])
