"""One word of Markdown or HTML as text for speech: without marks, addresses and pictures."""

from __future__ import annotations

import html
import re
import unicodedata

# A tag, of HTML or of a chat template; its attributes have values, so that "a<b and c>d" is none.
_VALUE = r"""(?:"[^"\n]*"|'[^'\n]*'|[^\s"'<>]+)"""
_ATTRIBUTE = rf"(?:[\w:@.-]+[ \t]*=[ \t]*{_VALUE}|open|checked|hidden|controls)"
TAG = re.compile(rf"<(?:/?[A-Za-z][\w:.-]*(?:[ \t]+{_ATTRIBUTE})*[ \t]*/?|\|[^|>\n]{{0,60}}\|)>")
_BREAK = re.compile(r"</?(?:br|p|div|li|td|th|tr|hr|summary|details|h[1-6])\b[^<>]*>", re.IGNORECASE)
# A part without an end is searched for a bounded length only: it may begin again at each character.
_LINK = re.compile(r"(!?)\[([^\]]{0,300})\](?:\(([^)\[]*+|[^)]{0,300})\)|\[[^\]]{0,100}\])")
_CITATION = re.compile(r"\[\^[^\]]{1,100}\]:?|\[(?:\d{1,3}(?:[,–-] ?\d{1,3})*)\]")
_CODE = re.compile(r"`++([^`]+)`++")
_SAYABLE_CODE = re.compile(r"[\w .,'/+-]{1,40}")
_MAIL = re.compile(r"<([^\s<>@]+@[^\s<>@]+)>")
_ADDRESS = re.compile(r"<?(?:https?://|www\.)[^\s<>)\]]+>?", re.IGNORECASE)
_HOST = re.compile(r"(?:\w+://)?(?:www\.)?([^/?#\s]+)", re.IGNORECASE)
_EMPHASIS = re.compile(r"\*+(?=\S)|(?<=\S)\*+|~~+|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)")
_ESCAPED_MARK = re.compile(r"\\[*_~`]")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_MATH = re.compile(r"\\[()\[\]]|\$\$|(?<!\w)\$(?=[A-Za-z\\])|(?:(?<=[A-Za-z)}])|(?<=\^\d))\$(?!\w)")
_FORMULAS = (
    (re.compile(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}"), r"\1 over \2"),
    (re.compile(r"\\sqrt\{([^{}]*)\}"), r"the square root of \1"),
    (re.compile(r"\\(?:text|mathrm|mathbf)\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\(?:times|cdot)\b"), "times"),
    (re.compile(r"\\(?:leq?)\b"), "at most"),
    (re.compile(r"\\(?:geq?)\b"), "at least"),
    (re.compile(r"\\approx\b"), "about"),
)
_KEPT = "°€£™©®…→≈≤≥≠∞√×÷№℃℉"


def word_for_speech(word: str) -> str:
    """Return the text for speech of a word, or of a link or a piece of code with its spaces; perhaps "".

    The bars of a table stay: the caller knows the row.
    """
    word = _CODE.sub(lambda code: code[1] if _SAYABLE_CODE.fullmatch(code[1]) else "some code", word)
    word = _LINK.sub(_link_text, word)
    word = _CITATION.sub("", word)
    word = _MAIL.sub(r"\1", word)
    word = TAG.sub("", _BREAK.sub(" ", word))
    word = _ADDRESS.sub(lambda address: _site(address[0]), word)
    word = _ESCAPE.sub(r"\1", _EMPHASIS.sub("", _ESCAPED_MARK.sub("", _formula(word))))
    word = word.replace("&lt;", "less than").replace("&gt;", "greater than")
    word = html.unescape(word).replace("`", "")
    return " ".join("".join(each for each in word if not _is_picture(each)).split())


def _link_text(link: re.Match[str]) -> str:
    """Return a link's words or else its site; an image's description."""
    return link[2] or ("" if link[1] else _site(link[3] or ""))


def _formula(word: str) -> str:
    """Put the formulas of a word into words."""
    word = _MATH.sub("", word)
    for pattern, words in _FORMULAS:
        word = pattern.sub(words, word)
    return word


def _site(address: str) -> str:
    """Return the name of an address's site, with the punctuation that stands behind the address."""
    address = address.strip("<>")
    bare = address.rstrip(".,;:!?")
    host = _HOST.match(bare)
    return (host[1] if host and "." in bare else "a link") + address[len(bare) :]


def _is_picture(mark: str) -> bool:
    """Tell whether a character is an emoji, or one that only changes how another looks."""
    if ord(mark) < 0x200B:
        return False
    return unicodedata.category(mark) in ("So", "Sk", "Cf", "Mn", "Me", "Co", "Cn") and mark not in _KEPT
