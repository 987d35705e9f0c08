"""Spoken commands in a conversation: a turn whose sound is one calls a skill, all others go to the brain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from voice.agent.listening.recognition import Listener, OpenListener, TurnHypothesis, text_of
from voice.agent.skills.registry import Skill, offer
from voice.agent.speculative import call_skill, committed_text, prepare
from voice.commands import Commands, Understanding
from voice.commands.letters import letters_of
from voice.errors import VoiceError
from voice.types import Audio, Brain, Message, Recognizer, SpeculativeReply, Transcript

LONGEST = 12.0  # seconds of a turn that may be a command


def open_commands(path: str | Path, recognizer: Recognizer) -> Commands:
    """The commands of a YAML file, for a recognizer that can hear them.

    Raises TextError for what is wrong in the file, VoiceError where the recognizer knows no letters.
    """
    commands = Commands.open(path)
    letters_of(recognizer, Audio(np.zeros(recognizer.rate // 10, np.float32), recognizer.rate))
    return commands


class VoiceCommands:
    """What the turns of one conversation ask for by a command; nothing changes where there are none."""

    def __init__(self, commands: Commands | None) -> None:
        self._commands = commands
        self._last: tuple[str, Understanding] | None = None  # the words of a turn, and what they meant

    def heard_by(self, listening: OpenListener) -> OpenListener:
        """Follows turns as `listening` does, and asks whether each was a command."""
        if self._commands is None:
            return listening

        def attentive(
            recognizer: Recognizer, rate: int, language: str | None, hotwords: tuple[str, ...]
        ) -> Listener:
            return _Attentive(listening(recognizer, rate, language, hotwords), recognizer, rate, self)

        return attentive

    def obeyed_by(self, brain: Brain) -> Brain:
        """Thinks as `brain` does, but where a command was said its skill of that name is called."""
        return brain if self._commands is None else _Obedient(brain, self)

    def understand(self, recognizer: Recognizer, sound: Audio, text: str) -> None:
        """Keep what a turn's sound asks for, with the words by which the brain is told of it."""
        try:
            letters = letters_of(recognizer, sound)
        except VoiceError:  # another language's recognizer has none: then it was no command
            self.forget()
            return
        meant = self._commands.understand(letters, text)
        self._last = (text, meant) if meant.is_understood else None

    def forget(self) -> None:
        self._last = None

    def of(self, messages: Sequence[Message]) -> Understanding | None:
        """What the last message asks for, if it is the turn that was heard last, perhaps as its end."""
        last = self._last  # another thread may hear the next turn meanwhile
        if last and messages and messages[-1].role == "user" and messages[-1].content.endswith(last[0]):
            return last[1]
        return None


class _Attentive:
    """A Listener that keeps a turn's sound while it may be a command."""

    def __init__(self, listener: Listener, recognizer: Recognizer, rate: int, orders: VoiceCommands) -> None:
        self._listener, self._recognizer, self._rate, self._orders = listener, recognizer, rate, orders
        self._sound: list[np.ndarray] = []
        self._samples = 0

    def feed(self, samples: np.ndarray, probabilities: Sequence[float]) -> TurnHypothesis | None:
        self._samples += len(samples)
        if self._samples <= LONGEST * self._rate:
            self._sound.append(samples)
        return self._listener.feed(samples, probabilities)

    def finish(self) -> Transcript:
        transcript = self._listener.finish()
        text = text_of(transcript)[0].strip()
        if text and self._samples <= LONGEST * self._rate:
            self._orders.understand(self._recognizer, Audio(np.concatenate(self._sound), self._rate), text)
        else:
            self._orders.forget()
        return transcript


class _Obedient:
    """A Brain that leaves commands to the skills of another, and all else to that one."""

    def __init__(self, brain: Brain, orders: VoiceCommands) -> None:
        self._brain, self._orders = brain, orders

    def prepare(self, messages: Sequence[Message]) -> SpeculativeReply:
        meant = self._orders.of(messages)
        done = call_skill(self._brain, meant.intent, meant.slots) if meant else None
        return done or prepare(self._brain, messages)

    def reply(self, messages: Sequence[Message]) -> Iterator[str]:
        return committed_text(self.prepare(messages))

    def offer(self, skills: Sequence[Skill]) -> None:
        """Let the brain use further functions, if it can."""
        offer(self._brain, skills)
