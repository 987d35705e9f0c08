"""What whoever runs the server decides: address, token, models, limits."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from voice.errors import VoiceError

MOST = 8  # requests of a kind that work at a time, unless told otherwise
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Settings:
    """Each is also an environment variable, in capitals after VOICE_: VOICE_PORT, VOICE_TOKEN.

    `token` is asked of every client, if set. `model` transcribes files, `live_model` live sessions
    (the quickest in place if empty); there the intents of the YAML file `commands` call skills. At most
    `requests` recordings are transcribed (as many as there are processor cores, if None) and as many
    texts spoken (eight) at a time, beside `sessions` live sessions; `queue` further requests of a kind
    wait, for `wait` seconds at most, before one is refused. There are at most `connections` connections.
    A request brings at most `upload_mb` megabytes, `minutes` of sound or `characters` of text. Who sends
    or takes nothing for `idle` seconds is let go, a live session after `live_idle` seconds without an
    event. `origins` are the web pages, besides the server's own, that may use it, as
    "https://example.org", with commas between them. `aliases` are further names of models and voices:
    "name=model, name=voice", or a TOML or JSON file of such pairs.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str = ""
    model: str = "whisper-base"
    live_model: str = ""
    voice: str = "heart"
    commands: str = ""
    threads: int | None = None
    requests: int | None = None
    queue: int = 64
    wait: float = 300.0
    sessions: int = 4
    connections: int = 1000
    upload_mb: float = 256.0
    minutes: float = 240.0
    characters: int = 100_000
    idle: float = 60.0
    live_idle: float = 900.0
    origins: str = ""
    aliases: str = ""

    def __post_init__(self) -> None:
        limits = "requests sessions connections upload_mb minutes characters idle live_idle"
        for name in limits.split():
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise VoiceError(f"{name} is {value:g}; give a number above 0")
        for name in ("queue", "wait"):
            if not getattr(self, name) >= 0:
                raise VoiceError(f"{name} is {getattr(self, name):g}; give 0 or more")
        if not 0 <= self.port <= 65535:
            raise VoiceError(f"the port is {self.port}; give one from 1 to 65535")

    @property
    def hearing_places(self) -> int:
        """How many recordings are transcribed at a time: more at once than there are cores helps nobody."""
        return self.requests or min(MOST, max(2, _cores()))

    @property
    def speaking_places(self) -> int:
        """How many texts are spoken at a time: most of that time is spent waiting for who listens."""
        return self.requests or MOST

    @property
    def local(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in LOOPBACK

    @property
    def warning(self) -> str:
        """What whoever starts the server has to know; empty if nothing."""
        if self.local or self.token:
            return ""
        return "warning: no token is set, so whoever reaches this machine can use all of it; see VOICE_TOKEN"

    @property
    def upload(self) -> int:
        """The largest body of a request, in bytes."""
        return round(self.upload_mb * 1e6)

    @property
    def allowed_origins(self) -> frozenset[str]:
        return frozenset(each.strip().rstrip("/").lower() for each in self.origins.split(",") if each.strip())


def _cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that the environment gives, the rest as they are by default.

    Raises VoiceError, naming the variable, for a value that is none.
    """
    given = {}
    for field in fields(Settings):
        name = f"VOICE_{field.name.upper()}"
        if environment.get(name, "").strip():
            given[field.name] = _read(name, environment[name].strip(), str(field.type))
    return Settings(**given)


def _read(name: str, value: str, kind: str) -> str | int | float:
    try:
        return int(value) if kind.startswith("int") else float(value) if kind == "float" else value
    except ValueError:
        raise VoiceError(f"{name} is {value!r}; it is a number") from None
