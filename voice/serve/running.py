"""The process of a server: its address, its memory, its log."""

from __future__ import annotations

import ctypes
import logging
import socket
import warnings
from contextlib import suppress

import uvicorn
from fastapi import FastAPI

from voice.errors import VoiceError
from voice.serve.settings import Settings

GRACE = 10  # seconds that requests under way have to end in, once the server is told to stop
_M_ARENA_MAX = -8  # of glibc's malloc.h


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
        # All threads share two heaps: one for each would leave holes that add up to 100 MB.
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def run(app: FastAPI, listening: socket.socket) -> None:
    """Serve until told to stop."""
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=GRACE)
    uvicorn.Server(config).run(sockets=[listening])
