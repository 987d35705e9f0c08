"""Whether the server has been told to stop, and how long what is under way still has."""

from __future__ import annotations

import asyncio
import time

GRACE = 10.0  # seconds that requests and live sessions have to end in, once the server is told to stop


class Draining:
    """The end of a server, which everything under way can see coming.

    `begin` and `cut` belong to the event loop, as do the coroutines; any thread may read the properties.
    """

    def __init__(self) -> None:
        self._begun, self._over = asyncio.Event(), asyncio.Event()
        self._deadline = 0.0

    @property
    def begun(self) -> bool:
        """Whether nothing new is taken any more."""
        return self._begun.is_set()

    @property
    def over(self) -> bool:
        """Whether the time of what was under way has run out."""
        return self._over.is_set()

    @property
    def seconds_left(self) -> float:
        """Seconds until what is under way is cut; 0 where it is over or has not begun."""
        return max(0.0, self._deadline - time.monotonic()) if self.begun and not self.over else 0.0

    def begin(self, seconds: float = GRACE) -> None:
        """Take nothing new; what is under way has `seconds`."""
        if not self.begun:
            self._deadline = time.monotonic() + seconds
            self._begun.set()

    def cut(self) -> None:
        """End what is still under way."""
        self.begin(0.0)
        self._over.set()

    async def wait(self) -> None:
        """Return when the server has been told to stop."""
        await self._begun.wait()

    async def wait_over(self) -> None:
        """Return when what is still under way has to end at once."""
        await self._over.wait()
