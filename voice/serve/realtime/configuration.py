"""What a session is set to: read from `session.update`, in today's shape or the beta's, and written back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from voice.errors import ModelMissing
from voice.serve.realtime import audio_formats
from voice.serve.realtime.audio_formats import PCM, AudioFormat
from voice.serve.realtime.beta import TRANSCRIPTION
from voice.serve.realtime.fields import Fields, ProtocolError
from voice.types import Controls

MIN_SPEED, MAX_SPEED = 0.25, 4.0  # what is accepted; it is spoken within what Controls allow
Voices = Callable[[str], str]  # a client's name for a voice → ours; raises ModelMissing where there is none
_EAGERNESS = ("low", "medium", "high", "auto")


@dataclass(frozen=True)
class TurnDetection:
    """How the server finds turns: by silence alone ("server_vad") or by sound and words ("semantic_vad")."""

    kind: str = "semantic_vad"
    threshold: float = 0.5
    padding: float = 0.3  # seconds
    silence: float = 0.5  # seconds that end a turn of server_vad
    eagerness: str = "auto"
    answers: bool = True  # creates a response at the end of a turn
    yields: bool = True  # a response falls silent when the person speaks
    idle: float | None = None  # seconds of silence after an answer that are answered too, with server_vad

    def rendered(self) -> dict[str, Any]:
        common = {"type": self.kind, "create_response": self.answers, "interrupt_response": self.yields}
        if self.kind == "semantic_vad":
            return common | {"eagerness": self.eagerness}
        padding, silence = round(self.padding * 1000), round(self.silence * 1000)
        own = {"threshold": self.threshold, "prefix_padding_ms": padding, "silence_duration_ms": silence}
        return common | own | {"idle_timeout_ms": None if self.idle is None else round(self.idle * 1000)}


@dataclass(frozen=True)
class InputTranscription:
    """Whether and how the client is told what was heard."""

    model: str = ""
    language: str = ""
    prompt: str = ""
    keywords: tuple[str, ...] = ()  # that are likely to be said

    def rendered(self) -> dict[str, Any]:
        about = {"model": self.model, "language": self.language or None, "prompt": self.prompt}
        return about | ({"keywords": list(self.keywords)} if self.keywords else {})


@dataclass(frozen=True)
class Extensions:
    """What goes beyond the protocol, asked for in `session.voice`; see docs/realtime.md."""

    events: bool = False
    level: bool = False
    brain: str = "usual"  # the server's choice, or "offline": skills alone


@dataclass(frozen=True)
class Configuration:
    """A session's settings; what is not here is accepted and ignored.

    `model` is what the client asked for and is told, `recognizer` what hears it, "" for the default.
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
        return Controls(speed=min(2.0, max(0.5, self.speed)))

    @property
    def answers(self) -> bool:
        """Whether the end of a turn is answered without being asked to."""
        return self.kind == "realtime" and self.detection is not None and self.detection.answers

    @property
    def yields(self) -> bool:
        """Whether an answer falls silent when the person speaks."""
        return self.detection is not None and self.detection.yields


def updated(before: Configuration, session: Fields, voices: Voices) -> Configuration:
    """A configuration with what `session.update` changes. Raises ProtocolError, changing nothing."""
    after = replace(before, **_general(session, before))
    after = replace(after, **_spoken(session, before, voices))
    hearing, beta = session.inner("audio"), "turn_detection" in session or "input_audio_format" in session
    heard = hearing.inner("input") if hearing else None
    if heard:
        after = _hearing(after, heard, "format", "transcription", "turn_detection")
    elif beta or "input_audio_transcription" in session:
        after = _hearing(after, session, "input_audio_format", "input_audio_transcription", "turn_detection")
    own = session.inner("voice") if isinstance(session.values.get("voice"), dict) else None
    return replace(after, extras=_extras(own, after.extras))


