"""The voice agent: a conversation that hears, thinks and speaks, and what it thinks with."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

_HOMES = {
    "voice.agent.conversation": "Conversation",
    "voice.agent.options": "ConversationOptions",
    "voice.agent.listening.options": "ListeningOptions",
    "voice.agent.events": (
        "Event SpeechStarted Partial SpeechEnded TurnEnded Heard Reply Speaking Spoken Paused Resumed "
        "Interrupted Rang Trouble Latency"
    ),
    "voice.agent.brains.choice": "Brains Choice Offline brain_from_environment",
    "voice.agent.brains.chat": "Chat",
    "voice.agent.brains.openai_server": "remote_brain",
    "voice.agent.skills.everyday": "everyday_skills",
    "voice.agent.skills.runner": "SkillRunner",
    "voice.agent.skills.parameters": "Verbatim",
    "voice.agent.skills.registry": "Context Skill skill",
    "voice.agent.skills.skill_files": "load_skills",
    "voice.agent.timers": "Timers",
    "voice.agent.work": "INLINE THREADS Work",
    "voice.agent.listening.endpointing": "SilenceEndpointer AudioTextEndpointer ManualEndpointer",
    "voice.smart_turn": "SmartTurn",
    "voice.agent.replay": "talk answers latencies",
    "voice.agent.session": "Models start",
}
_OWNERS = {name: home for home, names in _HOMES.items() for name in names.split()}
_RENAMED = {
    "Manners": "ConversationOptions",
    "Hearing": "ListeningOptions",
    "Desk": "SkillRunner",
    "AsSaid": "Verbatim",
    "SilenceRule": "SilenceEndpointer",
    "SoundAndWords": "AudioTextEndpointer",
    "WhenTold": "ManualEndpointer",
}  # old names of 0.1, which go with 0.3
_REMOVED = {
    "TurnByTurn": "give Conversation turns=ManualEndpointer(), then hear(samples) and finish() for each turn"
}

__all__ = [*_OWNERS]


def __getattr__(name: str) -> Any:
    if name in _RENAMED:
        warnings.warn(f"voice.agent.{name} is now {_RENAMED[name]}", DeprecationWarning, stacklevel=2)
        name = _RENAMED[name]
    if name in _REMOVED:
        raise AttributeError(f"voice.agent.{name} is gone; {_REMOVED[name]}")
    if name not in _OWNERS:
        raise AttributeError(f"module 'voice.agent' has no attribute {name!r}")
    value = getattr(import_module(_OWNERS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
