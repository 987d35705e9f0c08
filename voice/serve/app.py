"""The application: routes and what stands before them."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from voice import __version__
from voice.serve import errors, health, models, speech, transcriptions
from voice.serve.access import Access
from voice.serve.description import describe
from voice.serve.limits import Limits
from voice.serve.metrics import Counted
from voice.serve.realtime import add_realtime
from voice.serve.services import Services
from voice.serve.unserved import add_unserved


def build(services: Services) -> FastAPI:
    """The server around `services`."""
    app = FastAPI(
        title="voice", version=__version__, openapi_url="/v1/openapi.json", docs_url=None, redoc_url=None
    )
    app.state.services = services
    for module in (transcriptions, speech, models, health):
        app.include_router(module.router(services))
    add_realtime(app, services)
    errors.add_handlers(app)
    add_unserved(app)
    describe(app, bool(services.settings.token))
    app.add_middleware(Limits, services=services)
    app.add_middleware(Access, settings=services.settings)
    if services.settings.allowed_origins:
        origins = sorted(services.settings.allowed_origins)
        app.add_middleware(
            CORSMiddleware, allow_origins=origins, allow_methods=["*"], allow_headers=["*"],
            expose_headers=["x-voice-notes", "Retry-After"],
        )  # fmt: skip
    app.add_middleware(Counted, metrics=services.metrics)  # the last one added is the first to see a request
    return app
