"""Who may use the server: the holder of its token, and no web page of somebody else's.

Browsers send requests to this machine on behalf of any page that is open, and say so in Origin and
Sec-Fetch-Site; the token alone would not help where none is set. A page elsewhere can also have a
name that resolves to this machine (DNS rebinding) and be taken for the server's own: the name that a
request asks for in Host has to be one of the server's. Bots and programs send neither.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi.responses import Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from voice.serve import errors
from voice.serve.refusals import Refusal
from voice.serve.settings import Settings

# For load balancers, which have no token and know the server by any name.
PUBLIC_PATHS = frozenset({"/health"})
# OpenAI's browser clients pass the token so, as a browser sets no headers of a WebSocket.
TOKEN_PROTOCOL = "openai-insecure-api-key."
_TOKEN_HEADERS = ("x-api-key", "api-key")  # where clients of other servers put the token


class AccessMiddleware:
    """ASGI middleware that refuses requests that are not allowed, before anything is read."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None
        if scope["type"] in ("http", "websocket"):
            refusal = refusal_for(scope, self._settings)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {}):
            await refusal(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": "not allowed"})


def refusal_for(scope: Scope, settings: Settings) -> Response | None:
    """Return the response to a request that is refused, None for the others."""
    request = _RequestOrigin(scope, Headers(scope=scope), settings)
    if not request.to_us and scope["path"] not in PUBLIC_PATHS:
        return Refusal.of_host(request.host).answer(request.headers)
    if request.from_another_page:
        return Refusal.of_page(request.headers.get("origin", "")).answer(request.headers)
    if not settings.token or scope["path"] in PUBLIC_PATHS or _has_token(request.headers, settings.token):
        return None
    refusal = errors.error_response(401, "a valid token is needed: send it as Authorization: Bearer TOKEN")
    if not scope["path"].startswith("/v1/"):  # a person with a browser, who can be asked
        refusal.headers["WWW-Authenticate"] = 'Basic realm="voice: any name, the token as password"'
    return refusal


@dataclass(frozen=True)
class _RequestOrigin:
    """A request, by what its browser says of where it comes from and what it asks for."""

    scope: Scope
    headers: Headers
    settings: Settings

    @property
    def host(self) -> str:
        """The name and port that the request was sent to."""
        return self.headers.get("host", "").lower()

    @property
    def to_us(self) -> bool:
        """Whether Host is a name of the server. Programs that send none are no browsers."""
        name = _hostname(f"//{self.host}")
        if name is None:
            return False
        return not self.host or name in _server_names(self.settings) or _is_own_address(name, self.settings)

    @property
    def from_another_page(self) -> bool:
        """Whether a page that is not the server's own makes the request, and was not let in."""
        origin = self.headers.get("origin", "").lower()
        if origin in self.settings.allowed_origins:
            return False
        if origin and not self._is_own(origin):
            return True
        site = self.headers.get("sec-fetch-site", "none").lower()
        return site not in ("none", "same-origin") and not self._follows_a_link

    def _is_own(self, origin: str) -> bool:
        web = origin.startswith(("http://", "https://"))
        return web and _hostname(origin) is not None and urlsplit(origin).netloc == self.host

    @property
    def _follows_a_link(self) -> bool:
        """Whether the person goes to the page itself, in a window of its own."""
        wanted = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
        asked = self.scope.get("method") in ("GET", "HEAD") and self.scope["path"] == "/"
        return asked and all(self.headers.get(name) == value for name, value in wanted.items())


def _hostname(address: str) -> str | None:
    """Return the name in an address, without port, brackets and final dot; None where it is malformed."""
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  which raises for one that is none
    except ValueError:
        return None
    more = set("@/?#") & set(address.partition("//")[2])
    return None if more else (parts.hostname or "").rstrip(".")


def _server_names(settings: Settings) -> frozenset[str]:
    """Return the server's names: those in the settings and, if others reach it, this machine's."""
    if settings.local:
        return settings.allowed_hosts | {"localhost"}
    machine = socket.gethostname().lower()
    ours = {"localhost", settings.host.lower(), machine, f"{machine}.local", machine.partition(".")[0]}
    return settings.allowed_hosts | ours


def _is_own_address(name: str, settings: Settings) -> bool:
    """Tell whether `name` is an IP address that the server may have.

    No DNS stands between such an address and a machine, so a page cannot make one its own name. Which
    one a machine has for others is not known inside a container or behind a router: any will do.
    """
    literal, _, zone = name.partition("%")
    try:
        address = ipaddress.ip_address(literal)
    except ValueError:
        return False
    if zone and address.version == 4:  # only addresses of version 6 have one
        return False
    return address.is_loopback or not settings.local


def _has_token(headers: Headers, token: str) -> bool:
    """Tell whether the token was sent; beyond ASCII in UTF-8 or, as some clients do, in Latin-1."""
    offered = _offered_token(headers)
    if offered is None:
        return False
    forms = (token.encode(), token.encode("latin-1", "replace"))
    return any([hmac.compare_digest(offered, form) for form in forms])


def _offered_token(headers: Headers) -> bytes | None:
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip().encode("latin-1")  # as it came: headers are decoded so
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return None
    for protocol in headers.get("sec-websocket-protocol", "").split(","):
        if protocol.strip().startswith(TOKEN_PROTOCOL):
            return protocol.strip().removeprefix(TOKEN_PROTOCOL).encode()
    return next((headers[name].strip().encode("latin-1") for name in _TOKEN_HEADERS if name in headers), None)
