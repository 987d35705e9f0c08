"""GET /v1/models: the models that can be named."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from fastapi import APIRouter

from voice.errors import ModelMissing
from voice.models import entries
from voice.serve.services import MODEL_KINDS, Services


def router(services: Services) -> APIRouter:
    routes = APIRouter()

    @routes.head("/v1/models", include_in_schema=False)
    @routes.get("/v1/models")
    def list_models() -> dict[str, Any]:
        """List the recognizers and voices on this machine, the defaults first."""
        found = [describe_model(name, kind) for kind in MODEL_KINDS for name in services.names(kind)]
        return {"object": "list", "data": found}

    @routes.head("/v1/models/{name:path}", include_in_schema=False)
    @routes.get("/v1/models/{name:path}")
    def one(name: str) -> dict[str, Any]:
        """Describe one of them, or the one that a name of other servers stands for."""
        kind, stands_for = resolve_model(name, services)
        return describe_model(stands_for, kind) | {"id": name}

    @routes.get("/v1/audio/voices")
    def voices() -> dict[str, Any]:
        """List the voices, the default first, as Open WebUI asks for them."""
        return {"voices": [{"id": name, "name": name} for name in services.names("voice")]}

    @routes.get("/v1/audio/models")
    def speaking() -> dict[str, Any]:
        """List the models that speak, as Open WebUI asks for them: the voice is chosen by its own name."""
        return {"models": [{"id": "tts-1", "name": "tts-1"}]}

    return routes


def resolve_model(name: str, services: Services) -> tuple[str, str]:
    """Return the kind and name of the model that requests with `name` get. Raises ModelMissing for none."""
    for kind, resolve in (
        ("recognizer", partial(services.resolve, kind="recognizer")),
        ("voice", partial(services.resolve, kind="voice")),
        ("recognizer", services.live_name),
    ):
        with suppress(ModelMissing):
            return kind, resolve(name)
    raise ModelMissing(
        f"there is no model {name[:80]!r} on this server; GET /v1/models lists those there are"
    )


def describe_model(name: str, kind: str) -> dict[str, Any]:
    """Return a model in OpenAI's form, with what its card says."""
    facts = {"id": name, "object": "model", "created": 0, "owned_by": "voice", "kind": kind}
    entry = entries().get(name)
    if entry:
        card = entry.card
        facts |= {"description": card.description, "language": card.language, "license": card.license}
    return facts
