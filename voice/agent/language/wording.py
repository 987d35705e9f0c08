"""How answers are worded: lists, counts and durations as people say them."""

from __future__ import annotations

from collections.abc import Sequence


def capitalize_first(text: str) -> str:
    """Return the text with a capital at its beginning, the rest as it is."""
    return text[:1].upper() + text[1:]


def join_words(parts: Sequence[str]) -> str:
    """Return one or more parts as a list: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def count_of(count: int, noun: str) -> str:
    """Return a count with its noun, which gets an s unless it is one: "2 notes"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def duration_in_words(seconds: float) -> str:
    """Return whole seconds as hours, minutes and seconds: "1 minute and 30 seconds"."""
    left, parts = max(0, round(seconds)), []
    for size, unit in ((3600, "hour"), (60, "minute"), (1, "second")):
        count, left = divmod(left, size)
        if count:
            parts.append(count_of(count, unit))
    return join_words(parts) if parts else "no time"
