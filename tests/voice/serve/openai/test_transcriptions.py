"""Transcriptions over HTTP, asked for by OpenAI's own client."""

from __future__ import annotations

import errno
import io
from collections.abc import Iterator

import httpx
import openai
import pytest
from openai.types.audio import TranscriptionDiarized

pytest.importorskip("fastapi", reason="the server is not installed; pip install '.[serve]'")

from fakes.serve import World, recording, serving

from voice.serve import Settings
from voice.serve.openai.transcriptions import terms


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with serving(Settings(minutes=2.0)) as world:
        yield world


@pytest.fixture(autouse=True)
def afresh(world: World) -> None:
    assert world.slots.free()
    world.recognizer.asked.clear()


def two_windows() -> bytes:
    return recording(20.0, 20.0)


def test_a_recording_is_its_text(world: World) -> None:
    heard = world.client().audio.transcriptions.create(model="whisper-1", file=("a.wav", two_windows()))
    assert heard.text == "one two"
    assert heard.usage.seconds == pytest.approx(46.5)


@pytest.mark.parametrize("form", ["mp3", "flac", "ogg", "m4a"])
def test_any_kind_of_recording_is_taken(world: World, form: str) -> None:
    file = (f"a.{form}", recording(2.0, form=form))
    assert world.client().audio.transcriptions.create(model="whisper-1", file=file).text == "one"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("text", "one two\n"),
        ("srt", "1\n00:00:00,"),
        ("vtt", "WEBVTT\n\n00:00:00."),
    ],
)
def test_text_and_subtitles(world: World, form: str, said: str) -> None:
    heard = world.client().audio.transcriptions.create(
        model="whisper-1", file=("a.wav", two_windows()), response_format=form
    )
    assert heard.startswith(said)


def test_who_says_what(world: World) -> None:
    asked = {"model": "gpt-4o-transcribe-diarize", "response_format": "diarized_json"}
    create = world.client().audio.transcriptions.create
    heard = create(**asked, file=("a.wav", two_windows()), chunking_strategy="auto")
    assert isinstance(heard, TranscriptionDiarized)
    assert (heard.text, heard.duration, heard.task) == ("one two", 46.5, "transcribe")
    assert [(each.speaker, each.text) for each in heard.segments] == [("A", "one"), ("B", "two")]
    assert heard.segments[1].start > 20.0 and heard.segments[0].id != heard.segments[1].id
    alone = create(**asked, file=("a.wav", two_windows()), extra_body={"speakers": 1})
    assert [each.speaker for each in alone.segments] == ["A", "A"]


def test_who_says_what_as_events(world: World) -> None:
    parts = world.client().audio.transcriptions.create(
        model="whisper-1", file=("a.wav", two_windows()), response_format="diarized_json", stream=True
    )
    kinds = [(part.type.rsplit(".")[-1], getattr(part, "speaker", None)) for part in parts]
    assert kinds == [("delta", None), ("segment", "A"), ("segment", "B"), ("done", None)]


def test_where_nobody_speaks_nobody_is_named(world: World) -> None:
    heard = world.client().audio.transcriptions.create(
        model="whisper-1", file=("a.wav", recording()), response_format="diarized_json"
    )
    assert (heard.text, heard.segments) == ("", [])


@pytest.mark.parametrize("times", [["word"], ["segment"], ["word", "segment"]])
def test_times_of_words_and_segments_as_asked_for(world: World, times: list[str]) -> None:
    heard = world.client().audio.transcriptions.create(
        model="whisper-base",
        file=("a.wav", two_windows()),
        response_format="verbose_json",
        timestamp_granularities=times,
    )
    assert (heard.text, heard.language, heard.duration) == ("one two", "en", 46.5)
    assert ("word" in times) == (heard.words is not None)
    assert ("segment" in times) == (heard.segments is not None)
    if heard.words:
        assert [word.word for word in heard.words] == ["one", "two"]
        assert heard.words[1].start > 20.0
    if heard.segments:
        assert [(each.id, each.text) for each in heard.segments] == [(0, "one"), (1, "two")]
        assert heard.segments[0].avg_logprob == pytest.approx(-0.105, abs=0.001)


def test_a_stream_tells_each_part_as_it_is_heard(world: World) -> None:
    file = ("a.wav", two_windows())
    *deltas, done = world.client().audio.transcriptions.create(
        model="gpt-4o-transcribe", file=file, stream=True
    )
    assert [(each.type, each.delta) for each in deltas] == [
        ("transcript.text.delta", "one"),
        ("transcript.text.delta", " two"),
    ]
    assert (done.type, done.text) == ("transcript.text.done", "one two")


def test_a_stream_begins_before_the_recording_is_done(world: World) -> None:
    stream = world.client().audio.transcriptions.create(
        model="whisper-1", file=("a.wav", two_windows()), stream=True
    )
    assert next(iter(stream)).delta == "one"
    stream.close()


