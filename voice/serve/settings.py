"""The settings of a server: address, token, models, limits."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from voice.errors import VoiceError

MAX_AT_ONCE = 8  # requests of a kind that work at a time, unless told otherwise
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d+)?")
_ORIGIN = re.compile(rf"https?://{_HOST.pattern}")
_PORT = re.compile(r":\d+$")
_LISTED = ", with commas between them; '*' would let every web page in"


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
    "https://example.org"; `hosts` the names, besides those of this machine, that the server is reached
    by, as "voice.example.org". Both are lists with commas. `aliases` are further names of models and
    voices: "name=model, name=voice", or a TOML or JSON file of such pairs.
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
    hosts: str = ""

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
        for origin in self.allowed_origins:
            if not _ORIGIN.fullmatch(origin):
                raise VoiceError(
                    f"VOICE_ORIGINS has {origin!r}; write each page as https://example.org{_LISTED}"
                )
        for host in _split_list(self.hosts):
            if not _HOST.fullmatch(host):
                raise VoiceError(f"VOICE_HOSTS has {host!r}; write each name as voice.example.org{_LISTED}")

    @property
    def transcription_slots(self) -> int:
        """How many recordings are transcribed at a time: more at once than there are cores helps nobody."""
        return self.requests or min(MAX_AT_ONCE, max(2, _usable_cores()))

    @property
    def speech_slots(self) -> int:
        """How many texts are spoken at a time: most of that time is spent waiting for who listens."""
        return self.requests or MAX_AT_ONCE

    @property
    def local(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in LOOPBACK

    @property
    def warning(self) -> str:
        """A warning for the operator of the server; empty if there is none."""
        if self.local or self.token:
            return ""
        return "warning: no token is set, so whoever reaches this machine can use all of it; see VOICE_TOKEN"

    @property
    def upload(self) -> int:
        """The largest body of a request, in bytes."""
        return round(self.upload_mb * 1e6)

    @property
    def allowed_origins(self) -> frozenset[str]:
        """The web pages of others that may use the server: "https://example.org"."""
        return frozenset(each.rstrip("/") for each in _split_list(self.origins))

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """The names, without ports, that the server is reached by besides those of this machine.

        A page in `origins` is trusted with all of the server, so its own name is one of them.
        """
        origins = (each.partition("://")[2] for each in self.allowed_origins)
        return frozenset(_PORT.sub("", each) for each in (*_split_list(self.hosts), *origins))


def _split_list(text: str) -> list[str]:
    """Return the items of a list with commas, in lower case."""
    return [each.strip().lower() for each in text.split(",") if each.strip()]


def _usable_cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings in the environment, with defaults for the rest.

    Raises VoiceError, naming the variable, for a value that is none.
    """
    given: dict[str, Any] = {}
    for field in fields(Settings):
        name = f"VOICE_{field.name.upper()}"
        if environment.get(name, "").strip():
            given[field.name] = _parse_value(name, environment[name].strip(), str(field.type))
    return Settings(**given)


def _parse_value(name: str, value: str, kind: str) -> str | int | float:
    try:
        return int(value) if kind.startswith("int") else float(value) if kind == "float" else value
    except ValueError:
        raise VoiceError(f"{name} is {value!r}; it is a number") from None
