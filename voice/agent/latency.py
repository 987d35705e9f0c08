"""How long the answer to a turn takes, put together as it comes to be known."""

from __future__ import annotations

from dataclasses import dataclass

from voice.agent.events import Latency


@dataclass
class Measured:
    """What is known so far of a turn's latency, in times of the conversation."""

    ended: float  # the person's last sound
    turn_end: float
    first_words: float = 0.0

    def latency(self, now: float, first_audio: float) -> Latency:
        words = max(self.first_words or first_audio, self.turn_end)
        return Latency(
            now, self.turn_end - self.ended, words - self.ended, max(first_audio, words) - self.ended
        )
