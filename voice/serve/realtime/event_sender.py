"""Sends server events to one client, and events of our own if the client asked for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from voice.serve.realtime.protocol.configuration import Configuration


class EventSender:
    """Sends what a session tells its client. `discard_audio` takes back audio that has not left yet."""

    def __init__(
        self,
        send: Callable[[dict[str, Any]], None],
        configuration: Configuration,
        *,
        discard_audio: Callable[[], None] = lambda: None,
        observe_latency: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        """Call `observe_latency` with the seconds that the answer to each turn took."""
        self.send, self.discard_audio, self.observe_latency = send, discard_audio, observe_latency
        self.configuration = configuration
        self._state = ""

    def send_extension(self, name: str, about: dict[str, Any]) -> None:
        """Send an event of our own, `voice.NAME`, if the client wants such."""
        if self.configuration.extras.events:
            self.send({"type": f"voice.{name}"} | about)

    def send_state(self, state: str) -> None:
        """Tell what the agent does now, if that is new."""
        if state != self._state:
            self._state = state
            self.send_extension("state", {"state": state})
