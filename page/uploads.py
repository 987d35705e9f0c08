"""Uploads: each is kept with the files of its browser, as long as the disk has space."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

from fastapi.responses import JSONResponse, Response
from gradio.route_utils import upload_fn
from gradio.routes import file_upload_statuses
from starlette.concurrency import run_in_threadpool
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message, Receive

from page.browsers import Browsers
from page.requests import RequestRefused

MAX_UPLOAD = 2_000_000_000  # bytes
MIN_FREE_DISK = 1_000_000_000  # bytes that an upload has to leave free
_FORM_OVERHEAD, _MAX_DIGITS = 65_536, 20  # bytes of an upload's form besides its files; digits of a length


class Uploads:
    """Receives uploads, which together never fill the disk."""

    def __init__(self, browsers: Browsers) -> None:
        self._browsers = browsers
        # Of uploads under way: the browser, and how many bytes they may still write.
        self._reserved: dict[Path, tuple[str, int]] = {}
        self._lock = threading.Lock()

    async def receive(self, request: Request, key: str) -> Response:
        """Keep uploads with the browser's files, and answer with their paths, as Gradio's page expects.

        Raises RequestRefused for what is too large or no form.
        """
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
            with self._lock:
                del self._reserved[folder]

    def _space_for(self, size: int, key: str) -> Path:
        """Make a folder for an upload of `size` bytes. Raises RequestRefused where the disk would be full.

        What other uploads under way may still write counts as written.
        """
        with self._lock:
            others = sum(reserved for _, reserved in self._reserved.values())
            own = sum(reserved for whose, reserved in self._reserved.values() if whose == key)
            folder = self._browsers.files(key).new_folder(size + own)
            if shutil.disk_usage(folder).free - others - size < MIN_FREE_DISK:
                folder.rmdir()
                raise RequestRefused(
                    507, "the disk of this server is almost full; make room there, or try later"
                )
            self._reserved[folder] = key, size
        return folder


def _too_large() -> str:
    return f"the upload is larger than the {MAX_UPLOAD / 1e9:g} GB that this page takes"


def _limit_size(receive: Receive) -> Receive:
    """Return what receives a request. Raises RequestRefused once it is larger than an upload may be."""
    size = 0

    async def receive_counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_UPLOAD + _FORM_OVERHEAD:
            raise RequestRefused(413, _too_large())
        return message

    return receive_counted
