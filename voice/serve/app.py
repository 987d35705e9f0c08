"""The application: routes and what stands before them."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from voice import __version__
from voice.serve import errors, health
from voice.serve.access import AccessMiddleware
from voice.serve.limits import LimitsMiddleware
from voice.serve.metrics import MetricsMiddleware
from voice.serve.openai import captioned_speech, models, speech, transcriptions
from voice.serve.openai.description import describe
from voice.serve.openai.unserved import add_unserved
from voice.serve.realtime import add_realtime
from voice.serve.services import Services


def build(services: Services) -> FastAPI:
    """Return the server around `services`."""
    app = FastAPI(
        title="voice", version=__version__, openapi_url="/v1/openapi.json", docs_url=None, redoc_url=None
    )
    app.state.services = services
    for module in (transcriptions, speech, captioned_speech, models, health):
        app.include_router(module.router(services))
    add_realtime(app, services)
    errors.add_handlers(app)
    add_unserved(app)
    describe(app, bool(services.settings.token))
    app.add_middleware(LimitsMiddleware, services=services)
    app.add_middleware(AccessMiddleware, settings=services.settings)
    if services.settings.allowed_origins:
        origins = sorted(services.settings.allowed_origins)
        app.add_middleware(
            CORSMiddleware, allow_origins=origins, allow_methods=["*"], allow_headers=["*"],
            expose_headers=["x-voice-notes", "Retry-After"],
        )  # fmt: skip
    app.add_middleware(
        MetricsMiddleware, metrics=services.metrics
    )  # the last one added is the first to see a request
    return app
