"""Which model a name stands for: ours, those of other servers by their family, and aliases."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

pytest.importorskip("fastapi", reason="the server is not installed; pip install '.[serve]'")

from fakes.serve import World, recording, serving

from voice.errors import ModelMissing, VoiceError
from voice.models import entries
from voice.serve import Services, Settings
from voice.serve import services as services_module
from voice.serve.draining import Draining
from voice.serve.model_names import OPENAI_VOICES, read_aliases

HEARING = (
    "whisper-1 whisper-large-v3 whisper-large-v3-turbo gpt-transcribe gpt-4o-transcribe-diarize "
    "gpt-4o-mini-transcribe-2025-12-15 Systran/faster-whisper-small openai/whisper-medium "
    "Systran/faster-distil-whisper-large-v3"
).split()
SPEAKING = "tts-1 tts-1-hd gpt-4o-mini-tts-2025-12-15 gpt-tts-2 kokoro hexgrad/Kokoro-82M".split()


def services_by_name(**changes) -> Services:
    """Services whose models are their names."""
    return Services(Settings(**changes), loader=lambda name, kind: name)


@pytest.fixture(scope="module", autouse=True)
def without_kokoro() -> Iterator[None]:
    """Whatever this machine has fetched: Kokoro's voices are not in place."""
    with pytest.MonkeyPatch.context() as patch:
        fast = {name: entry for name, entry in entries().items() if entry.card.engine != "kokoro"}
        patch.setattr(services_module, "entries", lambda: fast)
        yield


@pytest.fixture(scope="module")
def world(without_kokoro: None) -> Iterator[World]:
    with serving(Settings(aliases="narrator=kumo, big=whisper-base")) as world:
        yield world


@pytest.mark.parametrize("name", HEARING)
def test_a_family_of_recognizers_is_the_default_everywhere(world: World, name: str) -> None:
    client = world.client()
    assert client.audio.transcriptions.create(model=name, file=("a.wav", recording(1.0))).text == "one"
    world.recognizer.asked.clear()
    assert client.models.retrieve(name).id == name
    assert services_by_name(live_model="quick").live_name(name) == "quick"


@pytest.mark.parametrize("name", SPEAKING)
def test_a_family_of_voices_is_the_default_everywhere(world: World, name: str) -> None:
    assert world.client().audio.speech.create(model=name, voice="alloy", input="One.").read()
    assert world.client().models.retrieve(name).kind == "voice"


@pytest.mark.parametrize("name", ["gpt-realtime", "gpt-realtime-mini-2025-12-15", "gpt-4o-realtime-preview"])
def test_realtime_models_are_the_live_default(world: World, name: str) -> None:
    assert world.client().models.retrieve(name).kind == "recognizer"
    assert services_by_name(live_model="quick").live_name(name) == "quick"


@pytest.mark.parametrize(
    "name", ["gpt-4o", "whisper", "hf:openai/whisper-base", "../whisper-1", "tts", "x/y"]
)
def test_a_name_of_nothing_is_an_error_that_lists_what_there_is(world: World, name: str) -> None:
    with pytest.raises(openai.NotFoundError, match="whisper-base"):
        world.client().audio.transcriptions.create(model=name, file=("a.wav", recording(1.0)))
    with pytest.raises(openai.NotFoundError, match="heart"):
        world.client().audio.speech.create(model=name, voice="kumo", input="One.")
    if ".." not in name:
        with pytest.raises(openai.NotFoundError):
            world.client().models.retrieve(name)


def test_a_model_in_place_is_itself_and_not_its_familys_default() -> None:
    services = services_by_name(model="quick", live_model="quick")
    services.names = lambda kind: ["quick", "whisper-base"]
    assert services.resolve("whisper-base", "recognizer") == services.live_name("whisper-base")
    assert services.live_name("whisper-base") == "whisper-base"


