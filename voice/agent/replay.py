"""The agent on a recording: a conversation over audio that is already there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from voice.agent.conversation import Conversation
from voice.agent.events import Event, Interrupted, Latency, Paused, Resumed, Speaking
from voice.audio import resample
from voice.types import Audio


def talk(audio: Audio, conversation: Conversation, *, patient: bool = True) -> Iterator[Event]:
    """Play a recording to the agent; yield what happens.

    A `patient` recording is held while the agent speaks; otherwise it plays on, and its next words
    interrupt the agent. All times are the conversation's.
    """
    samples = resample(audio, conversation.rate).samples
    frame = conversation.rate // 50
    for start in range(0, len(samples), frame):
        yield from conversation.hear(samples[start : start + frame])
        if patient and conversation.answering:
            yield from conversation.wait()
    yield from conversation.finish()


def answers(events: Iterable[Event], rate: int) -> Audio:
    """Return the agent's side as one recording at `rate` Hz, each answer when it was played."""
    pieces: list[tuple[int, np.ndarray]] = []
    held: list[tuple[int, np.ndarray]] = []  # what a pause keeps back
    paused = 0
    for event in events:
        at = round(event.time * rate)
        if isinstance(event, Speaking):
            pieces.append((round(event.start * rate), resample(event.speech.audio, rate).samples))
        elif isinstance(event, Paused):
            paused = at
            held = [(max(start, at), samples[max(0, at - start) :]) for start, samples in pieces]
            pieces = [(start, samples[: max(0, at - start)]) for start, samples in pieces]
        elif isinstance(event, Resumed):
            pieces += [(start + at - paused, samples) for start, samples in held]
            held = []
        elif isinstance(event, Interrupted):
            held = []
            pieces = [(start, samples[: max(0, at - start)]) for start, samples in pieces]
    track = np.zeros(max((start + len(samples) for start, samples in pieces), default=0), np.float32)
    for start, samples in pieces:
        track[start : start + len(samples)] += samples
    return Audio(track, rate)


def latencies(events: Iterable[Event]) -> tuple[float, float] | None:
    """Return the median and 95th percentile of the seconds from end of speech to first sound, or None."""
    totals = [event.total for event in events if isinstance(event, Latency)]
    if not totals:
        return None
    return float(np.percentile(totals, 50)), float(np.percentile(totals, 95))
