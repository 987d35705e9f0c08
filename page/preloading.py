"""Loads the models before somebody talks, and tells the page how far the loading is."""

from __future__ import annotations

import threading

from fastapi import FastAPI

from voice.errors import VoiceError
from voice.serve.services import Services

PATH = "/talk/ready"


class Preloading:
    """The loading of a server's models, in a thread of its own."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.state = "loading"  # then "ready", or "failed": a session will say why

    def begin(self) -> None:
        """Start loading, unless that has begun."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._load, name="preloading", daemon=True)
                self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait until the loading has ended, if it has begun, but no longer than `seconds`."""
        if self._thread:
            self._thread.join(seconds)

    def _load(self) -> None:
        """Load the models and set `state`, in a thread."""
        try:
            self._services.preload()
        except VoiceError:
            self.state = "failed"
        except BaseException:
            self.state = "failed"
            raise
        else:
            self.state = "ready"

    def status(self) -> dict[str, object]:
        """Return the state, and the codes of the languages that Talk understands; none where unknown."""
        if self.state != "ready":
            return {"state": self.state, "languages": []}
        languages = getattr(self._services.live_recognizer(), "languages", ())
        return {"state": self.state, "languages": sorted(languages)}


def add_preloading(server: FastAPI, services: Services) -> Preloading:
    """Serve at PATH how far the models are loaded; the first request begins it, if nothing has."""
    preloading = Preloading(services)

    @server.get(PATH, include_in_schema=False)
    def ready() -> dict[str, object]:
        preloading.begin()
        return preloading.status()

    return preloading
