"""GET /health for load balancers, GET /metrics for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from voice import __version__
from voice.serve.metrics import CONTENT_TYPE
from voice.serve.services import Services


def router(services: Services) -> APIRouter:
    routes = APIRouter()
    places = {"requests": services.requests, "sessions": services.sessions}
    gauge = services.metrics.gauge
    gauge("requests_open", "Requests worked on now", lambda: services.requests.used)
    gauge("requests_limit", "Places for requests", lambda: services.requests.number)
    gauge("sessions_limit", "Places for live sessions", lambda: services.sessions.number)

    @routes.get("/health")
    async def health() -> dict:
        """That the server answers, and how full it is."""
        full = {name: {"open": slots.used, "limit": slots.number} for name, slots in places.items()}
        return {"status": "ok", "version": __version__, **full}

    @routes.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """All counters in Prometheus's text format."""
        return Response(services.metrics.text(), media_type=CONTENT_TYPE)

    return routes
