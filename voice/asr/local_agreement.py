"""Successive hypotheses about one stream of speech: what is new in them, and what they agree on."""

from __future__ import annotations

from collections.abc import Sequence

from voice.types import Word

_ERRORS_PER_SECOND = 2.0  # how many other words weigh as much as a second between two times of one word


def bare(word: str) -> str:
    """A written word without case and punctuation, for comparison."""
    return "".join(letter for letter in word.lower() if letter.isalnum() or letter == "'")


def fresh(known: Sequence[Word], heard: Sequence[Word]) -> tuple[Word, ...]:
    """What `heard` has after the words `known` already, which its beginning says again.

    Where it says it so differently that nothing fits, the times decide alone.
    """
    if not known or not heard:
        return tuple(heard)
    end = known[-1].end
    costs = _prefix_costs([bare(word.text) for word in known], [bare(word.text) for word in heard])
    late = [abs(_edge(heard, count) - end) for count in range(len(costs))]
    count = min(range(len(costs)), key=lambda n: costs[n] + _ERRORS_PER_SECOND * late[n])
    if costs[count] > len(known) / 2:
        count = sum((word.start + word.end) / 2 <= end for word in heard)
    return tuple(heard[count:])


def agreed(before: Sequence[Word], now: Sequence[Word]) -> int:
    """With how many words both begin, case and punctuation aside."""
    count = 0
    for old, new in zip(before, now, strict=False):
        if bare(old.text) != bare(new.text):
            break
        count += 1
    return count


def _edge(words: Sequence[Word], count: int) -> float:
    """When the first `count` words end."""
    return words[count - 1].end if count else words[0].start


def _prefix_costs(known: Sequence[str], heard: Sequence[str]) -> list[int]:
    """Edit distances from `known` to each prefix of `heard`; the first known word may be cut off for free."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(known):
        before, row = row, [number]  # the first word of the window may have been lost in the cut
        for place, other in enumerate(heard):
            kept = before[place] + (word != other and number > 0)
            row.append(min(kept, before[place + 1] + (number > 0), row[place] + 1))
    return row
