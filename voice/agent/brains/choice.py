"""What answers: skills without a network, a language model's server, or one in a folder."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voice.agent.brains.chat import Chat
from voice.agent.brains.openai_server import Server
from voice.agent.skills.documents import Documents
from voice.agent.skills.everyday import everyday_skills
from voice.agent.skills.notes import Notes, default_path
from voice.agent.skills.registry import load_skills
from voice.agent.skills.runner import Piece, SkillRunner
from voice.agent.speculative import CommitGate, GeneratedReply, committed_text
from voice.agent.timers import Timers
from voice.errors import VoiceError
from voice.places import expanded
from voice.types import Brain, Message, SpeculativeReply

if TYPE_CHECKING:
    from voice.agent.brains.local_model import LocalModel

UNKNOWN = "I can't do that. I know the time, sums, units, timers, notes and spelling. Ask me what I can do."
NOT_IN_FILES = "I found nothing about that in your files, and I can't do it otherwise."
NOTHING = "I didn't catch that."


class Offline:
    """Answers from skills alone. One belongs to one conversation: its desk holds that one's timers."""

    def __init__(
        self,
        desk: SkillRunner | None = None,
        *,
        timers: Timers | None = None,
        clock: Callable[[], datetime] = datetime.now,
    ) -> None:
        """Without a `desk` it has the everyday skills, and those `timers`."""
        self._desk = desk or SkillRunner(everyday_skills(), timers=timers, clock=clock)

    def prepare(self, messages: Sequence[Message]) -> SpeculativeReply:
        """The answer to the last message."""
        return GeneratedReply(lambda turn: self._pieces(messages, turn))

    def reply(self, messages: Sequence[Message]) -> Iterator[str]:
        return committed_text(self.prepare(messages))

    def call_skill(self, name: str, arguments: Mapping[str, Any]) -> SpeculativeReply | None:
        return self._desk.call_skill(name, arguments)

    def _pieces(self, messages: Sequence[Message], turn: CommitGate) -> Iterator[Piece]:
        if not messages or not messages[-1].content.strip():
            yield NOTHING
        elif not (yield from self._desk.answer(messages, turn)):
            yield NOT_IN_FILES if self._desk.documents else UNKNOWN


@dataclass(frozen=True)
class Choice:
    """Which brain conversations get, and what its skills may use.

    `brain` is "offline", the address of an OpenAI-compatible server (with `model` and `key`), or the
    folder of a chat model for `transformers`. `skills` is a Python file, `documents` a folder of
    text files, `notes` a file, the user's own one if it is None.
    """

    brain: str = "offline"
    model: str = ""
    key: str = field(default="", repr=False)
    skills: str | Path | None = None
    documents: str | Path | None = None
    notes: str | Path | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Choice:
        """VOICE_LLM_URL or else VOICE_BRAIN, VOICE_LLM_MODEL, VOICE_LLM_KEY, VOICE_SKILLS, VOICE_DOCUMENTS,
        VOICE_NOTES."""

        def said(name: str) -> str:
            return environment.get(f"VOICE_{name}", "").strip()

        return cls(
            said("LLM_URL") or said("BRAIN") or "offline",
            said("LLM_MODEL"),
            said("LLM_KEY"),
            said("SKILLS") or None,
            said("DOCUMENTS") or None,
            said("NOTES") or None,
        )

    @property
    def is_offline(self) -> bool:
        """Whether there are skills alone."""
        return self.brain.strip().lower() in ("", "offline")

    @property
    def is_address(self) -> bool:
        """Whether the brain is a server, rather than skills alone or a folder of this machine."""
        if self.is_offline or self.brain.startswith((".", "/", "~")):
            return False
        return not expanded(self.brain).is_dir()


class Brains:
    """What the brains of several conversations share: skills, notes, files, a local model."""

    def __init__(self, choice: Choice, clock: Callable[[], datetime] = datetime.now) -> None:
        """Loads it all. Raises VoiceError where something of it is wrong."""
        self._choice, self._clock = choice, clock
        own = load_skills(choice.skills) if choice.skills else ()
        self._skills = (*own, *everyday_skills())
        self._notes = Notes(choice.notes or default_path())
        self._documents = Documents(choice.documents) if choice.documents else None
        if self._documents:
            self._documents.refresh()
        self._model: LocalModel | None = None
        self._server: Server | None = None  # one for all conversations, with its connections
        if choice.is_address:
            self._server = Server(choice.brain, choice.model, choice.key)
        elif not choice.is_offline:
            self._model = self._local_model()
        self.brain(Timers())  # complains now, not when somebody speaks

    def brain(self, timers: Timers, notes: Notes | None = None) -> Brain:
        """The brain of one more conversation, whose timers are `timers`.

        Its `notes` are in the file that all conversations share, unless it has some of its own.
        """
        skills = self._skills
        if not self._documents:
            skills = tuple(each for each in skills if each.name != "search_files")
        notes = notes or self._notes
        desk = SkillRunner(skills, timers=timers, notes=notes, documents=self._documents, clock=self._clock)
        if self._server:
            return Chat(self._server.ask, desk)
        if self._model:
            from voice.agent.brains.local_model import local_brain

            return local_brain(self._model, desk=desk)
        return Offline(desk)

    def _local_model(self) -> LocalModel:
        from voice.agent.brains.local_model import LocalModel

        return LocalModel.open(self._choice.brain)


def brain_from_environment(
    timers: Timers,
    environment: Mapping[str, str] = os.environ,
    clock: Callable[[], datetime] = datetime.now,
    notes: Notes | None = None,
) -> Brain:
    """The brain that the environment asks for (see Choice.of). Raises VoiceError where that is wrong."""
    return brain_of(Choice.of(environment), timers, clock, notes)


def brain_of(
    choice: Choice,
    timers: Timers,
    clock: Callable[[], datetime] = datetime.now,
    notes: Notes | None = None,
) -> Brain:
    """The brain of one more conversation; what such brains need is loaded once in a process.

    `notes` are those of this conversation, else they are in the file that all share.
    """
    with _OPENING:
        return _opened(choice, clock).brain(timers, notes)


_OPENING = threading.Lock()
_opened = lru_cache(maxsize=2)(Brains)


__all__ = [
    "NOTHING",
    "UNKNOWN",
    "Brains",
    "Choice",
    "Offline",
    "VoiceError",
    "brain_from_environment",
    "brain_of",
]
