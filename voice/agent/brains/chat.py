"""Conversation with a language model of any kind: its instructions, its tools, and the length of its reply.

The model is one function, `ask(messages, tools, gate)`: a generator that yields text and returns the tools
that the model calls. They are run and their results shown to the model, for a few rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voice.agent.brains.tools import ToolCall, run_tool, tool_schemas
from voice.agent.skills.registry import Skill
from voice.agent.skills.runner import SkillRunner
from voice.agent.speaking.plain_text import SpeakableText, TextForSpeech
from voice.agent.speculative import CommitGate, GeneratedReply, committed_text
from voice.errors import BrainError
from voice.text.languages import name_of
from voice.text.registry import can_read
from voice.types import LanguageChange, Message, ReplyPiece, SpeculativeReply

INSTRUCTIONS = (
    "You are a voice assistant. Your words are spoken aloud, so answer in one to three short "
    "sentences of plain spoken English, without lists, Markdown, code, emoji or links. What you "
    "are told was heard by a speech recognizer, which may mistake a word."
)
CUT_OFF = " I'll leave it there."
BROKEN_OFF = "… Sorry, I lost the thread there."
ChatMessage = dict[str, Any]  # as the servers' JSON has it
ModelReply = Generator[str, None, tuple[ToolCall, ...]]
AskModel = Callable[[list[ChatMessage], list[dict[str, Any]], CommitGate], ModelReply]


@dataclass(frozen=True)
class ChatLimits:
    """Limits of one reply of a language model; times are seconds."""

    first: float = 20.0  # until its first delta
    between: float = 10.0  # between two deltas
    thinking: float = 60.0  # of deltas without text or tool calls
    characters: int = 1500  # to be spoken, about 90 seconds; the reply ends at the next sentence
    written: int = 60_000  # characters in all, with those that are never spoken
    rounds: int = 4  # of tool calls
    calls: int = 8  # tools called in one round


class Chat:
    """A brain that replies with the model behind `ask`, and has the skills of `runner` as its tools."""

    def __init__(
        self,
        ask: AskModel,
        runner: SkillRunner | None = None,
        instructions: str = INSTRUCTIONS,
        limits: ChatLimits = ChatLimits(),
    ) -> None:
        self._ask, self._runner = ask, runner or SkillRunner(())
        self._instructions, self._limits = instructions, limits

    def prepare(self, messages: Sequence[Message]) -> SpeculativeReply:
        """Begin a reply. Its pieces raise BrainError if the model fails, stalls or hangs up."""
        return GeneratedReply(
            lambda gate: chat_reply(self._ask, messages, self._runner, gate, self._limits, self._instructions)
        )

    def reply(self, messages: Sequence[Message]) -> Iterator[str]:
        """Reply to the last message."""
        return committed_text(self.prepare(messages))

    def use_client_tools(self, skills: Sequence[Skill]) -> None:
        """Let the model use these skills as tools too, from the next request on."""
        self._runner.use_client_tools(skills)

    def call_skill(self, name: str, arguments: Mapping[str, Any]) -> SpeculativeReply | None:
        """Return the reply of a skill that is called by name; None if there is no such skill."""
        return self._runner.call_skill(name, arguments)


def chat_reply(
    ask: AskModel,
    messages: Sequence[Message],
    runner: SkillRunner,
    gate: CommitGate,
    limits: ChatLimits,
    instructions: str,
) -> Iterator[ReplyPiece]:
    """Yield the pieces of a reply.

    Raises BrainError if the model fails or says nothing at all; if it fails in the middle of a reply, the
    part before has been yielded by then.
    """
    if (yield from runner.answer(messages, gate, at_once=True)):
        return
    text, language = ReplyText(limits), messages[-1].language
    if can_read(language):
        instructions = f"{instructions} The person speaks {name_of(language)}: answer in {name_of(language)}."
        yield LanguageChange(language)
    try:
        yield from _rounds(ask, _prompt(messages, instructions, runner), text, runner, gate)
    except BrainError as error:
        if not text.count():
            raise
        if language in ("", "en"):
            yield text.finish(BROKEN_OFF)
        else:
            yield text.finish()
            yield LanguageChange("en")
            yield SpeakableText(BROKEN_OFF)
        yield from gate.let_speak()
        raise BrainError(str(error)) from error


def _rounds(
    ask: AskModel, talk: list[ChatMessage], text: ReplyText, runner: SkillRunner, gate: CommitGate
) -> Iterator[ReplyPiece]:
    """Yield what the model writes, and run the tools that it calls, round by round."""
    limits, called = text.limits, False
    for left in range(limits.rounds, -1, -1):
        tools = tool_schemas(runner.skills) if left else []
        calls = yield from _one_round(ask(talk, tools, gate), text)
        if not calls or text.reached:
            break
        called = True
        if text.speakable:
            yield from gate.let_speak()
        yield from _run_tools(calls[: limits.calls], talk, text, runner, gate)
        text.begin_round()
    if text.reached:
        yield SpeakableText(CUT_OFF)
        return
    if not text.count():
        if not called:
            raise BrainError(
                "the language model sent an empty answer; ask again", "I have no answer to that."
            )
        yield text.finish("Done.")
    elif rest := text.finish():
        yield rest


def _one_round(reply: ModelReply, text: ReplyText) -> ModelReply:
    """Yield what may still be said; return the calls that the model makes."""
    try:
        while not text.reached:
            piece = text.take(next(reply))
            if piece:
                yield piece
    except StopIteration as end:
        calls: tuple[ToolCall, ...] = tuple(end.value or ())
        return calls
    finally:
        reply.close()
    return ()


def _run_tools(
    calls: Sequence[ToolCall],
    talk: list[ChatMessage],
    text: ReplyText,
    runner: SkillRunner,
    gate: CommitGate,
) -> Iterator[ReplyPiece]:
    """Run the tools that the model calls; add what it wrote before them and their results to its messages."""
    tool_calls = [each.as_json() for each in calls]
    talk.append({"role": "assistant", "content": text.round, "tool_calls": tool_calls})
    for each in calls:
        result = yield from _speak_while(run_tool(each, runner, gate), text)
        talk.append({"role": "tool", "tool_call_id": each.id, "name": each.name, "content": result})


def _speak_while(
    pieces: Generator[ReplyPiece, None, str], text: ReplyText
) -> Generator[ReplyPiece, None, str]:
    """Make the text speakable that a tool says while it runs; return the result of the tool."""
    try:
        while True:
            piece = next(pieces)
            if not isinstance(piece, str):
                yield piece
            elif words := text.make_speakable(piece):
                yield words
    except StopIteration as end:
        return str(end.value)
    finally:
        pieces.close()


def _prompt(messages: Sequence[Message], instructions: str, runner: SkillRunner) -> list[ChatMessage]:
    """Return the messages for the model: one of instructions, then the turns, those of one side joined."""
    own = [each.content for each in messages if each.role == "system"]
    now = f"It is {runner.now:%A, %B} {runner.now.day}, {runner.now:%Y, %H:%M}."
    talk = [{"role": "system", "content": "\n\n".join([instructions, *own, now])}]
    for each in messages:
        if each.role in ("user", "assistant") and each.content.strip():
            if talk[-1]["role"] == each.role:
                talk[-1]["content"] += f" {each.content}"
            else:
                talk.append({"role": each.role, "content": each.content})
    return talk


class ReplyText:
    """The text of one reply: makes it speakable, and ends it at a sentence once it is long enough.

    Only speakable characters of the model count, not its thinking and markup or the words of tools.
    """

    def __init__(self, limits: ChatLimits) -> None:
        self.limits, self._text = limits, TextForSpeech()
        self._rest = ""  # speakable text that was flushed and not yet taken
        self.speakable = 0  # characters
        self.round = ""  # what the model wrote in this round
        self.reached = False  # the end of what may be said
        self._written = 0

    def begin_round(self) -> None:
        """Begin a round of the model, after tools were run."""
        self.round = ""

    def take(self, piece: str) -> SpeakableText:
        """Return what can be said by now, as far as it still belongs to the reply."""
        if self.speakable and not self.round:
            piece = f" {piece}"
        self.round += piece
        self._written += len(piece)
        words = self._text.feed(piece)
        self.speakable += len(words.strip())
        if self.speakable > self.limits.characters:
            words = self._cut(words)
        self.reached = self.reached or self._written > self.limits.written
        return SpeakableText(words)

    def make_speakable(self, words: str) -> SpeakableText:
        """Return what can be said by now, with words that are not of the model."""
        rest, self._rest = self._rest, ""
        return SpeakableText(rest + self._text.feed(words))

    def count(self) -> int:
        """Return the number of speakable characters, now that the model writes no more."""
        self._rest = self._text.flush()
        self.speakable += len(self._rest.strip())
        return self.speakable

    def finish(self, words: str = "") -> SpeakableText:
        """Return the rest, with last words that are not of the model."""
        return SpeakableText(self.make_speakable(words) + self._text.flush())

    def _cut(self, words: str) -> str:
        """Cut text after the end of a sentence in it, or after a word if no sentence seems to end."""
        ends = [at for mark in ".!?" if (at := words.find(mark)) >= 0]
        if ends or self.speakable > self.limits.characters * 1.25:
            self.reached = True
            return words[: min(ends) + 1] if ends else words[: max(words.rfind(" "), 0)]
        return words
