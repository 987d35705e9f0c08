"""How a conversation is led."""

from __future__ import annotations

from dataclasses import dataclass

from voice.agent.listening.options import BargeInOptions


@dataclass(frozen=True)
class ConversationOptions:
    """How a conversation is led, beside how it listens (see ListeningOptions); times in seconds."""

    ahead: float = 2.0  # sound that is made before it is needed
    memory: int = 40  # messages that the brain is shown at most
    likely: float = 0.3  # before the likely end of a turn its answer is begun
    merged: float = 1.0  # of an answer heard before the person goes on; less than that and it is one turn
    filler_after: float = 2.0  # without a sound of the answer; then the agent says that it takes long
    answers: bool = True  # whether a turn is answered by itself
    yields: bool = True  # whether the person's speech interrupts an answer
    barge_in: BargeInOptions = BargeInOptions()
    instructions: str = ""  # shown to the brain before the messages, as one of role "system"
