"""The agent of a session: a conversation, and what the settings of its client change about it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from voice.agent.brains.choice import Choice, brain_from_environment, open_brain
from voice.agent.conversation import Conversation
from voice.agent.listening.endpointing import ManualEndpointer, SilenceEndpointer
from voice.agent.listening.options import ListeningOptions
from voice.agent.listening.recognition import OpenListener
from voice.agent.options import ConversationOptions
from voice.agent.session import start
from voice.agent.skills.notes import Notes
from voice.agent.skills.registry import Skill, pass_client_tools
from voice.agent.speculative import call_skill, prepare
from voice.agent.timers import Timers
from voice.agent.work import THREADS, Work
from voice.serve.realtime.client_functions import ClientFunctions
from voice.serve.realtime.protocol.configuration import Configuration, TurnDetection
from voice.text.languages import languages_of, parse_language
from voice.tts.streaming import SentenceSpeaker, begin, voice_for
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
    from voice.abilities import TextStream
    from voice.serve.services import Services

_LOW_EAGERNESS_ENDPOINTER = SilenceEndpointer(
    sentence_end=1.0, ambiguous_end=1.5, unpunctuated=1.5, unfinished=2.5, wordless=1.5
)


class SwitchableBrain:
    """The usual brain of a session or, where its client wants skills alone, the offline one."""

    def __init__(self, usual: Brain, offline: Callable[[], Brain]) -> None:
        """`offline` makes the offline brain when it is first wanted."""
        self._brains: dict[str, Callable[[], Brain]] = {"usual": lambda: usual, "offline": cache(offline)}
        self._brain = usual

    def choose(self, name: str) -> None:
        """Answer from now on with the "usual" brain or the "offline" one."""
        self._brain = self._brains[name]()

    def prepare(self, messages: Sequence[Message]) -> SpeculativeReply:
        """Begin a reply of the brain in use."""
        return prepare(self._brain, messages)

    def reply(self, messages: Sequence[Message]) -> Iterator[str]:
        """Yield the reply of the brain in use."""
        return self._brain.reply(messages)

    def call_skill(self, name: str, arguments: Mapping[str, Any]) -> SpeculativeReply | None:
        """Call a skill of the brain in use; None where it has no such skill."""
        return call_skill(self._brain, name, arguments)

    def use_client_tools(self, skills: Sequence[Skill]) -> None:
        """Let the brain in use call further skills, if it can."""
        pass_client_tools(self._brain, skills)


class SwitchableVoice:
    """The voice of a session, which may change between answers; `silent` where answers are text alone."""

    def __init__(self, voice: Synthesizer) -> None:
        self.voice = voice
        self.silent = False

    @property
    def rate(self) -> int:
        """The rate of the voice in use (Hz)."""
        return self.voice.rate

    def speak(self, text: str, controls: Controls = Controls()) -> Iterator[Speech]:
        """Yield the speech of the voice in use; nothing where answers are text alone."""
        return iter(()) if self.silent else self.voice.speak(text, controls)

    def for_language(self, code: str) -> Synthesizer:
        """Return the voice that speaks a language in place of the one in use. Raises ModelError."""
        return self if self.silent else voice_for(self.voice, code)

    def begin(self, controls: Controls = Controls()) -> TextStream:
        """Return a stream from text to speech through the voice in use."""
        return SentenceSpeaker(self, controls) if self.silent else begin(self.voice, controls)


@dataclass(frozen=True)
class SessionAgent:
    """A conversation with the parts that a session switches, and the functions that find others for them."""

    conversation: Conversation
    brain: SwitchableBrain
    voice: SwitchableVoice
    find_voice: Callable[[str], Synthesizer]  # by name
    find_recognizer: Callable[[str | None], Recognizer]  # by language
    find_turn_detector: Callable[[Recognizer], TurnDetector]  # that goes by the sound and the words it hears
    functions: ClientFunctions = field(default_factory=ClientFunctions)

    def languages(self, now: Configuration) -> Collection[str]:
        """Return the codes of the languages that the recognizer in use knows; () where it does not say."""
        return languages_of(self.find_recognizer(listening_options(now).language)) or ()

    def use(self, now: Configuration) -> None:
        """Follow a session's settings from now on.

        Raises VoiceError where there is no such voice or no recognizer knows the language.
        """
        heard = listening_options(now)
        recognizer = self.find_recognizer(heard.language)
        self.brain.choose(now.extras.brain)
        self.use_for_response(now)
        options = ConversationOptions(
            answers=now.answers, allow_barge_in=now.yields, instructions=now.instructions
        )
        self.conversation.use(
            now.controls,
            turns=turn_detector(now.detection, self.find_turn_detector(recognizer)),
            options=options,
            listening_options=heard,
            recognizer=recognizer,
        )

    def use_for_response(self, now: Configuration) -> None:
        """Follow the settings that one response may have of its own: voice, modality, functions.

        Raises VoiceError where there is no such voice.
        """
        self.voice.voice = self.find_voice(now.voice)
        self.voice.silent = now.modality == "text"
        self.brain.use_client_tools(self.functions.skills(now.tools if now.tool_choice != "none" else ()))


def turn_detector(detection: TurnDetection | None, best: TurnDetector) -> TurnDetector:
    """Return what ends turns: the client, silence alone, or the `best` that the server has."""
    if detection is None:
        return ManualEndpointer()
    if detection.kind == "server_vad":
        return SilenceEndpointer.of(detection.silence)
    return _LOW_EAGERNESS_ENDPOINTER if detection.eagerness == "low" else best


def listening_options(now: Configuration) -> ListeningOptions:
    """Return how the session listens. Raises VoiceError for an unknown language."""
    options = ListeningOptions()
    if now.transcription:
        language, keywords = parse_language(now.transcription.language), now.transcription.keywords
        options = replace(options, language=language, hotwords=keywords)
    if now.detection and now.detection.kind == "server_vad":
        on = min(0.95, max(0.05, now.detection.threshold))
        thresholds = replace(options.thresholds, on=on, off=max(0.02, on - 0.15))
        options = replace(options, thresholds=thresholds, pre_roll=max(0.1, now.detection.padding))
    return options


def open_agent(
    services: Services,
    now: Configuration,
    brain: Brain | None = None,
    work: Work = THREADS,
    listener: OpenListener | None = None,
    stopwatch: Callable[[], float] = time.perf_counter,
) -> SessionAgent:
    """Return a new agent. Without `brain` the environment chooses it. Raises VoiceError.

    Notes belong to the session and end with it, unless its client is the `owner` of this machine.
    `work`, `listener` and `stopwatch` are those of voice.agent.session.start.
    """
    models, timers = services.conversation_models(now.voice, now.recognizer), Timers()
    notes = None if now.owner else Notes()
    usual = brain or brain_from_environment(timers, notes=notes)
    switchable = SwitchableBrain(usual, partial(_offline_brain, timers, notes))
    voice = SwitchableVoice(models.synthesizer)
    conversation = start(
        replace(models, synthesizer=voice),
        brain=switchable,
        timers=timers,
        work=work,
        listener=listener,
        stopwatch=stopwatch,
    )
    find_recognizer = partial(services.recognizer_for, models.recognizer)
    agent = SessionAgent(
        conversation, switchable, voice, services.voice, find_recognizer, services.turn_detector
    )
    agent.use(now)
    return agent


def _offline_brain(timers: Timers, notes: Notes | None) -> Brain:
    return open_brain(replace(Choice.of(), brain="offline"), timers, notes=notes)


__all__ = ["SessionAgent", "SwitchableBrain", "SwitchableVoice", "open_agent"]
