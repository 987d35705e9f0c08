"""The protocol's beta, which older clients speak: the same events under other names."""

from __future__ import annotations

from typing import Any

from voice.serve.realtime.protocol.items import BETA_PARTS

_BETA_NAMES = {
    "conversation.item.added": "conversation.item.created",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
}
TRANSCRIPTION = "realtime.transcription_session"  # the beta's name of a session that only transcribes
_UNKNOWN = frozenset(["conversation.item.done"])


def to_beta(event: dict[str, Any]) -> dict[str, Any] | None:
    """Return an event as the beta has it; None for one that it does not have."""
    kind = event["type"]
    if kind in _UNKNOWN:
        return None
    event = event | {"type": _BETA_NAMES.get(kind, kind)}
    if event.get("session", {}).get("object") == TRANSCRIPTION:
        event["type"] = f"transcription_{kind}"  # session.created, session.updated
    if "item" in event:
        event["item"] = _beta_item(event["item"])
    if "response" in event:
        event["response"] = _beta_response(event["response"])
    return event


def _beta_item(item: dict[str, Any]) -> dict[str, Any]:
    if "content" not in item:
        return item
    parts = [part | {"type": BETA_PARTS.get(part["type"], part["type"])} for part in item["content"]]
    return item | {"content": parts}


def _beta_response(response: dict[str, Any]) -> dict[str, Any]:
    modalities = ["audio", "text"] if "audio" in response["output_modalities"] else ["text"]
    return response | {"modalities": modalities, "output": [_beta_item(each) for each in response["output"]]}
