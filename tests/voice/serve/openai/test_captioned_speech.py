"""Speech with the times of its words, as Kokoro-FastAPI's clients ask for it and read it."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator

import httpx
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the server is not installed; pip install '.[serve]'")

from fakes.serve import PATIENCE, World, serving

from voice import audio
from voice.serve import Settings

TEXT = "One two three four. Five six seven eight."  # 1.6 s
WORDS = "One two three four Five six seven eight".split()


@pytest.fixture
def world() -> Iterator[World]:
    with serving(Settings(characters=1000)) as world:
        yield world


def ask(world: World, **changes) -> httpx.Response:
    fields = {"model": "kokoro", "voice": "heart", "input": TEXT, "speed": 1.0, "response_format": "wav"}
    return httpx.post(f"{world.url}/dev/captioned_speech", json=fields | changes, timeout=PATIENCE)


def test_an_answer_that_is_not_streamed_is_one_object(world: World) -> None:
    answer = ask(world, stream=False)
    assert answer.headers["content-type"] == "application/json"
    said = answer.json()
    assert set(said) == {"audio", "audio_format", "timestamps"} and said["audio_format"] == "audio/wav"
    sound = audio.read(io.BytesIO(base64.b64decode(said["audio"].encode("utf-8"))))
    assert sound.duration == pytest.approx(1.6, abs=0.01)
    times = said["timestamps"]
    assert [each["word"] for each in times] == WORDS
    assert all(each["start_time"] < each["end_time"] <= 1.6 for each in times)
    assert [each["start_time"] for each in times] == sorted(each["start_time"] for each in times)
    assert times[4]["start_time"] >= 0.8  # from the start of the whole, not of its sentence


def test_a_streamed_answer_is_a_line_of_json_for_each_piece(world: World) -> None:
    whole = ask(world, stream=False, response_format="pcm").json()
    lines = [json.loads(line) for line in ask(world, response_format="pcm").text.splitlines()]
    assert len(lines) == 2
    assert b"".join(base64.b64decode(each["audio"]) for each in lines) == base64.b64decode(whole["audio"])
    assert [each for line in lines for each in line["timestamps"]] == whole["timestamps"]


def test_the_first_line_comes_while_the_second_sentence_is_made(world: World) -> None:
    world.voice.gate.clear()
    fields = {"input": TEXT, "voice": "heart", "response_format": "pcm"}
    with httpx.stream("POST", f"{world.url}/dev/captioned_speech", json=fields, timeout=PATIENCE) as answer:
        lines = answer.iter_lines()
        assert len(json.loads(next(lines))["timestamps"]) == 4
        assert world.voice.spoken == ["One two three four"]
        world.voice.gate.set()
        assert len(json.loads(next(lines))["timestamps"]) == 4


def test_all_fields_of_its_clients_are_taken(world: World) -> None:
    answer = ask(
        world, stream=False, return_timestamps=False, return_download_link=False, lang_code="a",
        volume_multiplier=0.5, normalization_options={"normalize": True, "unit_normalization": False},
    )  # fmt: skip
    assert answer.status_code == 200 and answer.json()["timestamps"] is None


def test_the_volume_is_a_level(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, speak = [], world.voice.speak
    monkeypatch.setattr(
        world.voice, "speak", lambda text, controls: asked.append(controls) or speak(text, controls)
    )
    ask(world, volume_multiplier=0.5)
    ask(world, volume_multiplier=8, energy=3)
    assert np.allclose([each.energy for each in asked], [-6.02, 12.0], atol=0.01)


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"voice": "bob"}, 404, "no voice 'bob'"),
        ({"input": " "}, 400, "nothing in the input"),
        ({"input": "a" * 1001}, 413, "more than 1000 characters"),
        ({"volume_multiplier": 0}, 400, "volume_multiplier"),
        ({"sample_rate": 7}, 400, "wav cannot have 7 Hz"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_what_cannot_be_spoken_is_refused(
    world: World, changes: dict, status: int, reason: str, stream: bool
) -> None:
    answer = ask(world, stream=stream, **changes)
    assert answer.status_code == status and reason in answer.json()["error"]["message"]


def test_it_needs_the_token_of_the_server_and_waits_in_the_line_for_speech() -> None:
    with serving(Settings(token="sesame")) as world:
        assert ask(world).status_code == 401
        assert world.services.queue_for("/dev/captioned_speech") is world.services.speech_queue
