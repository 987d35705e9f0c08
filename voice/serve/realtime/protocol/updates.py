"""Read changes of settings: those of `session.update`, and those of one response in `response.create`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from voice.errors import ModelMissing
from voice.serve.realtime.protocol import audio_formats
from voice.serve.realtime.protocol.audio_formats import AudioFormat
from voice.serve.realtime.protocol.configuration import (
    Configuration,
    Extensions,
    InputTranscription,
    TurnDetection,
)
from voice.serve.realtime.protocol.fields import Fields, ProtocolError

MIN_SPEED, MAX_SPEED = 0.25, 4.0  # that are accepted; speech stays within what Controls allow
# From a client's name for a voice to ours; raises ModelMissing where there is none.
FindVoice = Callable[[str], str]
_EAGERNESS = ("low", "medium", "high", "auto")


def update_configuration(before: Configuration, session: Fields, find_voice: FindVoice) -> Configuration:
    """Return a configuration with what `session.update` changes. Raises ProtocolError."""
    after = replace(before, **_general_settings(session, before))
    after = replace(after, **_output_settings(session, before, find_voice))
    audio, beta = session.inner("audio"), "turn_detection" in session or "input_audio_format" in session
    heard = audio.inner("input") if audio else None
    if heard:
        after = _with_input(after, heard, "format", "transcription", "turn_detection")
    elif beta or "input_audio_transcription" in session:
        after = _with_input(
            after, session, "input_audio_format", "input_audio_transcription", "turn_detection"
        )
    own = session.inner("voice") if isinstance(session.values.get("voice"), dict) else None
    return replace(after, extras=_extras(own, after.extras))


def response_configuration(wanted: Fields, session: Configuration, find_voice: FindVoice) -> Configuration:
    """Return the session's settings with those of one response. Raises ProtocolError."""
    audio = wanted.inner("audio")
    output = (audio.inner("output") if audio else None) or wanted
    return replace(
        session,
        output=_format(output, "format", session.output),
        voice=_voice(output, session.voice, find_voice),
        modality=_modality(wanted, session.modality),
        **_functions(wanted, session),
    )


def _general_settings(session: Fields, before: Configuration) -> dict[str, Any]:
    kind = session.choice("type", ("realtime", "transcription"), before.kind)
    return {
        "kind": kind,
        "instructions": session.text("instructions", before.instructions),
        "modality": _modality(session, before.modality),
    } | _functions(session, before)


def _functions(fields: Fields, before: Configuration) -> dict[str, Any]:
    """Read the client's functions, and whether they may be called, of a session or one response."""
    tools = before.tools
    if "tools" in fields:
        tools = tuple(_read_function(each) for each in fields.each("tools", 128))
    return {"tools": tools, "tool_choice": fields.values.get("tool_choice") or before.tool_choice}


def _modality(fields: Fields, default: str) -> str:
    """Read "audio" or "text" from `output_modalities` or the beta's `modalities`."""
    for name in ("output_modalities", "modalities"):
        wanted = fields.values.get(name)
        if wanted is not None:
            known = isinstance(wanted, list) and wanted and all(each in ("audio", "text") for each in wanted)
            if not known:
                raise fields.wrong(name, '["audio"] or ["text"]')
            return "audio" if "audio" in wanted else "text"
    return default


def _read_function(tool: Fields) -> dict[str, Any]:
    tool.choice("type", ("function",))
    name = tool.text("name", longest=64)
    parameters = tool.inner("parameters")
    about = tool.text("description", "", 10_000)
    shape = dict(parameters.values) if parameters else {"type": "object", "properties": {}}
    return {"type": "function", "name": name, "description": about, "parameters": shape}


def _output_settings(session: Fields, before: Configuration, find_voice: FindVoice) -> dict[str, Any]:
    audio = session.inner("audio")
    output = (audio.inner("output") if audio else None) or Fields({}, session.at("audio.output"))
    own = session if isinstance(session.values.get("voice"), str) or "speed" in session else output
    form = before.output
    if "format" in output:
        form = _format(output, "format", form)
    elif "output_audio_format" in session:
        form = _format(session, "output_audio_format", form)
    return {
        "voice": _voice(own, before.voice, find_voice),
        "speed": own.number("speed", before.speed, MIN_SPEED, MAX_SPEED),
        "output": form,
    }


def _voice(fields: Fields, default: str, find_voice: FindVoice) -> str:
    """Read the voice, which keeps the name that the client has for it."""
    wanted = fields.values.get("voice")
    if wanted is None:
        return default
    if isinstance(wanted, dict):
        wanted = wanted.get("id")
    if not isinstance(wanted, str):
        raise fields.wrong("voice", "the name of a voice")
    try:
        find_voice(wanted)
    except ModelMissing as error:
        raise ProtocolError(str(error), param=fields.at("voice")) from None
    return wanted


def _format(fields: Fields, name: str, default: AudioFormat) -> AudioFormat:
    """Read a format by name, or from today's object of a type and a rate."""
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


def _with_input(
    before: Configuration, fields: Fields, form: str, transcription: str, detection: str
) -> Configuration:
    after = replace(before, input=_format(fields, form, before.input))
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
    """Read the seconds of silence that are answered; None for null."""
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
