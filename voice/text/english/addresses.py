"""Mail and web addresses, file names and paths, versions, telephone and other numbers told digit by digit."""

from __future__ import annotations

import re

from voice.text.english.numbers import digits, number, say_in_name
from voice.text.verbalization.rule import one_of, rule

_MARK_NAMES = {
    ".": "dot", "/": "slash", "\\": "backslash", "-": "dash", "_": "underscore", "?": "question mark",
    "=": "equals", "&": "and", "#": "hash", "%": "percent", "+": "plus", "@": "at", ":": "colon",
    "~": "tilde",
    "*": "star", "!": "exclamation mark", "$": "dollar", ",": "comma", ";": "semicolon",
}  # fmt: skip
_SAID_AS_WORDS = frozenset(
    "me my we go to do in on at it is so no up by of or co hi an am be he as if com org net gov info biz"
    " app dev"
    " news shop online tech zip bin doc exe gif log bat tar wav ly my sky cry dry fly try why gym".split()
)
_SUFFIXES = (
    "com org net edu gov io co uk de fr info biz us ca au tv me ly ai app dev eu ch at nl it es jp cn in"
    " ru br pl"
    " se no dk fi be xyz news online shop tech museum"
).split()
_FILES = (
    "pdf doc docx odt txt rtf md csv tsv json xml yaml yml toml ini cfg log html htm css js ts jsx py"
    " ipynb java"
    " c cpp rs go sh bat exe dll zip tar gz bz2 7z rar iso img jpg jpeg png gif svg bmp webp tiff mp3 mp4"
    " m4a wav"
    " flac ogg opus avi mkv mov webm xls xlsx ppt pptx epub ttf onnx srt vtt sql db bin apk dmg"
).split()
_RELEASED = (
    "Python Ubuntu version Version release Release Ruby Perl Django Node Rust Go Kotlin Java PHP Debian"
    " Fedora Firefox Chrome Android Linux kernel CUDA PyTorch TensorFlow LLVM Postgres PostgreSQL MySQL"
).split()


def spell_letters(letters: str) -> str:
    """Turn 'www' into 'W W W'."""
    return " ".join(letters.upper())


def say_address(text: str) -> str:
    """Return an address, or a part of one, as people dictate it."""
    text = text.lower() if text.isupper() else text  # capitals throughout say nothing of its words
    runs = re.findall(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![a-z])|\d+|\W|_", text)
    return " ".join(filter(None, map(_say_run, runs)))


def _say_run(run: str) -> str:
    if run[0].isdecimal():
        return say_in_name(run)
    if not run[0].isalpha():
        return _MARK_NAMES.get(run, "")
    sayable = re.search("[aeiouyáéíóúäöü]", run.lower()) and len(run) > 2 and not run.isupper()
    if sayable and run.lower() not in ("pdf", "edu", "html") or run.lower() in _SAID_AS_WORDS:
        return run
    return spell_letters(run) if len(run) <= 6 else run


def _say_url(match: re.Match[str]) -> str:
    text = re.sub(r"^\w+://", "", match[0]).removesuffix("/")
    return say_address(text)


def _say_file(match: re.Match[str]) -> str | None:
    stem, _, extension = match[0].rpartition(".")
    if len(stem) == 1 and len(extension) == 1:  # 'D.C'
        return None
    ending = _say_run(extension) if extension.isalpha() else say_address(extension)
    return f"{say_address(stem)} dot {ending}".strip()


def _say_telephone(match: re.Match[str]) -> str:
    text = match[0]
    if re.fullmatch(r"\d{1,2}(?:-\d{1,2}){2}", text):  # a record of 10-7-2, no telephone
        return ", ".join(map(number, text.split("-")))
    groups = re.findall(r"\d+|[A-Z]{3,}", text)
    words = ("eight hundred" if g == "800" else digits(g) if g.isdecimal() else g.lower() for g in groups)
    return ("plus " if text.startswith("+") else "") + ", ".join(words)


def _say_vanity_number(match: re.Match[str]) -> str:
    """Read '1-800-GO-2-HAUL', whose letters are words to remember it by."""
    code = "eight hundred" if match["code"] == "800" else digits(match["code"])
    words = re.findall(r"\d+|[A-Za-z]+", match["words"])
    return ", ".join(
        filter(None, ("one" if match["one"] else "", code, " ".join(map(_say_vanity_word, words))))
    )


