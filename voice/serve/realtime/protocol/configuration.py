"""The settings of a session, and the protocol's object that shows them, in today's shape or the beta's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from voice.serve.realtime.protocol.audio_formats import PCM, AudioFormat
from voice.serve.realtime.protocol.beta import TRANSCRIPTION
from voice.types import Controls


@dataclass(frozen=True)
class TurnDetection:
    """How the server ends turns: by silence alone ("server_vad") or by sound and words ("semantic_vad")."""

    kind: str = "semantic_vad"
    threshold: float = 0.5
    padding: float = 0.3  # seconds
    silence: float = 0.5  # seconds that end a turn of server_vad
    eagerness: str = "auto"
    answers: bool = True  # creates a response at the end of a turn
    yields: bool = True  # a response falls silent when the person speaks
    idle: float | None = None  # seconds of silence after an answer that are answered too, with server_vad

    def to_dict(self) -> dict[str, Any]:
        """Return the protocol's object."""
        common = {"type": self.kind, "create_response": self.answers, "interrupt_response": self.yields}
        if self.kind == "semantic_vad":
            return common | {"eagerness": self.eagerness}
        padding, silence = round(self.padding * 1000), round(self.silence * 1000)
        own = {"threshold": self.threshold, "prefix_padding_ms": padding, "silence_duration_ms": silence}
        return common | own | {"idle_timeout_ms": None if self.idle is None else round(self.idle * 1000)}


@dataclass(frozen=True)
class InputTranscription:
    """How the person's turns are transcribed for the client."""

    model: str = ""
    language: str = ""
    prompt: str = ""
    keywords: tuple[str, ...] = ()  # that are likely to be said

    def to_dict(self) -> dict[str, Any]:
        """Return the protocol's object."""
        about = {"model": self.model, "language": self.language or None, "prompt": self.prompt}
        return about | ({"keywords": list(self.keywords)} if self.keywords else {})


@dataclass(frozen=True)
class Extensions:
    """Settings beyond the protocol, in `session.voice`; see docs/realtime.md."""

    events: bool = False
    level: bool = False
    brain: str = "usual"  # the server's choice, or "offline": skills alone


@dataclass(frozen=True)
class Configuration:
    """A session's settings; others are accepted and ignored.

    `model` is the name that the client asked for, `recognizer` ours that hears it, "" for the default.
    """

    model: str = "default"
    recognizer: str = ""
    voice: str = "heart"
    kind: str = "realtime"  # or "transcription", which never answers
    instructions: str = ""
    modality: str = "audio"  # or "text"
    speed: float = 1.0
    input: AudioFormat = PCM
    output: AudioFormat = PCM
    detection: TurnDetection | None = field(default_factory=TurnDetection)
    transcription: InputTranscription | None = field(default_factory=InputTranscription)
    tools: tuple[dict[str, Any], ...] = ()
    tool_choice: Any = "auto"
    extras: Extensions = Extensions()
    owner: bool = False  # whether the client is the person whose machine this is, on the page here

    @property
    def controls(self) -> Controls:
        """How the voice speaks."""
        return Controls(speed=min(2.0, max(0.5, self.speed)))

    @property
    def answers(self) -> bool:
        """Whether the end of a turn is answered by itself."""
        return self.kind == "realtime" and self.detection is not None and self.detection.answers

    @property
    def yields(self) -> bool:
        """Whether the person's speech interrupts an answer."""
        return self.detection is not None and self.detection.yields


def session_object(configuration: Configuration, session: str, beta: bool) -> dict[str, Any]:
    """Return the `session` object of `session.created` and `session.updated`; `session` is its id."""
    now = configuration
    if beta and now.kind == "transcription":
        return {"id": session, "object": TRANSCRIPTION} | _beta_input_shape(now)
    about: dict[str, Any] = {
        "id": session,
        "object": "realtime.session",
        "model": now.model,
        "instructions": now.instructions,
        "tools": list(now.tools),
        "tool_choice": now.tool_choice,
        "max_output_tokens": "inf",
    }
    return about | (_beta_shape(now) if beta else _todays_shape(now))


def _todays_shape(now: Configuration) -> dict[str, Any]:
    heard = {
        "format": _format_shape(now.input),
        "transcription": now.transcription.to_dict() if now.transcription else None,
        "noise_reduction": None,
        "turn_detection": now.detection.to_dict() if now.detection else None,
    }
    spoken = {"format": _format_shape(now.output), "voice": now.voice, "speed": now.speed}
    return {
        "type": now.kind,
        "output_modalities": [now.modality],
        "audio": {"input": heard, "output": spoken},
        "truncation": "auto",
        "tracing": None,
    } | _extensions_shape(now.extras)


def _extensions_shape(extras: Extensions) -> dict[str, Any]:
    """Show the settings of our own, but not to strict clients, which set none."""
    if extras == Extensions():
        return {}
    return {"voice": {"events": extras.events, "level": extras.level, "brain": extras.brain}}


def _format_shape(form: AudioFormat) -> dict[str, Any]:
    return {"type": form.name, "rate": form.rate} if form is PCM else {"type": form.name}


def _beta_shape(now: Configuration) -> dict[str, Any]:
    return {
        "modalities": ["audio", "text"] if now.modality == "audio" else ["text"],
        "voice": now.voice,
        "speed": now.speed,
        "output_audio_format": now.output.old_name,
        "temperature": 0.8,
        "max_response_output_tokens": "inf",
    } | _beta_input_shape(now)


def _beta_input_shape(now: Configuration) -> dict[str, Any]:
    return {
        "input_audio_format": now.input.old_name,
        "input_audio_transcription": now.transcription.to_dict() if now.transcription else None,
        "turn_detection": now.detection.to_dict() if now.detection else None,
    }


__all__ = ["Configuration", "Extensions", "InputTranscription", "TurnDetection", "session_object"]
