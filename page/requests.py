"""Read the requests that the page takes, and refuse those that it does not make."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from voice.serve.errors import CLIENT_GONE

MAX_CALL = 4_000_000  # bytes of a request for work: the longest text and its settings


class RequestRefused(Exception):
    """A request that the page does not make, with the status and the sentence that answer it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read_body(request: Request) -> bytes:
    """Return the body of a request. Raises RequestRefused where it is too large."""
    parts, size = [], 0
    try:
        async for part in request.stream():
            parts.append(part)
            size += len(part)
            if size > MAX_CALL:
                raise RequestRefused(
                    413, f"the request is larger than the {MAX_CALL / 1e6:g} MB that this page takes"
                )
    except ClientDisconnect:
        raise RequestRefused(CLIENT_GONE, "the client went away") from None
    return b"".join(parts)


def parse_request(body: bytes) -> dict[str, Any]:
    """Parse a request. Raises RequestRefused where it is no JSON object that UTF-8 can hold."""
    try:
        asked = json.loads(body)
        json.dumps(asked, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # also half a surrogate pair, which no answer could repeat
        asked = None
    if not isinstance(asked, dict):
        raise RequestRefused(400, "the request is no JSON object")
    return asked


def check_types(asked: dict[str, Any], form: type[BaseModel]) -> None:
    """Check values for the types that Gradio takes. Raises RequestRefused, naming the fields."""
    try:
        form.model_validate(asked, strict=True)
    except ValidationError as error:
        fields = ", ".join(sorted({str(row["loc"][0]) for row in error.errors() if row["loc"]}))
        raise RequestRefused(
            400, f"the request lacks these fields or has them with wrong types: {fields}"
        ) from None


def replay_body(body: bytes, receive: Receive) -> Receive:
    """Return what receives the body once more, then the messages after it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def files_in(asked: Any) -> Iterator[dict[str, Any]]:
    """Yield everything in a request that could be taken for a file, however deep."""
    nodes = [asked]
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            if "path" in node or "url" in node:
                yield node
            nodes.extend(node.values())
        elif isinstance(node, list):
            nodes.extend(node)
