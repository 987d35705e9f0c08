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
    for name, slots in places.items():
        services.metrics.gauge(f"{name}_open", f"Places taken by {name}", lambda slots=slots: slots.used)
        services.metrics.gauge(f"{name}_limit", f"Places for {name}", lambda slots=slots: slots.number)

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
