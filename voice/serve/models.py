"""GET /v1/models: what can be asked for by name."""

from __future__ import annotations

from fastapi import APIRouter

from voice.models import entries
from voice.serve.services import PRODUCTS, Services


def router(services: Services) -> APIRouter:
    routes = APIRouter()

    @routes.get("/v1/models")
    def listed() -> dict:
        """The recognizers and voices on this machine, the defaults first."""
        found = [about(name, kind) for kind in PRODUCTS for name in services.names(kind)]
        return {"object": "list", "data": found}

    @routes.get("/v1/models/{name:path}")
    def one(name: str) -> dict:
        """One of them, or what stands for one of OpenAI's."""
        for kind, products in PRODUCTS.items():
            if name in products:
                return about(services.resolve(name, kind), kind) | {"id": name}
        kind = "voice" if name in services.names("voice") else "recognizer"
        return about(services.resolve(name, kind), kind)

    return routes


def about(name: str, kind: str) -> dict:
    """A model in OpenAI's form, with what its card says."""
    facts = {"id": name, "object": "model", "created": 0, "owned_by": "voice", "kind": kind}
    entry = entries().get(name)
    if entry:
        card = entry.card
        facts |= {"description": card.description, "language": card.language, "license": card.license}
    return facts
