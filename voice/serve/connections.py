"""A deadline for connections without a request, a limit on all connections, and a quiet log.

A client needs no token to connect and say nothing, and each connection takes a file descriptor. So a
request has to begin within REQUEST seconds, and where all connections are taken, the one that has been
idle for longest makes room for the next.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if sys.platform == "win32":  # which has no such limit
    resource = None
else:
    import resource

REQUEST_SECONDS = 10.0  # from connecting, or from the response before, to the end of a request's headers
BACKLOG = 128  # connections that are accepted in one go
SPARE_FILES = 64  # descriptors for all else: models, uploads, the log
MAX_FILES = 65_536  # descriptors asked for
OPEN_MAX = 10_240  # descriptors that macOS gives every process which asks for them
LOG_INTERVAL = 60.0  # seconds between two lines of the log about the same trouble
_REFUSED = "all connections are taken by requests (VOICE_CONNECTIONS); a new one was refused"
_SERVER_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)
_REQUEST_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

_LOG = logging.getLogger("uvicorn.error")


class Connections:
    """The bound on the connections of a server; those that are idle, the longest idle one first."""

    def __init__(self, limit: int, patience: float) -> None:
        """Let a client read nothing of a response for `patience` seconds at most."""
        self.limit, self.patience = limit, patience
        self.idle: dict[Connection, None] = {}

    def protocol(self) -> partial[Connection]:
        """Return what uvicorn makes a connection with."""
        return partial(Connection, self)


class Connection(H11Protocol):
    """uvicorn's connection, which also ends where no request comes, or where it is one too many."""

    def __init__(self, table: Connections, **given: Any) -> None:  # uvicorn's arguments are its own
        super().__init__(**given)
        self._table = table
        self._deadline: asyncio.TimerHandle | None = None
        self._unsent = 0  # bytes of the answer before that the client has yet to take

    def connection_made(  # type: ignore[override]  # uvicorn too declares what a TCP server passes
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        if len(self.connections) > self._table.limit and not self._make_room():
            _LOG.warning(_REFUSED)
            transport.write(_SERVER_FULL)
            transport.close()
            return
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._forget()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _make_room(self) -> bool:
        """Hang up on the connection that has been idle for longest, if there is one."""
        oldest = next(iter(self._table.idle), None)
        if oldest:
            oldest._forget()
            self.connections.discard(oldest)
            oldest.transport.abort()
        return oldest is not None

    def _watch(self) -> None:
        """Start the clock where no request is under way, stop it where one is."""
        upgraded = self.transport.get_protocol() is not self
        if upgraded or (self.cycle is not None and not self.cycle.response_complete):
            self._forget()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_SECONDS, self._late)
            self._table.idle[self] = None

    def _forget(self) -> None:
        self._table.idle.pop(self, None)
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        """Nothing was asked: hang up, unless the client still takes the answer before."""
        unsent = self.transport.get_write_buffer_size()
        if unsent and unsent != self._unsent:
            self._unsent = unsent
            self._deadline = self.loop.call_later(self._table.patience, self._late)
            return
        self._forget()
        if unsent:
            self.transport.abort()
        elif not self.transport.is_closing():
            if self.conn.trailing_data[0]:  # headers that have begun
                self.transport.write(_REQUEST_TIMEOUT)
            self.transport.close()


class RateLimitFilter(logging.Filter):
    """Lets one record about a trouble pass in EVERY seconds, in one line, and counts the others."""

    def __init__(self, trouble: str, line: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`trouble` is what such records begin with, `line` what is logged instead."""
        super().__init__()
        self._trouble, self._line, self._clock = trouble, line, clock
        self._last, self._dropped = -LOG_INTERVAL, 0

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.getMessage().startswith(self._trouble):
            return True
        if self._clock() - self._last < LOG_INTERVAL:
            self._dropped += 1
            return False
        more = f" ({self._dropped} times more since the last line)" if self._dropped else ""
        record.msg, record.args, record.exc_info = self._line + more, (), None
        self._last, self._dropped = self._clock(), 0
        return True


def quiet_log() -> None:
    """One line of the log, not one for each connection, where there are too many."""
    logging.getLogger("asyncio").addFilter(
        RateLimitFilter(
            "socket.accept() out of system resource",
            "no descriptor is left for new connections (ulimit -n); they wait until one comes free",
        )
    )
    for trouble in (_REFUSED, "Invalid HTTP request received", "Unsupported upgrade request"):
        _LOG.addFilter(RateLimitFilter(trouble, trouble))


def affordable_connections(wanted: int) -> tuple[int, int]:
    """How many connections of those `wanted` this process can have, and how many it accepts in one go.

    The limit of open files is raised as far as that is allowed.
    """
    if resource is None:
        return wanted, BACKLOG
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MAX_FILES if most == resource.RLIM_INFINITY else min(most, MAX_FILES)
    if soft == resource.RLIM_INFINITY or soft > files:
        files = MAX_FILES
    elif soft < files:
        files = _raise_file_limit(soft, files, most)
    backlog = max(1, min(BACKLOG, files // 8))
    return max(1, min(wanted, files - SPARE_FILES - 2 * backlog)), backlog  # two goes may be under way


def _raise_file_limit(soft: int, wanted: int, most: int) -> int:
    """Raise the limit of open files from `soft` as far as the system lets it; the limit then."""
    for files in (wanted, OPEN_MAX):
        if files > soft:
            with suppress(OSError, ValueError):  # macOS says that there is no limit, and has one
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
                return files
    return soft
