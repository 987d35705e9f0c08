"""Who may use the server: the holder of its token, and no web page of somebody else's.

Browsers send requests to this machine on behalf of any page that is open, and say so in Origin;
the token alone would not help where none is set. Bots and programs send no Origin.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from urllib.parse import urlsplit

from fastapi.responses import Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from voice.serve import errors
from voice.serve.settings import LOOPBACK, Settings

OPEN = frozenset({"/health"})  # for load balancers, which have no token
PROTOCOL = "openai-insecure-api-key."  # how OpenAI's browser clients pass it: WebSockets have no headers


class Access:
    """ASGI middleware that turns away whoever may not come in, before anything is read."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None
        if scope["type"] in ("http", "websocket"):
            refusal = refused(scope, self._settings)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {}):
            await refusal(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": "not allowed"})


def refused(scope: Scope, settings: Settings) -> Response | None:
    """The answer to who may not come in, None for the others."""
    headers = Headers(scope=scope)
    if not _own_page(headers, settings):
        return errors.answer(403, "this server may not be used from other web pages; see VOICE_ORIGINS")
    if not settings.token or scope["path"] in OPEN or _has_token(headers, settings.token):
        return None
    refusal = errors.answer(401, "a valid token is needed: send it as Authorization: Bearer TOKEN")
    if not scope["path"].startswith("/v1/"):  # a person with a browser, who can be asked
        refusal.headers["WWW-Authenticate"] = 'Basic realm="voice: any name, the token as password"'
    return refusal


def _has_token(headers: Headers, token: str) -> bool:
    offered = _offered(headers)
    return offered is not None and hmac.compare_digest(offered, token.encode())


def _offered(headers: Headers) -> bytes | None:
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip().encode()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return None
    for protocol in headers.get("sec-websocket-protocol", "").split(","):
        if protocol.strip().startswith(PROTOCOL):
            return protocol.strip().removeprefix(PROTOCOL).encode()
    return None


def _own_page(headers: Headers, settings: Settings) -> bool:
    """Whether a request comes from no page, from the server's own, or from one that was let in.

    A page elsewhere can have a name that resolves to this machine (DNS rebinding), and so the same
    host as the server: where only this machine can reach it and no token is asked for, the name must
    be that of this machine.
    """
    origin = headers.get("origin", "").lower()
    if not origin or origin in settings.allowed_origins:
        return True
    try:
        page = urlsplit(origin)
        ours = page.netloc == headers.get("host", "").lower()
        return ours and (bool(settings.token) or not settings.local or page.hostname in LOOPBACK)
    except ValueError:
        return False
