"""A thousand seeded pieces of nonsense: an answer or a clean close each, and the next client is served."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import websockets
from fakes.agent import Phrasebook
from fakes.realtime import PATIENCE, Places, encode_pcm16, running_app, services
from fastapi import FastAPI

from voice.agent.listening.recognition import WholeTurn
from voice.agent.work import INLINE
from voice.serve.realtime import add_realtime, endpoint
from voice.serve.realtime.session_agent import open_agent
from voice.serve.settings import Settings
from voice.types import Message

CASES = 1000
EACH = 50  # cases on one connection, if the server does not end it before
LONGEST = 100_000  # characters of a frame here, so that one too long is soon sent
CLEAN = {1000, 1002, 1003, 1007, 1008, 1009}  # the client's fault; 1006 and 1011 would be the server's

SPEECH, SILENCE = encode_pcm16(np.full(4800, 0.1)), encode_pcm16(np.zeros(48_000))
TEXT = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
CALL = {"type": "function_call", "name": "look", "arguments": "{}", "call_id": "call_1"}
EVENTS: list[dict[str, Any]] = [
    {"type": "session.update", "session": {"type": "realtime", "instructions": "Be kind.", "tools": []}},
    {"type": "session.update", "session": {"audio": {"input": {"turn_detection": None}}}},
    {"type": "session.update", "session": {"audio": {"input": {"turn_detection": {"type": "server_vad"}}}}},
    {"type": "session.update", "session": {"audio": {"input": {"format": {"type": "audio/pcmu"}}}}},
    {"type": "session.update", "session": {"modalities": ["text"], "input_audio_format": "pcm16"}},
    {"type": "session.update", "session": {"voice": {"events": True, "level": True}}},
    {"type": "input_audio_buffer.append", "audio": SPEECH},
    {"type": "input_audio_buffer.append", "audio": SILENCE},
    {"type": "input_audio_buffer.commit"},
    {"type": "input_audio_buffer.clear"},
    {"type": "conversation.item.create", "item": TEXT | {"id": "item_1"}, "previous_item_id": "root"},
    {"type": "conversation.item.create", "item": TEXT},
    {"type": "conversation.item.create", "item": CALL},
    {"type": "conversation.item.truncate", "item_id": "item_1", "content_index": 0, "audio_end_ms": 100},
    {"type": "conversation.item.delete", "item_id": "item_1"},
    {"type": "conversation.item.retrieve", "item_id": "item_1"},
    {"type": "response.create"},
    {"type": "response.create", "response": {"conversation": "none", "input": [TEXT], "instructions": "Hm."}},
    {"type": "response.cancel"},
    {"type": "output_audio_buffer.clear"},
    {"type": "voice.played", "audio_ms": 10},
]
ODD = [None, True, -1, 0, 1e308, float("nan"), 2**70, "", "x", "\0", "é🎈" * 50, [], [[]], {}, {"type": []}]


class Parrot:
    """A brain that says back what it was told."""

    def reply(self, messages: Sequence[Message]) -> Iterator[str]:
        yield f"You said {messages[-1].content if messages else 'nothing'}."


def case(number: int) -> list[str | bytes]:
    """The frames of one case."""
    chance = random.Random(number)
    kinds = [_noise, _break_text, _change_event, _change_event, _disorder, _disorder, _deep, _binary, _long]
    weights = [10, 10, 30, 20, 20, 10, 3, 1, 1]
    return chance.choices(kinds, weights)[0](chance)


def _noise(chance: random.Random) -> list[str | bytes]:
    return [
        "".join(chr(chance.choice([chance.randrange(32, 127), chance.randrange(0xD800)])) for _ in range(99))
    ]


def _break_text(chance: random.Random) -> list[str | bytes]:
    text = json.dumps(chance.choice(EVENTS))
    at = chance.randrange(len(text))
    return [
        chance.choice([text[:at], text[:at] + chance.choice('{}[]",:\\') + text[at:], f"[{text}]", "null"])
    ]


def _change_event(chance: random.Random) -> list[str | bytes]:
    event = json.loads(json.dumps(chance.choice(EVENTS)))
    for _ in range(chance.randrange(1, 3)):
        place = chance.choice(list(_places(event)))
        key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if chance.random() < 0.2:
            del place[key]
        else:
            place[key] = chance.choice(ODD)
        if not event:
            break
    return [json.dumps(event)]


def _places(value: Any) -> Iterator[dict | list]:
    """All objects and lists within a value that are not empty."""
    if isinstance(value, dict | list) and value:
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _places(inner)


def _disorder(chance: random.Random) -> list[str | bytes]:
    return [json.dumps(chance.choice(EVENTS)) for _ in range(chance.randrange(2, 7))]


def _deep(chance: random.Random) -> list[str | bytes]:
    depth = chance.choice([40, 20_000])
    return ['{"type":"session.update","session":' + '{"a":' * depth + "1" + "}" * depth + "}"]


def _binary(chance: random.Random) -> list[str | bytes]:
    return [chance.randbytes(100)]


def _long(chance: random.Random) -> list[str | bytes]:
    return [json.dumps({"type": "input_audio_buffer.append", "audio": "A" * 2 * LONGEST})]


@pytest.fixture
def server(monkeypatch) -> Iterator[tuple[int, Places]]:
    """The port of a server with a single place, and that place."""
    monkeypatch.setattr(endpoint, "MAX_FRAME", LONGEST * 2)
    host = services(Phrasebook("Hello."), settings=Settings(sessions=1))
    host.sessions = Places(host.sessions)
    app = FastAPI()
    add_realtime(app, host, lambda host, now, work: open_agent(host, now, Parrot(), INLINE, WholeTurn))
    with running_app(app) as port:
        yield port, host.sessions
        assert host.sessions.free(), "a place was not given back"


async def events_until(line: websockets.ClientConnection, mark: str) -> list[dict]:
    """The events up to the answer to the mark. Raises ConnectionClosed where the server has had enough."""
    question = {"type": "conversation.item.retrieve", "item_id": mark, "event_id": mark}
    await line.send(json.dumps(question))
    events = []
    while not events or events[-1].get("error", {}).get("event_id") != mark:
        events.append(json.loads(await line.recv()))
    return events


async def send_cases(port: int, numbers: Iterator[int]) -> None:
    """As many cases as the server takes on one connection."""
    async with websockets.connect(f"ws://127.0.0.1:{port}/v1/realtime", max_size=None) as line:
        for number, _ in zip(numbers, range(EACH), strict=False):
            try:
                for frame in case(number):
                    await line.send(frame)
                events = await events_until(line, f"mark_{number}")
            except websockets.ConnectionClosed as closed:
                assert closed.rcvd and closed.rcvd.code in CLEAN, f"case {number}: {closed}"
                return
            failures = [each["error"] for each in events if each.get("error", {}).get("code") == "failed"]
            assert not failures, f"case {number}: {failures}"


def test_nonsense_is_answered_and_harms_nobody(server):
    port, places = server

    async def work() -> None:
        numbers = iter(range(CASES))
        for number in numbers:
            async with asyncio.timeout(PATIENCE):
                await send_cases(port, _again(number, numbers))
                assert await asyncio.to_thread(places.free)

    asyncio.run(work())


def _again(first: int, rest: Iterator[int]) -> Iterator[int]:
    yield first
    yield from rest


@pytest.mark.parametrize("seed", range(20))
def test_bytes_that_are_no_websocket_harm_nobody(server, seed):
    port, places = server

    async def work() -> None:
        chance = random.Random(seed)
        async with asyncio.timeout(PATIENCE):
            async with websockets.connect(f"ws://127.0.0.1:{port}/v1/realtime") as line:
                line.transport.write(chance.randbytes(200))
                line.transport.write_eof()
                await line.wait_closed()
            assert await asyncio.to_thread(places.free)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(chance.randbytes(100) + b"\r\n\r\n")
            writer.write_eof()
            await reader.read()
            writer.close()

    asyncio.run(work())
