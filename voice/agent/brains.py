"""What answers: `Offline` with skills and no network, `Remote` with any OpenAI-compatible server."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from voice.agent.remote import Remote
from voice.agent.skills import Context, Skill, answer, load_skills, skills_of
from voice.agent.timers import Timers
from voice.errors import VoiceError
from voice.types import Brain, Message

UNKNOWN = "I can't do that. I know the time, sums, units, timers and spelling. Ask me what I can do."
NOTHING = "I didn't catch that."


def everyday_skills() -> tuple[Skill, ...]:
    """The skills that come with the agent."""
    from voice.agent import everyday

    return skills_of(everyday)


class Offline:
    """Answers from skills alone. One belongs to one conversation: it holds that one's timers."""

    def __init__(
        self,
        skills: Sequence[Skill] | None = None,
        clock: Callable[[], datetime] = datetime.now,
        timers: Timers | None = None,
        seed: int | None = None,
    ) -> None:
        self._skills = tuple(everyday_skills() if skills is None else skills)
        self._clock = clock
        self._timers = timers or Timers()
        self._random = random.Random(seed)

    def reply(self, messages: Sequence[Message]) -> Iterator[str]:
        """The answer to the last message, in one piece."""
        request = messages[-1].content if messages else ""
        if not request.strip():
            yield NOTHING
            return
        said = [each.content for each in messages if each.role == "assistant"]
        last = said[-1] if said else ""
        context = Context(self._clock(), self._timers, last, self._random, self._skills)
        yield self._answer(request, context)

    def _answer(self, request: str, context: Context) -> str:
        try:
            return answer(request, self._skills, context) or UNKNOWN
        except Exception as error:  # a user's skill may raise anything; the conversation goes on
            return f"That skill failed: {error}."


def brain_from_environment(
    timers: Timers,
    environment: Mapping[str, str] = os.environ,
    clock: Callable[[], datetime] = datetime.now,
) -> Brain:
    """The brain that the environment asks for.

    `VOICE_LLM_URL` (with `VOICE_LLM_MODEL` and `VOICE_LLM_KEY`) gives Remote, else Offline with the
    everyday skills and those of the file `VOICE_SKILLS`. Raises VoiceError where these are wrong.
    """
    url = environment.get("VOICE_LLM_URL", "").strip()
    if url:
        return Remote(url, environment.get("VOICE_LLM_MODEL", ""), environment.get("VOICE_LLM_KEY", ""))
    own = environment.get("VOICE_SKILLS", "").strip()
    skills = (load_skills(own) if own else ()) + everyday_skills()
    return Offline(skills, clock, timers)


__all__ = [
    "NOTHING",
    "UNKNOWN",
    "Offline",
    "Remote",
    "VoiceError",
    "brain_from_environment",
    "everyday_skills",
]
