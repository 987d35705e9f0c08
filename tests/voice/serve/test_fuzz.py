"""A thousand seeded requests that nobody should send: an error or a close each, the next client served."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("fastapi", reason="the server is not installed; pip install '.[serve]'")

from fakes.serve import World, read_all, recording, serving

from voice.serve import Settings

CASES, BATCH = 1000, 100
PATHS = ["/v1/audio/transcriptions", "/v1/audio/translations", "/v1/audio/speech"]
OTHERS = [
    "/v1/models",
    "/v1/models/%00",
    "/v1/models/../../etc",
    "/v1/realtime",
    "/health",
    "/metrics",
    "/",
    "//",
]
VALUES = [
    None,
    True,
    -1,
    1e308,
    "",
    "\0",
    "é" * 50,
    [],
    [1],
    {},
    {"id": 3},
    "x" * 5000,
    float("nan"),
    "-inf",
    "../..",
]
FIELDS = {
    "speech": ["input", "model", "voice", "response_format", "speed", "stream_format", "instructions"],
    "form": [
        "model",
        "language",
        "prompt",
        "response_format",
        "temperature",
        "stream",
        "timestamp_granularities[]",
    ],
}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with serving(Settings(requests=2, upload_mb=0.3, minutes=0.5, characters=2000, idle=5.0)) as world:
        yield world


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    return [recording(0.5, gap=0.1, form=form) for form in ("wav", "flac", "mp3", "ogg", "m4a")]


@pytest.mark.parametrize("batch", range(CASES // BATCH))
def test_nonsense_is_answered_or_hung_up_on_and_the_next_client_is_served(
    batch: int, world: World, files: list[bytes]
) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        sent = nonsense(random.Random(seed), files)
        answer = exchange(world, *sent)
        status = answer.partition(b"\r\n")[0]
        assert not answer or status.startswith(b"HTTP/1.1 "), (seed, status)
        assert not status.startswith(b"HTTP/1.1 5"), (seed, sent, answer[-500:])
        assert exchange(
            world, b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        ).endswith(b"}}")
    assert world.slots.free()
    client = world.client()
    assert client.audio.speech.create(model="tts-1", voice="alloy", input="One.").read()
    assert client.audio.transcriptions.create(model="whisper-1", file=("a.wav", files[0])).text


def exchange(world: World, sent: bytes, breaks_off: bool = False) -> bytes:
    """What the server answers before it hangs up, to a client that waits for it, or does not."""
    with socket.create_connection(("127.0.0.1", world.port), 20.0) as connection:
        try:
            connection.sendall(sent)
            if breaks_off:
                connection.shutdown(socket.SHUT_WR)
            return read_all(connection)
        except (ConnectionResetError, BrokenPipeError):  # it had seen enough
            return b""


def nonsense(chance: random.Random, files: list[bytes]) -> tuple[bytes, bool]:
    """What is sent, and whether it ends before its end."""
    makers: list[Callable[[random.Random, list[bytes]], bytes]] = [
        raw, wrong_json, damaged_json, wrong_form, damaged_form, damaged_file, too_much, broken_off, elsewhere
    ]  # fmt: skip
    maker = chance.choice(makers)
    return maker(chance, files), maker in (too_much, broken_off, elsewhere)


def raw(chance: random.Random, files: list[bytes]) -> bytes:
    """Bytes, some of which begin like a request."""
    begin = chance.choice(
        [b"", b"POST ", b"GET / HTTP/1.1\r\n", b"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\n"]
    )
    return begin + chance.randbytes(chance.randrange(3000)) + b"\r\n\r\n"


def wrong_json(chance: random.Random, files: list[bytes]) -> bytes:
    """Speech asked for with values of all types, and fields left out."""
    wish = {"input": "One. Two.", "model": "tts-1", "voice": "alloy"}
    for _ in range(chance.randrange(1, 4)):
        wish[chance.choice(FIELDS["speech"])] = chance.choice(VALUES)
    if chance.random() < 0.3:
        wish.pop(chance.choice(list(wish)))
    content = chance.choice([wish, wish, wish, [wish], "One.", None, 7])
    return request(PATHS[2], json.dumps(content).encode(), "application/json")


def damaged_json(chance: random.Random, files: list[bytes]) -> bytes:
    body = json.dumps({"input": "One. Two.", "voice": "alloy"}).encode()
    body = chance.choice([damage(chance, body), chance.randbytes(500), b"[" * 5000, b'{"input":' * 900])
    return request(chance.choice(PATHS), body, chance.choice(["application/json", "text/plain", ""]))


def wrong_form(chance: random.Random, files: list[bytes]) -> bytes:
    """A form with wrong values, fields twice, the file left out, twice or as text."""
    parts = [part(chance.choice(FIELDS["form"]), str(chance.choice(VALUES)).encode()) for _ in range(4)]
    for _ in range(chance.choice([0, 1, 1, 1, 2])):
        parts.append(part("file", chance.choice(files), chance.choice(["a.wav", "", "\0", None, "é" * 300])))
    chance.shuffle(parts)
    return request(
        chance.choice(PATHS[:2]), b"".join(parts) + b"--x--\r\n", 'multipart/form-data; boundary="x"'
    )


def damaged_form(chance: random.Random, files: list[bytes]) -> bytes:
    body = damage(chance, part("model", b"whisper-1") + part("file", files[0][:500], "a.wav") + b"--x--\r\n")
    kinds = ['multipart/form-data; boundary="x"', "multipart/form-data", "multipart/form-data; boundary=",
             "multipart/form-data; boundary=" + "y" * 300, "application/x-www-form-urlencoded"]  # fmt: skip
    return request(chance.choice(PATHS), body, chance.choice(kinds))


def damaged_file(chance: random.Random, files: list[bytes]) -> bytes:
    """A recording with bytes changed, cut off, or none at all."""
    file = chance.choice(files)
    content = chance.choice(
        [damage(chance, file), file[: chance.randrange(len(file))], chance.randbytes(2000), b""]
    )
    stream = part("stream", chance.choice([b"true", b"false"]))
    body = stream + part("file", content, "a.wav") + b"--x--\r\n"
    return request(PATHS[0], body, 'multipart/form-data; boundary="x"')


def too_much(chance: random.Random, files: list[bytes]) -> bytes:
    kind = chance.choice(["application/json", 'multipart/form-data; boundary="x"', ""])
    body = part("file", bytes(chance.choice([100_000, 350_000])), "a.wav")
    return request(chance.choice(PATHS), body, kind, length=chance.choice([None, 10**12, 400_000]))


def broken_off(chance: random.Random, files: list[bytes]) -> bytes:
    """A request that ends before its end."""
    body = part("file", files[0], "a.wav") + b"--x--\r\n"
    whole = request(chance.choice(PATHS[:2]), body, 'multipart/form-data; boundary="x"')
    return whole[: chance.randrange(len(whole))]


def elsewhere(chance: random.Random, files: list[bytes]) -> bytes:
    """Any method, path and headers."""
    method = chance.choice(["GET", "PUT", "DELETE", "POST", "HEAD", "OPTIONS", "PATCH", "BREW"])
    names = "Accept Origin Authorization Content-Length Transfer-Encoding Upgrade Cookie".split()
    values = ["a", "-1", "chunked", "é", "*/*; q=x", "websocket", "Upgrade", "null"]
    headers = "".join(f"{name}: {chance.choice(values)}\r\n" for name in chance.sample(names, 2))
    path = chance.choice(PATHS + OTHERS)
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n".encode()


def request(path: str, body: bytes, kind: str, length: int | None = None) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {kind}\r\n"
    return f"{head}Content-Length: {length or len(body)}\r\n\r\n".encode() + body


def part(name: str, content: bytes, file: str | None = None) -> bytes:
    named = f'; filename="{file}"' if file is not None else ""
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def damage(chance: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randrange(1, 20)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)
