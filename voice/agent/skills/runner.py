"""The skills of one conversation: what they act on, and how they are called.

Each call runs in a thread of its own, so that a skill that takes long, or never ends, blocks nobody: the
agent says that it needs a moment, and goes on without the skill after `SkillTimeouts.limit`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from voice.agent.background import BackgroundIterator
from voice.agent.skills.documents import Documents
from voice.agent.skills.notes import Notes
from voice.agent.skills.registry import Context, Skill, matching_skills
from voice.agent.speculative import CommitGate, GeneratedReply
from voice.agent.timers import Timers
from voice.types import Message, ReplyPiece

ONE_MOMENT = ("One moment. ", "Just a second. ", "Let me see. ")


@dataclass(frozen=True)
class SkillTimeouts:
    """How long a call of a skill may take, in seconds."""

    notice: float = 1.5  # until the agent says that it needs a moment
    limit: float = 30.0  # until the call is given up


class SkillRunner:
    """The skills, timers, notes and documents of one conversation."""

    def __init__(
        self,
        skills: Sequence[Skill],
        *,
        timers: Timers | None = None,
        notes: Notes | None = None,
        documents: Documents | None = None,
        clock: Callable[[], datetime] = datetime.now,
        timeouts: SkillTimeouts = SkillTimeouts(),
        seed: int | None = None,
    ) -> None:
        """Of two skills with one name the first counts. Give the conversation the same `timers`."""
        self._own = tuple(skills)
        self.use_client_tools(())
        self.timers = timers or Timers()
        self.notes, self.documents, self._clock = notes, documents, clock
        self._timeouts, self._random = timeouts, random.Random(seed)

    def use_client_tools(self, skills: Sequence[Skill]) -> None:
        """Use these skills too, before its own ones; they replace those of an earlier call."""
        every = (*skills, *self._own)
        self.skills = tuple({each.name: each for each in reversed(every)}.values())[::-1]

    @property
    def now(self) -> datetime:
        """Return the time of the conversation's clock."""
        return self._clock()

    def find(self, name: str) -> Skill | None:
        """Return the skill of that name, however it is written: "set_timer", "setTimer", "Set timer"."""
        wanted = _letters_and_digits(name)
        return next((each for each in self.skills if _letters_and_digits(each.name) == wanted), None)

    def call(
        self, skill: Skill, arguments: Mapping[str, Any], gate: CommitGate, last: str = ""
    ) -> Generator[ReplyPiece, None, str | None]:
        """Call a skill and return its result, None if the skill passes the request on.

        Yields None until the turn has ended if the skill has an effect, text to say if the call takes
        long, and the changes of speed that the skill asks for. Raises TimeoutError past the limit, and
        whatever the skill raises.
        """
        if skill.effect:
            yield from gate.until_committed()
        context = Context(
            self._clock(), self.timers, last, self._random, self.skills, self.notes, self.documents
        )
        work = BackgroundIterator(_call_once(lambda: skill.call(arguments, context)))
        gate.call_at_close(work.close)
        result = yield from self._wait_for(work, gate)
        yield from context.speed_changes
        return result

    def answer(
        self, messages: Sequence[Message], gate: CommitGate, at_once: bool = False
    ) -> Generator[ReplyPiece, None, bool]:
        """Answer the last message by the skill that it asks for; return whether a skill took it.

        `at_once` tries only the skills that answer even if a language model answers the rest.
        """
        replies = [each.content for each in messages if each.role == "assistant" and each.content]
        able = [each for each in self.skills if each.at_once] if at_once else self.skills
        for skill, arguments in matching_skills(messages[-1].content, able):
            if (yield from self._say_result(skill, arguments, gate, replies[-1] if replies else "")):
                return True
        return False

    def call_skill(self, name: str, arguments: Mapping[str, Any]) -> GeneratedReply | None:
        """Return the reply of a skill that is called by name; None if there is no such skill."""
        skill = self.find(name)
        if skill is None:
            return None

        def generate(gate: CommitGate) -> Iterator[ReplyPiece]:
            try:
                values = skill.read_json(arguments)
            except ValueError as error:
                yield f"I can't do that: {error}."
            else:
                if not (yield from self._say_result(skill, values, gate, "")):
                    yield "I can't do that."

        return GeneratedReply(generate)

    def _say_result(
        self, skill: Skill, arguments: Mapping[str, Any], gate: CommitGate, last: str
    ) -> Generator[ReplyPiece, None, bool]:
        """Call a skill and yield its result or its failure; return whether it took the request."""
        try:
            result = yield from self.call(skill, arguments, gate, last)
        except TimeoutError:
            result = "That takes too long, so I've given it up."
        except Exception as error:  # a user's skill may raise anything; the conversation goes on
            result = f"That skill failed: {error}."
        if result:
            yield str(result)
        return result is not None

    def _wait_for(
        self, work: BackgroundIterator[tuple[str | None]], gate: CommitGate
    ) -> Generator[ReplyPiece, None, str | None]:
        """Return the result of a call; yield text to say if it is late. Raises TimeoutError."""
        begun = time.monotonic()
        try:
            found = work.next(self._timeouts.notice)
        except TimeoutError:
            yield self._random.choice(ONE_MOMENT)
            yield from gate.let_speak()
            found = work.next(self._timeouts.limit - (time.monotonic() - begun))
        return found[0] if found else None


def _call_once(work: Callable[[], str | None]) -> Iterator[tuple[str | None]]:
    """Yield the result in a tuple, because a bare None is the end of a BackgroundIterator."""
    yield (work(),)


def _letters_and_digits(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum())
