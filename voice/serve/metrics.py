"""What is counted, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.2, 2.0, 5.0, 15.0, 60.0, 300.0)


class Metrics:
    """The counters of one server; any thread may count."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = self._counter("requests", "Requests answered", "path", "status")
        self.refused = self._counter("refused", "Requests and sessions refused", "reason")
        self.vanished = self._counter("vanished", "Clients that went away before their answer was whole")
        self.heard = self._counter("heard_seconds", "Seconds of sound transcribed", "path")
        self.spoken = self._counter("spoken_seconds", "Seconds of speech synthesized", "path")
        self.seconds = self._histogram("request_seconds", "From a request to the end of its answer", "path")
        self.first_byte = self._histogram("first_byte_seconds", "To the start of the answer", "path")
        self.turn = self._histogram("turn_seconds", "From the end of a person's turn to the agent's voice")
        self.sessions = self._counter("sessions", "Live sessions begun")

    def gauge(self, name: str, about: str, value) -> None:
        """A figure that `value()` gives whenever it is asked for."""
        Gauge(f"voice_{name}", about, registry=self._registry).set_function(value)

    def text(self) -> bytes:
        """All figures in Prometheus's text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"voice_{name}", about, labels, registry=self._registry)

    def _histogram(self, name: str, about: str, *labels: str) -> Histogram:
        return Histogram(f"voice_{name}", about, labels, buckets=_SECONDS, registry=self._registry)
