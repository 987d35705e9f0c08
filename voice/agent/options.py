"""How a conversation is led."""

from __future__ import annotations

from dataclasses import dataclass

from voice.agent.listening.options import BargeInOptions


@dataclass(frozen=True)
class ConversationOptions:
    """How a conversation is led; ListeningOptions says how it listens. Times in seconds."""

    buffer_ahead: float = 2.0  # seconds of the answer's sound that are made before they are played
    max_messages: int = 40  # the brain is shown at most so many of the latest messages
    prepare_within: float = 0.3  # seconds before the likely end of a turn at which its answer is begun
    merge_below: float = 1.0  # seconds; an answer interrupted sooner is dropped, and both turns become one
    filler_after: float = 2.0  # seconds without a sound of the answer, then a filler ("One moment.")
    answers: bool = True  # whether the agent answers each turn without being told to
    allow_barge_in: bool = True  # whether the person's speech interrupts an answer
    barge_in: BargeInOptions = BargeInOptions()
    instructions: str = ""  # shown to the brain before the messages, as one of role "system"
