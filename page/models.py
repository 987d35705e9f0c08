"""The models that the page offers: what their menus show, and how one is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from voice.models import entries, find
from voice.serve.services import Services
from voice.types import Recognizer, Synthesizer

Progress = Callable[[float, str], None]  # a share of 1, and what is being done


def model_choices(services: Services, kind: str) -> list[tuple[str, str]]:
    """Return (shown text, name) of each model of a kind, the default first."""
    known = {entry.name: entry for entry in entries().values() if entry.card.kind == kind}

    def label(name: str) -> str:
        if name not in known:
            return Path(name).name
        entry = known[name]
        return name if entry.in_place else f"{name} (fetched first, {entry.size / 1e6:.0f} MB)"

    return [(label(name), name) for name in dict.fromkeys([*services.names(kind), *known])]


def open_recognizer(services: Services, name: str, progress: Progress) -> Recognizer:
    """Return the recognizer that the interfaces use too; it is downloaded first if it has to be."""
    _download(services, name, "recognizer", progress)
    return services.recognizer(name)


def open_voice(services: Services, name: str, progress: Progress) -> Synthesizer:
    """Return the voice that the interfaces use too; it is downloaded first if it has to be."""
    _download(services, name, "voice", progress)
    return services.voice(name)


def _download(services: Services, name: str, kind: str, progress: Progress) -> None:
    """Fetch a model that the server does not have, and report the progress."""

    def report(done: int, size: int) -> None:
        progress(done / max(size, 1), f"fetching {name}: {done / 1e6:.0f} of {size / 1e6:.0f} MB")

    if name not in services.names(kind):
        find(name, kind=kind, progress=report)
    progress(0.0, f"loading {name}")
