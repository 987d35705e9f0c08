"""The line to one client: events of the protocol, and ours where they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from voice.serve.realtime.configuration import Configuration


class EventSender:
    """Passes on what a session says. `cut` takes back sound that has not left yet."""

    def __init__(
        self,
        send: Callable[[dict[str, Any]], None],
        configuration: Configuration,
        *,
        cut: Callable[[], None] = lambda: None,
        answered: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        """`answered` hears how many seconds each turn's answer took."""
        self.send, self.cut, self.answered = send, cut, answered
        self.configuration = configuration
        self._state = ""

    def tell(self, name: str, about: dict[str, Any]) -> None:
        """An event of our own, `voice.NAME`, if the client wants such."""
        if self.configuration.extras.events:
            self.send({"type": f"voice.{name}"} | about)

    def state(self, state: str) -> None:
        """What the agent does now, where that is new."""
        if state != self._state:
            self._state = state
            self.tell("state", {"state": state})
