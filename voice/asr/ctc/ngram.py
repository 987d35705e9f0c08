"""A word n-gram model from an ARPA file, as KenLM, SRILM and recipes/ctc/ngram.py write it.

It backs off as Katz (1987) describes: log P(w | h) is what the file says of `h w`; where it has no such
row, the back-off weight of `h` is added to log P(w | h without its first word).
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import numpy as np

from voice.errors import ModelDamaged, ModelMissing

BEGIN, END, UNKNOWN = "<s>", "</s>", "<unk>"
UNSEEN = -7.0  # log10 of the probability of a word that the file does not have and gives no <unk> for
MOST_ROWS = 200_000_000  # n-grams of one length
LN_10 = math.log(10.0)

State = tuple[int, ...]  # the words that the next one depends on, the last at the end


@dataclass(frozen=True, eq=False)
class NgramTable:
    """All n-grams of one length, sorted by `keys`.

    A key is (row of the first n - 1 words in the table before) · vocabulary + last word. `log_probs` and
    `backoffs` are natural logarithms.
    """

    keys: np.ndarray
    log_probs: np.ndarray
    backoffs: np.ndarray

    def row(self, key: int) -> int:
        """Return the row of a key, -1 if there is none."""
        place = int(np.searchsorted(self.keys, key))
        return place if place < len(self.keys) and self.keys[place] == key else -1


@dataclass(frozen=True, eq=False)
class NgramModel:
    """Log-probabilities of words after words. It holds no state between calls but a memory of answers."""

    words: dict[str, int]
    tables: tuple[NgramTable, ...]
    _seen: dict[tuple[State, int], tuple[float, State]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> NgramModel:
        """Read an ARPA file, plain or with gzip (`.gz`). Raises ModelMissing or ModelDamaged."""
        if not path.is_file():
            raise ModelMissing(f"{path} is missing; name an ARPA file, such as KenLM's lmplz writes")
        try:
            with _open_text(path) as file:
                return _parse(file)
        except (OSError, EOFError, ValueError, KeyError, IndexError) as error:
            raise ModelDamaged(f"{path} is no whole ARPA file ({error})") from error

    @property
    def order(self) -> int:
        """Return the length of the longest n-grams."""
        return len(self.tables)

    @property
    def begin(self) -> State:
        """Return the state before the first word."""
        return self._shorten((self.words[BEGIN],)) if BEGIN in self.words else ()

    def score(self, state: State, word: str) -> tuple[float, State]:
        """Return log P(word | state), natural, and the state after it."""
        number = self.words.get(word, self.words.get(UNKNOWN, -1))
        if (state, number) not in self._seen:
            if len(self._seen) > 1_000_000:
                self._seen.clear()
            self._seen[state, number] = self._look_up(state, number)
        return self._seen[state, number]

    def end(self, state: State) -> float:
        """Return log P(the text ends | state); 0 if the file knows no end."""
        return self.score(state, END)[0] if END in self.words else 0.0

    def _look_up(self, state: State, word: int) -> tuple[float, State]:
        """Compute `score` by backing off."""
        if word < 0:
            return UNSEEN * LN_10, ()
        backoff = 0.0
        for begin in range(len(state) + 1):
            history = state[begin:]
            row = self._row((*history, word))
            if row >= 0:
                log_prob = float(self.tables[len(history)].log_probs[row])
                return backoff + log_prob, self._shorten((*state, word))
            known = self._row(history)
            if known >= 0:
                backoff += float(self.tables[len(history) - 1].backoffs[known])
        return backoff + UNSEEN * LN_10, ()

    def _row(self, words: State) -> int:
        """Return the row of an n-gram in its table, -1 if there is none or it is empty."""
        row = 0
        for place, word in enumerate(words):
            row = self.tables[place].row((row if place else 0) * len(self.words) + word)
            if row < 0:
                return -1
        return row if words else -1

    def _shorten(self, words: State) -> State:
        """Return the last words, no more than the next one can depend on, that the file knows together."""
        words = words[len(words) - min(len(words), self.order - 1) :]
        while words and self._row(words) < 0:
            words = words[1:]
        return words


def _open_text(path: Path) -> TextIO:
    """Open a text file that may be compressed by gzip."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _parse(file: TextIO) -> NgramModel:
    """Parse an ARPA file. Raises ValueError, KeyError or IndexError for a wrong one."""
    counts = _counts(file)
    words: dict[str, int] = {}
    tables: list[NgramTable] = []
    for order, count in enumerate(counts, 1):
        ids = np.zeros((count, order), np.int64)
        values = np.zeros((count, 2))
        filled = 0
        for fields in _rows(file, order):
            if filled == count:
                raise ValueError(f"it has more {order}-grams than its head says")
            texts = fields[1 : 1 + order]
            if order == 1:
                words.setdefault(texts[0], len(words))
            ids[filled] = [words[text] for text in texts]
            values[filled] = float(fields[0]), float(fields[1 + order]) if len(fields) > 1 + order else 0.0
            filled += 1
        if filled < count:
            raise ValueError(f"it has {filled} {order}-grams and its head says {count}")
        tables.append(_table(ids, values, tables, len(words)))
    return NgramModel(words, tuple(tables))


def _counts(file: TextIO) -> list[int]:
    """Read the head: how many n-grams there are of each length. The first section's title is read too."""
    counts: list[int] = []
    for line in file:
        line = line.strip()
        if line.startswith("ngram "):
            counts.append(int(line.partition("=")[2]))
        elif line == "\\1-grams:":
            break
    if not counts or min(counts) < 0 or max(counts) > MOST_ROWS:
        raise ValueError("it has no head with the counts of n-grams")
    return counts


def _rows(file: TextIO, order: int) -> Iterator[list[str]]:
    """Yield the fields of each row of a section; the title of the next one, or the end, is read too."""
    for line in file:
        fields = line.split()
        if not fields:
            continue
        if fields[0].startswith("\\"):
            return
        if len(fields) not in (1 + order, 2 + order):
            raise ValueError(f"{line.strip()[:60]!r} is no row of a {order}-gram")
        yield fields
    raise EOFError("it ends without \\end\\")


def _table(ids: np.ndarray, values: np.ndarray, before: list[NgramTable], words: int) -> NgramTable:
    """Make the table of one length. Raises ValueError where the first words of an n-gram are in no table."""
    rows = np.zeros(len(ids), np.int64)
    for place, table in enumerate(before):
        wanted = rows * words + ids[:, place]
        rows = np.searchsorted(table.keys, wanted)
        if np.any(rows >= len(table.keys)) or np.any(table.keys[rows] != wanted):
            raise ValueError(f"it has a {ids.shape[1]}-gram whose first {place + 1} words are no n-gram")
    keys = rows * words + ids[:, -1]
    order = np.argsort(keys, kind="stable")
    log_probs, backoffs = (LN_10 * values[order]).T.astype(np.float32)
    return NgramTable(keys[order], log_probs, backoffs)
