"""Text files of data sets in whatever encoding they come, as lines, one at a time."""

from __future__ import annotations

import codecs
import json
import stat
import warnings
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from voice.errors import ManifestError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEAD = 4096  # bytes that are looked at for zeros, which UTF-16 has in every other place
_BLOCK = 2**20  # bytes decoded at a time
_AROUND = 2**15  # bytes on either side of the first one that is not UTF-8, from which its encoding is guessed
_WESTERN = ("cp1252", "cp1250", "mac_roman")  # the likely ones first
_EASTERN = ("cp932", "gb18030", "euc_jp", "big5", "cp949", "cp1251")
_ODD = 0.1  # share of the bytes beyond ASCII that may be odd in a Western text
_JOINING = "’‘–—·•…\u00ad"  # signs between letters in good texts
_FOREIGN = 0.4  # share of the letters beyond ASCII above which a text is in no Western European language


def read_lines(path: Path, *, blank: bool = False) -> Iterator[str]:
    """Yield the lines of a text file without their ends, blank ones if asked for. Raises ManifestError."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe is waited for without end
            raise ManifestError(f"{path} is no file; name one that holds text")
        with path.open(encoding=encoding_of(path), newline="") as file:
            for line in _unbroken(file):
                if blank or line.strip():
                    yield line
    except OSError as error:
        raise ManifestError(f"{path} cannot be read ({error.strerror or error}); check the file") from error
    except UnicodeError as error:
        reason = "it is in no encoding that was recognized"
        raise ManifestError(f"{path} cannot be read as text ({reason}); save it as UTF-8") from error


def _unbroken(file: Any) -> Iterator[str]:
    """Yield lines that end with LF, CR LF or CR; other separators may be a part of a transcript."""
    for line in file:
        yield from line.rstrip("\r\n").split("\r")


def read_text(path: Path) -> str:
    """Return the words of a small text file, apart by one space each. Raises ManifestError."""
    return " ".join(" ".join(read_lines(path)).split())


def read_objects(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yield (number of the line or entry, its object or the reason why there is none) of a JSON file.

    It may hold an object a line, one list of objects, or one object of objects: their keys become "id".
    """
    if path.suffix.lower() != ".jsonl" and _is_one_value(next(read_lines(path), "")):
        yield from _entries(path)
        return
    for number, line in enumerate(read_lines(path), 1):
        yield number, _object_or_reason(line)


def first_object(path: Path) -> dict[str, Any]:
    """Return the first object of a JSON file, an empty one where there is none."""
    try:
        found = next((each for _, each in read_objects(path) if isinstance(each, dict)), {})
    except ManifestError:
        return {}
    return found


def _is_one_value(line: str) -> bool:
    """Tell from its first line whether a file is one JSON value and not an object a line."""
    found = _object_or_reason(line)
    if isinstance(found, str):
        return line.lstrip()[:1] in ("[", "{")
    return bool(found) and all(isinstance(value, dict | list) for value in found.values())


def _object_or_reason(line: str) -> dict[str, Any] | str:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        return f"it is not JSON ({getattr(error, 'msg', error)}); each line holds one object"
    return found if isinstance(found, dict) else 'it is not an object; a row looks like {"audio": …}'


def _entries(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yield the objects of a file that is one JSON value. Raises ManifestError where it is none."""
    try:
        whole = json.loads("\n".join(read_lines(path)))
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{path} is not JSON ({getattr(error, 'msg', error)}); write it again") from error
    if isinstance(whole, dict) and all(isinstance(value, dict) for value in whole.values()):
        whole = [{"id": key, **value} for key, value in whole.items()]
    elif isinstance(whole, dict):  # {"data": [...]}
        whole = next((value for value in whole.values() if isinstance(value, list)), [whole])
    for number, each in enumerate(whole, 1):
        yield number, each if isinstance(each, dict) else "it is not an object"


@lru_cache(maxsize=256)
def encoding_of(path: Path) -> str:
    """Return the encoding of a text file: by its mark, UTF-8 if all of it is, else the most likely one.

    Raises OSError where the file cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if head[1::2].count(0) > len(head) / 8:
        return "utf-16-le"
    if head[0::2].count(0) > len(head) / 8:
        return "utf-16-be"
    wrong = _first_that_is_not_utf8(path)
    return "utf-8" if wrong is None else _guess(path, wrong)


def _first_that_is_not_utf8(path: Path) -> int | None:
    """Return about where the first byte is that UTF-8 has not; None in a file of UTF-8."""
    decoder, done = codecs.getincrementaldecoder("utf-8")(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                return done + error.start
            done += len(block)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return done
    return None


def _guess(path: Path, wrong: int) -> str:
    """Return the likely encoding of a file that is not UTF-8, from what is around a byte that tells so."""
    with path.open("rb") as file:
        file.seek(max(0, wrong - _AROUND))
        sample = file.read(2 * _AROUND)
    western = [each for each in sample.decode("cp1252", "replace") if each.isalpha()]
    foreign = sum(not each.isascii() for each in western) > _FOREIGN * len(western)
    found = min(_WESTERN, key=lambda name: _count_odd(sample, name))
    if foreign or _count_odd(sample, found) > _ODD * sum(byte > 127 for byte in sample):
        found = _guess_foreign(sample)
    _tell_once(found)
    return found


@lru_cache
def _tell_once(encoding: str) -> None:
    """Warn of an encoding that was guessed, once for all files that have it."""
    warnings.warn(
        f"texts that are not UTF-8 are read as {encoding}; if letters are wrong, save them as UTF-8",
        stacklevel=2,
    )


def _count_odd(sample: bytes, encoding: str) -> int:
    """Return how often a text in that encoding has what no word has: a sign or a capital inside of it."""
    text = sample.decode(encoding, "replace")
    inside = zip(text, text[1:], text[2:], strict=False)
    signs = sum(before.isalpha() and after.isalpha() and _is_sign(each) for before, each, after in inside)
    capitals = sum(
        before.islower() and each.isupper() and not each.isascii() for before, each in pairwise(text)
    )
    return signs + capitals + text.count("\ufffd")


def _is_sign(letter: str) -> bool:
    return not letter.isascii() and not letter.isalpha() and letter not in _JOINING and not letter.isspace()


def _guess_foreign(sample: bytes) -> str:
    """Return the likely encoding of a text in another script than the Latin one."""
    try:
        import charset_normalizer
    except ImportError:
        best = None
    else:
        best = charset_normalizer.from_bytes(sample).best()
    if best is not None:
        return best.encoding
    return next((name for name in _EASTERN if _fits(sample, name)), "cp1252")


def _fits(sample: bytes, encoding: str) -> bool:
    """Tell whether nearly all of a sample, which may begin and end within a letter, is in an encoding."""
    return sample.decode(encoding, "replace").count("\ufffd") <= 2
