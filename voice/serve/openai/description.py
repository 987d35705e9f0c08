"""/v1/openapi.json: the description that generators of clients read, complete and by the standard."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from voice.serve.openai import captioned_speech, speech, transcriptions

REALTIME = "/v1/realtime"
_REFERENCE = "#/components/schemas/{model}"
_ERRORS = {
    "400": "A field that is missing or wrong, a file that is no recording, a text that cannot be read",
    "401": "No valid token, where the server asks for one",
    "403": "A request on behalf of a web page that may not use the server",
    "404": "A model or a voice that is not on this server",
    "408": "A request that was not sent in time",
    "413": "More than this server takes of sound, of text or at all",
    "415": "A body that is encoded, with gzip for example",
    "429": "All places and the line before them are full; Retry-After says in how many seconds to try again",
    "503": "The server is about to stop, or a model on it cannot be used",
}
_GET = ("401", "403", "404")
_POST = tuple(_ERRORS)
_TEXT_CONTENT = {"schema": {"type": "string"}}
_RESPONSE_TYPES = {
    transcriptions.TRANSCRIPTIONS: ("application/json", "text/plain", "text/vtt", "text/event-stream"),
    transcriptions.TRANSLATIONS: ("application/json", "text/plain", "text/vtt", "text/event-stream"),
    speech.PATH: (
        "audio/mpeg", "audio/ogg", "audio/aac", "audio/flac", "audio/wav", "audio/pcm", "text/event-stream",
    ),
    captioned_speech.CAPTIONED_PATH: ("application/json",),
    "/metrics": ("text/plain",),
}  # fmt: skip
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}


def describe(app: FastAPI, token: bool) -> None:
    """Let `app` describe its interface; `token` is whether it asks for one."""

    def openapi_document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, token)
        return app.openapi_schema

    app.openapi = openapi_document  # type: ignore[method-assign]  # the way that FastAPI documents


def form_schema(request: type[BaseModel]) -> dict[str, Any]:
    """Return the fields of a form with a recording as the part `file`."""
    schema = request.model_json_schema()
    file = {"type": "string", "format": "binary", "description": "The recording, in any format"}
    return schema | {"properties": {"file": file, **schema["properties"]}, "required": ["file"]}


def _document(app: FastAPI, token: bool) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, routes=app.routes)
    document["components"] = {
        "schemas": _schemas(),
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "VOICE_TOKEN"}},
    }
    document["security"] = [{"token": []}] if token else [{}, {"token": []}]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(operation, path, method)
    document["paths"]["/health"]["get"]["security"] = [{}]
    document["paths"][REALTIME] = {"get": _realtime()}
    return document


def _schemas() -> dict[str, Any]:
    spoken, captioned = (
        request.model_json_schema(ref_template=_REFERENCE)
        for request in (speech.SpeechRequest, captioned_speech.CaptionedSpeechRequest)
    )
    captioned.pop("$defs", None)  # those of the other
    return {
        **spoken.pop("$defs", {}),
        "Speech": spoken,
        "CaptionedSpeech": captioned,
        "Transcription": form_schema(transcriptions.TranscriptionForm),
        "Error": _ERROR,
    }


def _complete(operation: dict[str, Any], path: str, method: str) -> None:
    """Say what is answered, errors included; FastAPI's own 422 never comes."""
    responses = operation["responses"]
    responses.pop("422", None)
    if path in _RESPONSE_TYPES:
        responses["200"]["content"] = {media: _content(media) for media in _RESPONSE_TYPES[path]}
    if path == "/health":
        responses["503"] = {"description": "The server is about to stop", **_json({"type": "object"})}
        return
    for status in _POST if method == "post" else _GET:
        responses[status] = {
            "description": _ERRORS[status],
            **_json({"$ref": _REFERENCE.format(model="Error")}),
        }


def _content(media: str) -> dict[str, Any]:
    if media == "application/json":
        return {"schema": {"type": "object"}}
    return {"schema": {"type": "string", "format": "binary"}} if media.startswith("audio/") else _TEXT_CONTENT


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _realtime() -> dict[str, Any]:
    """OpenAPI knows no WebSockets: the request that opens one."""
    model = {"name": "model", "in": "query", "schema": {"type": "string"}, "description": "What hears"}
    return {
        "summary": "Live session",
        "operationId": "realtime",
        "description": "A WebSocket that speaks OpenAI's Realtime protocol, events as JSON in text frames.",
        "parameters": [model],
        "responses": {
            "101": {"description": "The session is open"},
            **{
                status: {
                    "description": _ERRORS[status],
                    **_json({"$ref": _REFERENCE.format(model="Error")}),
                }
                for status in ("401", "403", "429", "503")
            },
        },
    }
