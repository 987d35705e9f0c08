"""Where servers of tests listen: a free port of this machine, which nobody else can get meanwhile."""

from __future__ import annotations

import socket


def listener() -> socket.socket:
    """A socket that takes connections already, on a port of its own."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or a second message waits for 40 ms
    return listening
