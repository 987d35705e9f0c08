"""A class of written tokens and how they are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

TAKEN = "\ue000"  # stands for each character that an earlier rule has put into words


class Rule(NamedTuple):
    """Where `pattern` matches, `say` gives the spoken words, or None to leave it to other rules.

    If the pattern has a group called `token`, only that part of the match is read, the rest is context.
    """

    pattern: re.Pattern[str]
    say: Callable[[re.Match[str]], str | None]


def rule(pattern: str, say: Callable[[re.Match[str]], str | None], flags: int = 0) -> Rule:
    return Rule(re.compile(pattern, flags), say)


def one_of(words: Iterable[str]) -> str:
    """Return a pattern that matches any of `words`, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