def _general(session: Fields, before: Configuration) -> dict[str, Any]:
    kind = session.choice("type", ("realtime", "transcription"), before.kind)
    return {
        "kind": kind,
        "instructions": session.text("instructions", before.instructions),
        "modality": modality(session, before.modality),
    } | offered(session, before)


def offered(fields: Fields, before: Configuration) -> dict[str, Any]:
    """The client's functions, and whether they may be called, in a session or for one response."""
    tools = before.tools
    if "tools" in fields:
        tools = tuple(_tool(each) for each in fields.each("tools", 128))
    return {"tools": tools, "tool_choice": fields.values.get("tool_choice") or before.tool_choice}


def modality(fields: Fields, default: str) -> str:
    """ "audio" or "text", from `output_modalities` or the beta's `modalities`."""
    for name in ("output_modalities", "modalities"):
        wanted = fields.values.get(name)
        if wanted is not None:
            known = isinstance(wanted, list) and wanted and all(each in ("audio", "text") for each in wanted)
            if not known:
                raise fields.wrong(name, '["audio"] or ["text"]')
            return "audio" if "audio" in wanted else "text"
    return default


def _tool(tool: Fields) -> dict[str, Any]:
    tool.choice("type", ("function",))
    name = tool.text("name", longest=64)
    parameters = tool.inner("parameters")
    about = tool.text("description", "", 10_000)
    shape = dict(parameters.values) if parameters else {"type": "object", "properties": {}}
    return {"type": "function", "name": name, "description": about, "parameters": shape}


def _spoken(session: Fields, before: Configuration, voices: Voices) -> dict[str, Any]:
    audio = session.inner("audio")
    output = (audio.inner("output") if audio else None) or Fields({}, session.at("audio.output"))
    own = session if isinstance(session.values.get("voice"), str) or "speed" in session else output
    form = before.output
    if "format" in output:
        form = sound_format(output, "format", form)
    elif "output_audio_format" in session:
        form = sound_format(session, "output_audio_format", form)
    return {
        "voice": chosen_voice(own, before.voice, voices),
        "speed": own.number("speed", before.speed, MIN_SPEED, MAX_SPEED),
        "output": form,
    }


def chosen_voice(fields: Fields, default: str, voices: Voices) -> str:
    """The voice that is asked for, under the name that the client has for it."""
    wanted = fields.values.get("voice")
    if wanted is None:
        return default
    if isinstance(wanted, dict):
        wanted = wanted.get("id")
    if not isinstance(wanted, str):
        raise fields.wrong("voice", "the name of a voice")
    try:
        voices(wanted)
    except ModelMissing as error:
        raise ProtocolError(str(error), param=fields.at("voice")) from None
    return wanted


def sound_format(fields: Fields, name: str, default: AudioFormat) -> AudioFormat:
    """A format by name, or as today's object of a type and a rate."""
    value = fields.values.get(name)
    if value is None:
        return default
    kind = value.get("type") if isinstance(value, dict) else value
    found = audio_formats.find_format(kind) if isinstance(kind, str) else None
    rate = value.get("rate") if isinstance(value, dict) else None
    if found is None or rate not in (None, found.rate):
        known = ", ".join(f"{each.name} at {each.rate} Hz" for each in audio_formats.FORMATS)
        raise fields.wrong(name, f"one of {known}")
    return found


def _hearing(
    before: Configuration, fields: Fields, form: str, transcription: str, detection: str
) -> Configuration:
    after = replace(before, input=sound_format(fields, form, before.input))
    if transcription in fields:
        inner = fields.inner(transcription)
        after = replace(after, transcription=_transcription(inner, before) if inner else None)
    if detection in fields:
        inner = fields.inner(detection)
        after = replace(after, detection=_detection(inner, before.detection) if inner else None)
    return after


def _transcription(fields: Fields, before: Configuration) -> InputTranscription:
    base = before.transcription or InputTranscription()
    return InputTranscription(
        fields.text("model", base.model, 200),
        fields.text("language", base.language, 64),
        fields.text("prompt", base.prompt, 20_000),
        fields.texts("keywords", base.keywords, 200, 100),
    )


