"""A check whether a person speaks a language that the recognizer does not know.

A recognizer of one language writes words of that language whatever it hears, and is unsure of them: the mean
confidence of eight words or more was below 0.6 in 82 to 100 % of French, Italian and Russian prompts, 20 % of
Spanish ones, and in 1 % of read English, children's and learners' included, heard by `quick`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable

from voice.text.languages import name_of
from voice.types import Word

FEWEST_WORDS, MOST_WORDS = 8, 24  # words of the last turns that are judged together
LEAST_CONFIDENCE = 0.6  # their mean confidence, from which they are taken for what they seem


class LanguageCheck:
    """Checks the words of one person, turn after turn."""

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=MOST_WORDS)
        self._doubted = False  # whether the words of the turn before were in doubt

    def note(self, words: Iterable[Word], languages: Collection[str]) -> str:
        """Take the words of a turn; return a sentence for the person where doubt begins, else "".

        `languages` are the codes of the languages that the recognizer knows. A recognizer of several tells
        them apart by itself, and is never doubted.
        """
        self._last += [word.confidence for word in words]
        doubtful = len(self._last) >= FEWEST_WORDS and sum(self._last) / len(self._last) < LEAST_CONFIDENCE
        begins, self._doubted = doubtful and not self._doubted, doubtful
        if not begins or len(languages) != 1:
            return ""
        return f"This did not sound like {name_of(*languages)}, the only language that is understood here."
