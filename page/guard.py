"""What the page takes from a browser: requests that it makes itself, files of the same browser, nothing else.

Gradio can fetch addresses, read paths that a request names, proxy, keep links and show how it is used.
This page needs little of it, so that little is listed here and the rest is refused. Files come and go
through here too: an upload lies in the room of the browser that sent it (see page.temporary_files), and a
request is answered only where each file in it is one of that room.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import threading
from collections.abc import Iterator, Mapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from fastapi.responses import FileResponse, JSONResponse, Response
from gradio.data_classes import CancelBody, PredictBody, ResetBody
from gradio.route_utils import MultiPartException, upload_fn
from gradio.routes import file_upload_statuses
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from page.browsers import Browsers
from voice.serve import errors

COOKIE = "voice_browser"
MAX_UPLOAD = 2_000_000_000  # bytes of an upload
MIN_FREE_DISK = 1_000_000_000  # bytes that an upload has to leave free on the disk
_FORM_OVERHEAD, _MAX_DIGITS = 65_536, 20  # bytes of an upload's form besides its files; digits of a length
_MAX_CALL = 4_000_000  # bytes of a request for work: the longest text and its settings
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


class RequestRefused(Exception):
    """A request that the page does not make, with the status and the sentence that answer it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Guard:
    """ASGI middleware around Gradio's application."""

    def __init__(self, app: ASGIApp, visitors: Browsers, inputs: Mapping[int, int]) -> None:
        """`inputs` is the number of values that each of the page's functions takes, by its `fn_index`."""
        self._app, self._visitors, self._inputs = app, visitors, dict(inputs)
        self._promised: dict[Path, tuple[str, int]] = {}  # of uploads under way: whose, and how many bytes
        self._promising = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            try:
                await self._answer(scope, receive, send)
            except RequestRefused as refusal:
                await errors.error_response(refusal.status, str(refusal))(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path, key = scope["method"], scope["path"], browser_key(Headers(scope=scope))
        if method == "POST" and path == UPLOAD:
            await (await self._uploaded(Request(scope, receive), key))(scope, receive, send)
        elif method == "POST" and path in _BODY_MODELS:
            await self._take(path, key, scope, receive, send)
        elif method == "POST" and path == TAB_CLOSED:
            for tab in self._tabs(scope, key):
                self._visitors.closed(key, tab)
            await Response(status_code=204)(scope, receive, send)
        elif method not in ("GET", "HEAD"):
            raise _unknown(scope)
        elif path.startswith(FILE):
            await self._file(path.removeprefix(FILE), key)(scope, receive, send)
        elif path in _READ_PATHS or path.startswith(_ASSET_PATHS):
            self._check_query(scope, key)
            for tab in self._tabs(scope, key) if path == TAB_OPENED else ():
                self._visitors.opened(key, tab)
            await self._app(scope, receive, send if key or path != "/" else _send_with_cookie(send, scope))
        else:
            raise _unknown(scope)

    async def _take(self, path: str, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request of a tab, in which each file has to be its own."""
        asked = _parse_request(await _body(Request(scope, receive)))
        tab = self._tab(asked.get("session_hash"), key)
        if path == JOIN:
            asked = {name: asked[name] for name in _JOIN_FIELDS if name in asked}
        _check_types(asked, _BODY_MODELS[path])
        for file in files_in(asked):
            self._check_file(file, key, tab, Headers(scope=scope).get("host", ""))
        if path == JOIN:
            self._check_call(asked)
        await self._app(scope, _replay_body(json.dumps(asked).encode(), receive), send)

    def _check_call(self, asked: dict) -> None:
        """Raises Refused for a call of no function of the page, or with too few or too many values."""
        wanted, given = self._inputs.get(asked.get("fn_index")), len(asked["data"])
        if wanted is None:
            raise RequestRefused(400, "this page has no such function; load the page again")
        if given != wanted:
            raise RequestRefused(
                400, f"this function takes {wanted} values, not {given}; load the page again"
            )

    def _check_query(self, scope: Scope, key: str) -> None:
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if "deep_link" in query:
            raise RequestRefused(403, "this page keeps no links to what somebody did")
        for tab in query.get("session_hash", ()):
            self._tab(tab, key)

    def _tabs(self, scope: Scope, key: str) -> list[str]:
        """The tabs that a request tells of, by the names that page.js gives them."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        return [self._tab(tab, key) for tab in query.get("tab", ())]

    def _tab(self, name: Any, key: str) -> str:
        """The name of a tab. Raises Refused for one of another browser."""
        if not isinstance(name, str) or not _TAB.fullmatch(name) or not self._visitors.owns(key, name):
            raise RequestRefused(403, "this session is another browser's; load the page again")
        return name

    def _check_file(self, file: dict, key: str, tab: str, host: str) -> None:
        """Raises Refused for a file that this tab did not bring, or that lies anywhere else."""
        path, url = file.get("path"), file.get("url")
        if not isinstance(path, str) or not self._visitors.may_use(key, tab, path):
            raise RequestRefused(
                403, "this file was not uploaded here, or is no longer kept; upload it again"
            )
        if url is not None and not _is_here(url, path, host):
            raise RequestRefused(403, "nothing is fetched from other addresses; upload the file itself")

    def _file(self, path: str, key: str) -> Response:
        """A file of the browser's own room. Raises Refused for any other."""
        room = self._visitors.room(key)
        if not room.has(path):
            raise RequestRefused(403, "this file is not one of yours, or is no longer kept")
        kind = _INLINE_TYPES.get(Path(path).suffix.lower())
        return FileResponse(
            path, media_type=kind or "application/octet-stream", filename=Path(path).name,
            content_disposition_type="inline" if kind else "attachment", headers=_FILE_HEADERS,
        )  # fmt: skip

    async def _uploaded(self, request: Request, key: str) -> Response:
        """Keeps what is uploaded in the browser's room; the paths, as Gradio's page expects them."""
        if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            raise RequestRefused(400, "an upload is a form (multipart/form-data) with the file in it")
        length = request.headers.get("content-length", "")
        size = int(length) if length.isdecimal() and len(length) < _MAX_DIGITS else MAX_UPLOAD
        if size > MAX_UPLOAD + _FORM_OVERHEAD:
            raise RequestRefused(413, _too_large())
        folder = await run_in_threadpool(self._space_for, size, key)
        upload_id = request.query_params.get("upload_id")
        request = Request(request.scope, _limit_size(request.receive))
        try:
            paths, _, _ = await upload_fn(
                request, str(folder), MAX_UPLOAD, upload_id, upload_progress=file_upload_statuses
            )
            return JSONResponse([str(path) for path in paths])
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, MultiPartException):
                large = "maximum allowed size" in error.message
                raise RequestRefused(
                    413 if large else 400, _too_large() if large else error.message
                ) from None
            raise
        finally:
            with self._promising:
                del self._promised[folder]

    def _space_for(self, size: int, key: str) -> Path:
        """Make a folder for an upload of `size` bytes. Raises Refused where the disk would be full.

        What other uploads under way may still write counts as written.
        """
        with self._promising:
            others = sum(promised for _, promised in self._promised.values())
            own = sum(promised for whose, promised in self._promised.values() if whose == key)
            folder = self._visitors.room(key).new_folder(size + own)
            if shutil.disk_usage(folder).free - others - size < MIN_FREE_DISK:
                folder.rmdir()
                raise RequestRefused(
                    507, "the disk of this server is almost full; make room there, or try later"
                )
            self._promised[folder] = key, size
        return folder


def browser_key(headers: Headers) -> str:
    """The key of a browser's room, from its cookie; "" where it has none."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel and _KEY.fullmatch(morsel.value) else ""


def files_in(asked: Any) -> Iterator[dict]:
    """Everything in a request that could be taken for a file, however deep."""
    nodes = [asked]
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            if "path" in node or "url" in node:
                yield node
            nodes.extend(node.values())
        elif isinstance(node, list):
            nodes.extend(node)


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


def _too_large() -> str:
    return f"the upload is larger than the {MAX_UPLOAD / 1e9:g} GB that this page takes"


def _send_with_cookie(send: Send, scope: Scope) -> Send:
    """Sends an answer with a key for the browser's room."""

    async def with_key(message: Message) -> None:
        if message["type"] == "http.response.start":
            secure = "; Secure" if scope.get("scheme") == "https" else ""
            cookie = f"{COOKIE}={secrets.token_urlsafe(32)}; HttpOnly; SameSite=Lax; Path=/{secure}"
            MutableHeaders(scope=message).append("set-cookie", cookie)
        await send(message)

    return with_key


def _limit_size(receive: Receive) -> Receive:
    """A request's messages. Raises Refused beyond what one upload may have, whatever it announced."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_UPLOAD + _FORM_OVERHEAD:
            raise RequestRefused(413, _too_large())
        return message

    return counted


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    try:
        async for part in request.stream():
            parts.append(part)
            size += len(part)
            if size > _MAX_CALL:
                raise RequestRefused(
                    413, f"the request is larger than the {_MAX_CALL / 1e6:g} MB that this page takes"
                )
    except ClientDisconnect:
        raise RequestRefused(errors.CLIENT_GONE, "the client went away") from None
    return b"".join(parts)


def _parse_request(body: bytes) -> dict:
    """Parse a request. Raises Refused where it is no JSON object that can be written anew in UTF-8."""
    try:
        asked = json.loads(body)
        json.dumps(asked, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # also half a surrogate pair, which no answer could repeat
        asked = None
    if not isinstance(asked, dict):
        raise RequestRefused(400, "the request is no JSON object")
    return asked


def _check_types(asked: dict, form: type[BaseModel]) -> None:
    """Raises Refused, naming the fields, for values of other types than Gradio takes."""
    try:
        form.model_validate(asked, strict=True)
    except ValidationError as error:
        fields = ", ".join(sorted({str(row["loc"][0]) for row in error.errors() if row["loc"]}))
        raise RequestRefused(
            400, f"the request lacks these fields or has them with wrong types: {fields}"
        ) from None


def _replay_body(body: bytes, receive: Receive) -> Receive:
    """The body once more, then whatever comes after it."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again
