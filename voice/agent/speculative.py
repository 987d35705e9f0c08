"""Speculative replies: begun before the turn has surely ended, with no effect before it has.

The conversation asks `prepare(brain, messages)` at a likely end of the turn and takes pieces of the reply,
up to the first None. If the person goes on it calls `close`, else `commit` and takes the rest. A brain
writes its reply as a generator that is given a gate:

    def prepare(self, messages: Sequence[Message]) -> SpeculativeReply:
        return GeneratedReply(lambda gate: self._pieces(messages, gate))

    def _pieces(self, messages: Sequence[Message], gate: CommitGate) -> Iterator[ReplyPiece]:
        yield "Let me see. "
        yield from gate.until_committed()  # None until the turn has ended
        yield self._write_a_note(messages)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any

from voice.abilities import SkillCaller, SpeculativeBrain
from voice.agent.background import Dropped
from voice.types import Brain, Message, ReplyPiece, SpeculativeReply


class CommitGate:
    """Whether the person's turn has surely ended, so that what they asked for may be done.

    Methods may be called from any thread.
    """

    def __init__(self, committed: bool = False) -> None:
        self._committed, self._closed = threading.Event(), threading.Event()
        self._at_close: list[Callable[[], None]] = []
        if committed:
            self._committed.set()

    @property
    def is_committed(self) -> bool:
        """Whether the turn has ended and the reply is wanted."""
        return self._committed.is_set()

    @property
    def is_closed(self) -> bool:
        """Whether nobody wants the reply any more; a brain that waits for something gives up."""
        return self._closed.is_set()

    def commit(self) -> None:
        """Say that the turn has ended."""
        self._committed.set()

    def close(self) -> None:
        """Say that nobody wants the reply any more."""
        self._closed.set()
        for wake in self._at_close:
            wake()

    def call_at_close(self, wake: Callable[[], None]) -> None:
        """Have `wake` called when nobody wants the reply any more, in the thread that says so."""
        self._at_close.append(wake)
        if self.is_closed:
            wake()

    def let_speak(self) -> Iterator[None]:
        """Yield None once the turn has ended: the next piece takes a while, so speak what was said so far."""
        if self.is_committed:
            yield None

    def until_committed(self) -> Iterator[None]:
        """Yield None, as often as it is asked before the turn has ended."""
        while not self.is_committed:
            yield None


class GeneratedReply:
    """A SpeculativeReply from a generator that is given its gate; nothing runs before it is asked for."""

    def __init__(self, generate: Callable[[CommitGate], Iterator[ReplyPiece]]) -> None:
        self._gate = CommitGate()
        self._pieces = generate(self._gate)
        self._lock = threading.Lock()  # a generator that runs cannot be closed

    def __iter__(self) -> GeneratedReply:
        return self

    def __next__(self) -> ReplyPiece:
        with self._lock:
            if self._gate.is_closed:
                _close(self._pieces)
            try:
                return next(self._pieces)
            except Dropped:
                raise StopIteration from None

    def commit(self) -> None:
        """Say that the turn has ended: what has an effect may follow."""
        self._gate.commit()

    def close(self) -> None:
        """Throw the rest away."""
        self._gate.close()
        if self._lock.acquire(blocking=False):  # else it is closed when next asked, or with the program
            try:
                _close(self._pieces)
            finally:
                self._lock.release()


def _close(pieces: Iterator[ReplyPiece]) -> None:
    """Close a generator; an iterator of another kind is left as it is."""
    if isinstance(pieces, Generator):
        pieces.close()


def prepare(brain: Brain, messages: Sequence[Message]) -> SpeculativeReply:
    """Begin the reply of any brain; one that has only `reply` is not asked before the turn has ended."""
    if isinstance(brain, SpeculativeBrain):
        return brain.prepare(messages)

    def generate(gate: CommitGate) -> Iterator[str | None]:
        yield from gate.until_committed()
        yield from brain.reply(messages)

    return GeneratedReply(generate)


def committed_text(reply: SpeculativeReply) -> Iterator[str]:
    """Commit a reply and yield its text alone, as `Brain.reply` does."""
    reply.commit()
    try:
        yield from (piece for piece in reply if isinstance(piece, str))
    finally:
        reply.close()


def call_skill(brain: Brain, name: str, arguments: Mapping[str, Any]) -> SpeculativeReply | None:
    """Begin what a brain's skill says to an understood command; None where it has no such skill.

    `arguments` are by the skill's parameters, in words or as JSON has them.
    """
    return brain.call_skill(name, arguments) if isinstance(brain, SkillCaller) else None
