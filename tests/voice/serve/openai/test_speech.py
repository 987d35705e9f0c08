"""Speech over HTTP, asked for by OpenAI's own client."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from functools import partial

import httpx
import numpy as np
import openai
import pytest

pytest.importorskip("fastapi", reason="the server is not installed; pip install '.[serve]'")

from fakes.serve import PATIENCE, World, serving

from voice import audio
from voice.serve import Settings

TEXT = "One two three four. Five six seven eight."  # 1.6 s


@pytest.fixture
def world() -> Iterator[World]:
    with serving(Settings(characters=1000)) as world:
        yield world


def create(world: World, **changes):
    return world.client().audio.speech.create(
        **{"model": "tts-1", "voice": "alloy", "input": TEXT, **changes}
    )


@pytest.mark.parametrize("form", ["mp3", "opus", "aac", "flac", "wav"])
def test_speech_comes_whole_in_every_format(world: World, form: str) -> None:
    answer = create(world, response_format=form)
    sound = audio.read(io.BytesIO(answer.read()))
    assert sound.duration == pytest.approx(1.6, abs=0.1)
    assert answer.response.headers["content-type"].startswith("audio/")


def test_bare_samples_are_16_bits_at_24_kilohertz(world: World) -> None:
    samples = np.frombuffer(create(world, response_format="pcm").read(), "<i2")
    assert len(samples) == pytest.approx(1.6 * 24_000)
    assert np.abs(samples).max() == round(0.02 * 32767)


@pytest.mark.parametrize("form", ["mp3", "opus", "aac", "flac", "wav", "pcm"])
def test_the_first_sentence_is_sent_while_the_second_is_made(world: World, form: str) -> None:
    world.voice.gate.clear()
    streaming = world.client().audio.speech.with_streaming_response
    asked = {"model": "tts-1", "voice": "alloy", "input": TEXT, "response_format": form}
    with streaming.create(**asked) as answer:
        pieces = answer.iter_bytes()
        assert len(next(pieces)) > 100
        assert world.voice.spoken == ["One two three four"]
        world.voice.gate.set()
        assert sum(map(len, pieces)) > 100


def test_speech_as_events(world: World) -> None:
    streaming = world.client().audio.speech.with_streaming_response
    with streaming.create(
        model="tts-1", voice="alloy", input=TEXT, response_format="pcm", stream_format="sse"
    ) as answer:
        events = [json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line]
    *deltas, done = events
    assert {each["type"] for each in deltas} == {"speech.audio.delta"}
    assert sum(len(base64.b64decode(each["audio"])) for each in deltas) == round(1.6 * 24_000) * 2
    assert done["type"] == "speech.audio.done"


@pytest.mark.parametrize("form", ["pcm", "mp3", "opus"])
def test_events_bring_the_times_of_words_if_they_are_asked_for(world: World, form: str) -> None:
    asked = {"input": TEXT, "voice": "alloy", "response_format": form, "stream_format": "sse"}
    post = partial(httpx.post, f"{world.url}/v1/audio/speech", timeout=PATIENCE)
    answer = post(json=asked | {"timestamps": True})
    *deltas, done = [json.loads(line[6:]) for line in answer.text.splitlines() if line]
    times = [each for delta in deltas for each in delta["timestamps"]]
    assert [each["word"] for each in times] == TEXT.replace(".", "").split()
    assert times[-1]["end_time"] == pytest.approx(1.6, abs=0.2) and "timestamps" not in done
    plain = post(json=asked)
    assert "timestamps" not in plain.text
    refused = post(json=asked | {"timestamps": True, "stream_format": "audio"})
    assert refused.status_code == 400 and "sse" in refused.json()["error"]["message"]


def test_speed_and_instructions_are_taken(world: World) -> None:
    create(world, speed=1.5, instructions="Speak like a pirate.", model="gpt-4o-mini-tts")
    assert world.voice.speeds == [1.5]


@pytest.mark.parametrize("voice", ["alloy", "nova", "cedar", "heart", {"id": "heart"}])
def test_voices_by_name(world: World, voice) -> None:
    assert create(world, voice=voice).read()


def test_a_model_of_ours_is_a_voice(world: World) -> None:
    assert create(world, model="heart", voice="alloy").read()


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"voice": "bob"}, 404, "no voice 'bob' on this server; there are heart"),
        ({"model": "gpt-9"}, 404, "no voice 'gpt-9'"),
        ({"input": " "}, 400, "nothing in the input that can be read aloud"),
        ({"input": "a" * 1001}, 413, "more than 1000 characters"),
        ({"speed": 5}, 400, "speed: .* less than or equal to 4"),
        ({"response_format": "midi"}, 400, "response_format: "),
        ({"input": 7}, 400, "input: .* string"),
    ],
)
def test_what_cannot_be_spoken_is_refused(world: World, changes: dict, status: int, reason: str) -> None:
    with pytest.raises(openai.APIStatusError, match=reason) as refusal:
        create(world, **changes)
    assert refusal.value.status_code == status
    assert create(world).read()


def test_controls_beyond_openais_are_taken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    speak = world.voice.speak
    monkeypatch.setattr(
        world.voice, "speak", lambda text, controls: asked.append(controls) or speak(text, controls)
    )
    create(world, extra_body={"pitch": -2, "energy": 3, "pause": 0.5, "lexicon": {"SQL": "sequel"}})
    (controls,) = asked
    assert (controls.pitch, controls.energy, controls.pause) == (-2, 3, 0.5)
    assert controls.lexicon["SQL"].words == "sequel"


def test_sound_is_sent_at_the_rate_that_is_asked_for(world: World) -> None:
    high, low = (
        create(world, extra_body={"sample_rate": 48_000, "bit_rate": bit_rate}).read()
        for bit_rate in (192, 32)
    )
    assert audio.read(io.BytesIO(high)).rate == 48_000 and len(high) > 4 * len(low)


def test_ssml_is_taken_and_what_it_holds_and_is_not_understood_is_named(world: World) -> None:
    answer = create(world, input="<speak>One <foo>two</foo> three.</speak>")
    assert answer.response.headers["x-voice-notes"].startswith("line 1: <foo> is not supported")
    assert "x-voice-notes" not in create(world).response.headers


def test_what_the_voice_cannot_read_is_named(world: World) -> None:
    answer = create(world, input="Hello 你好 there.")
    notes = answer.response.headers["x-voice-notes"]
    assert notes == r"Not read aloud, because this voice has no sound for it: \u4f60\u597d."
    given = create(world, input="Hello 你好 there.", extra_body={"lexicon": {"你好": "knee how"}})
    assert "x-voice-notes" not in given.response.headers


def test_a_line_break_in_what_is_not_understood_breaks_no_header(world: World) -> None:
    answer = create(world, input="<speak><prosody foo='a&#13;&#10;X: 1'>hi</prosody></speak>")
    assert "\n" not in answer.response.headers["x-voice-notes"] and "x" not in answer.response.headers


def test_more_speech_than_the_server_gives_is_refused() -> None:
    with serving(Settings(minutes=0.005)) as world:
        with pytest.raises(openai.APIStatusError, match="minutes of speech"):
            create(world).read()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"input": "<speak>One<b></speak>"}, "malformed in line 1"),
        ({"extra_body": {"sample_rate": 11_025}}, "mp3 cannot have 11025 Hz; it takes 16000"),
        ({"extra_body": {"bit_rate": 320}}, "mp3 at 24000 Hz takes 32 to 160 kbit/s"),
        ({"extra_body": {"pitch": 13}}, "pitch: .* less than or equal to 12"),
        ({"extra_body": {"lexicon": {"a": "HH AH9"}}}, "AH9: no phone"),
        ({"extra_body": {"lexicon": {" - ": "dash"}}}, "is no word"),
        ({"extra_body": {"lexicon": {"a" * 81: "b"}}}, "more than 80 characters"),
        ({"input": "<!DOCTYPE speak [<!ENTITY a 'b'>]><speak>&a;</speak>"}, "document type"),
    ],
)
def test_wrong_controls_and_markup_are_refused(world: World, changes: dict, reason: str) -> None:
    with pytest.raises(openai.BadRequestError, match=reason):
        create(world, **changes)
