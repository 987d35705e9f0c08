"""Errors in the form that OpenAI's clients expect, with a sentence that says what to do."""

from __future__ import annotations

import errno
import math
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from voice.errors import ModelError, ModelMissing, VoiceError
from voice.serve.slots import Busy

CLIENT_GONE = 499  # what nginx notes for a client that did not wait; nobody receives it
_RETRY_LATER = {"Retry-After": "10"}  # seconds; a server that stops may be back, a conversation over
_STATUS_HEADERS = {
    401: {"WWW-Authenticate": "Bearer"},
    408: {"Connection": "close"},
    429: _RETRY_LATER,
    503: _RETRY_LATER,
}
_EXHAUSTED = {
    errno.ENOSPC: "room on the disk of its TMPDIR",
    errno.EDQUOT: "room on the disk of its TMPDIR",
    errno.EMFILE: "open files (ulimit -n)",
    errno.ENFILE: "open files",
}
_ERROR_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class TooLarge(VoiceError):
    """A request that brings more than this server takes."""


class BodyEncoded(VoiceError):
    """A request whose body is compressed."""


class TooSlow(VoiceError):
    """A client that sent or took nothing for too long."""


class ServerStopping(VoiceError):
    """The server is told to stop, so that the request has to go to another one or come again."""


class ClientGone(VoiceError):
    """A client that went away before it had its answer."""


def error_body(
    status: int, message: str, param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    """Return an error as OpenAI writes it."""
    kind = _ERROR_TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def error_response(
    status: int, message: str, *, param: str | None = None, code: str | None = None
) -> JSONResponse:
    """Return the response for an error."""
    return JSONResponse(error_body(status, message, param, code), status, _STATUS_HEADERS.get(status))


def response_to(error: VoiceError) -> Response:
    """Return the response to a request that met `error`."""
    match error:
        case Busy():
            response = error_response(429, str(error), code="busy")
            response.headers["Retry-After"] = str(math.ceil(error.after))
            return response
        case ServerStopping():
            return error_response(503, str(error), code="draining")
        case TooLarge():
            return error_response(413, str(error), code="too_large")
        case BodyEncoded():
            return error_response(415, str(error), code="unsupported_encoding")
        case TooSlow():
            return error_response(408, str(error), code="timeout")
        case ClientGone():
            return Response(status_code=CLIENT_GONE)
        case ModelMissing():
            return error_response(404, str(error), param="model", code="model_not_found")
        case ModelError():
            return error_response(503, str(error), code="model_unusable")
    return error_response(400, str(error))


def validation_response(errors: Sequence[Any]) -> JSONResponse:
    """Return the response to fields that are missing or wrong, by the first of them."""
    first = errors[0]
    name = ".".join(str(part) for part in first["loc"] if part != "body")
    message = f"{name}: {first['msg']}" if name else first["msg"]
    return error_response(400, message, param=name or None, code=first["type"])


def add_handlers(app: FastAPI) -> None:
    """Give every failure of `app` its response."""

    @app.exception_handler(VoiceError)
    async def _foreseen(_: Request, error: VoiceError) -> Response:
        return response_to(error)

    @app.exception_handler(RequestValidationError)
    @app.exception_handler(ValidationError)
    async def _invalid(_: Request, error: RequestValidationError | ValidationError) -> Response:
        return validation_response(error.errors())

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        message = error.detail
        if error.status_code in (404, 405):
            message = f"{request.method} {request.url.path} is not served; /v1/openapi.json lists what is"
        response = error_response(error.status_code, message)
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(OSError)
    async def _full(_: Request, error: OSError) -> Response:
        if error.errno not in _EXHAUSTED:
            raise error
        return error_response(
            503, f"the server is out of {_EXHAUSTED[error.errno]}; try again in a moment", code="full"
        )

    @app.exception_handler(Exception)
    async def _unforeseen(_: Request, error: Exception) -> Response:
        return error_response(500, "the server failed; its log says more", code="internal_error")