@pytest.mark.parametrize(
    ("voice", "model", "speaks"),
    [
        ("kumo", "heart", "kumo"),
        ("kumo", "tts-1", "kumo"),
        ("alloy", "lj", "lj"),  # as OpenAI's clients have to name a voice
        ("onyx", "gpt-4o-mini-tts", "kumo"),
        ("alloy", "tts-1", "kathleen"),
        ("nova", None, "lj"),
        (None, None, "kathleen"),
        ("default", "kumo", "kumo"),
        ("af_heart", "kokoro", "heart"),
    ],
)
def test_an_explicit_voice_wins(voice: str | None, model: str | None, speaks: str) -> None:
    assert services_by_name(voice="kathleen").voice_name(voice, model) == speaks


def test_a_voice_of_kokoros_that_is_in_place_is_itself() -> None:
    services = services_by_name()
    services.names = lambda kind: ["heart", "kokoro", "af_heart"]
    assert services.voice_name("af_heart", "kokoro") == "af_heart"


def test_openais_voices_are_spread_over_ours_by_sex() -> None:
    services = services_by_name()
    speaks = {voice: services.voice_name(voice) for voice in OPENAI_VOICES}
    assert len(speaks) == 13 and set(speaks.values()) == {"heart", "lj", "kathleen", "kumo"}
    men = {"ash", "ballad", "cedar", "echo", "fable", "onyx", "verse"}
    assert {voice for voice, ours in speaks.items() if ours == "kumo"} == men


def test_a_voice_that_is_not_in_place_is_the_default_only_where_openai_named_it() -> None:
    services = services_by_name()
    services.names = lambda kind: ["heart"]
    assert services.voice_name("onyx") == "heart"
    with pytest.raises(ModelMissing, match="there is no voice 'kumo'"):
        services.voice_name("kumo")


def test_speech_over_http_speaks_with_the_voice_that_was_named() -> None:
    with serving() as world:
        loaded = []
        load = world.services._load
        world.services._load = lambda name, kind: loaded.append(name) or load(name, kind)
        world.client().audio.speech.create(model="heart", voice="kumo", input="One.")
        world.client().audio.speech.create(model="tts-1", voice="shimmer", input="One.")
    assert loaded == ["kumo", "lj"]


def test_aliases_name_models_and_voices(world: World) -> None:
    assert services_by_name(aliases="narrator=kumo").voice_name("narrator", "tts-1") == "kumo"
    assert services_by_name(aliases="alloy=lj").voice_name("alloy") == "lj"
    assert world.client().models.retrieve("narrator").kind == "voice"
    assert world.client().models.retrieve("big").description.startswith("Whisper base")
    with pytest.raises(openai.NotFoundError, match="no recognizer 'narrator'"):
        world.client().audio.transcriptions.create(model="narrator", file=("a.wav", recording(1.0)))


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.toml", '"gpt-9" = "heart"\nbob = "kumo"'), ("a.json", '{"gpt-9": "heart", "bob": "kumo"}')],
)
def test_aliases_can_be_a_file(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    assert read_aliases(str(path)) == {"gpt-9": "heart", "bob": "kumo"}


@pytest.mark.parametrize("given", ["narrator", "=kumo", "a=b, c=", "/no/such/file.toml"])
def test_aliases_of_nothing_are_refused_when_the_server_starts(given: str) -> None:
    with pytest.raises(VoiceError, match="VOICE_ALIASES"):
        services_by_name(aliases=given)


def test_an_alias_of_a_model_that_is_not_in_place_is_refused_before_serving() -> None:
    with pytest.raises(VoiceError, match="VOICE_ALIASES: bob stands for alice"):
        services_by_name(aliases="bob=alice").preload()


def test_the_end_of_a_server_is_seen_by_all_who_wait_for_it() -> None:
    async def watched() -> None:
        draining = Draining()
        assert (draining.begun, draining.seconds_left) == (False, 0.0)
        waiting = asyncio.create_task(draining.wait())
        draining.begin(5.0)
        draining.begin(50.0)  # the first word counts
        await asyncio.wait_for(waiting, 1.0)
        assert draining.begun and not draining.over and 4.0 < draining.seconds_left <= 5.0
        begun = time.monotonic()
        draining.cut()
        await asyncio.wait_for(draining.wait_over(), 1.0)
        assert draining.seconds_left == 0.0 and time.monotonic() - begun < 1.0

    asyncio.run(watched())
