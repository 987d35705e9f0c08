"""The address of a language model's server, as people write it."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from voice.errors import BrainError


def split_address(address: str) -> SplitResult:
    """Its parts; without a scheme it is of http. Raises BrainError where it is none."""
    try:
        parts = urlsplit(address if "//" in address else f"http://{address}")
        parts.port  # noqa: B018  it raises where it is none
    except ValueError as error:
        raise BrainError(f"the language model's address is {address!r} ({error}); {_EXAMPLE}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BrainError(f"the language model's address is {address!r}; {_EXAMPLE}")
    return parts


def named(parts: SplitResult) -> str:
    """The host and its port, without the password that may stand before them."""
    return parts.netloc.rpartition("@")[2]


_EXAMPLE = "it looks like http://localhost:11434/v1"
