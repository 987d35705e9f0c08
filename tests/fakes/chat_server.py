"""A chat server on this machine that answers as a test says, badly if it says so."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answering = Callable[[BaseHTTPRequestHandler, dict], None]
Serving = Callable[[Answering], str]


@contextmanager
def servers() -> Iterator[Serving]:
    """A function that starts a server and gives its address."""
    running: list[ThreadingHTTPServer] = []

    def start(answering: Answering) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                try:
                    answering(self, body)
                except OSError:
                    pass  # the client has gone

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_port}/v1"

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def begin(handler: BaseHTTPRequestHandler, kind: str = "text/event-stream", status: int = 200) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.end_headers()


def event(handler: BaseHTTPRequestHandler, delta: dict, finish: str | None = None) -> None:
    said = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    handler.wfile.write(f"data: {json.dumps(said)}\n\n".encode())


def send(handler: BaseHTTPRequestHandler, *texts: str, end: bool = True) -> None:
    for text in texts:
        event(handler, {"content": text})
    if end:
        handler.wfile.write(b"data: [DONE]\n\n")


def call(handler: BaseHTTPRequestHandler, *calls: tuple[str, str], pieces: int = 5) -> None:
    """Calls tools as (name, arguments), the arguments in pieces of some characters, then ends."""
    for index, (name, _) in enumerate(calls):
        first = {
            "index": index,
            "id": f"id{index}",
            "type": "function",
            "function": {"name": name, "arguments": ""},
        }
        event(handler, {"tool_calls": [first]})
    for index, (_, arguments) in enumerate(calls):
        for at in range(0, len(arguments), pieces):
            part = {"index": index, "function": {"arguments": arguments[at : at + pieces]}}
            event(handler, {"tool_calls": [part]})
    event(handler, {}, "tool_calls")
    handler.wfile.write(b"data: [DONE]\n\n")
