"""A conversation from the names of models, as the command line and the page begin it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from voice.abilities import EndOfTurnRecognizer
from voice.agent.brains.choice import Brains, brain_from_environment
from voice.agent.brains.commands import VoiceCommands, open_commands
from voice.agent.conversation import Conversation
from voice.agent.listening.endpointing import (
    BY_SENTENCE,
    MARK_WEIGHT,
    AudioTextEndpointer,
    SentenceEndDetector,
    SilenceEndpointer,
)
from voice.agent.listening.options import ListeningOptions
from voice.agent.listening.recognition import OpenListener, live
from voice.agent.options import ConversationOptions
from voice.agent.skills.notes import Notes
from voice.agent.timers import Timers
from voice.agent.work import INLINE, Work
from voice.commands import Commands
from voice.errors import ModelError
from voice.loading import load_recognizer, load_turn_detector, load_voice
from voice.models import entries
from voice.silero import Silero
from voice.types import Brain, Controls, Recognizer, SpeechDetector, Synthesizer, TurnDetector

T = TypeVar("T")
QUICK, WHOLE, TURN = "quick", "whisper-base", "smart-turn-v3"


def default_recognizer() -> str:
    """Return the name of the recognizer with the shortest delay, if it is there without fetching."""
    known = entries()
    return QUICK if QUICK in known and known[QUICK].in_place else WHOLE


def open_default(open_one: Callable[[str], T]) -> T:
    """Return `open_one(name)` of the quickest recognizer that can be opened; warn where it is the other one.

    The quickest one is made on first use, which takes a cache that can be written and room on the disk.
    Raises ModelError or OSError where neither can be opened.
    """
    name = default_recognizer()
    try:
        return open_one(name)
    except (ModelError, OSError) as error:
        if name == WHOLE:
            raise
        warnings.warn(f"{name} cannot be used here ({error}); {WHOLE} hears instead", stacklevel=2)
        return open_one(WHOLE)


@dataclass(frozen=True)
class Models:
    """The models that conversations share; none of them holds state."""

    detector: SpeechDetector
    recognizer: Recognizer
    synthesizer: Synthesizer
    turns: TurnDetector = SilenceEndpointer()
    commands: Commands | None = None

    @classmethod
    def load(
        cls,
        recognizer: str | None = None,
        voice: str = "heart",
        *,
        commands: str | None = None,
        threads: int | None = None,
    ) -> Models:
        """Load what a conversation needs; `commands` is a YAML file of intents that call skills.

        Raises ModelError where a model cannot be had, VoiceError where the commands are wrong or the
        recognizer cannot hear them.
        """
        open_one = partial(load_recognizer, threads=threads)
        loaded = open_one(recognizer) if recognizer else open_default(open_one)
        known = open_commands(commands, loaded) if commands else None
        return cls(Silero.open(), loaded, load_voice(voice, threads=threads), load_turns(loaded), known)


def load_turns(recognizer: Recognizer) -> TurnDetector:
    """Load what ends turns: silence and words, and the sound as the recognizer or a model there judges it."""
    if isinstance(recognizer, EndOfTurnRecognizer) and recognizer.detects_end_of_turn:
        return AudioTextEndpointer(
            SentenceEndDetector(recognizer), silences=BY_SENTENCE, mark_weight=MARK_WEIGHT
        )
    if entries()[TURN].in_place:
        return AudioTextEndpointer(load_turn_detector(TURN, threads=1))
    return SilenceEndpointer()


def start(
    models: Models,
    *,
    brain: Brain | None = None,
    brains: Brains | None = None,
    timers: Timers | None = None,
    notes: Notes | None = None,
    controls: Controls = Controls(),
    options: ConversationOptions = ConversationOptions(),
    listening_options: ListeningOptions = ListeningOptions(),
    work: Work = INLINE,
    listener: OpenListener | None = None,
    stopwatch: Callable[[], float] = time.perf_counter,
) -> Conversation:
    """Begin a conversation; `work` is INLINE for recordings and THREADS for live sound.

    Its brain is `brain`, or one of `brains`, or what the environment chooses; skills set `timers` (those of
    a given `brain`, else fresh ones) and write `notes` (None is the file that all share). `listener` opens
    what recognizes the words of a turn, by default with partial words. `stopwatch` times computing.
    Raises VoiceError where the environment is wrong (see brains).
    """
    timers = timers or Timers()
    if brain is None:
        brain = brains.brain(timers, notes) if brains else brain_from_environment(timers, notes=notes)
    if listener is None:
        listener = live(models.detector.hop, None if work is INLINE else stopwatch)
    commands = VoiceCommands(models.commands)
    return Conversation(
        models.detector,
        models.recognizer,
        models.synthesizer,
        commands.wrap_brain(brain),
        turns=models.turns,
        timers=timers,
        controls=controls,
        options=options,
        listening_options=listening_options,
        work=work,
        listener=commands.wrap_listener(listener),
        stopwatch=stopwatch,
    )