def test_what_is_wished_for_reaches_the_recognizer(world: World) -> None:
    world.client().audio.transcriptions.create(
        model="whisper-1",
        file=("a.wav", recording(2.0)),
        language="de-AT",
        prompt="Kubernetes, Zyntriq",
        temperature=0.2,
        extra_body={"hotwords": "Ada Lovelace, Nguyen = win | en goo yen"},
    )
    expected = ("Ada Lovelace", "Nguyen = win | en goo yen", "Kubernetes", "Zyntriq")
    assert world.recognizer.asked == [("de", expected, "transcribe")]


def test_a_language_may_be_a_name_and_an_unknown_one_is_refused(world: World) -> None:
    transcriptions = world.client().audio.transcriptions
    transcriptions.create(
        model="whisper-1", file=("a.wav", recording(2.0)), language="Spanish (Latin America)"
    )
    assert world.recognizer.asked[0][0] == "es"
    with pytest.raises(openai.BadRequestError, match="did you mean Spanish"):
        transcriptions.create(model="whisper-1", file=("a.wav", recording(2.0)), language="Spansh")
    assert len(world.recognizer.asked) == 1


def test_translations_are_translations(world: World) -> None:
    heard = world.client().audio.translations.create(model="whisper-1", file=("a.wav", recording(2.0)))
    assert heard.text == "one"
    assert world.recognizer.asked[0][2] == "translate"


def test_silence_has_no_words(world: World) -> None:
    silence = ("a.wav", recording())
    client = world.client().audio.transcriptions
    assert client.create(model="whisper-1", file=silence).text == ""
    assert [each.type for each in client.create(model="whisper-1", file=silence, stream=True)] == [
        "transcript.text.done"
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_no_recording_is_refused_by_its_name(world: World, stream: bool) -> None:
    with pytest.raises(openai.BadRequestError, match=r"notes.txt (cannot|has no sound)") as refusal:
        world.client().audio.transcriptions.create(
            model="whisper-1", file=("notes.txt", b"words" * 100), stream=stream
        )
    assert refusal.value.type == "invalid_request_error"


def test_a_recording_that_is_too_long_is_refused(world: World) -> None:
    with pytest.raises(openai.APIStatusError, match="longer than the 2 minutes") as refusal:
        world.client().audio.transcriptions.create(
            model="whisper-1", file=("a.flac", recording(121.0, form="flac"))
        )
    assert refusal.value.status_code == 413


def test_a_model_that_is_not_served_is_named_among_those_that_are(world: World) -> None:
    with pytest.raises(openai.NotFoundError, match="there is no recognizer '/etc'.*whisper-base") as refusal:
        world.client().audio.transcriptions.create(model="/etc", file=("a.wav", recording(1.0)))
    assert (refusal.value.code, refusal.value.param) == ("model_not_found", "model")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"response_format": "docx"}, "response_format"),
        ({"temperature": "warm"}, "temperature"),
        ({"timestamp_granularities[]": "letter"}, "timestamp_granularities"),
        ({"stream": "perhaps"}, "stream"),
    ],
)
def test_a_wrong_field_is_named(world: World, fields: dict[str, str], reason: str) -> None:
    answer = httpx.post(
        f"{world.url}/v1/audio/transcriptions", data=fields, files={"file": ("a.wav", io.BytesIO(b"x"))}
    )
    assert answer.status_code == 400
    assert reason in answer.json()["error"]["message"]
    assert answer.json()["error"]["param"].startswith(reason)


@pytest.mark.parametrize("fields", [{"model": "whisper-1"}, {"file": "a.wav"}])
def test_a_form_without_a_file_says_so(world: World, fields: dict[str, str]) -> None:
    answer = httpx.post(f"{world.url}/v1/audio/transcriptions", data=fields)
    assert answer.status_code == 400
    assert "the form has no file" in answer.json()["error"]["message"]


def test_a_prompt_is_terms_or_the_names_in_its_prose() -> None:
    assert terms("Kubernetes, Ada Lovelace; kubectl\n") == ["Kubernetes", "Ada Lovelace", "kubectl"]
    prose = "The meeting with Ursula at Zyntriq began late. Then everybody went home to Linz."
    assert terms(prose) == ["Ursula", "Zyntriq", "Linz"]
    assert terms("") == terms("a, #, = x") == []


@pytest.mark.parametrize(
    ("number", "what"), [(errno.ENOSPC, "room on the disk"), (errno.EMFILE, "open files")]
)
def test_a_server_without_room_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch, number: int, what: str
) -> None:
    def full(*_) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr("starlette.datastructures.UploadFile.write", full)
    answer = httpx.post(f"{world.url}/v1/audio/transcriptions", files={"file": ("a.wav", recording(1.0))})
    assert answer.status_code == 503 and f"out of {what}" in answer.json()["error"]["message"]
    assert "retry-after" in answer.headers
