"""GET /health for load balancers, GET /metrics for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from voice import __version__
from voice.serve.metrics import CONTENT_TYPE
from voice.serve.services import Services


def router(services: Services) -> APIRouter:
    routes = APIRouter()
    lines, gauge = (services.transcription_queue, services.speech_queue), services.metrics.gauge
    figures = {
        "open": ("worked on now", lambda: sum(line.used for line in lines)),
        "waiting": ("that wait for a place or are being sent", lambda: sum(line.waiting for line in lines)),
        "limit": ("that can be worked on at a time", lambda: sum(line.number for line in lines)),
    }
    for name, (about, value) in figures.items():
        gauge(f"requests_{name}", f"Requests {about}", value)
    gauge("sessions_limit", "Places for live sessions", lambda: services.sessions.number)
    gauge("draining", "1 once the server is told to stop", lambda: float(services.draining.begun))

    @routes.head("/health", include_in_schema=False)
    @routes.get("/health")
    async def health() -> JSONResponse:
        """Whether the server takes requests (503 once it is told to stop), and how full it is."""
        draining, sessions = services.draining.begun, services.sessions
        content = {
            "status": "draining" if draining else "ok",
            "version": __version__,
            "requests": {name: value() for name, (_, value) in figures.items()},
            "sessions": {"open": sessions.used, "limit": sessions.number},
        }
        return JSONResponse(content, 503 if draining else 200)

    @routes.head("/metrics", include_in_schema=False)
    @routes.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """All counters in Prometheus's text format."""
        return Response(services.metrics.text(), media_type=CONTENT_TYPE)

    return routes
