"""A class of written token and how it is said."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple


class Rule(NamedTuple):
    """Where `pattern` matches, `say` gives the spoken words, or None to leave it to other rules."""

    pattern: re.Pattern
    say: Callable[[re.Match], str | None]


def rule(pattern: str, say: Callable[[re.Match], str | None], flags: int = 0) -> Rule:
    return Rule(re.compile(pattern, flags), say)


def one_of(words) -> str:
    """A pattern that matches any of `words`, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
