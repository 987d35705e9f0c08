"""A server of its own for a benchmark, started as anybody starts one."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping

import httpx
import typer

WAIT = 120.0  # seconds for any answer


def start_server(port: int, *options: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen:
    """Start `voice serve` on `port` of this machine; return once it answers. It ends with this program.

    Raises OSError where the port is taken.
    """
    with socket.create_server(("127.0.0.1", port)):
        pass
    command = [sys.executable, "-m", "voice", "serve", "--port", str(port), *options]
    server = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})}
    )
    atexit.register(server.terminate)
    for line in server.stderr:
        if line.startswith("serving"):
            threading.Thread(target=_copy_errors, args=(server,), daemon=True).start()
            return server
        typer.echo(f"server: {line.rstrip()}", err=True)
    raise SystemExit("the server did not start")


def _copy_errors(server: subprocess.Popen) -> None:
    """Copy what the server complains of to our own standard error."""
    for line in server.stderr:
        typer.echo(f"server: {line.rstrip()}", err=True)


def memory(url: str) -> float:
    """Return the megabytes that the server holds in memory."""
    for line in httpx.get(f"{url}/metrics", timeout=WAIT).text.splitlines():
        if line.startswith("process_resident_memory_bytes"):
            return float(line.split()[1]) / 1e6
    raise SystemExit("this system does not tell how much memory a process has")
