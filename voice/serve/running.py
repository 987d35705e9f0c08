"""The process of a server: its address, its memory, its log."""

from __future__ import annotations

import ctypes
import logging
import socket
import sys
import threading
import warnings
from contextlib import suppress

import uvicorn
from fastapi import FastAPI

from voice.errors import VoiceError
from voice.serve.settings import Settings

TIDY_EVERY = 20.0  # seconds; it takes a few milliseconds
GRACE = 10  # seconds that requests under way have to end in, once the server is told to stop
# What glibc is told (malloc.h): threads share two heaps, and whatever is large is given back when it is
# free. Left to itself it keeps a heap for each thread and holes in all of them, 100 MB and growing.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_MALLOC = {_M_ARENA_MAX: 2, _M_MMAP_THRESHOLD: 262_144, _M_TRIM_THRESHOLD: 262_144}


def listen(settings: Settings) -> socket.socket:
    """A socket at the address of `settings`, whose connections end where the other side has vanished.

    Raises VoiceError for an address that cannot be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # on Linux: also where it is there but takes nothing any more
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(settings.idle * 1000))
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        where = f"{settings.host}:{settings.port}"
        raise VoiceError(f"cannot listen on {where} ({error.strerror}); choose another --port") from error
    return listening


def spare_memory() -> None:
    """Set up this process to serve for months; call it before the models are loaded."""
    warnings.simplefilter("always", UserWarning)  # which, unlike the default, keeps no list of them
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it notes what clients get to read
    with suppress(OSError, AttributeError, TypeError):  # another system, another library
        for option, value in _MALLOC.items():
            ctypes.CDLL(None).mallopt(option, value)


def quiet_refusals(record: logging.LogRecord) -> bool:
    """uvicorn takes a refused WebSocket, which got its 429, for one that was never answered."""
    return "without completing handshake" not in record.getMessage()


def run(app: FastAPI, listening: socket.socket) -> None:
    """Serve until told to stop."""
    logging.getLogger("uvicorn.error").addFilter(quiet_refusals)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=GRACE)
    over = threading.Event()
    threading.Thread(target=_tidy, args=(over,), name="tidy", daemon=True).start()
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        over.set()


def _tidy(over: threading.Event) -> None:
    """Gives back what lies free in between what is used, which glibc by itself never does."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    while trim and not over.wait(TIDY_EVERY):
        trim(0)
