"""A conversation with a language model, whichever: its instructions, its tools, and where it ends.

The model is one function, `ask(messages, tools, turn)`: a generator of text whose value is the
tools that it calls. They are carried out and their results shown to it, for a few rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voice.agent.brains.tools import Call, carried_out, described
from voice.agent.skills.registry import Skill
from voice.agent.skills.runner import Piece, SkillRunner
from voice.agent.speaking.plain_text import TextForSpeech
from voice.agent.speculative import CommitGate, GeneratedReply, committed_text
from voice.errors import BrainError
from voice.types import Message, SpeculativeReply

INSTRUCTIONS = (
    "You are a voice assistant. Your words are spoken aloud, so answer in one to three short "
    "sentences of plain spoken English, without lists, Markdown, code, emoji or links. What you "
    "are told was heard by a speech recognizer, which may mistake a word."
)
ENOUGH = " I'll leave it there."
LOST = "… Sorry, I lost the thread there."
Asking = Callable[[list[dict[str, Any]], list[dict[str, Any]], CommitGate], Iterator[str]]


@dataclass(frozen=True)
class ChatLimits:
    """What a language model is granted; times are seconds."""

    first: float = 20.0  # until it gives a first sign of life
    between: float = 10.0  # between two signs
    thinking: float = 60.0  # in which it may show life without saying anything
    characters: int = 1500  # that are spoken, about; it ends at the next sentence: a minute and a half
    written: int = 60_000  # characters in all, what is never spoken included
    rounds: int = 4  # of tool calls
    calls: int = 8  # tools called in one round


class Chat:
    """A brain that thinks with the model behind `ask`, and has the skills of `desk` as its tools."""

    def __init__(
        self,
        ask: Asking,
        desk: SkillRunner | None = None,
        instructions: str = INSTRUCTIONS,
        limits: ChatLimits = ChatLimits(),
    ) -> None:
        self._ask, self._desk = ask, desk or SkillRunner(())
        self._instructions, self._limits = instructions, limits

    def prepare(self, messages: Sequence[Message]) -> SpeculativeReply:
        """The answer as it is written. Raises BrainError where the model fails, stalls or hangs up."""
        return GeneratedReply(
            lambda turn: chat(self._ask, messages, self._desk, turn, self._limits, self._instructions)
        )

    def reply(self, messages: Sequence[Message]) -> Iterator[str]:
        return committed_text(self.prepare(messages))

    def offer(self, skills: Sequence[Skill]) -> None:
        """Lets the model use these as tools too, from the next request on."""
        self._desk.offer(skills)

    def call_skill(self, name: str, arguments: Mapping[str, Any]) -> SpeculativeReply | None:
        return self._desk.call_skill(name, arguments)


def chat(
    ask: Asking,
    messages: Sequence[Message],
    desk: SkillRunner,
    turn: CommitGate,
    limits: ChatLimits,
    instructions: str,
) -> Iterator[Piece]:
    """The pieces of a reply.

    Raises BrainError where the model fails or says nothing at all; if it fails in the middle of the
    answer, that has been said by then.
    """
    if (yield from desk.answer(messages, turn, at_once=True)):
        return
    bound = Bound(limits)
    try:
        yield from _rounds(ask, _opening(messages, instructions, desk), bound, desk, turn)
    except BrainError as error:
        if not bound.ended():
            raise
        yield LOST
        yield from turn.let_speak()
        raise BrainError(str(error)) from error


def _rounds(
    ask: Asking, talk: list[dict], bound: Bound, desk: SkillRunner, turn: CommitGate
) -> Iterator[Piece]:
    limits, called = bound.limits, False
    for left in range(limits.rounds, -1, -1):
        tools = described(desk.skills) if left else []
        calls = yield from _round(ask(talk, tools, turn), bound)
        if not calls or bound.reached:
            break
        called = True
        if bound.spoken:
            yield from turn.let_speak()
        yield from _carry_out(calls[: limits.calls], talk, bound.round, desk, turn)
        bound.begin_round()
    if bound.reached:
        yield ENOUGH
    elif not bound.ended():
        if called:
            yield "Done."
        else:
            raise BrainError(
                "the language model sent an empty answer; ask again", "I have no answer to that."
            )


def _round(asked: Iterator[str], bound: Bound) -> Iterator[str]:
    """Passes on what may still be said; the value is the calls that the model makes."""
    try:
        while not bound.reached:
            piece = bound.kept(next(asked))
            if piece:
                yield piece
    except StopIteration as end:
        return tuple(end.value or ())
    finally:
        asked.close()
    return ()


def _carry_out(
    calls: Sequence[Call], talk: list[dict], said: str, desk: SkillRunner, turn: CommitGate
) -> Iterator[Piece]:
    talk.append({"role": "assistant", "content": said, "tool_calls": [each.as_json() for each in calls]})
    for each in calls:
        result = yield from carried_out(each, desk, turn)
        talk.append({"role": "tool", "tool_call_id": each.id, "name": each.name, "content": result})


def _opening(messages: Sequence[Message], instructions: str, desk: SkillRunner) -> list[dict[str, Any]]:
    """What the model is shown: one message of instructions, then the turns, no two of one side in a row."""
    own = [each.content for each in messages if each.role == "system"]
    now = f"It is {desk.now:%A, %B} {desk.now.day}, {desk.now:%Y, %H:%M}."
    talk = [{"role": "system", "content": "\n\n".join([instructions, *own, now])}]
    for each in messages:
        if each.role in ("user", "assistant") and each.content.strip():
            if talk[-1]["role"] == each.role:
                talk[-1]["content"] += f" {each.content}"
            else:
                talk.append({"role": each.role, "content": each.content})
    return talk


class Bound:
    """Ends an answer that would never end: at a sentence once it is long enough."""

    def __init__(self, limits: ChatLimits) -> None:
        self.limits, self._ear = limits, TextForSpeech()
        self.spoken = 0  # characters that can be said
        self.round = ""  # what was written in this round
        self.reached = False
        self._written = 0

    def begin_round(self) -> None:
        self.round = ""

    def ended(self) -> int:
        """How many characters could be said, now that no more come."""
        self.spoken += len(self._ear.flush().strip())
        return self.spoken

    def kept(self, piece: str) -> str:
        """The part of the next piece that still belongs to the answer."""
        if self.spoken and not self.round:
            piece = f" {piece}"
        self._written += len(piece)
        self.spoken += len(self._ear.feed(piece).strip())
        kept = piece
        if self.spoken > self.limits.characters:
            kept = self._cut(piece)
        self.round += kept
        self.reached = self.reached or self._written > self.limits.written
        return kept

    def _cut(self, piece: str) -> str:
        """Up to the end of a sentence in it, or of a word where no sentence seems to end."""
        ends = [at for mark in ".!?\n" if (at := piece.find(mark)) >= 0]
        if ends or self.spoken > self.limits.characters * 1.25:
            self.reached = True
            return piece[: min(ends) + 1] if ends else piece[: max(piece.rfind(" "), 0)]
        return piece
