"""The choice of a brain: skills without a network, the server of a language model, or a model in a folder."""

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
from voice.agent.brains.openai_server import ChatServer
from voice.agent.skills.documents import Documents
from voice.agent.skills.everyday import everyday_skills
from voice.agent.skills.notes import Notes, default_path
from voice.agent.skills.runner import SkillRunner
from voice.agent.skills.skill_files import load_skills
from voice.agent.speculative import CommitGate, GeneratedReply, committed_text
from voice.agent.timers import Timers
from voice.places import expand_home
from voice.text.languages import name_of
from voice.types import Brain, LanguageChange, Message, ReplyPiece, SpeculativeReply

if TYPE_CHECKING:
    from voice.agent.brains.local_model import LocalModel

UNKNOWN = "I can't do that. I know the time, sums, units, timers, notes and spelling. Ask me what I can do."
NOT_IN_FILES = "I found nothing about that in your files, and I can't do it otherwise."
HEARD_NOTHING = "I didn't catch that."
ENGLISH_ONLY = "I heard {}, and what I know I can only say in English. Please ask me in English."


class Offline:
    """A brain that answers from skills alone; each conversation has its own, because it has timers."""

    def __init__(
        self,
        runner: SkillRunner | None = None,
        *,
        timers: Timers | None = None,
        clock: Callable[[], datetime] = datetime.now,
    ) -> None:
        """Without a `runner` it has the everyday skills, and those `timers`."""
        self._runner = runner or SkillRunner(everyday_skills(), timers=timers, clock=clock)

    def prepare(self, messages: Sequence[Message]) -> SpeculativeReply:
        """Begin the answer to the last message."""
        return GeneratedReply(lambda gate: self._pieces(messages, gate))

    def reply(self, messages: Sequence[Message]) -> Iterator[str]:
        """Answer the last message."""
        return committed_text(self.prepare(messages))

    def call_skill(self, name: str, arguments: Mapping[str, Any]) -> SpeculativeReply | None:
        """Return the reply of a skill that is called by name; None if there is no such skill."""
        return self._runner.call_skill(name, arguments)

    def _pieces(self, messages: Sequence[Message], gate: CommitGate) -> Iterator[ReplyPiece]:
        if not messages or not messages[-1].content.strip():
            yield HEARD_NOTHING
        elif not (yield from self._runner.answer(messages, gate)):
            if messages[-1].language in ("", "en"):
                yield NOT_IN_FILES if self._runner.documents else UNKNOWN
            else:
                yield LanguageChange("en")
                yield ENGLISH_ONLY.format(name_of(messages[-1].language))


@dataclass(frozen=True)
class Choice:
    """The brain that conversations get, and what its skills may use.

    `brain` is "offline", the address of an OpenAI-compatible server (with `model` and `key`), or the
    folder of a chat model for `transformers`. `skills` is a Python file, `documents` a folder of
    text files, `notes` a file; None is the one in the user's data folder.
    """

    brain: str = "offline"
    model: str = ""
    key: str = field(default="", repr=False)
    skills: str | Path | None = None
    documents: str | Path | None = None
    notes: str | Path | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Choice:
        """Read a choice from VOICE_LLM_URL, or else VOICE_BRAIN, and from VOICE_LLM_MODEL, VOICE_LLM_KEY,
        VOICE_SKILLS, VOICE_DOCUMENTS and VOICE_NOTES."""

        def setting(name: str) -> str:
            return environment.get(f"VOICE_{name}", "").strip()

        return cls(
            setting("LLM_URL") or setting("BRAIN") or "offline",
            setting("LLM_MODEL"),
            setting("LLM_KEY"),
            setting("SKILLS") or None,
            setting("DOCUMENTS") or None,
            setting("NOTES") or None,
        )

    @property
    def is_offline(self) -> bool:
        """Whether the brain has skills alone."""
        return self.brain.strip().lower() in ("", "offline")

    @property
    def is_address(self) -> bool:
        """Whether the brain is a server, rather than skills alone or a folder of this machine."""
        if self.is_offline or self.brain.startswith((".", "/", "~")):
            return False
        return not expand_home(self.brain).is_dir()


class Brains:
    """What the brains of several conversations share: skills, notes, documents, a server or a local model."""

    def __init__(self, choice: Choice, clock: Callable[[], datetime] = datetime.now) -> None:
        """Load it all. Raises VoiceError if something of it is wrong."""
        self._choice, self._clock = choice, clock
        own = load_skills(choice.skills) if choice.skills else ()
        self._skills = (*own, *everyday_skills())
        self._notes = Notes(choice.notes or default_path())
        self._documents = Documents(choice.documents) if choice.documents else None
        if self._documents:
            self._documents.refresh()
        self._model: LocalModel | None = None
        self._server: ChatServer | None = None  # one for all conversations, with its connections
        if choice.is_address:
            self._server = ChatServer(choice.brain, choice.model, choice.key)
        elif not choice.is_offline:
            self._model = self._local_model()
        self.brain(Timers())  # raises its errors now, not when somebody speaks

    def brain(self, timers: Timers, notes: Notes | None = None) -> Brain:
        """Return the brain of one more conversation, whose timers are `timers`.

        Its `notes` are in the file that all conversations share, unless it has its own.
        """
        skills = self._skills
        if not self._documents:
            skills = tuple(each for each in skills if each.name != "search_files")
        notes = notes or self._notes
        runner = SkillRunner(skills, timers=timers, notes=notes, documents=self._documents, clock=self._clock)
        if self._server:
            return Chat(self._server.ask, runner)
        if self._model:
            from voice.agent.brains.local_model import local_brain

            return local_brain(self._model, runner=runner)
        return Offline(runner)

    def _local_model(self) -> LocalModel:
        from voice.agent.brains.local_model import LocalModel

        return LocalModel.open(self._choice.brain)


def brain_from_environment(
    timers: Timers,
    environment: Mapping[str, str] = os.environ,
    clock: Callable[[], datetime] = datetime.now,
    notes: Notes | None = None,
) -> Brain:
    """Return the brain that the environment asks for (see Choice.of). Raises VoiceError if that is wrong."""
    return open_brain(Choice.of(environment), timers, clock, notes)


def open_brain(
    choice: Choice,
    timers: Timers,
    clock: Callable[[], datetime] = datetime.now,
    notes: Notes | None = None,
) -> Brain:
    """Return the brain of one more conversation; what such brains share is loaded once in a process.

    `notes` are those of this conversation; without them its notes are in the file that all share.
    """
    with _OPENING:
        return _open_brains(choice, clock).brain(timers, notes)


_OPENING = threading.Lock()
_open_brains = lru_cache(maxsize=2)(Brains)
