"""The conversation behind a session: one that the session can set and ask as the protocol demands."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import TYPE_CHECKING

from voice.agent.brains.choice import Choice, brain_from_environment, open_brain
from voice.agent.brains.commands import VoiceCommands
from voice.agent.conversation import Conversation
from voice.agent.listening.endpointing import ManualEndpointer, SilenceEndpointer
from voice.agent.listening.options import ListeningOptions
from voice.agent.listening.recognition import OpenListener, live
from voice.agent.options import ConversationOptions
from voice.agent.skills.notes import Notes
from voice.agent.skills.registry import Skill, offer
from voice.agent.speculative import prepare
from voice.agent.timers import Timers
from voice.agent.work import THREADS, Work
from voice.serve.realtime.client_functions import ClientFunctions
from voice.serve.realtime.configuration import Configuration, TurnDetection
from voice.text.languages import languages_of, parse_language
from voice.types import (
    Brain,
    Controls,
    Message,
    Recognizer,
    SpeculativeReply,
    Speech,
    Synthesizer,
    TurnDetector,
)

if TYPE_CHECKING:
    from voice.serve.services import Services

_CAUTIOUS = SilenceEndpointer(finished=1.0, perhaps=1.5, plain=1.5, unfinished=2.5, wordless=1.5)


@dataclass(frozen=True)
class Asked:
    """What one response was asked for beyond the session's settings; `messages` replace all others."""

    instructions: str | None = None
    messages: tuple[Message, ...] | None = None


class SessionBrain:
    """A brain that is told the session's instructions, and what a single response was asked for."""

    def __init__(self, brain: Brain, offline: Callable[[], Brain]) -> None:
        """`offline` makes the brain to use where the session wants skills alone."""
        self._brains = {"usual": lambda: brain, "offline": cache(offline)}
        self.brain = brain
        self.instructions = ""
        self.asked: Asked | None = None

    def prepare(self, messages: Sequence[Message]) -> SpeculativeReply:
        return prepare(self.brain, self._told(messages))

    def reply(self, messages: Sequence[Message]) -> Iterator[str]:
        return self.brain.reply(self._told(messages))

    def choose(self, name: str) -> None:
        """From now on answers with the "usual" brain, or "offline"."""
        self.brain = self._brains[name]()

    def offer(self, skills: Sequence[Skill]) -> None:
        """Let the brain use the functions of the client, if it can."""
        offer(self.brain, skills)

    def _told(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        asked = self.asked or Asked()
        told = self.instructions if asked.instructions is None else asked.instructions
        said = tuple(messages) if asked.messages is None else asked.messages
        return (*((Message("system", told),) if told else ()), *said)


class SwitchableVoice:
    """The session's voice, which may change between answers; none where answers are text."""

    def __init__(self, voice: Synthesizer) -> None:
        self.voice = voice
        self.silent = False

    @property
    def rate(self) -> int:
        return self.voice.rate

    def speak(self, text: str, controls: Controls = Controls()) -> Iterator[Speech]:
        return iter(()) if self.silent else self.voice.speak(text, controls)


@dataclass(frozen=True)
class Agent:
    """A conversation and what the session changes about it."""

    conversation: Conversation
    mind: SessionBrain
    throat: SwitchableVoice
    voice: Callable[[str], Synthesizer]  # by name
    turns: Callable[[Recognizer], TurnDetector]  # that go by sound and words, as the recognizer hears them
    recognizer: Callable[[str | None], Recognizer]  # by language
    tools: ClientFunctions = field(default_factory=ClientFunctions)

    def understood(self, now: Configuration) -> Collection[str]:
        """Codes of the languages that the recognizer in use knows; () where it does not say."""
        return languages_of(self.recognizer(hearing(now).language)) or ()

    def use(self, now: Configuration) -> None:
        """Follows a session's settings from now on.

        Raises VoiceError where a voice cannot be had or no recognizer knows the language.
        """
        heard = hearing(now)
        recognizer = self.recognizer(heard.language)
        self.throat.voice = self.voice(now.voice)
        self.throat.silent = now.modality == "text"
        self.mind.instructions = now.instructions
        self.mind.choose(now.extras.brain)
        self.offer(now)
        self.conversation.use(
            now.controls,
            turns=turn_detector(now.detection, self.turns(recognizer)),
            options=replace(ConversationOptions(), answers=now.answers, yields=now.yields),
            listening_options=heard,
            recognizer=recognizer,
        )

    def offer(self, now: Configuration) -> None:
        """Let the brain call the client's functions, as a session or one response is set."""
        self.mind.offer(self.tools.skills(now.tools if now.tool_choice != "none" else ()))


def turn_detector(detection: TurnDetection | None, best: TurnDetector) -> TurnDetector:
    """What ends turns: the client, silence alone, or the `best` that there is."""
    if detection is None:
        return ManualEndpointer()
    if detection.kind == "server_vad":
        return SilenceEndpointer.of(detection.silence)
    return _CAUTIOUS if detection.eagerness == "low" else best


def hearing(now: Configuration) -> ListeningOptions:
    """How the session listens. Raises VoiceError for an unknown language."""
    listening = ListeningOptions()
    if now.transcription:
        language, keywords = parse_language(now.transcription.language), now.transcription.keywords
        listening = replace(listening, language=language, hotwords=keywords)
    if now.detection and now.detection.kind == "server_vad":
        on = min(0.95, max(0.05, now.detection.threshold))
        thresholds = replace(listening.thresholds, on=on, off=max(0.02, on - 0.15))
        listening = replace(listening, thresholds=thresholds, pre_roll=max(0.1, now.detection.padding))
    return listening


def open_agent(
    services: Services,
    now: Configuration,
    brain: Brain | None = None,
    work: Work = THREADS,
    listening: OpenListener | None = None,
    stopwatch: Callable[[], float] = time.perf_counter,
) -> Agent:
    """A fresh agent. Without `brain` the environment chooses it. Raises VoiceError.

    Notes are the session's own, and end with it, unless its client is the `owner`.
    `work`, `listening` and `stopwatch` are as in Conversation.
    """
    models, timers = services.talking(now.voice, now.recognizer), Timers()
    orders, notes = VoiceCommands(models.commands), None if now.owner else Notes()
    usual = orders.wrap_brain(brain or brain_from_environment(timers, notes=notes))
    mind = SessionBrain(usual, lambda: orders.wrap_brain(_offline(timers, notes)))
    throat = SwitchableVoice(models.synthesizer)
    conversation = Conversation(
        models.detector,
        models.recognizer,
        throat,
        mind,
        turns=models.turns,
        timers=timers,
        work=work,
        listener=orders.wrap_listener(listening or live(models.detector.hop, stopwatch)),
        stopwatch=stopwatch,
    )
    ears = partial(services.hears, models.recognizer)
    agent = Agent(conversation, mind, throat, services.voice, services.turns, ears)
    agent.use(now)
    return agent


def _offline(timers: Timers, notes: Notes | None) -> Brain:
    return open_brain(replace(Choice.of(), brain="offline"), timers, notes=notes)


__all__ = ["Agent", "Asked", "SessionBrain", "SwitchableVoice", "open_agent"]
