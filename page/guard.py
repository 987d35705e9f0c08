"""The guard before Gradio: requests that the page makes itself pass, with files of the same browser.

Gradio can fetch addresses, read paths that a request names, proxy, keep links and show how it is used.
This page needs little of that: the little is listed here, the rest is refused. Files pass the guard too: an
upload is kept with the files of the browser that sent it (see page.temporary_files), and a request is
answered only if each file in it is one of those.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from fastapi.responses import FileResponse, Response
from gradio.data_classes import CancelBody, PredictBody, ResetBody
from pydantic import BaseModel
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from page.browsers import Browsers
from page.requests import (
    RequestRefused,
    check_types,
    files_in,
    parse_request,
    read_body,
    replay_body,
)
from page.uploads import Uploads
from voice.serve import errors

COOKIE = "voice_browser"
_KEY = re.compile(r"[A-Za-z0-9_-]{43}")
_TAB = re.compile(r"[A-Za-z0-9_-]{1,64}")
API = "/gradio_api/"
FILE = f"{API}file="
TAB_OPENED, TAB_CLOSED = f"{API}app_id", f"{API}closed"  # what page.js asks for, its tab named in the query
UPLOAD, JOIN, CANCEL, LISTEN = (f"{API}{name}" for name in ("upload", "queue/join", "cancel", "queue/data"))
_READ_PATHS = {"/", "/config", "/theme.css", "/favicon.ico", "/robots.txt", LISTEN} | {
    f"{API}{name}" for name in ("info", "app_id", "theme.css", "startup-events", "upload_progress")
}
_ASSET_PATHS = ("/assets/", "/static/", "/svelte/")
# What each request holds. The page sends no field of JOIN besides these; the others steer Gradio's own queue.
_BODY_MODELS: dict[str, type[BaseModel]] = {JOIN: PredictBody, CANCEL: CancelBody, f"{API}reset": ResetBody}
_JOIN_FIELDS = "session_hash", "fn_index", "trigger_id", "event_data", "data"
# Sound and pictures of sound may be shown by the browser; whatever else it only saves.
_INLINE_TYPES = {
    ".wav": "audio/wav", ".mp3": "audio/mpeg", ".flac": "audio/flac", ".ogg": "audio/ogg",
    ".oga": "audio/ogg", ".opus": "audio/ogg", ".m4a": "audio/mp4", ".aac": "audio/aac",
    ".weba": "audio/webm", ".webm": "video/webm", ".mp4": "video/mp4", ".m4v": "video/mp4",
    ".mov": "video/quicktime", ".mkv": "video/x-matroska", ".ogv": "video/ogg",
}  # fmt: skip
_FILE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-store",
}


class Guard:
    """ASGI middleware around Gradio's application."""

    def __init__(self, app: ASGIApp, browsers: Browsers, inputs: Mapping[int, int]) -> None:
        """Take calls with `inputs` values: as many as each of the page's functions takes, by `fn_index`."""
        self._app, self._browsers, self._inputs = app, browsers, dict(inputs)
        self._uploads = Uploads(browsers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; a refusal becomes an error response."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            try:
                await self._answer(scope, receive, send)
            except RequestRefused as refusal:
                await errors.error_response(refusal.status, str(refusal))(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is allowed by method and path; refuse all else."""
        method, path, key = scope["method"], scope["path"], browser_key(Headers(scope=scope))
        if method == "POST" and path == UPLOAD:
            response = await self._uploads.receive(Request(scope, receive), key)
            await response(scope, receive, send)
        elif method == "POST" and path in _BODY_MODELS:
            await self._take(path, key, scope, receive, send)
        elif method == "POST" and path == TAB_CLOSED:
            for tab in self._tabs(scope, key):
                self._browsers.note_closed(key, tab)
            await Response(status_code=204)(scope, receive, send)
        elif method not in ("GET", "HEAD"):
            raise _unknown(scope)
        elif path.startswith(FILE):
            await self._file(path.removeprefix(FILE), key)(scope, receive, send)
        elif path in _READ_PATHS or path.startswith(_ASSET_PATHS):
            self._check_query(scope, key)
            for tab in self._tabs(scope, key) if path == TAB_OPENED else ():
                self._browsers.note_opened(key, tab)
            await self._app(scope, receive, send if key or path != "/" else _send_with_cookie(send, scope))
        else:
            raise _unknown(scope)

    async def _take(self, path: str, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request of a tab, if each file in it is the tab's own."""
        asked = parse_request(await read_body(Request(scope, receive)))
        tab = self._tab(asked.get("session_hash"), key)
        if path == JOIN:
            asked = {name: asked[name] for name in _JOIN_FIELDS if name in asked}
        check_types(asked, _BODY_MODELS[path])
        for file in files_in(asked):
            self._check_file(file, key, tab, Headers(scope=scope).get("host", ""))
        if path == JOIN:
            self._check_call(asked)
        await self._app(scope, replay_body(json.dumps(asked).encode(), receive), send)

    def _check_call(self, asked: dict[str, Any]) -> None:
        """Check that a call is of one of the page's functions, with as many values. Raises RequestRefused."""
        function, given = asked.get("fn_index"), len(asked["data"])
        wanted = self._inputs.get(function) if isinstance(function, int) else None
        if wanted is None:
            raise RequestRefused(400, "this page has no such function; load the page again")
        if given != wanted:
            raise RequestRefused(
                400, f"this function takes {wanted} values, not {given}; load the page again"
            )

    def _check_query(self, scope: Scope, key: str) -> None:
        """Refuse a query that names a deep link or the tab of another browser."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if "deep_link" in query:
            raise RequestRefused(403, "this page keeps no links to what somebody did")
        for tab in query.get("session_hash", ()):
            self._tab(tab, key)

    def _tabs(self, scope: Scope, key: str) -> list[str]:
        """Return the tabs that a request names, as page.js calls them."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        return [self._tab(tab, key) for tab in query.get("tab", ())]

    def _tab(self, name: Any, key: str) -> str:
        """Return the name of a tab. Raises RequestRefused for one of another browser."""
        if not isinstance(name, str) or not _TAB.fullmatch(name) or not self._browsers.owns(key, name):
            raise RequestRefused(403, "this session is another browser's; load the page again")
        return name

    def _check_file(self, file: dict[str, Any], key: str, tab: str, host: str) -> None:
        """Check that this tab uploaded or got the file. Raises RequestRefused for any other."""
        path, url = file.get("path"), file.get("url")
        if not isinstance(path, str) or not self._browsers.may_use(key, tab, path):
            raise RequestRefused(
                403, "this file was not uploaded here, or is no longer kept; upload it again"
            )
        if url is not None and not _is_here(url, path, host):
            raise RequestRefused(403, "nothing is fetched from other addresses; upload the file itself")

    def _file(self, path: str, key: str) -> Response:
        """Return a file of the browser. Raises RequestRefused for any other."""
        if not self._browsers.files(key).has(path):
            raise RequestRefused(403, "this file is not one of yours, or is no longer kept")
        kind = _INLINE_TYPES.get(Path(path).suffix.lower())
        return FileResponse(
            path, media_type=kind or "application/octet-stream", filename=Path(path).name,
            content_disposition_type="inline" if kind else "attachment", headers=_FILE_HEADERS,
        )  # fmt: skip


def browser_key(headers: Headers) -> str:
    """Return the key of a browser, by which its files are kept, from its cookie; "" where it has none."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel and _KEY.fullmatch(morsel.value) else ""


def _is_here(url: Any, path: str, host: str) -> bool:
    """Whether an address is that of the file at this server."""
    try:
        parts = urlsplit(url)
    except (ValueError, AttributeError, TypeError):
        return False
    at_home = parts.scheme in ("http", "https") and parts.netloc == host or not (parts.scheme or parts.netloc)
    return at_home and unquote(parts.path).removeprefix("/") == f"{FILE}{path}".removeprefix("/")


def _unknown(scope: Scope) -> RequestRefused:
    status = 403 if scope["path"].startswith(API) else 404
    return RequestRefused(status, f"{scope['method']} {scope['path'][:200]} is not part of this page")


def _send_with_cookie(send: Send, scope: Scope) -> Send:
    """Return what sends a response with a new key for the browser."""

    async def with_key(message: Message) -> None:
        if message["type"] == "http.response.start":
            secure = "; Secure" if scope.get("scheme") == "https" else ""
            cookie = f"{COOKIE}={secrets.token_urlsafe(32)}; HttpOnly; SameSite=Lax; Path=/{secure}"
            MutableHeaders(scope=message).append("set-cookie", cookie)
        await send(message)

    return with_key
