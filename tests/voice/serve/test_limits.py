"""What the server refuses, and that whoever goes away leaves nothing behind."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import openai
import pytest

pytest.importorskip("fastapi", reason="the server is not installed; pip install '.[serve]'")

from fakes.serve import PATIENCE, World, read_all, recording, serving

from voice.serve import Busy, Settings, Slots
from voice.serve.connections import SPARE_FILES, affordable_connections

SPEECH = {"model": "tts-1", "voice": "alloy", "input": "One. Two. Three. Four.", "response_format": "pcm"}
FORM = 'multipart/form-data; boundary="x"'
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'


@pytest.fixture
def world() -> Iterator[World]:
    with serving(Settings(requests=2, queue=0, upload_mb=0.2, idle=0.5, characters=1000)) as world:
        yield world


def is_served(world: World) -> bool:
    """Whether the next client gets an answer, all places being free."""
    world.recognizer.gate.set()
    world.voice.gate.set()
    return world.slots.free() and len(world.client().audio.speech.create(**SPEECH).read()) > 1000


def test_places_are_refused_when_taken_and_can_be_given_back_twice() -> None:
    slots = Slots("seats", 1)
    seat = slots.take()
    with pytest.raises(Busy, match="all 1 seats are taken"):
        slots.take()
    seat.release()
    seat.release()
    with slots.take():
        assert slots.used_slots == 1
    assert slots.used_slots == 0


def test_the_request_after_the_last_place_is_refused_at_once(world: World) -> None:
    world.voice.gate.clear()
    streaming = world.client().audio.speech.with_streaming_response
    with streaming.create(**SPEECH) as first, streaming.create(**SPEECH) as second:
        assert next(first.iter_bytes()) and next(second.iter_bytes())
        with pytest.raises(openai.RateLimitError, match="all 2 places for speech are taken") as refusal:
            world.client().audio.speech.create(**SPEECH)
        assert 1 <= int(refusal.value.response.headers["retry-after"]) <= 60
        full = httpx.get(f"{world.url}/health").json()["requests"]
        assert full == {"open": 2, "waiting": 0, "limit": 4}
        world.voice.gate.set()
    assert is_served(world)


def test_speech_is_not_made_for_a_client_that_has_gone(world: World) -> None:
    world.voice.gate.clear()
    with world.client().audio.speech.with_streaming_response.create(**SPEECH) as answer:
        assert next(answer.iter_bytes())
    world.voice.gate.set()
    assert world.voice.closed.wait(PATIENCE)
    assert len(world.voice.spoken) < 4
    assert is_served(world)


def test_a_recording_is_not_heard_for_a_client_that_has_gone(world: World) -> None:
    world.recognizer.gate.clear()
    body = PART + recording(29.0, 29.0, 29.0, form="flac") + b"\r\n--x--\r\n"
    head = f"POST /v1/audio/transcriptions HTTP/1.1\nHost: localhost\nContent-Type: {FORM}"
    connection = world.connect(f"{head}\nContent-Length: {len(body)}", body)
    assert world.recognizer.begun.wait(PATIENCE)
    connection.close()
    assert httpx.get(f"{world.url}/health").status_code == 200  # by now the loop has seen it go
    world.recognizer.gate.set()
    assert world.slots.free()
    assert len(world.recognizer.asked) < 3
    assert is_served(world)


def test_who_stops_sending_is_let_go(world: World) -> None:
    head = (
        f"POST /v1/audio/transcriptions HTTP/1.1\nHost: localhost\nContent-Type: {FORM}\nContent-Length: 9999"
    )
    with world.connect(head, PART) as connection:
        assert b"408" in read_all(connection).partition(b"\r\n")[0]
    assert is_served(world)


def test_who_takes_nothing_is_let_go(world: World) -> None:
    body = b'{"input": "%s", "response_format": "wav", "voice": "alloy"}' % (b"one two three four. " * 49)
    head = "POST /v1/audio/speech HTTP/1.1\nHost: localhost\nContent-Type: application/json"
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", world.port))
        head = f"{head}\nContent-Length: {len(body)}\n\n".replace("\n", "\r\n")
        connection.sendall(head.encode() + body)
        assert world.voice.closed.wait(PATIENCE)
        assert is_served(world)


@pytest.mark.parametrize("form", ["chunked", "announced", "waiting"])
def test_what_is_too_large_is_refused(world: World, form: str) -> None:
    head = f"POST /v1/audio/transcriptions HTTP/1.1\nHost: localhost\nContent-Type: {FORM}"
    if form == "chunked":
        head += "\nTransfer-Encoding: chunked"
        content = PART + b"a" * 300_000
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
    else:
        head += "\nContent-Length: 300000"
        body = b"a" * 300_000
    if form == "waiting":
        head, body = head + "\nExpect: 100-continue", b""
    with world.connect(head + "\nConnection: close", body) as connection:
        answer = read_all(connection)
    assert b" 413 " in answer.partition(b"\r\n")[0]
    assert b"larger than the 0.2 MB" in answer
    assert is_served(world)


def test_a_recording_that_is_too_long_is_refused_before_any_of_it_is_recognized() -> None:
    with serving(Settings(minutes=0.5)) as world:
        with pytest.raises(openai.APIStatusError, match="longer than the 0.5 minutes") as refusal:
            world.client().audio.transcriptions.create(
                model="whisper-1", file=("a.flac", recording(29.0, 29.0, form="flac"))
            )
        assert refusal.value.status_code == 413
        assert not world.recognizer.asked


def test_text_that_is_too_large_is_not_held_in_memory(world: World) -> None:
    with pytest.raises(openai.APIStatusError, match="larger than the 0.077536 MB") as refusal:
        world.client().audio.speech.create(**{**SPEECH, "input": "a" * 100_000})
    assert refusal.value.status_code == 413


def test_many_parts_are_refused(world: World) -> None:
    fields = {f"field{number}": "a" for number in range(100)}
    answer = httpx.post(f"{world.url}/v1/audio/transcriptions", data=fields, files={"file": b"x"})
    assert answer.status_code == 400
    assert is_served(world)


@pytest.fixture(scope="module")
def guarded() -> Iterator[World]:
    with serving(Settings(token="sesame", origins="https://friend.example")) as world:
        yield world


def test_only_who_has_the_token_comes_in(guarded: World) -> None:
    assert guarded.client("sesame").models.list().data
    for wrong in ("sesam", "sesame1", "säsame"):
        answer = httpx.get(f"{guarded.url}/v1/models", headers={"Authorization": f"Bearer {wrong}".encode()})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    with pytest.raises(openai.AuthenticationError, match="a valid token is needed"):
        guarded.client("wrong").audio.speech.create(**SPEECH)


def test_health_is_open_and_metrics_are_not(guarded: World) -> None:
    assert httpx.get(f"{guarded.url}/health").status_code == 200
    assert httpx.get(f"{guarded.url}/metrics").status_code == 401
    assert httpx.get(f"{guarded.url}/metrics", auth=("anyone", "sesame")).status_code == 200


def test_a_browser_is_asked_for_the_token(guarded: World) -> None:
    answer = httpx.get(f"{guarded.url}/")
    assert answer.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    ("protocol", "status"),
    [
        ("realtime, openai-insecure-api-key.sesame", 101),
        ("realtime", 401),
        ("openai-insecure-api-key.x", 401),
    ],
)
def test_a_live_session_wants_the_token_too(guarded: World, protocol: str, status: int) -> None:
    head = "GET /v1/realtime HTTP/1.1\nHost: localhost\nUpgrade: websocket\nConnection: Upgrade"
    key = "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    with guarded.connect(f"{head}\n{key}\nSec-WebSocket-Protocol: {protocol}") as connection:
        assert str(status) in connection.recv(100).decode().split("\r\n")[0]


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("http://localhost:8000", "localhost:8000", 200),
        ("http://evil.example", "localhost:8000", 403),
        ("http://evil.example:8000", "evil.example:8000", 403),  # a name that resolves to this machine
        ("null", "localhost:8000", 403),
        ("http://[", "localhost:8000", 403),
        ("https://friend.example", "localhost:8000", 200),
    ],
)
def test_other_web_pages_may_not_use_a_server_without_a_token(origin: str, host: str, status: int) -> None:
    with serving(Settings(origins="https://friend.example")) as world:
        answer = httpx.get(f"{world.url}/v1/models", headers={"Origin": origin, "Host": host})
    assert answer.status_code == status


def test_a_friends_page_may_ask_before_it_sends(guarded: World) -> None:
    asking = {"Origin": "https://friend.example", "Access-Control-Request-Method": "POST"}
    answer = httpx.options(f"{guarded.url}/v1/audio/speech", headers=asking)
    assert answer.headers["access-control-allow-origin"] == "https://friend.example"
    told = {"Origin": "https://friend.example", "Authorization": "Bearer sesame"}
    answer = httpx.get(f"{guarded.url}/v1/models", headers=told)
    assert answer.headers["access-control-expose-headers"] == "x-voice-notes, Retry-After"


@pytest.mark.parametrize(("most", "raised"), [(60_000, 10_240), (1000, 256)])
def test_a_limit_of_files_that_the_system_keeps_to_itself_stops_no_server(
    monkeypatch: pytest.MonkeyPatch, most: int, raised: int
) -> None:
    """As on macOS, where no limit is named, and whoever asks for too much is refused."""
    resource = pytest.importorskip("resource", reason="no such limits on Windows")
    limit = [256]

    def set_to(_: int, wanted: tuple[int, int]) -> None:
        if wanted[0] > most:
            raise ValueError("current limit exceeds maximum limit")
        limit[0] = wanted[0]

    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit[0], resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", set_to)
    allowed, backlog = affordable_connections(100_000)
    assert limit == [raised] and SPARE_FILES + 2 * backlog + allowed <= raised
