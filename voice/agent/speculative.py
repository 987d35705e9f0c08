"""Thinking ahead: a reply begun before the turn has surely ended, with no effect before it has.

The conversation asks `prepare(brain, messages)` at a likely end of the turn and takes pieces of it,
up to the first None. If the person goes on it calls `close`, else `commit` and takes the rest. A
brain writes its reply as a generator that is given the turn:

    def prepare(self, messages: Sequence[Message]) -> SpeculativeReply:
        return Prepared(lambda turn: self._pieces(messages, turn))

    def _pieces(self, messages: Sequence[Message], turn: Turn) -> Iterator[str | Pace | None]:
        yield "Let me see. "
        yield from turn.awaited()   # None until the turn has ended
        yield self._write_a_note(messages)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from voice.abilities import SkillCaller, SpeculativeBrain
from voice.agent.background import Dropped
from voice.types import Brain, Message, Pace, SpeculativeReply


class CommitGate:
    """Whether the person's turn has surely ended, so that what they asked for may be done."""

    def __init__(self, ended: bool = False) -> None:
        self._ended, self._dropped = threading.Event(), threading.Event()
        self._at_drop: list[Callable[[], None]] = []
        if ended:
            self._ended.set()

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    @property
    def dropped(self) -> bool:
        """Whether nobody wants the reply any more; a brain that waits for something gives up."""
        return self._dropped.is_set()

    def end(self) -> None:
        self._ended.set()

    def drop(self) -> None:
        self._dropped.set()
        for wake in self._at_drop:
            wake()

    def at_drop(self, wake: Callable[[], None]) -> None:
        """Has `wake` called when nobody wants the reply any more, from whichever thread says so."""
        self._at_drop.append(wake)
        if self.dropped:
            wake()

    def breath(self) -> Iterator[None]:
        """None once the turn has ended: what comes next takes a while, what was said can be spoken."""
        if self.ended:
            yield None

    def awaited(self) -> Iterator[None]:
        """None, as often as it is asked before the turn has ended."""
        while not self.ended:
            yield None


class Prepared:
    """A SpeculativeReply from a generator that is given its gate; nothing runs before it is asked for."""

    def __init__(self, think: Callable[[CommitGate], Iterator[str | Pace | None]]) -> None:
        self._turn = CommitGate()
        self._pieces = think(self._turn)
        self._lock = threading.Lock()  # a generator that runs cannot be closed

    def __iter__(self) -> Prepared:
        return self

    def __next__(self) -> str | Pace | None:
        with self._lock:
            if self._turn.dropped:
                self._pieces.close()
            try:
                return next(self._pieces)
            except Dropped:
                raise StopIteration from None

    def commit(self) -> None:
        self._turn.end()

    def close(self) -> None:
        self._turn.drop()
        if self._lock.acquire(blocking=False):  # else it is closed when next asked, or with the program
            try:
                self._pieces.close()
            finally:
                self._lock.release()


def prepare(brain: Brain, messages: Sequence[Message]) -> SpeculativeReply:
    """The reply of any brain; one that has only `reply` is not asked before the turn has ended."""
    if isinstance(brain, SpeculativeBrain):
        return brain.prepare(messages)

    def think(turn: CommitGate) -> Iterator[str | None]:
        yield from turn.awaited()
        yield from brain.reply(messages)

    return Prepared(think)


def committed(thought: SpeculativeReply) -> Iterator[str]:
    """A reply that is wanted for certain, as text alone: what `Brain.reply` is to one that thinks ahead."""
    thought.commit()
    try:
        yield from (piece for piece in thought if isinstance(piece, str))
    finally:
        thought.close()


def call(brain: Brain, name: str, arguments: Mapping[str, Any]) -> SpeculativeReply | None:
    """What a brain's skill says to an understood command; None where it has no such skill.

    `arguments` are by the skill's parameters, in words or as JSON has them.
    """
    return brain.call_skill(name, arguments) if isinstance(brain, SkillCaller) else None
