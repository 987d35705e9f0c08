"""The address of a language model's server, as people write it."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from voice.errors import BrainError


def split_address(address: str) -> SplitResult:
    """Return the parts of an address; without a scheme it gets http. Raises BrainError if it is none."""
    try:
        parts = urlsplit(address if "//" in address else f"http://{address}")
        parts.port  # noqa: B018  it raises ValueError if the port is no number
    except ValueError as error:
        raise BrainError(f"the language model's address is {address!r} ({error}); {_EXAMPLE}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BrainError(f"the language model's address is {address!r}; {_EXAMPLE}")
    return parts


def host_of(parts: SplitResult) -> str:
    """Return the host and its port, without the password that may stand before them."""
    return parts.netloc.rpartition("@")[2]


_EXAMPLE = "it looks like http://localhost:11434/v1"
