"""What is not served below /v1, in the form of OpenAI's errors.

On the page's port the page would answer everything that no route of ours takes: with its own 404, and
where only the method is wrong, which is a 405.
"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send


def add_unserved(app: FastAPI) -> None:
    """Answer every request below /v1 that no route of `app` so far takes."""
    unserved = UnservedRoutes(Router(routes=[*app.router.routes]))
    app.router.routes.append(Route("/v1", unserved, include_in_schema=False))
    app.mount("/v1", unserved)


class UnservedRoutes:
    """An ASGI application that lets `known` routes alone say why they do not take a request."""

    def __init__(self, known: Router) -> None:
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        root = scope.get("app_root_path", "")  # not that of the mount
        await self._known({**scope, "root_path": root, "path_params": {}}, receive, send)
