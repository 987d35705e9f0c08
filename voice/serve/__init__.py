"""The server: OpenAI's HTTP and Realtime interfaces around what this library does."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "voice.serve.app": "build",
    "voice.serve.services": "Services",
    "voice.serve.settings": "Settings",
    "voice.serve.slots": "Busy Slots",
}
_OWNERS = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [*_OWNERS]


def __getattr__(name: str) -> Any:
    if name not in _OWNERS:
        raise AttributeError(f"module 'voice.serve' has no attribute {name!r}")
    value = getattr(import_module(_OWNERS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
