"""The skills that come with the agent; all of them work without a network."""

from __future__ import annotations

from voice.agent.skills import (
    calculations,
    clock,
    dates,
    notes_and_files,
    smalltalk,
    spelling_and_chance,
    timers,
)
from voice.agent.skills.quantities import Amount, Duration, UnitName
from voice.agent.skills.registry import Skill, skills_of

# Where two phrases fit a request equally well, the skill that stands earlier answers.
_MODULES = (clock, calculations, timers, spelling_and_chance, dates, smalltalk, notes_and_files)


def everyday_skills() -> tuple[Skill, ...]:
    """Return the skills that come with the agent."""
    return tuple(each for module in _MODULES for each in skills_of(module))


__all__ = ["Amount", "Duration", "UnitName", "everyday_skills"]
