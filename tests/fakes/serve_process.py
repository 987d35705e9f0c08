"""A server with fake models as a process of its own, to be signalled and starved of files.

    python tests/fakes/serve_process.py '{"settings": {"idle": 5}, "files": 256, "held": true}'

It prints its port. A recognizer that is `held` waits for SIGUSR1.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LARGE = 20_000_000  # bytes
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Process:
    """The server's process, its address and what it wrote on standard error."""

    popen: subprocess.Popen
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def tell(self, number: int = signal.SIGTERM) -> None:
        self.popen.send_signal(number)

    def exit_status(self, seconds: float = 20.0) -> int:
        """The exit status. Raises TimeoutExpired where it does not end."""
        return self.popen.wait(seconds)


@contextmanager
def serving_process(
    log: Path, files: int = 0, held: bool = False, request: float = 0.0, fails: str = "", **settings
) -> Iterator[Process]:
    """A server, its standard error in `log`.

    It may have as many `files` open; a request has to begin within `request` seconds. It `fails` with an
    error "serving", once it is told to stop, or "after" it has served.
    """
    about = {"settings": settings, "files": files, "held": held, "request": request, "fails": fails}
    given = json.dumps(about)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    with log.open("wb") as told:
        popen = subprocess.Popen(
            [sys.executable, __file__, given], stdout=subprocess.PIPE, stderr=told, env=environment
        )
    try:
        yield Process(popen, int(popen.stdout.readline()), log)
    finally:
        popen.kill()
        popen.wait()
        popen.stdout.close()


async def _stranger(scope: dict, receive: Callable, send: Callable) -> None:
    """What reads a request and answers failures in its own way, as the page does."""
    try:
        while (await receive()).get("more_body"):
            pass
    except Exception:
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b"failed"})
        raise


async def _endless() -> AsyncIterator[bytes]:
    """What the page's events are: an answer that goes on as long as the client is there."""
    while True:
        yield b"alive"
        await asyncio.sleep(60.0)


async def _failing(*_: object, **__: object) -> None:
    """What uvicorn calls once it is told to stop, of a server that cannot be shut down."""
    raise OSError("the end failed")


def main(given: str) -> None:
    import uvicorn
    from fakes.serve import World
    from starlette.responses import Response, StreamingResponse

    from voice.serve import Settings, build, connections, running

    about = json.loads(given)
    if about["files"]:
        resource.setrlimit(resource.RLIMIT_NOFILE, (about["files"], about["files"]))
    connections.REQUEST_SECONDS = about["request"] or connections.REQUEST_SECONDS
    settings = Settings(port=0, **about["settings"])
    world = World(settings)
    if about["held"]:
        world.recognizer.gate.clear()
    signal.signal(signal.SIGUSR1, lambda *_: world.recognizer.gate.set())
    listening = running.listen(settings)
    listening.listen()  # or who comes before the server has started is refused
    print(listening.getsockname()[1], flush=True)
    app = build(world.services)
    app.add_route("/endless", lambda request: StreamingResponse(_endless()))
    app.add_route("/large", lambda request: Response(b"a" * LARGE))
    app.mount("/page", _stranger)
    if about["fails"] == "serving":
        uvicorn.Server.shutdown = _failing
    try:
        running.run(app, listening)
        if about["fails"] == "after":
            raise OSError("the end failed")
    finally:
        print("cleared", file=sys.stderr, flush=True)
        print("not flushed", end="")


if __name__ == "__main__":
    main(sys.argv[1])
