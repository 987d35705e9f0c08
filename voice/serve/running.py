"""The process of a server: its address, its memory, its log."""

from __future__ import annotations

import asyncio
import atexit
import ctypes
import logging
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import cast

import uvicorn
from fastapi import FastAPI

from voice.errors import VoiceError
from voice.serve import connections
from voice.serve.services import Services
from voice.serve.settings import Settings

TRIM_INTERVAL = 20.0  # seconds; it takes a few milliseconds
SHUTDOWN_SECONDS = 2  # seconds for the connections to close, and for the threads, once all has been drained
DRAIN_POLL = 0.1  # seconds between two looks at what is still under way
# What glibc is told (malloc.h): threads share two heaps, and whatever is large is given back when it is
# free. Left to itself it keeps a heap for each thread and holes in all of them, 100 MB and growing.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_MALLOC = {_M_ARENA_MAX: 2, _M_MMAP_THRESHOLD: 262_144, _M_TRIM_THRESHOLD: 262_144}


def listen(settings: Settings) -> socket.socket:
    """Return a socket at the address of `settings`, whose connections end if the other side vanishes.

    Small messages, such as the events of a live session, leave at once: asyncio turns Nagle's algorithm off
    only for sockets that it has made itself. Raises VoiceError for an address that cannot be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # on Linux: also where it is there but takes nothing any more
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(settings.idle * 1000))
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        where = f"{settings.host}:{settings.port}"
        raise VoiceError(f"cannot listen on {where} ({error.strerror}); choose another port") from error
    return listening


def spare_memory() -> None:
    """Set up this process to serve for months; call it before the models are loaded."""
    warnings.simplefilter("always", UserWarning)  # which, unlike the default, keeps no list of them
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it notes what clients get to read
    with suppress(OSError, AttributeError, TypeError):  # another system, another library
        for option, value in _MALLOC.items():
            ctypes.CDLL(None).mallopt(option, value)


def quiet_refusals(record: logging.LogRecord) -> bool:
    """Drop uvicorn's complaint about a refused WebSocket, which did get its 429."""
    return "without completing handshake" not in record.getMessage()


def run(app: FastAPI, listening: socket.socket, ready: Callable[[], None] = lambda: None) -> None:
    """Serve what `build` made until SIGTERM or SIGINT; return once what was under way has had its time.

    A second signal ends that time at once; see Draining. `ready` is called once requests are answered.
    """
    services: Services = app.state.services
    logging.getLogger("uvicorn.error").addFilter(quiet_refusals)
    connections.quiet_log()
    limit, backlog = connections.affordable_connections(services.settings.connections)
    table = connections.Connections(limit, services.settings.idle)
    # Uvicorn calls it as it would the class.
    protocol = cast(type[asyncio.Protocol], table.protocol())
    config = uvicorn.Config(
        app,
        http=protocol,
        backlog=backlog,
        log_level="warning",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    over, leaving = threading.Event(), _ProcessExit(services)
    atexit.register(leaving.last)
    threading.Thread(target=_trim_memory, args=(over,), name="tidy", daemon=True).start()
    try:
        asyncio.run(_serve_until_drained(uvicorn.Server(config), listening, services, ready))
    except BaseException as error:
        leaving.note_failure(error)
        raise
    finally:
        over.set()
        if services.draining.over:
            threading.Thread(target=leaving.soon, name="leave", daemon=True).start()


async def _serve_until_drained(
    server: uvicorn.Server, listening: socket.socket, services: Services, ready: Callable[[], None]
) -> None:
    """Serve until a signal has come and all is drained. uvicorn would close live sessions at once."""
    loop, ends = asyncio.get_running_loop(), []

    def on_signal(sig: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)

    def stop() -> None:
        if services.draining.begun:
            services.draining.cut()
        else:
            services.draining.begin()
            ends.append(asyncio.create_task(_close_when_drained(server, services)))

    server.handle_exit = on_signal  # type: ignore[method-assign]  # uvicorn offers no other way
    telling = asyncio.create_task(_call_when_started(server, ready))
    try:
        await server.serve(sockets=[listening])
    finally:
        telling.cancel()


async def _call_when_started(server: uvicorn.Server, ready: Callable[[], None]) -> None:
    """Call `ready` as soon as `server` answers."""
    while not server.started:
        await asyncio.sleep(DRAIN_POLL / 10)
    ready()


async def _close_when_drained(server: uvicorn.Server, services: Services) -> None:
    """Tell `server` to close everything once nothing is under way, or its time is over."""
    draining = services.draining
    while services.busy and draining.seconds_left > 0:
        await asyncio.sleep(DRAIN_POLL)
    if services.busy:
        draining.cut()
        await asyncio.sleep(DRAIN_POLL)  # in which answers leave that say so
    server.should_exit = True
    await asyncio.sleep(SHUTDOWN_SECONDS / 2)
    for connection in [*server.server_state.connections]:  # answers without an end, such as the page's events
        connection.transport.abort()


class _ProcessExit:
    """The end of the process after a signal, which waits for no thread: its status is that of the program."""

    def __init__(self, services: Services) -> None:
        self._services, self._status = services, 0

    def note_failure(self, error: BaseException) -> None:
        """Note the error with which serving ended, and the program will."""
        code = error.code if isinstance(error, SystemExit) else 1
        code = 128 + signal.SIGINT if isinstance(error, KeyboardInterrupt) else code
        self._status = code if isinstance(code, int) else int(code is not None)

    def last(self) -> None:
        """End here, at exit: a model that a thread still loads makes the system abort the process."""
        if self._services.draining.begun:
            self._end()

    def soon(self) -> None:
        """End the process where a thread still works on what nobody waits for any more."""
        time.sleep(SHUTDOWN_SECONDS)
        self._end()

    def _end(self) -> None:
        """End with the status, or with 1 after an error that Python has shown since."""
        for stream in (sys.stdout, sys.stderr):
            with suppress(
                OSError, ValueError, AttributeError
            ):  # nobody reads it, it is closed, there is none
                stream.flush()
        os._exit(self._status or int(getattr(sys, "last_value", None) is not None))


def _trim_memory(over: threading.Event) -> None:
    """Return free memory between used memory to the system, which glibc never does by itself."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    while trim and not over.wait(TRIM_INTERVAL):
        trim(0)
