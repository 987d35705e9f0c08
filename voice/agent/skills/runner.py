"""What the skills of one conversation act on, and how they are called.

A skill runs in a thread of its own, so that one that takes long, or never ends, holds nobody up: the
agent says that it will take a moment, and after `Waiting.limit` goes on without it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from voice.agent.background import BackgroundIterator
from voice.agent.skills.documents import Documents
from voice.agent.skills.notes import Notes
from voice.agent.skills.registry import Context, Skill, requests
from voice.agent.speculative import CommitGate, GeneratedReply
from voice.agent.timers import Timers
from voice.types import Message, Pace

Piece = str | Pace | None

MOMENT = ("One moment. ", "Just a second. ", "Let me see. ")


@dataclass(frozen=True)
class Waiting:
    """How long a skill is waited for, in seconds."""

    silently: float = 1.5  # before the agent says that it takes a moment
    limit: float = 30.0


class SkillRunner:
    """One conversation's skills, timers, notes and documents."""

    def __init__(
        self,
        skills: Sequence[Skill],
        *,
        timers: Timers | None = None,
        notes: Notes | None = None,
        documents: Documents | None = None,
        clock: Callable[[], datetime] = datetime.now,
        waiting: Waiting = Waiting(),
        seed: int | None = None,
    ) -> None:
        """Of two skills with one name the first counts. Give the conversation the same `timers`."""
        self._own = tuple(skills)
        self.offer(())
        self.timers = timers or Timers()
        self.notes, self.documents, self._clock = notes, documents, clock
        self._waiting, self._random = waiting, random.Random(seed)

    def offer(self, skills: Sequence[Skill]) -> None:
        """Has these skills too from now on, before its own and instead of others that came this way."""
        every = (*skills, *self._own)
        self.skills = tuple({each.name: each for each in reversed(every)}.values())[::-1]

    @property
    def now(self) -> datetime:
        return self._clock()

    def named(self, name: str) -> Skill | None:
        """The skill of that name, however it is written: "set_timer", "setTimer", "Set timer"."""
        wanted = _bare(name)
        return next((each for each in self.skills if _bare(each.name) == wanted), None)

    def call(
        self, skill: Skill, arguments: Mapping[str, Any], turn: CommitGate, last: str = ""
    ) -> Iterator[Piece]:
        """Calls a skill: a generator whose value is the result, None where the skill passes.

        Yields None until the turn has ended if the skill has an effect, something to say if it takes
        long, and the wishes it has. Raises TimeoutError past the limit, and whatever the skill raises.
        """
        if skill.effect:
            yield from turn.until_committed()
        context = Context(
            self._clock(), self.timers, last, self._random, self.skills, self.notes, self.documents
        )
        work = BackgroundIterator(_once(lambda: skill.call(arguments, context)))
        turn.call_at_close(work.close)
        result = yield from self._awaited(work, turn)
        yield from context.wishes
        return result

    def answer(self, messages: Sequence[Message], turn: CommitGate, at_once: bool = False) -> Iterator[Piece]:
        """Answers the last message by the skill that it asks for: a generator whose value is whether one did.

        `at_once` asks only the skills that are done even where a language model answers the rest.
        """
        said = [each.content for each in messages if each.role == "assistant" and each.content]
        able = [each for each in self.skills if each.at_once] if at_once else self.skills
        for skill, arguments in requests(messages[-1].content, able):
            if (yield from self._said(skill, arguments, turn, said[-1] if said else "")):
                return True
        return False

    def call_skill(self, name: str, arguments: Mapping[str, Any]) -> GeneratedReply | None:
        """What a skill says when it is called by name (see thoughts.call); None where there is none."""
        skill = self.named(name)
        if skill is None:
            return None

        def think(turn: CommitGate) -> Iterator[Piece]:
            try:
                read = skill.given(arguments)
            except ValueError as error:
                yield f"I can't do that: {error}."
            else:
                if not (yield from self._said(skill, read, turn, "")):
                    yield "I can't do that."

        return GeneratedReply(think)

    def _said(
        self, skill: Skill, arguments: Mapping[str, Any], turn: CommitGate, last: str
    ) -> Iterator[Piece]:
        """Calls a skill and says its result or its failure; the value is whether it took the request."""
        try:
            said = yield from self.call(skill, arguments, turn, last)
        except TimeoutError:
            said = "That takes too long, so I've given it up."
        except Exception as error:  # a user's skill may raise anything; the conversation goes on
            said = f"That skill failed: {error}."
        if said:
            yield str(said)
        return said is not None

    def _awaited(self, work: BackgroundIterator, turn: CommitGate) -> Iterator[Piece]:
        begun = time.monotonic()
        try:
            found = work.next(self._waiting.silently)
        except TimeoutError:
            yield self._random.choice(MOMENT)
            yield from turn.let_speak()
            found = work.next(self._waiting.limit - (time.monotonic() - begun))
        return found[0]


def _once(work: Callable[[], str | None]) -> Iterator[tuple[str | None]]:
    yield (work(),)


def _bare(name: str) -> str:
    return "".join(mark for mark in name.lower() if mark.isalnum())
