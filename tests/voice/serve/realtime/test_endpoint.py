"""`WS /v1/realtime` on a running server: OpenAI's own client, and clients that misbehave."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import numpy as np
import pytest
import websockets
from fakes import chat_server
from fakes.agent import EvenVoice, Phrasebook, Script, quiet
from fakes.realtime import PATIENCE, Places, at_24k, encode_pcm16, running_app, services
from fakes.serve_process import Process, serving_process
from fastapi import FastAPI
from openai import AsyncOpenAI

from voice.agent.brains.openai_server import remote_brain
from voice.agent.listening.recognition import WholeTurn
from voice.agent.work import INLINE
from voice.audio import resample
from voice.serve.access import AccessMiddleware
from voice.serve.draining import GRACE
from voice.serve.realtime import add_realtime, endpoint, mailboxes
from voice.serve.realtime.protocol.audio_formats import PCM
from voice.serve.realtime.session import Session
from voice.serve.realtime.session_agent import open_agent
from voice.serve.services import Services
from voice.serve.settings import Settings
from voice.tts.voice import join
from voice.types import Audio

LONG = "This is a long answer that goes on and on and on so that there is time to say something."
BOOK = Phrasebook("What time is it?", "Stop that please.")


@dataclass(frozen=True)
class Server:
    """A running server with fake models."""

    port: int
    places: Places


@contextmanager
def serving(
    settings: Settings = Settings(), brain: Callable[[], object] | None = None, live: bool = False
) -> Iterator[Server]:
    """A server whose sessions each get a fresh brain."""
    host = services(BOOK, EvenVoice(), settings)
    host.sessions = Places(host.sessions)

    def opening(services, configuration, *, work):
        mind = brain() if brain else Script(*([LONG] for _ in range(9)))
        return open_agent(services, configuration, mind, work if live else INLINE, WholeTurn)

    app = FastAPI()
    add_realtime(app, host, opening)
    app.add_middleware(AccessMiddleware, settings=settings)
    with running_app(app) as port:
        yield Server(port, host.sessions)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(Settings(sessions=2)) as server:
        yield server


def run(work: Awaitable) -> object:
    """What a coroutine returns, which must not get stuck."""
    return asyncio.run(asyncio.wait_for(work, 2 * PATIENCE))


def client(server: Server, token: str = "none") -> AsyncOpenAI:
    return AsyncOpenAI(
        api_key=token,
        base_url=f"http://127.0.0.1:{server.port}/v1",
        websocket_base_url=f"ws://127.0.0.1:{server.port}/v1",
        max_retries=0,
    )


def address(server: Server, query: str = "") -> str:
    return f"ws://127.0.0.1:{server.port}/v1/realtime{query}"


async def until(connection, kind: str) -> list:
    """The events up to the first of a type."""
    events = []
    async for event in connection:
        events.append(event)
        if event.type == kind:
            return events
    raise AssertionError(f"closed before {kind}; there were {[each.type for each in events]}")


async def say(connection, *sounds: np.ndarray) -> None:
    samples = at_24k(np.concatenate(sounds))
    for at in range(0, len(samples), 4800):
        await connection.input_audio_buffer.append(audio=encode_pcm16(samples[at : at + 4800]))


def test_openais_client_holds_a_conversation(server):
    async def talk() -> None:
        async with client(server).realtime.connect(model="gpt-realtime") as connection:
            first = await connection.recv()
            assert first.type == "session.created"
            await connection.session.update(
                session={
                    "type": "realtime",
                    "instructions": "Be kind.",
                    "audio": {"output": {"voice": "marin"}},
                }
            )
            updated = await until(connection, "session.updated")
            assert updated[-1].session.instructions == "Be kind."
            await say(connection, BOOK.say(0), quiet(1.5))
            events = await until(connection, "response.done")
            heard = next(each for each in events if each.type.endswith("transcription.completed"))
            assert heard.transcript == "What time is it?"
            assert events[-1].response.status == "completed"
            said = [
                base64.b64decode(each.delta) for each in events if each.type == "response.output_audio.delta"
            ]
            assert len(b"".join(said)) / 2 / 24_000 == pytest.approx(len(LONG.split()) * 0.2)

    run(talk())


@pytest.mark.parametrize("model", ["gpt-realtime-2026-05-01", "something-of-my-own", "quick"])
def test_a_session_has_the_model_that_was_asked_for(server, model):
    async def talk() -> None:
        async with client(server).realtime.connect(model=model) as connection:
            assert (await connection.recv()).session.model == model

    run(talk())


def test_openais_client_interrupts(server):
    async def talk() -> None:
        async with client(server).realtime.connect(model="gpt-realtime") as connection:
            await say(connection, BOOK.say(0), quiet(1.5))
            await until(connection, "response.output_audio.delta")
            await say(connection, BOOK.say(1), quiet(0.2))
            events = await until(connection, "input_audio_buffer.speech_started")
            done = next(each for each in events if each.type == "response.done").response
            assert done.status == "cancelled" and done.status_details.reason == "turn_detected"
            assert LONG.startswith(done.output[0].content[0].transcript)

    run(talk())


def test_openais_client_writes_and_reads(server):
    async def talk() -> None:
        async with client(server).realtime.connect(model="gpt-realtime") as connection:
            await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
            await connection.conversation.item.create(
                item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
            )
            await connection.response.create()
            events = await until(connection, "response.done")
            assert next(each for each in events if each.type == "response.output_text.done").text == LONG

    run(talk())


BETA = "openai-beta.realtime-v1"  # what browsers offer, which cannot send the header
BETA_CLIENTS = [
    {"additional_headers": {"OpenAI-Beta": "realtime=v1"}},
    {"subprotocols": ["realtime", "openai-insecure-api-key.none", BETA]},
    {"subprotocols": [BETA]},
]


@pytest.mark.parametrize("asking", BETA_CLIENTS)
def test_a_client_of_the_beta_is_spoken_to_in_its_words(server, asking):
    async def talk() -> None:
        async with websockets.connect(address(server), **asking) as line:
            assert line.subprotocol == asking.get("subprotocols", [None])[0]
            first = json.loads(await line.recv())
            assert first["type"] == "session.created" and first["session"]["input_audio_format"] == "pcm16"
            item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
            await line.send(json.dumps({"type": "conversation.item.create", "item": item}))
            await line.send(json.dumps({"type": "response.create"}))
            kinds = []
            while "response.done" not in kinds:
                event = json.loads(await line.recv())
                if event["type"] == "response.audio.delta" and event["type"] not in kinds:
                    await line.send(json.dumps({"type": "response.cancel"}))  # the rest says no more
                kinds.append(event["type"])
            assert kinds.index("conversation.item.created") < kinds.index("response.content_part.added")
            assert {"response.audio.delta", "response.audio_transcript.done"} <= {*kinds}
            assert event["response"]["output"][0]["content"][0]["type"] == "audio"

    run(talk())


@pytest.mark.parametrize("asking", BETA_CLIENTS)
def test_a_transcription_client_of_the_beta_has_a_session_of_that_name(server, asking):
    settings = {
        "input_audio_format": "pcm16",
        "input_audio_transcription": {"model": "gpt-4o-transcribe", "prompt": "", "language": "en"},
        "turn_detection": {"type": "server_vad", "silence_duration_ms": 400},
        "input_audio_noise_reduction": {"type": "near_field"},
        "include": ["item.input_audio_transcription.logprobs"],
    }

    async def talk() -> None:
        async with websockets.connect(address(server, "?intent=transcription"), **asking) as line:
            first = json.loads(await line.recv())
            assert first["type"] == "transcription_session.created"
            assert first["session"]["object"] == "realtime.transcription_session"
            await line.send(json.dumps({"type": "transcription_session.update", "session": settings}))
            while (event := json.loads(await line.recv()))["type"] != "transcription_session.updated":
                assert event["type"] == "conversation.created"
            assert event["session"]["turn_detection"]["silence_duration_ms"] == 400
            assert event["session"]["input_audio_transcription"]["language"] == "en"

    run(talk())


def test_one_session_too_many_is_refused_with_a_reason_and_a_place_is_free_again_afterwards(server):
    async def talk() -> None:
        await check_serving(server)  # whom others left
        async with websockets.connect(address(server)) as one, websockets.connect(address(server)) as two:
            await one.recv(), await two.recv()
            with pytest.raises(websockets.InvalidStatus) as refusal:
                await websockets.connect(address(server))
            assert refusal.value.response.status_code == 429
            assert b"taken" in refusal.value.response.body
            page = f"http://127.0.0.1:{server.port}"
            async with websockets.connect(address(server), origin=page) as browser:
                told = json.loads(await browser.recv())["error"]
                assert told["code"] == "busy" and "taken" in told["message"]
                with pytest.raises(websockets.ConnectionClosed):
                    await browser.recv()
                assert browser.close_code == 1013
        await check_serving(server)

    run(talk())


async def check_serving(server: Server) -> None:
    """All places are free, and the next client gets one."""
    assert await asyncio.to_thread(server.places.free)
    async with websockets.connect(address(server)) as line:
        assert json.loads(await line.recv())["type"] == "session.created"
    assert await asyncio.to_thread(server.places.free)


def test_clients_that_vanish_give_back_their_places(server):
    async def vanish() -> None:
        for _ in range(6):
            async with websockets.connect(address(server)) as line:
                await line.send(json.dumps({"type": "response.create"}))
                await line.recv()
                line.transport.abort()
            assert await asyncio.to_thread(server.places.free)
        await check_serving(server)

    run(vanish())


def test_a_session_that_cannot_begin_gives_back_its_place(monkeypatch):
    def none_left(*_) -> None:
        raise RuntimeError("can't start new thread")

    async def fails(server: Server) -> None:
        with pytest.raises(websockets.ConnectionClosed):
            async with websockets.connect(address(server)) as line:
                await line.recv()
        assert await asyncio.to_thread(server.places.free)

    with serving(Settings(sessions=1)) as server:
        with monkeypatch.context() as broken:
            broken.setattr(endpoint, "start_session_thread", none_left)
            run(fails(server))
        run(check_serving(server))


def test_a_line_that_fails_is_logged(caplog, monkeypatch):
    monkeypatch.setattr(endpoint, "_LOG", logging.getLogger("a.line"))  # uvicorn's is set to be quiet here
    refused = endpoint.ConnectionEnded(1000, "idle_timeout", "nothing was said")
    assert endpoint._reason([KeyError("surprise"), refused]) is refused
    assert "surprise" in caplog.text
    assert endpoint._reason([]) is None


def test_a_client_that_takes_nothing_is_let_go(server, monkeypatch):
    monkeypatch.setattr(mailboxes, "MAX_UNSENT", 1 << 20)
    long = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x" * 90_000}]}

    async def pile_up() -> None:
        async with websockets.connect(address(server)) as line:
            line.transport.pause_reading()
            await line.send(json.dumps({"type": "conversation.item.create", "item": long | {"id": "long"}}))
            for _ in range(200):
                await line.send(json.dumps({"type": "conversation.item.retrieve", "item_id": "long"}))
            assert await asyncio.to_thread(server.places.free)
            line.transport.abort()
        await check_serving(server)

    run(pile_up())


def test_a_client_that_says_nothing_is_let_go():
    async def wait() -> None:
        async with websockets.connect(address(server)) as line:
            kinds = [json.loads(text) for text in [text async for text in line]]
            assert kinds[-1]["error"]["code"] == "idle_timeout"
            assert line.close_code == 1001, "1000 would say that all is well: nobody would connect again"

    with serving(Settings(live_idle=0.3)) as server:
        run(wait())


def test_idle_clients_of_requests_have_less_time_than_live_ones():
    assert Settings().live_idle >= 10 * Settings().idle


@contextmanager
def stopping(seconds: float) -> Iterator[Server]:
    """A server that is told to stop, by a POST to /stop, and then gives so many seconds."""
    app, host = FastAPI(), services(BOOK)
    host.sessions = Places(host.sessions)
    add_realtime(app, host, lambda host, now, work: open_agent(host, now, Script([LONG]), INLINE, WholeTurn))

    @app.post("/stop")
    async def stop() -> None:
        host.draining.begin(seconds)

    with running_app(app) as port:
        yield Server(port, host.sessions)


def test_a_live_session_is_told_that_the_server_stops_and_has_its_time():
    async def talk(server: Server) -> None:
        page = f"http://127.0.0.1:{server.port}"
        async with websockets.connect(address(server)) as line, httpx.AsyncClient(base_url=page) as http:
            await line.recv()
            began = time.monotonic()
            await http.post("/stop")
            await line.send(json.dumps({"type": "nonsense", "event_id": "still there"}))
            events = []
            with pytest.raises(websockets.ConnectionClosedError):
                while True:
                    events.append(json.loads(await line.recv()))
            kinds = [each["type"] for each in events if each["type"] != "conversation.created"]
            assert kinds == ["session.ending", "error", "error"]
            assert 0 < next(each for each in events if each["type"] == "session.ending")["seconds"] <= 1
            assert events[-2]["error"]["event_id"] == "still there"
            assert events[-1]["error"]["code"] == "draining"
            assert line.close_code == 1012 and time.monotonic() - began > 0.6
            assert await asyncio.to_thread(server.places.free)

    with stopping(0.7) as server:
        run(talk(server))


def test_a_server_that_stops_takes_no_new_session():
    async def talk(server: Server) -> None:
        page = f"http://127.0.0.1:{server.port}"
        async with httpx.AsyncClient(base_url=page) as http:
            await http.post("/stop")
        with pytest.raises(websockets.InvalidStatus) as refusal:
            await websockets.connect(address(server))
        assert refusal.value.response.status_code == 503
        async with websockets.connect(address(server), origin=page) as browser:
            assert json.loads(await browser.recv())["error"]["code"] == "draining"
            with pytest.raises(websockets.ConnectionClosed):
                await browser.recv()
            assert browser.close_code == 1012

    with stopping(5.0) as server:
        run(talk(server))


async def next_event(line: websockets.ClientConnection, kind: str) -> dict:
    """The next event of a kind; what else a session says at its start may come before it or after."""
    while (event := json.loads(await line.recv()))["type"] != kind:
        pass
    return event


@pytest.mark.parametrize("leaves", [True, False])
def test_a_process_that_is_told_to_stop_waits_for_its_live_sessions(tmp_path, leaves):
    """One that leaves is all it waits for; a second signal lets nobody stay."""

    async def talk(process: Process) -> None:
        async with websockets.connect(f"ws://127.0.0.1:{process.port}/v1/realtime") as line:
            assert json.loads(await line.recv())["type"] == "session.created"
            process.tell()
            assert (await next_event(line, "session.ending"))["seconds"] == pytest.approx(GRACE, abs=1)
            await line.send(json.dumps({"type": "nonsense"}))
            assert (await next_event(line, "error"))["error"]["param"] == "type", "it goes on"
            if leaves:
                return
            process.tell()
            assert (await next_event(line, "error"))["error"]["code"] == "draining"
            with pytest.raises(websockets.ConnectionClosed):
                await line.recv()
            assert line.close_code == 1012

    with serving_process(tmp_path / "log") as process:
        run(talk(process))
        began = time.monotonic()
        assert process.exit_status() == 0
        assert time.monotonic() - began < GRACE - 1


def test_a_proxy_that_asks_for_the_status_gets_it_for_a_browser_too():
    async def talk(server: Server) -> None:
        page = f"http://127.0.0.1:{server.port}"
        async with websockets.connect(address(server)) as one:
            await one.recv()
            with pytest.raises(websockets.InvalidStatus) as refusal:
                asks = {"X-Voice-Refuse": "status"}
                await websockets.connect(address(server), origin=page, additional_headers=asks)
            assert refusal.value.response.status_code == 429

    with serving(Settings(sessions=1)) as server:
        run(talk(server))


def test_a_token_is_asked_for_and_taken_as_a_header_or_a_subprotocol():
    async def talk() -> None:
        with pytest.raises(websockets.InvalidStatus) as refusal:
            await websockets.connect(address(server))
        assert refusal.value.response.status_code == 401
        async with client(server, "secret").realtime.connect(model="gpt-realtime") as connection:
            assert (await connection.recv()).type == "session.created"
        offered = ["realtime", "openai-insecure-api-key.secret"]
        async with websockets.connect(address(server), subprotocols=offered) as line:
            assert line.subprotocol == "realtime"
            assert json.loads(await line.recv())["type"] == "session.created"

    with serving(Settings(token="secret")) as server:
        run(talk())


def test_a_session_that_fails_says_so():
    def broken():
        raise RuntimeError("no such luck")

    async def talk() -> None:
        async with websockets.connect(address(server)) as line:
            events = [json.loads(text) async for text in line]
            assert events[-1]["error"]["type"] == "server_error"

    with serving(brain=broken) as server:
        run(talk())


def test_a_spoken_question_is_answered_in_speech_by_the_real_models():
    """Speech to speech: what is asked is made by our voice, what is answered is heard by our recognizer."""
    host = Services(Settings(live_model="quick"))
    question = join(list(host.voice().speak("What is twelve times seven?"))).audio
    asked = np.concatenate((np.zeros(12_000, np.float32), question.samples, np.zeros(36_000, np.float32)))

    async def talk() -> tuple[str, Audio]:
        async with client(server).realtime.connect(model="gpt-realtime") as connection:
            await connection.session.update(session={"type": "realtime", "audio": {"output": {"speed": 1.0}}})
            for at in range(0, len(asked), 2400):
                await connection.input_audio_buffer.append(audio=encode_pcm16(asked[at : at + 2400]))
            events = await until(connection, "response.done")
            heard = next(each for each in events if each.type.endswith("transcription.completed"))
            deltas = [each.delta for each in events if each.type == "response.output_audio.delta"]
            return heard.transcript, Audio(PCM.decode(b"".join(map(base64.b64decode, deltas))), 24_000)

    app = FastAPI()
    add_realtime(app, host)
    with running_app(app) as port:
        server = Server(port, Places(host.sessions))
        transcript, answer = run(talk())
    assert "seven" in transcript.lower() or "7" in transcript
    said = host.live_recognizer().transcribe(resample(answer, 16_000)).text.lower()
    assert "84" in said or "eighty" in said


def test_the_client_carries_out_its_own_functions():
    """A language model calls them, OpenAI's client does as it is told, and the answer goes on from there."""
    seen: list[dict] = []

    def answering(handler, body: dict) -> None:
        seen.append(body)
        chat_server.begin(handler)
        if len(seen) == 1:
            chat_server.send(handler, "Let me look outside. ", end=False)
            chat_server.call(handler, ("weather", '{"city": "Rome"}'))
        else:
            chat_server.send(handler, f"It is {json.loads(body['messages'][-1]['content'])['sky']}.")

    about = {"type": "object", "properties": {"city": {"type": "string"}}}
    tool = {"type": "function", "name": "weather", "description": "Today's weather.", "parameters": about}

    async def talk() -> list:
        async with client(server).realtime.connect(model="gpt-realtime") as connection:
            await connection.session.update(session={"type": "realtime", "tools": [tool]})
            item = {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "Weather in Rome?"}],
            }
            await connection.conversation.item.create(item=item)
            await connection.response.create()
            events = await until(connection, "response.done")
            call = next(each for each in events if each.type == "response.function_call_arguments.done")
            assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Rome"})
            assert [each.type for each in events[-1].response.output] == ["message", "function_call"]
            result = {"type": "function_call_output", "call_id": call.call_id, "output": '{"sky": "clear"}'}
            await connection.conversation.item.create(item=result)
            await connection.response.create()
            return await until(connection, "response.done")

    with chat_server.servers() as start:
        url = start(answering)
        with serving(brain=lambda: remote_brain(url), live=True) as server:
            events = run(talk())
    said = next(each for each in events if each.type == "response.output_audio_transcript.done")
    assert said.transcript == "It is clear."
    assert [each["function"] for each in seen[0]["tools"]] == [
        {"name": "weather", "description": "Today's weather.", "parameters": about}
    ]


def test_what_threads_have_done_is_told_though_the_client_sends_nothing_more(monkeypatch):
    monkeypatch.setattr(Session, "patience", None)  # so that only the threads themselves wake the session

    async def talk() -> list:
        async with client(server).realtime.connect(model="gpt-realtime") as connection:
            await say(connection, BOOK.say(0))
            await connection.input_audio_buffer.commit()
            return await asyncio.wait_for(until(connection, "response.output_audio.delta"), PATIENCE / 2)

    with serving(brain=lambda: Script(["One. ", "Two. ", "Three."]), live=True) as server:
        heard = next(event for event in run(talk()) if event.type.endswith("transcription.completed"))
    assert heard.transcript == "What time is it?"
