"""Rows of a table in text: what separates its columns, quotes where they are quotes, commas inside of texts.

No transcript is ever cut: a row with more fields than the table has columns is joined again in the column of
the text, or is a fault.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from data.reading import read_lines

SEPARATORS = ("\t", "|", ";", ",")
SAMPLE = 50  # lines by which a table is judged
_ALIKE = 0.5  # share of them that hold the separator; a quoted text may have several lines
_LONGEST_ROW = 20  # lines that a quoted field may take


def separators_of(lines: Sequence[str]) -> list[str]:
    """Return what may separate the columns of a table: marks in its first line and in half of the others."""
    first = lines[0] if lines else ""
    return [m for m in SEPARATORS if m in first and sum(m in line for line in lines) >= _ALIKE * len(lines)]


def split_lines(lines: Iterator[str], mark: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (number of its line, fields) of each row; a quoted field may go on in the next lines."""
    number = 0
    held: list[str] = []
    for line in lines:
        number += 1
        held.append(line)
        while held:
            fields = _fields("\n".join(held), mark)
            if fields is None and len(held) < _LONGEST_ROW:
                break  # perhaps the quote ends further down
            if fields is None:  # it never does: a quote is a character like any other here
                first, *held = held
                yield number - len(held), first.split(mark)
                continue
            yield number - len(held) + 1, fields
            held = []
    for place, line in enumerate(held):
        fields = _fields(line, mark)
        yield number - len(held) + place + 1, line.split(mark) if fields is None else fields


def _fields(text: str, mark: str) -> list[str] | None:
    """Return the fields of a row; None where a quoted one does not end."""
    if mark in "\t|" or '"' not in text:
        return text.split(mark)
    try:
        (fields,) = csv.reader([text], delimiter=mark, strict=True, skipinitialspace=f'{mark} "' in text)
    except csv.Error as error:
        return None if "unexpected end" in str(error) else text.split(mark)
    except ValueError:  # several rows, because a line of text ended outside of quotes
        return None
    return fields


def read_table(path: Path) -> Iterator[tuple[int, dict[str, str] | str]]:
    """Yield (number of its line, {column: value} or why there is none) of a table with a header."""
    lines = read_lines(path)
    sample = list(islice(lines, SAMPLE))
    mark = next(iter(separators_of(sample[:1])), ",")
    found = split_lines(chain(sample, lines), mark)
    header = [name.strip() for name in next(found, (0, []))[1]]
    texts = [place for place, name in enumerate(header) if name.lower() in TEXT_NAMES]
    for number, values in found:
        if len(values) > len(header) and len(texts) == 1:
            values = join_again(values, texts[0], len(header), mark)
        if len(values) != len(header):
            yield number, f"{len(values)} fields where {len(header)} belong; put texts with {mark} in quotes"
        else:
            yield number, {name: value.strip() for name, value in zip(header, values, strict=True)}


def join_again(values: list[str], place: int, width: int, mark: str) -> list[str]:
    """Return the fields of a row as `width` columns, the surplus joined in the column at `place`."""
    end = place + len(values) - width + 1
    return [*values[:place], mark.join(values[place:end]), *values[end:]]


TEXT_NAMES = frozenset(
    "text transcript transcription sentence wrd words utterance caption raw_text content label".split()
)
