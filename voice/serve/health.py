"""GET /health for load balancers, GET /metrics for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from voice import __version__
from voice.serve.metrics import CONTENT_TYPE
from voice.serve.services import Services


def router(services: Services) -> APIRouter:
    routes = APIRouter()
    queues, gauge = (services.transcription_queue, services.speech_queue), services.metrics.gauge
    figures: dict[str, tuple[str, Callable[[], float]]] = {
        "open": ("worked on now", lambda: sum(queue.used_slots for queue in queues)),
        "waiting": (
            "that wait for a place or are being sent",
            lambda: sum(queue.waiting for queue in queues),
        ),
        "limit": ("that can be worked on at a time", lambda: sum(queue.number for queue in queues)),
    }
    for name, (about, value) in figures.items():
        gauge(f"requests_{name}", f"Requests {about}", value)
    gauge("sessions_limit", "Places for live sessions", lambda: services.sessions.number)
    gauge("draining", "1 once the server is told to stop", lambda: float(services.draining.begun))

    @routes.head("/health", include_in_schema=False)
    @routes.get("/health")
    async def health() -> JSONResponse:
        """Tell whether the server takes requests (503 once it is told to stop), and how full it is."""
        draining, sessions = services.draining.begun, services.sessions
        content = {
            "status": "draining" if draining else "ok",
            "version": __version__,
            "requests": {name: value() for name, (_, value) in figures.items()},
            "sessions": {"open": sessions.used_slots, "limit": sessions.number},
        }
        return JSONResponse(content, 503 if draining else 200)

    @routes.head("/metrics", include_in_schema=False)
    @routes.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """Return all figures in Prometheus's text format."""
        return Response(services.metrics.text(), media_type=CONTENT_TYPE)

    return routes
