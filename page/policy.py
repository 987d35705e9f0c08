"""Headers and document of the page: which scripts run, which pages may frame it, what it is called."""

from __future__ import annotations

import gzip
import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
}
# Gradio puts its components' styles into the page and makes functions of their templates; no more than
# that is allowed inline. Scripts in the document itself bear the number of the day ("nonce").
_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; media-src 'self' blob: data:; font-src 'self'; worker-src 'self' blob:;"
    " connect-src 'self' blob:{sockets}; manifest-src 'self'; frame-src 'none'; object-src 'none';"
    " frame-ancestors 'none'; form-action 'none'; base-uri 'self'"
)
_HOST = re.compile(r"[A-Za-z0-9.\-_:\[\]]+")
_FOREIGN_TAGS = re.compile(
    r"<meta\s+(?:property|name)=\"(?:og|twitter):[^>]*>|<link rel=\"manifest\"[^>]*>", re.DOTALL
)
_SCRIPT = re.compile(r"<script\b[^>]*>.*?</script>", re.DOTALL)
_TITLE = """<title>Voice</title>
<meta name="description" content="Speech to text, text to speech and conversation, on this computer." />
<meta property="og:title" content="Voice" />
<meta property="og:type" content="website" />
"""


class SecurityHeaders:
    """ASGI middleware that gives every answer its headers, and the document its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request, with the headers of the policy in its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == "/":
            await self._app(_without_compression(scope), receive, _Document(scope, send).send)
        else:
            await self._app(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    """Return a `send` that adds HEADERS to the response."""

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return with_headers


def _without_compression(scope: Scope) -> Scope:
    """Return the same request without compression."""
    kept = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
    return {**scope, "headers": kept}


class _Document:
    """The answer that is the page: collected, mended, and sent whole. Any other goes as it comes."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._headers, self._send = Headers(scope=scope), _with_headers(send)
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Hold back an HTML document until it is complete; pass on all else."""
        if message["type"] == "http.response.start" and _is_document(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                await self._send_all(self._start)

    async def _send_all(self, start: Message) -> None:
        """Send the document with a new nonce in its policy and its scripts."""
        nonce = secrets.token_urlsafe(16)
        body = adapt_document(b"".join(self._parts).decode(), nonce).encode()
        headers = MutableHeaders(scope=start)
        headers["Content-Security-Policy"] = content_security_policy(nonce, self._headers.get("host", ""))
        headers["Cache-Control"] = "no-store"
        headers.add_vary_header("Accept-Encoding")
        if "gzip" in self._headers.get("accept-encoding", ""):
            body = gzip.compress(body, 5)
            headers["Content-Encoding"] = "gzip"
        headers["Content-Length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def _is_document(start: Message) -> bool:
    kind = Headers(raw=start["headers"]).get("content-type", "")
    return start["status"] == 200 and kind.startswith("text/html")


def content_security_policy(nonce: str, host: str) -> str:
    """Return the Content-Security-Policy of the page at `host`, whose own scripts bear `nonce`."""
    sockets = (
        f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    )  # not every browser reads 'self' so
    return _POLICY.format(nonce=nonce, sockets=sockets)


def adapt_document(document: str, nonce: str) -> str:
    """Return Gradio's document without its own title, its requests to others and its scripts for framing."""
    document = _SCRIPT.sub(lambda found: _with_nonce(found[0], nonce), _FOREIGN_TAGS.sub("", document))
    return document.replace("<head>", f"<head>\n{_TITLE}", 1)


def _with_nonce(script: str, nonce: str) -> str:
    """Return a script of the document with its nonce; "" for one that serves pages which frame this one."""
    if "iframeResizer.contentWindow" in script:
        return ""
    return script.replace("<script", f'<script nonce="{nonce}"', 1)