def _say_vanity_word(word: str) -> str:
    if word.isdecimal():
        return digits(word)
    short = word.isupper() and len(word) < 3 and word.lower() not in _SAID_AS_WORDS
    return spell_letters(word) if short else word.lower() if word.isupper() else word


def _say_mixed_code(match: re.Match[str]) -> str:
    """Spell the code of 'your code is ab9453'."""
    return " ".join(digits(c) if c.isdecimal() else c.upper() for c in match["token"])


def _say_hexadecimal(match: re.Match[str]) -> str:
    return "zero X " + " ".join(digits(c) if c.isdecimal() else c.upper() for c in match[1])


def _say_version(match: re.Match[str]) -> str:
    parts = " point ".join(number(part) for part in match["parts"].split("."))
    return f"version {parts}" if match["v"] else parts


def _say_dialed_code(match: re.Match[str]) -> str:
    """Read '*67' and '#31#'."""
    names = {"*": "star", "#": "pound"}
    return " ".join(names.get(c) or digits(c) for c in match[0])


def _say_release(match: re.Match[str]) -> str:
    """Read the version of 'Python 3.11' and 'Ubuntu 22.04'."""
    major, minor = match["token"].split(".")
    return f"{number(major)} point {number(minor)}"


def _say_hashtag(match: re.Match[str]) -> str:
    return "hashtag " + say_address(match[1])


def _say_internet_number(match: re.Match[str]) -> str:
    address, _, port = match[0].partition(":")
    words = " dot ".join(digits(part) for part in address.split("."))
    port, slash, path = port.partition("/")
    words = f"{words} colon {say_in_name(port)}" if port else words
    return f"{words} {say_address(slash + path)}" if slash else words


_HOST = rf"(?:[A-Za-z0-9](?:[\w-]*[A-Za-z0-9])?\.)+(?:{one_of(_SUFFIXES)})\b(?!\.\w)"
_TAIL = r"(?:[:/?#][^\s\"'<>]*[^\s\"'<>.,;:!?)\]}…])?/?"

_MONTH, _DAY = r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_DASHED_DATE = rf"(?:[12]\d{{3}}-{_MONTH}-{_DAY}|{_MONTH}-{_DAY}-[12]\d{{3}}|{_DAY}-{_MONTH}-[12]\d{{3}})\b"
_STATE_AND_ZIP = (
    r"(?:, [A-Z][A-Z],? |\b(?:ZIP|[Zz]ip)(?: [Cc]ode)?(?: is|:)? )(?P<token>\d{5}(?:-\d{4})?)(?![\w-])"
)

