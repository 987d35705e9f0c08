"""The figures of a server, for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PATHS = frozenset(
    "/v1/audio/transcriptions /v1/audio/translations /v1/audio/speech /v1/audio/voices /v1/audio/models "
    "/v1/models /v1/openapi.json /dev/captioned_speech /health /metrics".split()
)
_SECONDS = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.2, 2.0, 5.0, 15.0, 60.0, 300.0)


class Metrics:
    """The counters of one server; any thread may count."""

    def __init__(self) -> None:
        disable_created_metrics()
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.requests = self._counter("requests", "Requests answered", "path", "status")
        self.refused = self._counter("refused", "Requests and sessions refused", "reason")
        self.vanished = self._counter("vanished", "Clients that went away before their answer was whole")
        self.heard = self._counter("heard_seconds", "Seconds of sound transcribed", "path")
        self.spoken = self._counter("spoken_seconds", "Seconds of speech synthesized", "path")
        self.seconds = self._histogram("request_seconds", "From a request to the end of its answer", "path")
        self.first_byte = self._histogram("first_byte_seconds", "To the start of the answer", "path")
        self.turn = self._histogram("turn_seconds", "From the end of a person's turn to the agent's voice")
        self.sessions = self._counter("sessions", "Live sessions begun")

    def gauge(self, name: str, about: str, value: Callable[[], float]) -> None:
        """Add a figure that `value` returns whenever it is read."""
        Gauge(f"voice_{name}", about, registry=self._registry).set_function(value)

    def text(self) -> bytes:
        """Return all figures in Prometheus's text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"voice_{name}", about, labels, registry=self._registry)

    def _histogram(self, name: str, about: str, *labels: str) -> Histogram:
        return Histogram(f"voice_{name}", about, labels, buckets=_SECONDS, registry=self._registry)


class MetricsMiddleware:
    """ASGI middleware that counts requests and times their answers."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path, begun = _path_label(scope["path"]), time.perf_counter()
        seen = _ObservedResponse(send)
        try:
            await self._app(scope, receive, seen.send)
        except Exception:  # which the server around us answers
            seen.status, seen.whole = 500, True
            raise
        finally:
            self._metrics.requests.labels(path, str(seen.status)).inc()
            self._metrics.seconds.labels(path).observe(time.perf_counter() - begun)
            if seen.first_byte:
                self._metrics.first_byte.labels(path).observe(seen.first_byte - begun)
            if not seen.whole or seen.status == 499:
                self._metrics.vanished.inc()


@dataclass
class _ObservedResponse:
    """A response as it is sent: its status, its first byte, whether it was whole."""

    inner: Send
    status: int = 0
    first_byte: float = 0.0
    whole: bool = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message.get("body"):
            self.first_byte = self.first_byte or time.perf_counter()
        await self.inner(message)
        self.whole = message["type"] == "http.response.body" and not message.get("more_body", False)


def _path_label(path: str) -> str:
    """Return the path by which a request is counted: one of a few, whatever clients send."""
    return path if path in _PATHS else "other"
