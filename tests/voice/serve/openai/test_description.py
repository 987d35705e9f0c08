"""What clients, generators and health checks ask beside the work: HEAD, 405, 415, OpenAPI, odd fields."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator

import httpx
import pytest

pytest.importorskip("fastapi", reason="the server is not installed; pip install '.[serve]'")

from fakes.serve import World, recording, serving

from voice.serve import Settings
from voice.serve.openai.transcriptions import FIELD

SOUND = recording(1.0)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with serving(Settings(characters=1000)) as world:
        yield world


@pytest.fixture(scope="module")
def description(world: World) -> dict:
    return httpx.get(f"{world.url}/v1/openapi.json").json()


def transcribe(world: World, **fields: str | list[str]) -> httpx.Response:
    url = f"{world.url}/v1/audio/transcriptions"
    return httpx.post(url, data=fields, files={"file": ("a.wav", SOUND)})


@pytest.mark.parametrize(
    "path", ["/health", "/metrics", "/v1/models", "/v1/models/whisper-1", "/v1/openapi.json"]
)
def test_what_can_be_got_can_be_asked_for_its_head(world: World, path: str) -> None:
    whole, head = httpx.get(f"{world.url}{path}"), httpx.head(f"{world.url}{path}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/audio/speech", {"POST"}),
        ("DELETE", "/v1/audio/transcriptions", {"POST"}),
        ("TRACE", "/v1/audio/speech", {"POST"}),
        ("POST", "/v1/models", {"GET", "HEAD"}),
        ("PUT", "/health", {"GET", "HEAD"}),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(world: World, method: str, path: str, allowed: set) -> None:
    answer = httpx.request(method, f"{world.url}{path}")
    assert answer.status_code == 405
    assert {each.strip() for each in answer.headers["allow"].split(",")} & allowed
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("path", ["/v1/images", "/v1", "/v1/audio", "/v1/realtime/calls"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_not_served_below_v1_is_an_error_of_openais_form(
    world: World, method: str, path: str
) -> None:
    answer = httpx.request(method, f"{world.url}{path}")
    assert answer.status_code == 404
    assert f"{method} {path} is not served" in answer.json()["error"]["message"]


def test_nothing_mounted_at_the_root_answers_below_v1() -> None:
    from fakes.realtime import running_app

    from voice.serve import Services, build

    async def page(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"page"})

    app = build(Services(loader=lambda name, kind: name))
    app.mount("/", page)
    with running_app(app) as port:
        assert httpx.get(f"http://127.0.0.1:{port}/x").text == "page"
        assert httpx.get(f"http://127.0.0.1:{port}/v1/x").json()["error"]["type"] == "invalid_request_error"
        assert httpx.get(f"http://127.0.0.1:{port}/v1/audio/speech").headers["allow"] == "POST"


def test_front_ends_find_voices_and_models_that_speak(world: World) -> None:
    voices = httpx.get(f"{world.url}/v1/audio/voices").json()["voices"]
    models = httpx.get(f"{world.url}/v1/audio/models").json()["models"]
    assert {"id": "kumo", "name": "kumo"} in voices and voices[0]["id"] == "heart"
    for voice in voices:
        asked = {"model": models[0]["id"], "voice": voice["id"], "input": "One."}
        assert httpx.post(f"{world.url}/v1/audio/speech", json=asked).status_code == 200


def test_a_slash_too_many_is_no_other_path(world: World) -> None:
    answer = httpx.post(f"{world.url}/v1/audio/speech/?a=b", json={"input": "One."})
    assert (answer.status_code, answer.headers["location"]) == (307, f"{world.url}/v1/audio/speech?a=b")


def test_a_compressed_body_is_refused_as_such(world: World) -> None:
    body = gzip.compress(json.dumps({"input": "One.", "voice": "alloy"}).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = httpx.post(f"{world.url}/v1/audio/speech", content=body, headers=headers)
    assert answer.status_code == 415
    assert "encoded as gzip; send it as it is" in answer.json()["error"]["message"]


def test_samples_of_known_speakers_are_taken_and_not_held(world: World) -> None:
    sample = "data:audio/wav;base64," + base64.b64encode(recording(5.0)).decode()
    assert len(sample) > FIELD
    answer = transcribe(
        world,
        **{"known_speaker_references[]": [sample, sample], "known_speaker_names[]": ["Ada", "Bo"]},
        response_format="diarized_json",
    )
    assert answer.status_code == 200 and answer.json()["segments"]


def test_another_field_of_that_size_is_refused(world: World) -> None:
    assert transcribe(world, prompt="a" * (FIELD + 1)).status_code == 400


@pytest.mark.parametrize("language", ["de", "German", "english", "pt-BR", "auto", "deutsch"])
def test_languages_by_code_region_and_name(world: World, language: str) -> None:
    assert transcribe(world, language=language).status_code == 200


def test_an_unknown_language_is_refused_before_anything_is_heard(world: World) -> None:
    world.recognizer.begun.clear()
    answer = transcribe(world, language="Klingon")
    assert answer.status_code == 400 and "Klingon" in answer.json()["error"]["message"]
    assert not world.recognizer.begun.is_set()


@pytest.mark.parametrize(
    ("form", "media"), [("srt", "text/plain"), ("vtt", "text/vtt"), ("text", "text/plain")]
)
def test_subtitles_have_the_type_that_clients_expect(world: World, form: str, media: str) -> None:
    assert transcribe(world, response_format=form).headers["content-type"].split(";")[0] == media


@pytest.mark.parametrize(("asked", "spoken"), [(0.25, 0.5), (4.0, 2.0), (1.5, 1.5)])
def test_speed_is_kept_within_what_the_voices_do(world: World, asked: float, spoken: float) -> None:
    world.voice.speeds.clear()
    answer = httpx.post(f"{world.url}/v1/audio/speech", json={"input": "One.", "speed": asked})
    assert answer.status_code == 200 and world.voice.speeds == [spoken]
    note = f"speed {asked:g} is spoken at {spoken:g}"
    assert answer.headers.get("x-voice-notes") == (note if asked != spoken else None)


def test_the_description_is_valid_openapi(description: dict) -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    validator.validate(description)


def test_every_reference_of_the_description_can_be_resolved(description: dict) -> None:
    found = [*references(description)]
    assert len(found) > 5
    for reference in found:
        here = description
        for part in reference.removeprefix("#/").split("/"):
            assert part in here, f"{reference} leads nowhere"
            here = here[part]


def references(part: object) -> Iterator[str]:
    """The $refs within a part of a description."""
    if isinstance(part, dict):
        yield from (value for name, value in part.items() if name == "$ref")
        yield from (each for value in part.values() for each in references(value))
    elif isinstance(part, list):
        yield from (each for value in part for each in references(value))


def test_the_description_says_what_can_go_wrong_and_what_is_needed(description: dict) -> None:
    for path, operations in description["paths"].items():
        for operation in operations.values():
            assert "422" not in operation["responses"], path
    transcriptions = description["paths"]["/v1/audio/transcriptions"]["post"]
    assert set("200 400 401 404 413 415 429 503".split()) <= set(transcriptions["responses"])
    schemas = description["components"]["schemas"]
    assert schemas["Transcription"]["required"] == ["file"]
    assert schemas["Speech"]["required"] == ["input"] and "VoiceId" in schemas
    assert description["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert "101" in description["paths"]["/v1/realtime"]["get"]["responses"]


def test_a_token_that_is_needed_is_described_so() -> None:
    with serving(Settings(token="sesame")) as world:
        headers = {"Authorization": "Bearer sesame"}
        described = httpx.get(f"{world.url}/v1/openapi.json", headers=headers).json()
    assert described["security"] == [{"token": []}]
    assert described["paths"]["/health"]["get"]["security"] == [{}]