ADDRESS_RULES = (
    rule(_STATE_AND_ZIP, lambda m: digits(m["token"])),
    rule(r"(?i:(?:https?|ftp|file)://|\bwww\.)[^\s\"'<>]*[^\s\"'<>.,;:!?)\]}…]", _say_url),
    rule(r"(?<![\w.+%-])[\w.+%-]*[\w+%-]@[\w-]+(?:\.[\w-]+)+(?:/[\w./-]*\w)?", lambda m: say_address(m[0])),
    rule(r"<(?=\ue000)|(?<=\ue000)>", lambda m: ""),
    rule(r"\blocalhost(?::\d+)?(?:/[^\s\"'<>]*)?", _say_url),
    rule(r"(?<![\w/\\.])[\w-]+\.so(?:\.\d+)*\b(?!\.?\w)|(?<!\S)\.(?!NET\b)[A-Za-z][\w-]+(?:\.\w+)*",
         lambda m: say_address(m[0])),
    rule(rf"(?<![\w.@/-]){_HOST}{_TAIL}", _say_url),
    rule(rf"(?<![\w/\\-])(?<!\w\.)[\w-]+(?:\.[\w-]+)*\.(?:{one_of(_FILES)})\b(?!\.?\w)",
         _say_file, re.IGNORECASE),
    rule(r"(?<!\S)(?:~|\.\.?)?(?:/[\w.+-]*[\w+-])+/?|(?<!\w)[A-Za-z]:\\[^\s,;\"]*",
         lambda m: say_address(m[0])),
    rule(r"(?<![\w@])@(?=\w)\w+", lambda m: say_address(m[0])),
    rule(r"(?<![\w#&])#(?![A-Z]{1,3}\d)([A-Za-z]\w*)", _say_hashtag),
    rule(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{2,5}(?:/[\w./-]*\w)?)?(?![\w]|\.\d)",
         _say_internet_number),
    rule(r"(?<!\w)802\.11(ac|ax|be|[abgn])?\b",
         lambda m: f"eight oh two point eleven {spell_letters(m[1] or '')}".strip()),
    rule(r"(?<![\w.-])\(0\d{2,4}\) ?\d{3,4}[ -]?\d{3,4}(?![\w-])", _say_telephone),
    rule(r"(?<!\S)\*\d{2,3}\b#?|(?<!\S)#\d{2,3}#", _say_dialed_code),
    rule(r"\b0[xX]([0-9A-Fa-f]+)\b", _say_hexadecimal),
    rule(r"\b(?i:code|otp|pin|passcode|password|token)(?: is| was|:)? "
         r"(?P<token>(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[0-9A-Za-z]{4,12})(?![\w%-]|\.\w)", _say_mixed_code),
    rule(r"\b(?i:code|otp|pin|passcode|password|combination)(?: is| was|:)? "
         r"(?P<token>\d{3,8})(?![\w%.,-]\w|\w)",
         lambda m: digits(m["token"])),
    rule(r"(?<![\w.-])(?P<one>1[ -])\(?(?P<code>\d{3})\)?[ -](?P<words>(?=[\dA-Z -]*[A-Z]{2}|[A-Z][a-z]{2})"
         r"[A-Z][A-Za-z]*(?:[ -](?:[A-Z]+|\d+)\b(?![a-z.]\w))*|(?<=8[0-8]\d[ -])[a-z]{5,})\b",
         _say_vanity_number),
    rule(r"(?<![\w.-])(?P<one>)(?P<code>8(?:00|88|77|66|55|44|33))-"
         r"(?P<words>(?:[A-Z]+|\d+)(?:-(?:[A-Z]+|\d+))*(?<=[A-Z]))\b", _say_vanity_number),
    rule(r"\b(?i:call|calling|dial|dialing|phone|telephone|tel\.?|number|extension|at|ring) (?:is )?"
         r"(?P<token>\d-\d{4})(?![\w-])",
         lambda m: f"{digits(m['token'][0])}, {digits(m['token'][2:])}"),
    rule(r"(?<![\w.-])\+\d{1,3}(?:[ .-]?\(?\d{1,5}\)?){2,6}(?![\w-])", _say_telephone),
    rule(r"(?<![\w.-])(?:1[ .-])?\(\d{3}\)[ .-]?\d{3}[ .-]\d{4}(?![\w-])",
         _say_telephone),
    rule(r"(?<![\w.-])(?:1[.-])?\d{3}([.-])\d{3}\1\d{4}(?![\w-])|(?<![\w.-])\d{3}-\d{4}(?![\w-])",
         _say_telephone),
    rule(r"(?<![\w.-])1-\d{3}-[A-Z]{3,}(?:-[A-Z]+)*\b", _say_telephone),
    rule(r"(?<![\w.-])0\d{2,4}[ -]\d{3,4}[ -]?\d{3,4}(?![\w-])", _say_telephone),
    rule(r"(?<![\w.-])\d+(?:-\d+){3,}(?![\w-])", _say_telephone),
    rule(rf"(?<![\w.-])(?!{_DASHED_DATE})\d+(?:-\d+){{2}}(?![\w-])", _say_telephone),
    rule(r"(?<![\w.-])\d{4}(?: \d{4}){2,}(?![\w-])", _say_telephone),
    rule(r"(?<![\w.-])\d{3} \d{3} \d{4}(?![\w-]| \d)", _say_telephone),
    rule(r"\b(?i:text|dial) (?P<token>\d{5,6})\b", lambda m: digits(m["token"])),
    rule(r"\b(?i:call|dial|phone|ring) (?P<token>\d11|999|112)\b", lambda m: digits(m["token"])),
    rule(rf"\b(?:{one_of(_RELEASED)}) (?P<token>\d+\.\d\d)(?![\w.%])", _say_release),
    rule(r"(?<![\w.])(?P<v>[vV]\.? ?)(?P<parts>\d+(?:\.\d+)*)(?![\w]|\.\d)", _say_version),
    rule(r"(?<![\w.])(?P<v>)(?!(?:19|20)\d\d\.[01]\d\.[0-3]\d(?![\w.])|\d{1,2}\.\d{1,2}\.\d{4}\b|\d{1,3}(?:\.\d{3}){2,}\b)(?P<parts>\d+(?:\.\d+){2,})(?!\w)",
         _say_version),
)  # fmt: skip
