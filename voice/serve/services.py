"""What all requests and sessions share: models, loaded once when first asked for, and slots.

Any thread may call anything here. A name that a client gives is only looked up among the models on this
machine: no client can make the server download something or open a folder.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar

from voice.errors import ModelError, ModelMissing, VoiceError
from voice.loading import load
from voice.models import entries
from voice.serve.draining import Draining
from voice.serve.metrics import Metrics
from voice.serve.model_names import DEFAULT, OPENAI_VOICES, in_family, read_aliases, similar_voice
from voice.serve.request_queue import RequestQueue
from voice.serve.settings import Settings
from voice.serve.slots import Slots
from voice.text.languages import languages_of
from voice.types import Recognizer, SpeechDetector, Synthesizer, TurnDetector

if TYPE_CHECKING:
    from voice.agent.session import Models
    from voice.asr.diarization.speakers import Diarizer
    from voice.commands import Commands

T = TypeVar("T")

MODEL_KINDS = ("recognizer", "voice")
_SPEECH_PATHS = ("/v1/audio/speech", "/dev/captioned_speech")
_GENERIC_VOICES = frozenset([*OPENAI_VOICES, DEFAULT])  # names of voices that stand for one of ours

Loader = Callable[[str, str], Any]  # name, kind → the model


class Services:
    """The models and slots of one server."""

    def __init__(
        self,
        settings: Settings = Settings(),
        *,
        loader: Loader | None = None,
        detector: Callable[[], SpeechDetector] | None = None,
        turn_detector: Callable[[Recognizer], TurnDetector] | None = None,
    ) -> None:
        """Open models by `loader`, `detector` and `turn_detector`, where tests give others.

        Raises VoiceError for aliases that cannot be read.
        """
        self.settings = settings
        limits = settings.queue, settings.wait
        self.transcription_queue = RequestQueue(
            "places for recordings", settings.transcription_slots, *limits
        )
        self.speech_queue = RequestQueue("places for speech", settings.speech_slots, *limits)
        self.sessions = Slots("places for live sessions", settings.sessions)
        self.metrics, self.draining = Metrics(), Draining()
        self.aliases = read_aliases(settings.aliases)
        self.other_work: list[Callable[[], bool]] = []  # whether others on this port, as the page, still work
        self._load = loader or self._open_shared
        self._load_for_sessions = loader or self._open_for_sessions
        self._open_detector = detector or _open_silero
        self._open_turn_detector = turn_detector or _open_turn_detector
        self._lock = threading.Lock()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._made: dict[Hashable, Any] = {}

    def queue_for(self, path: str) -> RequestQueue:
        """Return the queue for requests to `path`: speech does not wait for a long recording."""
        return self.speech_queue if path.startswith(_SPEECH_PATHS) else self.transcription_queue

    @property
    def busy(self) -> bool:
        """Whether a request, a live session or a job of the page is under way."""
        queues = self.transcription_queue, self.speech_queue
        requests = any(queue.used_slots or queue.waiting for queue in queues)
        return bool(requests or self.sessions.used_slots or any(works() for works in self.other_work))

    def recognizer(self, name: str | None = None) -> Recognizer:
        """Return a recognizer by name, or the default for files.

        Raises ModelMissing for one that is not served.
        """
        recognizer: Recognizer = self._model(self.resolve(name, "recognizer"), "recognizer")
        return recognizer

    def live_recognizer(self, name: str | None = None) -> Recognizer:
        """Return a recognizer for live sessions.

        Their default is a quicker one that files do not use, because a file would hold it up.
        """
        name = self.live_name(name)
        if name == self._default_live_name:
            return self._once(("live", name), self._open_live_recognizer)
        return self.recognizer(name)

    def _open_live_recognizer(self) -> Recognizer:
        """Return the recognizer of live sessions, or that of files where the quickest cannot be used."""
        from voice.agent.session import open_default

        def open_recognizer(name: str) -> Recognizer:
            shared = name == self.settings.model
            load = self._model if shared else self._load_for_sessions
            recognizer: Recognizer = load(name, "recognizer")
            return recognizer

        name = self.settings.live_model
        return open_recognizer(name) if name else open_default(open_recognizer)

    def live_name(self, name: str | None = None) -> str:
        """Return the recognizer of a live session whose client names a model. Raises ModelMissing."""
        wanted = self._without_alias(name)
        if wanted not in self.names("recognizer") and in_family(wanted, "recognizer", "live"):
            return self._default_live_name
        return self.resolve(name, "recognizer")

    def recognizer_for(self, recognizer: Recognizer, language: str | None) -> Recognizer:
        """Return `recognizer` if it knows the language of a live session, else the one for files.

        Raises VoiceError if neither knows it.
        """
        if not language or _knows(recognizer, language):
            return recognizer
        other = self.recognizer()
        if not _knows(other, language):
            raise VoiceError(f"no recognizer here knows {language!r}; leave the language out or use 'en'")
        return other

    @property
    def _default_live_name(self) -> str:
        from voice.agent.session import default_recognizer

        return self.settings.live_model or default_recognizer()

    def voice(self, name: str | None = None) -> Synthesizer:
        """Return a voice by name, or the default one. Raises ModelMissing."""
        voice: Synthesizer = self._model(self.resolve(name, "voice"), "voice")
        return voice

    def speakers(self) -> Diarizer:
        """Return the model that tells speakers apart."""
        diarizer: Diarizer = self._model("speakers", "speakers")
        return diarizer

    def detector(self) -> SpeechDetector:
        """Return the detector of speech."""
        return self._once("detector", self._open_detector)

    def turn_detector(self, recognizer: Recognizer) -> TurnDetector:
        """Return what ends the turns that `recognizer` hears."""
        return self._once(("turns", id(recognizer)), lambda: self._open_turn_detector(recognizer))

    def conversation_models(self, voice: str | None = None, model: str | None = None) -> Models:
        """Return what a live conversation needs, shared by all of them.

        Raises ModelMissing, and VoiceError where there are commands and the model cannot hear them.
        """
        from voice.agent.session import Models

        recognizer = self.live_recognizer(model)
        turns, commands = self.turn_detector(recognizer), self._commands(recognizer)
        return Models(self.detector(), recognizer, self.voice(voice), turns, commands)

    def _commands(self, recognizer: Recognizer) -> Commands | None:
        from voice.agent.brains.commands import open_commands

        path = self.settings.commands
        key = "commands", id(recognizer)
        return self._once(key, lambda: open_commands(path, recognizer)) if path else None

    def names(self, kind: str) -> list[str]:
        """Return the models of a kind ("recognizer" or "voice") that are served, the default first."""
        default = self._default(kind)
        here = [each.name for each in entries().values() if each.card.kind == kind and each.in_place]
        return [default, *(name for name in here if name != default)]

    def resolve(self, name: str | None, kind: str) -> str:
        """Return the model of a kind that a client means by `name`. Raises ModelMissing if it is not served.

        An alias comes first, then a model in place; a name of a family means the default, and a voice of
        OpenAI's the similar one of ours.
        """
        wanted, served = self._without_alias(name), self.names(kind)
        if wanted in served:
            return wanted
        if kind == "voice" and wanted != (similar := similar_voice(wanted)):
            return similar if similar in served else self._default(kind)
        if in_family(wanted, kind):
            return self._default(kind)
        shown = (name or "")[:80]
        raise ModelMissing(f"there is no {kind} {shown!r} on this server; there are {', '.join(served)}")

    def voice_name(self, voice: str | None, model: str | None = None) -> str:
        """Return the voice for a client that names a voice, a model or both.

        A voice of ours as `voice` wins over one as `model`, and that wins over a name of OpenAI's as
        `voice`, which their clients cannot leave out. Raises ModelMissing where either names nothing.
        """
        by_model, wanted = self.resolve(model, "voice"), self._without_alias(voice)
        if wanted not in _GENERIC_VOICES:
            return self.resolve(voice, "voice")
        named = self._without_alias(model)
        return self.resolve(voice, "voice") if in_family(named, "voice") else by_model

    def _without_alias(self, name: str | None) -> str:
        return self.aliases.get(name or DEFAULT, name or DEFAULT)

    def preload(self) -> None:
        """Load the default models now, so that the first request need not wait.

        Raises ModelError, and VoiceError for an alias of nothing.
        """
        for alias, target in self.aliases.items():
            if not any(target in self.names(kind) or in_family(target, kind) for kind in MODEL_KINDS):
                raise VoiceError(f"VOICE_ALIASES: {alias} stands for {target}, which is not in place here")
        self.recognizer()
        self.conversation_models()

    def _default(self, kind: str) -> str:
        return self.settings.model if kind == "recognizer" else self.settings.voice

    def _model(self, name: str, kind: str) -> Any:
        return self._once((kind, name), lambda: self._load(name, kind))

    def _open_shared(self, name: str, kind: str) -> Any:
        return _open_on_disk(name, kind, self.settings.threads)

    def _open_for_sessions(self, name: str, kind: str) -> Any:
        # A live answer comes sooner if recognition leaves the other cores to the rest of the work.
        return _open_on_disk(name, kind, self.settings.threads or 1)

    def _once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` returned the first time; others wait for it. A failure is tried again."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._made:
                self._made[key] = make()
            made: T = self._made[key]
            return made


def _open_on_disk(name: str, kind: str, threads: int | None) -> Any:
    """Return a model of this machine. Raises ModelError, also where the cache cannot be written or read."""
    try:
        return load(name, kind=kind, threads=threads)
    except OSError as error:
        where = f" at {error.filename}" if error.filename else ""
        reason = f"{name} cannot be opened ({error.strerror or error}{where})"
        raise ModelError(f"{reason}; check VOICE_HOME and the room on its disk") from error


def _knows(recognizer: Recognizer, language: str) -> bool:
    """Tell whether a recognizer knows a language; one that names none is taken to know it."""
    known = languages_of(recognizer)
    return known is None or language in known


def _open_silero() -> SpeechDetector:
    from voice.silero import Silero

    return Silero.open()


def _open_turn_detector(recognizer: Recognizer) -> TurnDetector:
    from voice.agent.session import load_turns

    return load_turns(recognizer)


__all__ = ["MODEL_KINDS", "Loader", "Services"]
