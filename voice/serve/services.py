"""What all requests and sessions share: models, loaded once when first asked for, and places.

Any thread may call anything here. What a client names is only ever looked up among the models on
this machine: nobody can make the server fetch something or open a folder.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar

from voice.errors import ModelMissing, VoiceError
from voice.loading import load
from voice.models import entries
from voice.serve.metrics import Metrics
from voice.serve.settings import Settings
from voice.serve.slots import Slots
from voice.types import Recognizer, SpeechDetector, Synthesizer, TurnDetector

if TYPE_CHECKING:
    from voice.agent.opening import Models
    from voice.asr.speakers import Speakers
    from voice.commands import Commands

T = TypeVar("T")

# What OpenAI's clients ask for by default; they get the defaults of this server.
HEARING = frozenset(
    "whisper-1 gpt-4o-transcribe gpt-4o-mini-transcribe gpt-4o-transcribe-diarize default".split()
)
SPEAKING = frozenset("tts-1 tts-1-hd gpt-4o-mini-tts default".split())
TALKING = frozenset(
    "gpt-realtime gpt-realtime-mini gpt-4o-realtime-preview gpt-4o-mini-realtime-preview default".split()
)
VOICES = frozenset(
    "alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse default".split()
)
PRODUCTS = {"recognizer": HEARING, "voice": SPEAKING | VOICES}

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
        """`loader`, `detector` and `turns` open models; tests give others."""
        self.settings = settings
        self.requests = Slots("places for requests", settings.requests)
        self.sessions = Slots("places for live sessions", settings.sessions)
        self.metrics = Metrics()
        self._load, self._load_alone = loader or self._from_disk, loader or self._alone
        self._open_detector, self._open_turns = detector or _silero, turns or _turns
        self._lock = threading.Lock()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._made: dict[Hashable, Any] = {}

    def recognizer(self, name: str | None = None) -> Recognizer:
        """A recognizer by name, OpenAI's names and None being the default for files.

        Raises ModelMissing for one that is not served.
        """
        return self._model(self.resolve(name, "recognizer"), "recognizer")

    def live_recognizer(self, name: str | None = None) -> Recognizer:
        """The same for live sessions, whose default is quicker and nobody else's: files would hold it up."""
        named = name and name not in HEARING | TALKING
        name = self.resolve(name, "recognizer") if named else self._live
        if name != self._live or name == self.settings.model:
            return self._model(name, "recognizer")
        return self._once(("live", name), lambda: self._load_alone(name, "recognizer"))

    def hears(self, recognizer: Recognizer, language: str | None) -> Recognizer:
        """Itself, or the recognizer for files where it does not know the language of a live session.

        Raises VoiceError where that knows it no better.
        """
        if not language or language in getattr(recognizer, "languages", (language,)):
            return recognizer
        other = self.recognizer()
        if language not in getattr(other, "languages", (language,)):
            raise VoiceError(f"no recognizer here knows {language!r}; leave the language out or use 'en'")
        return other

    @property
    def _live(self) -> str:
        from voice.agent.opening import default_recognizer

        return self.settings.live_model or default_recognizer()

    def voice(self, name: str | None = None) -> Synthesizer:
        """A voice by name; OpenAI's names and None are the default. Raises ModelMissing."""
        return self._model(self.resolve(name, "voice"), "voice")

    def speakers(self) -> Speakers:
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
        from voice.agent.opening import Models

        ears = self.live_recognizer(model)
        return Models(self.detector(), ears, self.voice(voice), self.turns(ears), self._commands(ears))

    def _commands(self, ears: Recognizer) -> Commands | None:
        from voice.agent.orders import open_commands

        path = self.settings.commands
        return self._once(("commands", id(ears)), lambda: open_commands(path, ears)) if path else None

    def names(self, kind: str) -> list[str]:
        """The models of a kind ("recognizer" or "voice") that are served, the default first."""
        default = self._default(kind)
        here = [each.name for each in entries().values() if each.card.kind == kind and each.in_place]
        return [default, *(name for name in here if name != default)]

    def resolve(self, name: str | None, kind: str) -> str:
        """The model that a client means by `name`. Raises ModelMissing if it is not served."""
        if not name or name in PRODUCTS[kind]:
            return self._default(kind)
        served = self.names(kind)
        if name not in served:
            shown = name[:80]
            raise ModelMissing(f"there is no {kind} {shown!r} on this server; there are {', '.join(served)}")
        return name

    def warm(self) -> None:
        """Load the defaults now, so that the first request need not wait. Raises ModelError."""
        self.recognizer()
        self.talking()

    def _default(self, kind: str) -> str:
        return self.settings.model if kind == "recognizer" else self.settings.voice

    def _model(self, name: str, kind: str) -> Any:
        return self._once((kind, name), lambda: self._load(name, kind))

    def _from_disk(self, name: str, kind: str) -> Any:
        return load(name, kind=kind, threads=self.settings.threads)

    def _alone(self, name: str, kind: str) -> Any:
        # Somebody who talks is answered sooner if hearing leaves a core to the rest of the work.
        return load(name, kind=kind, threads=self.settings.threads or 1)

    def _once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` returned the first time; who asks meanwhile waits for it. Failures are tried again."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]


def _silero() -> SpeechDetector:
    from voice.vad import Silero

    return Silero.open()


def _turns(ears: Recognizer) -> TurnDetector:
    from voice.agent.opening import load_turns

    return load_turns(ears)


__all__ = ["HEARING", "SPEAKING", "TALKING", "VOICES", "Loader", "Services"]
