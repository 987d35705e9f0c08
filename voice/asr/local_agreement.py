"""Local agreement: what is new in successive hypotheses about one stream, and on which words they agree.

Source: Liu, Spanakis and Niehues 2020, "Low-latency sequence-to-sequence speech recognition and
translation by partial hypothesis selection".
"""

from __future__ import annotations

from collections.abc import Sequence

from voice.types import Word

_ERRORS_PER_SECOND = 2.0  # how many other words weigh as much as a second between two times of one word


def bare(word: str) -> str:
    """Return a written word without case and punctuation, for comparison."""
    return "".join(letter for letter in word.lower() if letter.isalnum() or letter == "'")


def new_words(known: Sequence[Word], hypothesis: Sequence[Word]) -> tuple[Word, ...]:
    """Return the words of a hypothesis after those `known` already, which it repeats at its beginning.

    Where the beginning is too different from the known words, the times decide alone.
    """
    if not known or not hypothesis:
        return tuple(hypothesis)
    end = known[-1].end
    costs = _prefix_costs([bare(word.text) for word in known], [bare(word.text) for word in hypothesis])
    late = [abs(_edge(hypothesis, count) - end) for count in range(len(costs))]
    count = min(range(len(costs)), key=lambda n: costs[n] + _ERRORS_PER_SECOND * late[n])
    if costs[count] > len(known) / 2:
        count = sum((word.start + word.end) / 2 <= end for word in hypothesis)
    return tuple(hypothesis[count:])


def agreed_words(before: Sequence[Word], now: Sequence[Word]) -> int:
    """Return the number of words with which both hypotheses begin, case and punctuation aside."""
    count = 0
    for old, new in zip(before, now, strict=False):
        if bare(old.text) != bare(new.text):
            break
        count += 1
    return count


def _edge(words: Sequence[Word], count: int) -> float:
    """Return the time at which the first `count` words end."""
    return words[count - 1].end if count else words[0].start


def _prefix_costs(known: Sequence[str], hypothesis: Sequence[str]) -> list[int]:
    """Return the edit distances from `known` to each prefix of `hypothesis`.

    The first known word may be cut off at no cost.
    """
    row = list(range(len(hypothesis) + 1))
    for number, word in enumerate(known):
        before, row = row, [number]  # the first word of the window may have been lost in the cut
        for place, other in enumerate(hypothesis):
            kept = before[place] + (word != other and number > 0)
            row.append(min(kept, before[place + 1] + (number > 0), row[place] + 1))
    return row
