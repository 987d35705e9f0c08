"""Spoken commands in a conversation: a turn that is a command calls a skill, all others go to the brain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from voice.agent.listening.recognition import Listener, OpenListener, TurnHypothesis, text_of
from voice.agent.skills.registry import Skill, pass_client_tools
from voice.agent.speculative import call_skill, committed_text, prepare
from voice.commands import Commands, Understanding
from voice.commands.letters import letters_of
from voice.errors import VoiceError
from voice.types import Audio, Brain, Message, Recognizer, Samples, SpeculativeReply, Transcript

LONGEST_COMMAND = 12.0  # seconds of a turn that may be a command


def open_commands(path: str | Path, recognizer: Recognizer) -> Commands:
    """Open the commands of a YAML file, and check that the recognizer can hear them.

    Raises TextError if the file is wrong, VoiceError if the recognizer computes no letters.
    """
    commands = Commands.open(path)
    letters_of(recognizer, Audio(np.zeros(recognizer.rate // 10, np.float32), recognizer.rate))
    return commands


class VoiceCommands:
    """The commands in the turns of one conversation; without commands nothing changes."""

    def __init__(self, commands: Commands | None) -> None:
        self._commands = commands
        self._last: tuple[str, Understanding] | None = None  # the words of the last turn, if it was a command

    def wrap_listener(self, open_listener: OpenListener) -> OpenListener:
        """Return a listener factory whose listeners also look for a command in each turn."""
        if self._commands is None:
            return open_listener
        commands = self._commands

        def open_command_listener(
            recognizer: Recognizer, rate: int, language: str | None, hotwords: tuple[str, ...]
        ) -> Listener:
            listener = open_listener(recognizer, rate, language, hotwords)
            return _CommandListener(listener, recognizer, rate, partial(self._understand, commands))

        return open_command_listener

    def wrap_brain(self, brain: Brain) -> Brain:
        """Return a brain that calls the skill of a command, and asks `brain` about everything else."""
        return brain if self._commands is None else _CommandBrain(brain, self)

    def in_last(self, messages: Sequence[Message]) -> Understanding | None:
        """Return the command in the last message, if that is, or ends with, the turn that was heard last."""
        last = self._last  # another thread may hear the next turn meanwhile
        if last and messages and messages[-1].role == "user" and messages[-1].content.endswith(last[0]):
            return last[1]
        return None

    def _understand(self, commands: Commands, recognizer: Recognizer, sound: Audio | None, text: str) -> None:
        """Keep the command in a turn with the words of the turn; without `sound` it is no command."""
        self._last = None
        if sound is None:
            return
        try:
            letters = letters_of(recognizer, sound)
        except VoiceError:  # the recognizer of another language has no letters: then it was no command
            return
        found = commands.understand(letters, text)
        self._last = (text, found) if found.is_understood else None


class _CommandListener:
    """A Listener that keeps the sound of a turn while it may be a command, and looks for one at its end."""

    def __init__(
        self,
        listener: Listener,
        recognizer: Recognizer,
        rate: int,
        understand: Callable[[Recognizer, Audio | None, str], None],
    ) -> None:
        self._listener, self._recognizer, self._rate = listener, recognizer, rate
        self._understand = understand
        self._blocks: list[Samples] = []
        self._samples = 0

    def feed(self, samples: Samples, probabilities: Sequence[float]) -> TurnHypothesis | None:
        """Pass on samples of the turn."""
        self._samples += len(samples)
        if self._samples <= LONGEST_COMMAND * self._rate:
            self._blocks.append(samples)
        return self._listener.feed(samples, probabilities)

    def finish(self) -> Transcript:
        """Return the transcript of the whole turn."""
        transcript = self._listener.finish()
        text = text_of(transcript)[0].strip()
        may_be_command = text and self._samples <= LONGEST_COMMAND * self._rate
        sound = Audio(np.concatenate(self._blocks), self._rate) if may_be_command else None
        self._understand(self._recognizer, sound, text)
        return transcript


class _CommandBrain:
    """A brain that leaves commands to the skills of another brain, and asks that brain all else."""

    def __init__(self, brain: Brain, commands: VoiceCommands) -> None:
        self._brain, self._commands = brain, commands

    def prepare(self, messages: Sequence[Message]) -> SpeculativeReply:
        """Begin the reply of the command's skill, or of the brain."""
        command = self._commands.in_last(messages)
        by_skill = (
            call_skill(self._brain, command.intent, command.slots) if command and command.intent else None
        )
        return by_skill or prepare(self._brain, messages)

    def reply(self, messages: Sequence[Message]) -> Iterator[str]:
        """Reply to the last message."""
        return committed_text(self.prepare(messages))

    def use_client_tools(self, skills: Sequence[Skill]) -> None:
        """Let the brain use further functions, if it can."""
        pass_client_tools(self._brain, skills)
