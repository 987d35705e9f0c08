"""What all requests and sessions share: models, loaded once when first asked for, and places.

Any thread may call anything here. What a client names is only ever looked up among the models on
this machine: nobody can make the server fetch something or open a folder.
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
from voice.serve.model_names import DEFAULT, OPENAI_VOICES, in_family, read_aliases, stand_in
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
_GENERIC_VOICES = frozenset([*OPENAI_VOICES, DEFAULT])  # names of voices that stand for ours

Loader = Callable[[str, str], Any]  # name, kind → the model


class Services:
    """The models and places of one server."""

    def __init__(
        self,
        settings: Settings = Settings(),
        *,
        loader: Loader | None = None,
        detector: Callable[[], SpeechDetector] | None = None,
        turns: Callable[[Recognizer], TurnDetector] | None = None,
    ) -> None:
        """`loader`, `detector` and `turns` open models; tests give others.

        Raises VoiceError for aliases that cannot be read.
        """
        self.settings = settings
        line = settings.queue, settings.wait
        self.hearing = RequestQueue("places for recordings", settings.hearing_places, *line)
        self.speaking = RequestQueue("places for speech", settings.speaking_places, *line)
        self.sessions = Slots("places for live sessions", settings.sessions)
        self.metrics, self.draining = Metrics(), Draining()
        self.aliases = read_aliases(settings.aliases)
        self.under_way: list[
            Callable[[], bool]
        ] = []  # what others on this port still work on, such as the page
        self._load, self._load_alone = loader or self._from_disk, loader or self._alone
        self._open_detector, self._open_turns = detector or _open_silero, turns or _open_turn_detector
        self._lock = threading.Lock()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._made: dict[Hashable, Any] = {}

    def line(self, path: str) -> RequestQueue:
        """Where a request to `path` waits for its place: a long recording holds up no speech."""
        return self.speaking if path.startswith("/v1/audio/speech") else self.hearing

    @property
    def busy(self) -> bool:
        """Whether a request, a live session or something of the page is under way."""
        requests = any(line.used or line.waiting for line in (self.hearing, self.speaking))
        return bool(requests or self.sessions.used or any(still() for still in self.under_way))

    def recognizer(self, name: str | None = None) -> Recognizer:
        """A recognizer by name, None being the default for files.

        Raises ModelMissing for one that is not served.
        """
        return self._model(self.resolve(name, "recognizer"), "recognizer")

    def live_recognizer(self, name: str | None = None) -> Recognizer:
        """The same for live sessions, whose default is quicker and nobody else's: files would hold it up."""
        name = self.live_name(name)
        return self._once(("live", name), self._open_live) if name == self._live else self.recognizer(name)

    def _open_live(self) -> Recognizer:
        """The recognizer of live sessions, or the whole one where the quickest cannot be used."""
        from voice.agent.session import open_default

        def opened(name: str) -> Recognizer:
            shared = name == self.settings.model
            return self._model(name, "recognizer") if shared else self._load_alone(name, "recognizer")

        return opened(self.settings.live_model) if self.settings.live_model else open_default(opened)

    def live_name(self, name: str | None = None) -> str:
        """The recognizer that hears a live session for which a client named a model. Raises ModelMissing."""
        wanted = self._meant(name)
        if wanted not in self.names("recognizer") and in_family(wanted, "recognizer", "live"):
            return self._live
        return self.resolve(name, "recognizer")

    def hears(self, recognizer: Recognizer, language: str | None) -> Recognizer:
        """Itself, or the recognizer for files where it does not know the language of a live session.

        Raises VoiceError where that knows it no better.
        """
        if not language or _knows(recognizer, language):
            return recognizer
        other = self.recognizer()
        if not _knows(other, language):
            raise VoiceError(f"no recognizer here knows {language!r}; leave the language out or use 'en'")
        return other

    @property
    def _live(self) -> str:
        from voice.agent.session import default_recognizer

        return self.settings.live_model or default_recognizer()

    def voice(self, name: str | None = None) -> Synthesizer:
        """A voice by name, None being the default. Raises ModelMissing."""
        return self._model(self.resolve(name, "voice"), "voice")

    def speakers(self) -> Diarizer:
        """What tells speakers apart."""
        return self._model("speakers", "speakers")

    def detector(self) -> SpeechDetector:
        return self._once("detector", self._open_detector)

    def turns(self, ears: Recognizer) -> TurnDetector:
        """What ends turns that `ears` hear."""
        return self._once(("turns", id(ears)), lambda: self._open_turns(ears))

    def talking(self, voice: str | None = None, model: str | None = None) -> Models:
        """What a live conversation needs, shared by all of them.

        Raises ModelMissing, and VoiceError where there are commands and the model cannot hear them.
        """
        from voice.agent.session import Models

        ears = self.live_recognizer(model)
        return Models(self.detector(), ears, self.voice(voice), self.turns(ears), self._commands(ears))

    def _commands(self, ears: Recognizer) -> Commands | None:
        from voice.agent.brains.commands import open_commands

        path = self.settings.commands
        return self._once(("commands", id(ears)), lambda: open_commands(path, ears)) if path else None

    def names(self, kind: str) -> list[str]:
        """The models of a kind ("recognizer" or "voice") that are served, the default first."""
        default = self._default(kind)
        here = [each.name for each in entries().values() if each.card.kind == kind and each.in_place]
        return [default, *(name for name in here if name != default)]

    def resolve(self, name: str | None, kind: str) -> str:
        """The model of a kind that a client means by `name`. Raises ModelMissing if it is not served.

        An alias comes first, then what is in place; a name of a family is the default, and one of OpenAI's
        voices the one of ours that is like it.
        """
        wanted, served = self._meant(name), self.names(kind)
        if wanted in served:
            return wanted
        if kind == "voice" and wanted != (like := stand_in(wanted)):
            return like if like in served else self._default(kind)
        if in_family(wanted, kind):
            return self._default(kind)
        shown = (name or "")[:80]
        raise ModelMissing(f"there is no {kind} {shown!r} on this server; there are {', '.join(served)}")

    def voice_name(self, asked: str | None, model: str | None = None) -> str:
        """The voice that speaks for a client that names a voice, a model or both.

        A voice of ours that is `asked` for wins over one that `model` names; that wins over OpenAI's names,
        as their clients cannot leave the voice out. Raises ModelMissing where either names nothing.
        """
        by_model, voice = self.resolve(model, "voice"), self._meant(asked)
        if voice not in _GENERIC_VOICES:
            return self.resolve(asked, "voice")
        named = self._meant(model)
        return self.resolve(asked, "voice") if in_family(named, "voice") else by_model

    def _meant(self, name: str | None) -> str:
        return self.aliases.get(name or DEFAULT, name or DEFAULT)

    def warm(self) -> None:
        """Load the defaults now, so that the first request need not wait.

        Raises ModelError, and VoiceError for an alias of nothing.
        """
        for alias, target in self.aliases.items():
            if not any(target in self.names(kind) or in_family(target, kind) for kind in MODEL_KINDS):
                raise VoiceError(f"VOICE_ALIASES: {alias} stands for {target}, which is not in place here")
        self.recognizer()
        self.talking()

    def _default(self, kind: str) -> str:
        return self.settings.model if kind == "recognizer" else self.settings.voice

    def _model(self, name: str, kind: str) -> Any:
        return self._once((kind, name), lambda: self._load(name, kind))

    def _from_disk(self, name: str, kind: str) -> Any:
        return _open_on_disk(name, kind, self.settings.threads)

    def _alone(self, name: str, kind: str) -> Any:
        # Somebody who talks is answered sooner if hearing leaves a core to the rest of the work.
        return _open_on_disk(name, kind, self.settings.threads or 1)

    def _once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` returned the first time; who asks meanwhile waits for it. Failures are tried again."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]


def _open_on_disk(name: str, kind: str, threads: int | None) -> Any:
    """A model of this machine. Raises ModelError, also where the cache cannot be written or read."""
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


def _open_turn_detector(ears: Recognizer) -> TurnDetector:
    from voice.agent.session import load_turns

    return load_turns(ears)


__all__ = ["MODEL_KINDS", "Loader", "Services"]
