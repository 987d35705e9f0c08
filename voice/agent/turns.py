"""A conversation turn by turn, each recorded as a whole: what a page with a record button needs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from voice.agent.conversation import Conversation
from voice.agent.events import Event, Rang
from voice.audio import resample
from voice.types import Audio


class TurnByTurn:
    """Keeps the conversation's time in step with the clock on the wall, for its timers.

    The conversation should end turns only when told (see patience.WhenTold). `clock` gives seconds.
    Turns and bells may be called from threads: the next turn waits for the one under way, a bell
    does not and finds nothing.
    """

    def __init__(self, conversation: Conversation, clock: Callable[[], float] = time.monotonic) -> None:
        self.conversation = conversation
        self._clock, self._begun = clock, clock()
        self._turn_under_way = threading.Lock()

    def turn(self, said: Audio) -> Iterator[Event]:
        """One recorded turn, just ended, and its answer."""
        with self._turn_under_way:
            yield from self._catch_up(but=said.duration)
            yield from self.conversation.hear(resample(said, self.conversation.rate).samples)
            yield from self.conversation.finish()

    def bell(self) -> list[Event]:
        """Time passes; the events of timers that have rung since the last call, mostly none."""
        if not self._turn_under_way.acquire(blocking=False):
            return []
        try:
            events = list(self._catch_up())
            if any(isinstance(event, Rang) for event in events):
                events += self.conversation.wait()
            return events
        finally:
            self._turn_under_way.release()

    @property
    def waiting(self) -> bool:
        """Whether a timer is running, so that `bell` should be called now and then."""
        return bool(self.conversation.timers.pending)

    def _catch_up(self, but: float = 0.0) -> Iterator[Event]:
        missed = self._clock() - self._begun - self.conversation.time - but
        return self.conversation.wait(max(0.0, missed))
