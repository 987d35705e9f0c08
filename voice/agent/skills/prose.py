"""The parts of a text file that can be read aloud: its sentences, without code and markup."""

from __future__ import annotations

import re
from collections.abc import Iterator

from voice.agent.speaking.plain_text import text_for_speech
from voice.text.sentences import split_sentences

CODE_SHARE = 0.5  # of the lines of a block look like code: then the block is code

# No block goes on past the beginning of another, so that a block without an end is scanned only once.
_BLOCKS = re.compile(
    r"\A---\n.*?^(?:---|\.\.\.)[ \t]*$"  # front matter
    r"|^[ \t>]*(?P<fence>`{3,}+|~{3,}+)[^`\n]*$(?:.*?^[ \t>]*(?P=fence)[`~]*[ \t]*$|.*\Z)"  # Markdown
    r"|^[ \t]*#\+begin_(?P<org>src|example)\b(?:(?!#\+begin_).)*?^[ \t]*#\+end_(?P=org)[ \t]*$"
    r"|^\[(?:source|listing)\b[^\n]*\]\n(?P<adoc>-{4,}|\.{4,})\n"
    r"(?:(?!^\[(?:source|listing)\b).)*?^(?P=adoc)[ \t]*$"
    r"|<(?P<tag>pre|script|style|svg)\b(?:(?!<(?P=tag)\b).)*?</(?P=tag)>"
    r"|<!--(?:(?!<!--).)*?-->",
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
# reStructuredText: the indented lines after a directive or a line that ends in ::
_LITERAL = re.compile(
    r"^(?P<indent>[ \t]*+)(?P<text>\.\. (?:code|code-block|sourcecode|literalinclude|parsed-literal)::[^\n]*"
    r"|(?!\.\. )[^\n]*::)[ \t]*\n(?:[ \t]*\n)*(?:(?P=indent)[ \t]+[^\n]*(?:\n(?:[ \t]*\n)*|\Z))+",
    re.MULTILINE,
)
_BLANK = re.compile(r"\n[ \t]*\n")
_INDENTED = re.compile(r"(?: {4}|\t)")
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]")
# a table's head and the rule below it
_TABLE_HEAD = re.compile(
    r"^(?=[^\n|]*\|)[^\n]*\n[ \t]*+\|?(?:[ \t]*:?-{2,}:?[ \t]*\|)+[ \t:-]*$", re.MULTILINE
)
_CODE_SIGNS = re.compile(
    r"[{}]|[;\\]\s*$|=>|->|[=!]=|&&|\|\||::|\w\((?!e?s\))[\w\"'.]*[),=]|\w\.\w+\(|</?\w[^<>]*>|\[\[|\]\]"
    r"|^\s*(?:[$%>] \S|>>> |#!|@\w+|import \w|from \w[\w.]* import\b|(?:async )?def \w+\(|class \w+[(:]"
    r"|return \S+$|(?:sudo|pip3?|curl|git|docker|apt-get|npm|export) \S)"
    r"|^\s*[\w.\[\]]+\s*=\s*\S|[\w\])]\s=\s[\"'\[\w(]|\w=[\"'\[{]|(?<!\w)[A-Z][A-Z_]+=\S"
    r"|^\s*-?\s*[\w$\"'-]+:\s+[\[\"'{]|(?<=\s)--?\w[\w-]*\s(?:.*\s)?--?\w"
)
_SEVERAL_SENTENCES = re.compile(
    r"[a-z]{2}[.!?] [A-Z]"
)  # a line with several is prose, whatever signs they hold
_MAY_BE_MARKUP = re.compile(
    r"[`*_\[\]<>|~\\$&#{}=]|://|www\.|[\u2190-\U0010ffff]"
)  # characters that `text_for_speech` may change
_BASE64_RUN = re.compile(r"([!-~]{200})[!-~]{600,}([!-~]{200})")  # 1,000 and more characters without a space
_LEFT_OUT = re.compile(r"\bsome code\b")  # what `text_for_speech` says instead of code


def prose_blocks(text: str) -> Iterator[str]:
    """Yield the paragraphs, headings, list items and rows of plain text, Markdown or reStructuredText.

    Code is left out: fenced, introduced or indented blocks, and blocks that look like code.
    """
    text = _BLOCKS.sub("\n\n", text.replace("\r\n", "\n"))
    text = _TABLE_HEAD.sub("\n", _LITERAL.sub(_keep_introduction, text))
    in_list = False
    for block in _BLANK.split(text):
        lines = [line for line in block.split("\n") if line.strip()]
        if not lines:
            continue
        indented = all(_INDENTED.match(line) for line in lines)
        in_list = bool(_LIST_ITEM.match(lines[0])) or (in_list and lines[0][0] in " \t")
        looks_like_code = sum(
            is_code(line) and not _SEVERAL_SENTENCES.search(line) for line in lines
        ) > CODE_SHARE * len(lines)
        if not (looks_like_code or (indented and not in_list and not _is_paragraph(lines))):
            yield block.strip("\n")


def _keep_introduction(literal: re.Match[str]) -> str:
    """Return what stays of a literal block: the line that introduces it, unless that is a directive."""
    text = literal["text"]
    return "\n\n" if text.startswith("..") else f"{text[:-1]}\n\n"


def _is_paragraph(lines: list[str]) -> bool:
    """Tell whether indented lines are a paragraph, not code, because they hold a sentence."""
    return bool(re.match(r"\s*[\"'“(]?[A-Z]\w*,? .*[.!?:][\"'”)]?\s*$", " ".join(lines), re.DOTALL))


def is_code(line: str) -> bool:
    """Tell whether a line or a sentence looks like part of a program, a command or markup."""
    return bool(_CODE_SIGNS.search(line.strip()))


def sentences_of(block: str) -> list[str]:
    """Return the sentences of a block as they are read aloud, without those that hold code."""
    text = _BASE64_RUN.sub(r"\1\2", " ".join(block.split()))
    sentences = (
        each.text for each in split_sentences(text_for_speech(text) if _MAY_BE_MARKUP.search(text) else text)
    )
    return [each for each in sentences if not (is_code(each) or _LEFT_OUT.search(each))]
