"""Settings, shared models, lists, health and figures; the command that serves."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import nullcontext

import httpx
import openai
import pytest

pytest.importorskip("fastapi", reason="the server is not installed; pip install '.[serve]'")

from fakes.serve import PATIENCE, World, recording, serving
from typer.testing import CliRunner

from voice.agent.session import default_recognizer, open_default
from voice.cli import app
from voice.errors import ModelError, ModelMissing, VoiceError
from voice.serve import Services, Settings
from voice.serve.metrics import Metrics, MetricsMiddleware
from voice.serve.running import listen
from voice.serve.settings import from_environment


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with serving() as world:
        yield world


def test_the_environment_sets_what_it_names() -> None:
    given = {"VOICE_PORT": "9000", "VOICE_TOKEN": "a b", "VOICE_IDLE": "2.5", "VOICE_THREADS": "2"}
    settings = from_environment(
        {**given, "VOICE_HOST": "  ", "VOICE_ORIGINS": "https://A.example/, http://b"}
    )
    assert settings.port, settings.threads == (9000, 2)
    assert (settings.token, settings.idle, settings.host) == ("a b", 2.5, "127.0.0.1")
    assert settings.allowed_origins == {"https://a.example", "http://b"}


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("VOICE_PORT", "http", "VOICE_PORT is 'http'; it is a number"),
        ("VOICE_PORT", "70000", "the port is 70000"),
        ("VOICE_SESSIONS", "0", "sessions is 0; give a number above 0"),
        ("VOICE_MINUTES", "nan", "minutes is nan"),
    ],
)
def test_a_wrong_setting_is_named(variable: str, value: str, reason: str) -> None:
    with pytest.raises(VoiceError, match=reason):
        from_environment({variable: value})


def test_files_do_not_wait_in_line_with_live_sessions() -> None:
    services = Services(Settings(model="whisper-base", live_model="quick"), loader=lambda *about: object())
    live = services.live_recognizer("gpt-realtime")
    assert live is services.live_recognizer("quick") is services.live_recognizer()
    assert services.recognizer("quick") is services.recognizer("quick") is not live
    assert services.live_recognizer("whisper-base") is services.recognizer()


def test_one_model_for_both_is_loaded_once() -> None:
    services = Services(Settings(model="quick", live_model="quick"), loader=lambda *about: object())
    assert services.live_recognizer() is services.recognizer() is services.recognizer("quick")


def test_a_model_is_loaded_once_however_many_ask_at_once() -> None:
    loaded, ready = [], threading.Barrier(5)

    def load(name: str, kind: str) -> object:
        loaded.append((name, kind))
        return object()

    services, got = Services(Settings(), loader=load), []

    def ask() -> None:
        ready.wait(PATIENCE)
        got.append(services.recognizer("whisper-1"))

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert loaded == [("whisper-base", "recognizer")]
    assert len(got) == 5 and len({id(each) for each in got}) == 1


def test_a_model_that_could_not_be_loaded_is_tried_again() -> None:
    tries = []

    def load(name: str, kind: str) -> str:
        tries.append(name)
        if len(tries) == 1:
            raise ModelMissing("not yet")
        return "a voice"

    services = Services(Settings(), loader=load)
    with pytest.raises(ModelMissing):
        services.voice()
    assert services.voice() == "a voice"


@pytest.mark.parametrize("name", ["hf:someone/something", "/etc", "../voice", "heart ", "smart-turn-v3"])
def test_clients_can_name_only_what_is_served(name: str) -> None:
    services = Services(Settings(), loader=lambda name, kind: pytest.fail(f"{name} was loaded"))
    with pytest.raises(ModelMissing, match="there is no"):
        services.voice(name)
    with pytest.raises(ModelMissing, match="there is no"):
        services.recognizer(name)


def test_whoever_runs_the_server_can_name_a_folder() -> None:
    services = Services(Settings(model="/my/model"), loader=lambda name, kind: name)
    assert services.recognizer("whisper-1") == services.recognizer("/my/model") == "/my/model"
    assert services.names("recognizer")[0] == "/my/model"


def test_live_sessions_hear_with_a_model_of_their_own() -> None:
    services = Services(Settings(model="a", live_model="b"), loader=lambda name, kind: name)
    assert (services.recognizer(), services.live_recognizer("gpt-realtime")) == ("a", "b")


class Knows:
    def __init__(self, *languages: str) -> None:
        self.languages = languages


def test_another_language_is_heard_by_the_recognizer_for_files() -> None:
    quick, whole = Knows("en"), Knows("en", "de")
    services = Services(loader=lambda name, kind: whole)
    assert services.recognizer_for(quick, None) is services.recognizer_for(quick, "en") is quick
    assert services.recognizer_for(quick, "de") is whole
    with pytest.raises(VoiceError, match="no recognizer here knows 'xx'"):
        services.recognizer_for(quick, "xx")


def test_models_are_listed_and_described(world: World) -> None:
    names = [model.id for model in world.client().models.list()]
    assert names[0] == "whisper-base" and "heart" in names
    assert world.client().models.retrieve("heart").kind == "voice"
    assert world.client().models.retrieve("whisper-1").id == "whisper-1"
    with pytest.raises(openai.NotFoundError, match="'gpt-9'"):
        world.client().models.retrieve("gpt-9")


@pytest.fixture
def fresh() -> Iterator[World]:
    with serving() as fresh:
        yield fresh


def test_the_figures_tell_what_was_done(fresh: World) -> None:
    fresh.client().audio.speech.create(model="tts-1", voice="alloy", input="One two.").read()
    fresh.client().audio.transcriptions.create(model="whisper-1", file=("a.wav", recording(2.0, gap=0.5)))
    httpx.get(f"{fresh.url}/{'a' * 50}")
    assert fresh.slots.free()
    figures = httpx.get(f"{fresh.url}/metrics")
    assert figures.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in (
        'voice_requests_total{path="/v1/audio/speech",status="200"} 1.0',
        'voice_requests_total{path="other",status="404"} 1.0',
        'voice_heard_seconds_total{path="/v1/audio/transcriptions"} 3.0',
        'voice_first_byte_seconds_count{path="/v1/audio/speech"} 1.0',
        "voice_requests_open 0.0",
        "voice_sessions_limit 4.0",
    ):
        assert line in figures.text.splitlines(), figures.text


def test_a_request_that_the_server_fails_at_counts_as_500_and_its_client_as_there() -> None:
    async def failing(scope, receive, send) -> None:
        if scope["path"] == "/health":
            await send({"type": "http.response.start", "status": 200})
        raise KeyError("surprise")

    async def sent(message) -> None:
        pass

    metrics = Metrics()
    for path in ("/v1/models", "/health"):
        with pytest.raises(KeyError):
            asyncio.run(MetricsMiddleware(failing, metrics)({"type": "http", "path": path}, None, sent))
    lines = metrics.text().decode().splitlines()
    assert 'voice_requests_total{path="/v1/models",status="500"} 1.0' in lines
    assert 'voice_requests_total{path="/health",status="500"} 1.0' in lines
    assert "voice_vanished_total 0.0" in lines


def test_health_says_how_full_it_is(world: World) -> None:
    health = httpx.get(f"{world.url}/health").json()
    assert health["status"] == "ok"
    assert health["sessions"] == {"open": 0, "limit": 4}


def test_what_there_is_not_is_said_in_the_same_form(world: World) -> None:
    answer = httpx.get(f"{world.url}/v1/images")
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "invalid_request_error")


def test_the_interface_describes_itself(world: World) -> None:
    described = httpx.get(f"{world.url}/v1/openapi.json").json()
    assert {"/v1/audio/speech", "/v1/audio/transcriptions", "/v1/models", "/health"} <= set(
        described["paths"]
    )


def test_only_this_machine_is_listened_to_unless_asked() -> None:
    with listen(Settings(port=0)) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


def test_an_address_that_is_taken_is_an_error_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = CliRunner().invoke(app, ["serve", "--port", str(taken.getsockname()[1])])
    assert done.exit_code == 1
    assert "cannot listen on 127.0.0.1:" in done.output and "choose another port" in done.output


def test_a_wrong_number_in_the_environment_is_an_error_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICE_SESSIONS", "many")
    done = CliRunner().invoke(app, ["serve"])
    assert (done.exit_code, done.output) == (1, "error: VOICE_SESSIONS is 'many'; it is a number\n")


QUICK = "quick cannot be used here .*whisper-base hears instead"


@pytest.mark.parametrize("reason", [PermissionError(13, "Permission denied", "/x"), OSError(28, "No space")])
def test_where_the_quick_recognizer_cannot_be_made_the_whole_one_hears(
    monkeypatch: pytest.MonkeyPatch, reason: OSError
) -> None:
    opened = []

    def load(name: str, *, kind: str, threads: int | None) -> str:
        if name == "quick":
            raise reason
        opened.append(name)
        return name

    monkeypatch.setattr("voice.serve.services.load", load)
    monkeypatch.setattr("voice.agent.session.default_recognizer", lambda: "quick")
    services = Services(Settings())
    with pytest.warns(UserWarning, match=QUICK):
        assert services.live_recognizer("gpt-realtime") == "whisper-base"
    assert services.live_recognizer() is services.live_recognizer("quick") is services.recognizer()
    assert opened == ["whisper-base"]


def test_a_live_model_that_was_asked_for_and_cannot_be_made_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load(name: str, *, kind: str, threads: int | None) -> str:
        raise PermissionError(13, "Permission denied", "/models/.fetching-x")

    monkeypatch.setattr("voice.serve.services.load", load)
    with pytest.raises(ModelError, match="Permission denied at /models/.fetching-x.*; check VOICE_HOME"):
        Services(Settings(live_model="quick")).live_recognizer()


def test_where_no_recognizer_can_be_opened_the_error_is_that_of_the_whole_one() -> None:
    def opened(name: str) -> None:
        raise ModelMissing(f"no {name}")

    with pytest.warns(UserWarning, match=QUICK) if default_recognizer() == "quick" else nullcontext():
        with pytest.raises(ModelMissing, match="no whisper-base"):
            open_default(opened)


def test_the_page_can_say_that_it_still_works() -> None:
    services = Services(loader=lambda name, kind: name)
    jobs = [None]
    services.other_work.append(lambda: any(jobs))
    assert not services.busy
    jobs[0] = "a transcription"
    assert services.busy
