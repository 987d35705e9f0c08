"""The process of a server: how it ends, and that silent or slow clients do not take it down."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

pytest.importorskip("fastapi", reason="the server is not installed; pip install '.[serve]'")
if sys.platform == "win32":
    pytest.skip("signals and file limits of POSIX", allow_module_level=True)

from fakes.serve import recording, until
from fakes.serve_process import LARGE, Process, serving_process

from voice.serve.connections import RateLimitFilter
from voice.serve.running import listen
from voice.serve.settings import Settings

SOUND = recording(1.0)
DRIPPING = (
    b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
)


def post_recording(process: Process) -> httpx.Response:
    url = f"{process.url}/v1/audio/transcriptions"
    return httpx.post(url, files={"file": ("a.wav", SOUND)}, data={"model": "whisper-1"}, timeout=30.0)


def open_requests(process: Process) -> int:
    return httpx.get(f"{process.url}/health").json()["requests"]["open"]


def test_told_to_stop_what_is_under_way_is_answered_and_nothing_new_is_taken(tmp_path: Path) -> None:
    with serving_process(tmp_path / "log", held=True) as process, ThreadPoolExecutor() as pool:
        under_way = pool.submit(post_recording, process)
        assert until(lambda: open_requests(process) == 1)
        process.tell()
        assert until(lambda: httpx.get(f"{process.url}/health").status_code == 503)
        assert httpx.get(f"{process.url}/health").json()["status"] == "draining"
        refused = post_recording(process)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "draining")
        assert int(refused.headers["retry-after"]) >= 1
        process.tell(signal.SIGUSR1)
        assert under_way.result().json()["text"] == "one"
        assert process.exit_status() == 0
        assert process.log.read_text() == "cleared\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_at_rest_ends_at_once_and_without_a_word(tmp_path: Path, number: int) -> None:
    with serving_process(tmp_path / "log") as process:
        assert httpx.get(f"{process.url}/health").status_code == 200
        begun = time.monotonic()
        process.tell(number)
        assert process.exit_status() == 0
        assert time.monotonic() - begun < 9.0
        assert process.log.read_text() == "cleared\n"


def test_a_second_signal_ends_what_is_under_way_with_an_answer(tmp_path: Path) -> None:
    with serving_process(tmp_path / "log", held=True) as process, ThreadPoolExecutor() as pool:
        under_way = pool.submit(post_recording, process)
        assert until(lambda: open_requests(process) == 1)
        begun = time.monotonic()
        process.tell()
        assert until(lambda: httpx.get(f"{process.url}/health").status_code == 503)
        process.tell()
        assert (cut := under_way.result()).status_code == 503 and cut.json()["error"]["code"] == "draining"
        assert process.exit_status() == 0
        assert time.monotonic() - begun < 9.0  # not the ten seconds of the first signal
        assert "cleared" in process.log.read_text()


@pytest.mark.parametrize("fails", ["serving", "after"])
@pytest.mark.parametrize("held", [False, True])
def test_an_error_during_the_end_is_passed_on(tmp_path: Path, fails: str, held: bool) -> None:
    """Also where a thread still works (held), for which the process does not wait."""
    with serving_process(tmp_path / "log", held=held, fails=fails) as process, ThreadPoolExecutor() as pool:
        assert open_requests(process) == 0
        if held:
            pool.submit(post_recording, process)
            assert until(lambda: open_requests(process) == 1)
            process.tell()
            assert until(lambda: httpx.get(f"{process.url}/health").status_code == 503)
        process.tell()
        assert process.exit_status() == 1
        assert "OSError: the end failed" in process.log.read_text()
        assert process.popen.stdout.read() == b"not flushed"


def test_silent_and_half_sent_requests_take_no_server_down(tmp_path: Path) -> None:
    with serving_process(tmp_path / "log", files=200) as process, ExitStack() as held:
        for number in range(230):
            silent = held.enter_context(socket.create_connection(("127.0.0.1", process.port), 5.0))
            if number % 2:
                silent.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
        for _ in range(5):
            assert httpx.get(f"{process.url}/health", timeout=5.0).status_code == 200
        assert post_recording(process).json()["text"] == "one"
        assert len(process.log.read_text().splitlines()) <= 3


def test_a_request_that_does_not_begin_in_time_is_hung_up_on(monkeypatch, tmp_path: Path) -> None:
    with serving_process(tmp_path / "log", request=1.0) as process, ExitStack() as held:
        heads = b"", b"GET /health HTTP/1.1\r\n", b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /he"
        begun = time.monotonic()
        sockets = [held.enter_context(socket.create_connection(("127.0.0.1", process.port))) for _ in heads]
        for each, head in zip(sockets, heads, strict=True):
            each.sendall(head)
            each.settimeout(10.0)
        silent, half, second = (b"".join(iter(lambda each=each: each.recv(9999), b"")) for each in sockets)
        assert 0.9 < time.monotonic() - begun < 5.0
        assert (silent, half[:12]) == (b"", b"HTTP/1.1 408")
        assert second.startswith(b"HTTP/1.1 200") and b"HTTP/1.1 408" in second


def test_connections_beyond_the_bound_are_refused_only_while_all_others_are_busy(tmp_path: Path) -> None:
    head = DRIPPING.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n", 1)
    with serving_process(tmp_path / "log", connections=3) as process:
        with ExitStack() as held:
            for _ in range(3):
                busy = held.enter_context(socket.create_connection(("127.0.0.1", process.port), 10.0))
                busy.sendall(head)
                assert b" 100 " in busy.recv(100)
            with socket.create_connection(("127.0.0.1", process.port), 10.0) as refused:
                assert b" 503 " in refused.recv(100)
        with ExitStack() as held:
            for _ in range(4):  # which ask nothing and make room
                held.enter_context(socket.create_connection(("127.0.0.1", process.port), 10.0))
            assert httpx.get(f"{process.url}/health").status_code == 200


def test_eight_that_drip_hold_no_place_and_are_let_go(tmp_path: Path) -> None:
    head = b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n"
    head += b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    head += b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    with serving_process(tmp_path / "log", requests=2, idle=1.5) as process, ExitStack() as held:
        dripping = [
            held.enter_context(socket.create_connection(("127.0.0.1", process.port))) for _ in range(8)
        ]
        for each in dripping:
            each.sendall(head)
        over = threading.Event()
        threading.Thread(target=_drip, args=(dripping, over)).start()
        try:
            assert post_recording(process).json()["text"] == "one"
            for each in dripping:
                each.settimeout(10.0)
                assert b" 408 " in each.recv(100)
        finally:
            over.set()


def test_who_drips_into_the_page_is_told_so_and_leaves_no_traceback(tmp_path: Path) -> None:
    head = DRIPPING.replace(b"/v1/audio/transcriptions", b"/page/upload")
    with serving_process(tmp_path / "log", idle=0.5) as process:
        with socket.create_connection(("127.0.0.1", process.port), 10.0) as dripping:
            dripping.sendall(head)
            assert b" 408 " in dripping.recv(100)
        assert not process.log.read_text()


def _drip(connections: list[socket.socket], over: threading.Event) -> None:
    while not over.wait(0.2):
        for each in connections:
            try:
                each.sendall(b"x")
            except OSError:
                pass


def test_the_log_names_a_trouble_once_a_minute() -> None:
    now = [0.0]
    rarely = RateLimitFilter("socket.accept() out", "no descriptor is left", lambda: now[0])

    def logged(message: str) -> str | None:
        record = logging.LogRecord("asyncio", logging.ERROR, "", 1, message, (), (OSError, OSError(), None))
        return record.getMessage() if rarely.filter(record) else None

    assert logged("socket.accept() out of system resource") == "no descriptor is left"
    assert [logged("socket.accept() out of system resource") for _ in range(3)] == [None] * 3
    assert logged("something else") == "something else"
    now[0] = 61.0
    again = logged("socket.accept() out of system resource")
    assert again == "no descriptor is left (3 times more since the last line)"


def test_an_answer_without_an_end_holds_up_no_end_and_leaves_no_traceback(tmp_path: Path) -> None:
    with serving_process(tmp_path / "log") as process:
        with httpx.stream("GET", f"{process.url}/endless") as endless:
            assert next(endless.iter_bytes()) == b"alive"
            process.tell()
            assert process.exit_status() == 0
        assert process.log.read_text() == "cleared\n"


def test_who_takes_nothing_of_an_answer_is_let_go_and_who_takes_it_slowly_gets_it_whole(
    tmp_path: Path,
) -> None:
    head = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with serving_process(tmp_path / "log", request=0.5, idle=1.0) as process:
        with socket.socket() as slow, socket.create_connection(("127.0.0.1", process.port)) as stuck:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            slow.connect(("127.0.0.1", process.port))
            for each in (slow, stuck):
                each.sendall(head)
                each.settimeout(10.0)
            taken = 0
            while taken < LARGE:
                taken += len(slow.recv(1_000_000))
                time.sleep(0.01)
            with pytest.raises(ConnectionResetError):
                while stuck.recv(1_000_000):
                    pass


def test_small_messages_of_a_connection_leave_at_once() -> None:
    with listen(Settings(port=0)) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
