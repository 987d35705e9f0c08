"""The line of requests before the places: nobody is lost, everybody comes in turn, it has an end."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import openai
import pytest

pytest.importorskip("fastapi", reason="the server is not installed; pip install '.[serve]'")

from fakes.serve import PATIENCE, World, recording, serving, until

from voice.errors import VoiceError
from voice.serve import Busy, Settings
from voice.serve.limits import MAX_BYTES_BEFORE_SLOT
from voice.serve.request_queue import RequestQueue
from voice.serve.settings import from_environment

SOUND = recording(1.0)
FORM = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
END = b"\r\n--x--\r\n"


def transcribe(world: World, content: bytes = SOUND) -> httpx.Response:
    return httpx.post(
        f"{world.url}/v1/audio/transcriptions", files={"file": ("a.wav", content)}, timeout=PATIENCE
    )


def posting(world: World, body: bytes, announced: int) -> socket.socket:
    head = f"POST /v1/audio/transcriptions HTTP/1.1\nHost: localhost\nContent-Type: {FORM}"
    return world.connect(f"{head}\nContent-Length: {announced}", body)


def test_24_parallel_transcriptions_by_openais_client_are_24_answers() -> None:
    async def ask(world: World) -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{world.url}/v1", api_key="none") as client:
            asked = [
                client.audio.transcriptions.create(model="gpt-transcribe", file=("a.wav", SOUND))
                for _ in range(24)
            ]
            return [answer.text for answer in await asyncio.gather(*asked)]

    with serving() as world:
        hear, most = world.recognizer.transcribe_batch, []

        def watched(*given, **options):
            most.append(world.slots.used)
            return hear(*given, **options)

        world.recognizer.transcribe_batch = watched
        assert len(asyncio.run(ask(world))) == 24 == len(world.recognizer.asked)
        assert max(most) <= Settings().transcription_slots
        assert world.slots.free()


def test_who_came_first_is_served_first() -> None:
    with serving(Settings(requests=1)) as world, ThreadPoolExecutor(5) as pool:
        world.recognizer.gate.clear()
        answers = []
        for number in range(5):
            answers.append(pool.submit(transcribe, world))
            assert until(lambda number=number: world.slots.used + world.slots.waiting == number + 1)
            assert until(lambda: world.recognizer.begun.is_set())
        world.recognizer.gate.set()
        texts = [answer.result().json()["text"] for answer in answers]
    assert texts == ["one", "two", "three", "four", "five"]


def test_a_full_line_is_429_with_the_time_that_the_work_takes() -> None:
    with serving(Settings(requests=1, queue=1)) as world, ThreadPoolExecutor(2) as pool:
        world.recognizer.gate.clear()
        answers = [pool.submit(transcribe, world) for _ in range(2)]
        assert until(lambda: (world.slots.used, world.slots.waiting) == (1, 1))
        refused = transcribe(world)
        assert refused.status_code == 429
        assert "all 1 places for recordings are taken and 1 are waiting" in refused.json()["error"]["message"]
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert 'voice_refused_total{reason="requests"} 1.0' in httpx.get(f"{world.url}/metrics").text
        world.recognizer.gate.set()
        assert [answer.result().status_code for answer in answers] == [200, 200]


def test_who_waited_too_long_is_told_to_come_again() -> None:
    with serving(Settings(requests=1, wait=0.2)) as world, ThreadPoolExecutor(1) as pool:
        world.recognizer.gate.clear()
        first = pool.submit(transcribe, world)
        assert until(lambda: world.slots.used == 1)
        refused = transcribe(world)
        assert refused.status_code == 429 and "were taken for 0.2 s" in refused.json()["error"]["message"]
        world.recognizer.gate.set()
        assert first.result().status_code == 200


@pytest.mark.parametrize("whole", [True, False])
def test_a_client_that_goes_away_while_it_waits_leaves_the_line(whole: bool) -> None:
    content = SOUND if whole else b"a" * (MAX_BYTES_BEFORE_SLOT + 1_000_000)
    body = PART + content + END
    with serving(Settings(requests=1)) as world, ThreadPoolExecutor(1) as pool:
        world.recognizer.gate.clear()
        first = pool.submit(transcribe, world)
        assert until(lambda: world.slots.used == 1)
        waiting = posting(world, body if whole else body[: MAX_BYTES_BEFORE_SLOT + 10_000], len(body))
        assert until(lambda: world.slots.waiting == 1)
        waiting.close()
        assert until(lambda: world.slots.waiting == 0)
        world.recognizer.gate.set()
        assert first.result().status_code == 200
        assert len(world.recognizer.asked) == 1


def test_no_more_than_a_little_of_a_large_recording_is_taken_before_its_turn() -> None:
    with serving(Settings(requests=1, upload_mb=100)) as world, ThreadPoolExecutor(1) as pool:
        world.recognizer.gate.clear()
        first = pool.submit(transcribe, world)
        assert until(lambda: world.slots.used == 1)
        body, sent = PART + b"a" * 40_000_000 + END, 0
        with posting(world, b"", len(body)) as large:
            large.settimeout(0.5)
            try:
                while sent < len(body):
                    sent += large.send(body[sent : sent + 65_536])
            except TimeoutError:
                pass
            assert (
                MAX_BYTES_BEFORE_SLOT <= sent < 20_000_000
            )  # what the two systems' buffers hold is not ours
            assert httpx.get(f"{world.url}/health").json()["requests"]["waiting"] == 1
            world.recognizer.gate.set()
            large.settimeout(PATIENCE)
            large.sendall(body[sent:])
            assert b" 400 " in large.recv(100)  # as it is no recording
        assert first.result().status_code == 200


def test_a_recording_larger_than_what_waits_is_whole() -> None:
    with serving(Settings(requests=1)) as world:
        assert transcribe(world, recording(150.0)).json()["text"].startswith("one two three")


def test_a_long_recording_holds_up_no_speech() -> None:
    with serving(Settings(requests=1)) as world, ThreadPoolExecutor(1) as pool:
        world.recognizer.gate.clear()
        first = pool.submit(transcribe, world)
        assert until(lambda: world.slots.used == 1)
        assert world.client().audio.speech.create(model="tts-1", voice="alloy", input="One.").read()
        world.recognizer.gate.set()
        assert first.result().status_code == 200


def test_who_sends_slowly_holds_no_place() -> None:
    with serving(Settings(requests=1)) as world, posting(world, PART, 9999) as slow:
        assert until(lambda: world.slots.waiting == 1)
        assert transcribe(world).json()["text"] == "one"
        assert until(lambda: world.slots.used == 0), "a place is free soon after the answer has left"
        slow.sendall(SOUND[:100])
        assert world.slots.used == 0


def test_a_line_of_no_length_refuses_at_once() -> None:
    async def tried() -> None:
        line = RequestQueue("seats", 1, 0, 5.0)
        with line.enter() as turn:
            await turn.wait_for_slot()
            with pytest.raises(Busy, match="all 1 seats are taken; try again in 1 s"):
                line.enter()
        with line.enter() as turn:
            await turn.wait_for_slot()
            assert (line.used_slots, line.waiting) == (1, 0)
        assert (line.used_slots, line.waiting) == (0, 0)

    asyncio.run(tried())


def test_when_to_come_again_follows_from_what_the_work_takes() -> None:
    async def told() -> float:
        line = RequestQueue("seats", 2, 10, 5.0)
        line._mean = 8.0
        turns = [line.enter() for _ in range(5)]
        await asyncio.gather(*(turn.wait_for_slot() for turn in turns[:2]))
        return line.retry_after

    assert asyncio.run(told()) == pytest.approx(8.0 * (3 + 1) / 2, abs=0.1)
    assert [Busy("", after).after for after in (0.1, 7.0, 900.0)] == [1.0, 7.0, 60.0]


@pytest.mark.parametrize("name", ["VOICE_QUEUE", "VOICE_WAIT"])
def test_the_line_can_be_set(name: str) -> None:
    assert getattr(from_environment({name: "0"}), name.removeprefix("VOICE_").lower()) == 0
    with pytest.raises(VoiceError, match="give 0 or more"):
        from_environment({name: "-1"})