def _detection(fields: Fields, before: TurnDetection | None) -> TurnDetection:
    kind = fields.choice("type", ("server_vad", "semantic_vad"), before.kind if before else "semantic_vad")
    base = before if before and before.kind == kind else TurnDetection(kind)
    return TurnDetection(
        kind,
        fields.number("threshold", base.threshold, 0.0, 1.0),
        fields.number("prefix_padding_ms", base.padding * 1000, 0, 5000) / 1000,
        fields.number("silence_duration_ms", base.silence * 1000, 50, 15_000) / 1000,
        fields.choice("eagerness", _EAGERNESS, base.eagerness),
        fields.flag("create_response", base.answers),
        fields.flag("interrupt_response", base.yields),
        _idle(fields, base.idle),
    )


def _idle(fields: Fields, before: float | None) -> float | None:
    """Seconds; null is none."""
    name = "idle_timeout_ms"
    if name not in fields:
        return before
    return None if fields.values[name] is None else fields.number(name, None, 5000, 30_000) / 1000


def _extras(fields: Fields | None, before: Extensions) -> Extensions:
    if fields is None:
        return before
    return Extensions(
        fields.flag("events", before.events),
        fields.flag("level", before.level),
        fields.choice("brain", ("usual", "offline"), before.brain),
    )


def rendered(configuration: Configuration, session: str, beta: bool) -> dict[str, Any]:
    """The `session` object of `session.created` and `session.updated`; `session` is its id."""
    now = configuration
    if beta and now.kind == "transcription":
        return {"id": session, "object": TRANSCRIPTION} | _old_hearing(now)
    about: dict[str, Any] = {
        "id": session,
        "object": "realtime.session",
        "model": now.model,
        "instructions": now.instructions,
        "tools": list(now.tools),
        "tool_choice": now.tool_choice,
        "max_output_tokens": "inf",
    }
    return about | (_old_shape(now) if beta else _new_shape(now))


def _new_shape(now: Configuration) -> dict[str, Any]:
    heard = {
        "format": _described(now.input),
        "transcription": now.transcription.rendered() if now.transcription else None,
        "noise_reduction": None,
        "turn_detection": now.detection.rendered() if now.detection else None,
    }
    spoken = {"format": _described(now.output), "voice": now.voice, "speed": now.speed}
    return {
        "type": now.kind,
        "output_modalities": [now.modality],
        "audio": {"input": heard, "output": spoken},
        "truncation": "auto",
        "tracing": None,
    } | _own(now.extras)


def _own(extras: Extensions) -> dict[str, Any]:
    """Strict clients, who ask for no extras, are shown none."""
    if extras == Extensions():
        return {}
    return {"voice": {"events": extras.events, "level": extras.level, "brain": extras.brain}}


def _described(form: AudioFormat) -> dict[str, Any]:
    return {"type": form.name, "rate": form.rate} if form is PCM else {"type": form.name}


def _old_shape(now: Configuration) -> dict[str, Any]:
    return {
        "modalities": ["audio", "text"] if now.modality == "audio" else ["text"],
        "voice": now.voice,
        "speed": now.speed,
        "output_audio_format": now.output.old_name,
        "temperature": 0.8,
        "max_response_output_tokens": "inf",
    } | _old_hearing(now)


def _old_hearing(now: Configuration) -> dict[str, Any]:
    return {
        "input_audio_format": now.input.old_name,
        "input_audio_transcription": now.transcription.rendered() if now.transcription else None,
        "turn_detection": now.detection.rendered() if now.detection else None,
    }


__all__ = [
    "Configuration",
    "TurnDetection",
    "Extensions",
    "ProtocolError",
    "InputTranscription",
    "Voices",
    "chosen_voice",
    "modality",
    "offered",
    "rendered",
    "sound_format",
    "updated",
]
