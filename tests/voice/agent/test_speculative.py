"""Thinking ahead: no effect before the turn has ended, none at all if the reply is thrown away."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from voice.agent.speculative import CommitGate, GeneratedReply, committed_text, prepare
from voice.types import Controls, Message, SpeedChange


class Writes:
    """A brain with one effect between two things that it says."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def prepare(self, messages: Sequence[Message]) -> GeneratedReply:
        return GeneratedReply(self._pieces)

    def reply(self, messages: Sequence[Message]) -> Iterator[str]:
        return committed_text(self.prepare(messages))

    def _pieces(self, turn: CommitGate) -> Iterator[str | SpeedChange | None]:
        yield "Let me see. "
        yield from turn.until_committed()
        self.written.append("a note")
        yield SpeedChange(0.8)
        yield "Done."


def test_what_has_an_effect_waits_for_the_end_of_the_turn() -> None:
    brain = Writes()
    reply = prepare(brain, [])
    assert [next(reply) for _ in range(3)] == ["Let me see. ", None, None]
    reply.commit()
    assert not brain.written, "committing only allows"
    assert list(reply) == [SpeedChange(0.8), "Done."]
    assert brain.written == ["a note"]


def test_a_reply_thrown_away_had_no_effect() -> None:
    brain = Writes()
    reply = prepare(brain, [])
    assert next(reply) and next(reply) is None
    reply.close()
    assert not list(reply) and not brain.written


def test_a_wanted_reply_is_text_alone() -> None:
    assert list(Writes().reply([])) == ["Let me see. ", "Done."]


def test_a_brain_with_only_a_reply_is_not_asked_before_the_turn_has_ended() -> None:
    asked = []

    class Plain:
        def reply(self, messages: Sequence[Message]) -> Iterator[str]:
            asked.append(messages)
            yield "Hello."

    reply = prepare(Plain(), [Message("user", "Hi")])
    assert next(reply) is None and not asked
    reply.commit()
    assert list(reply) == ["Hello."] and asked


def test_a_reply_can_be_thrown_away_while_it_waits_for_a_piece() -> None:
    waiting, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def think(turn: CommitGate) -> Iterator[str]:
        try:
            waiting.set()
            go_on.wait(5)
            yield "late"
        finally:
            ended.set()

    reply = GeneratedReply(think)
    other = threading.Thread(target=lambda: list(reply))
    other.start()
    assert waiting.wait(5)
    reply.close()
    go_on.set()
    other.join(5)
    assert ended.is_set() and not list(reply)


def test_a_pace_stays_within_what_can_be_spoken() -> None:
    assert SpeedChange(0.8).apply_to(Controls(1.0)) == Controls(0.8)
    assert SpeedChange(0.1).apply_to(Controls(0.6)) == Controls(0.5)
    assert SpeedChange(None).apply_to(Controls(0.6), initial=Controls(1.2)) == Controls(1.2)
