"""Classes with exactly the methods that voice.types requires: in the command, Python, server and page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import numpy as np
import pytest
from fakes.agent import LoudIsSpeech
from fakes.realtime import running_app
from typer.testing import CliRunner

import voice
from voice import loading, simple
from voice.abilities import (
    BatchRecognizer,
    EndOfTurnRecognizer,
    LetterRecognizer,
    MultilingualRecognizer,
    SkillCaller,
    SpeculativeBrain,
    StreamingSynthesizer,
)
from voice.agent import session
from voice.agent.brains import choice
from voice.cli import app as command
from voice.models.card import Card, write_card
from voice.serve import Services, Settings, build
from voice.types import Audio, Controls, Message, Segment, Speech, Transcript

RATE = 8_000  # of the recognizer: another one than the detector's, so that sound has to be converted


class OwnRecognizer:
    """Writes how many seconds it heard, and refuses sound that does not keep to its contract."""

    rate = RATE

    def transcribe(
        self, speech: Audio, *, language: str | None = None, hotwords: Sequence[str] = ()
    ) -> Transcript:
        assert speech.rate == self.rate and speech.duration <= 30.0
        segment = Segment(f"{speech.duration:.0f} seconds", 0.0, speech.duration)
        return Transcript((segment,), language or "en", speech.duration)


class OwnVoice:
    """Says each sentence in a second."""

    rate = 16_000

    def speak(self, text: str, controls: Controls = Controls()) -> Iterator[Speech]:
        for sentence in filter(str.strip, text.split(".")):
            yield Speech(Audio(np.full(self.rate, 0.1, np.float32), self.rate), sentence.strip() + ".")


class OwnBrain:
    """Repeats what it is told."""

    def reply(self, messages: Sequence[Message]) -> Iterator[str]:
        yield f"You said {messages[-1].content}."


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The folders of models with the engine "own", named in `loading`; every brain is OwnBrain."""
    folders = {}
    for kind, made in (("recognizer", OwnRecognizer), ("voice", OwnVoice)):
        folders[kind] = str(tmp_path / kind)
        (tmp_path / kind).mkdir()
        write_card(tmp_path / kind, Card("own", kind, "own", made.rate, "en", "MIT"))
        monkeypatch.setitem(loading.OPENERS, (kind, "own"), lambda model, threads, made=made: made())
    monkeypatch.setattr(simple, "detector", LoudIsSpeech)
    monkeypatch.setattr(session, "Silero", type("Silero", (), {"open": LoudIsSpeech}))
    monkeypatch.setattr(choice.Brains, "brain", lambda self, timers, notes=None: OwnBrain())
    return folders


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Forty seconds of speech without a pause, then two more: longer than one call may take."""
    levels = np.repeat([0.0, 0.3, 0.0, 0.3, 0.0], [4, 40, 4, 2, 4])
    voice.write(tmp_path / "said.wav", Audio(np.repeat(levels, 16_000).astype(np.float32), 16_000))
    return tmp_path / "said.wav"


@pytest.fixture
def services(models: dict[str, str]) -> Services:
    settings = Settings(model=models["recognizer"], live_model=models["recognizer"], voice=models["voice"])
    return Services(settings, detector=LoudIsSpeech)


@pytest.fixture
def server(services: Services) -> Iterator[str]:
    with running_app(build(services)) as port:
        yield f"127.0.0.1:{port}"


def run(*arguments: object) -> str:
    done = CliRunner().invoke(command, [str(each) for each in arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def seconds(text: str) -> float:
    """The seconds that the recognizer heard, all windows together."""
    return sum(float(word) for word in text.split() if word.isdecimal())


def test_these_classes_have_what_is_required_and_nothing_else() -> None:
    for made, method in ((OwnRecognizer, "transcribe"), (OwnVoice, "speak"), (OwnBrain, "reply")):
        assert {name for name in vars(made) if not name.startswith("_")} - {"rate"} == {method}
    abilities = (BatchRecognizer, MultilingualRecognizer, LetterRecognizer, EndOfTurnRecognizer)
    assert not any(isinstance(OwnRecognizer(), each) for each in abilities)
    assert not isinstance(OwnVoice(), StreamingSynthesizer)
    assert not isinstance(OwnBrain(), SpeculativeBrain | SkillCaller)


# A recognizer


def test_the_command_transcribes_with_a_recognizer_of_ones_own(models, recording, tmp_path) -> None:
    assert seconds(run("transcribe", recording, "--model", models["recognizer"])) == pytest.approx(46, abs=2)
    run("transcribe", recording, "--model", models["recognizer"], "-o", tmp_path / "said.srt", "-l", "fr")
    assert "seconds" in (tmp_path / "said.srt").read_text()


def test_the_command_shows_live_words_with_a_recognizer_of_ones_own(models, recording) -> None:
    assert "seconds" in run("transcribe", "--live", recording, "--model", models["recognizer"])


def test_python_transcribes_with_a_recognizer_of_ones_own(models, recording) -> None:
    assert isinstance(voice.load(models["recognizer"]), OwnRecognizer)
    assert isinstance(voice.load_recognizer(models["recognizer"]), OwnRecognizer)
    transcript = voice.transcribe(recording, model=models["recognizer"], hotwords=["Ada"])
    assert seconds(transcript.text) == pytest.approx(46, abs=2)
    assert transcript.language == "en" and transcript.duration == pytest.approx(54)
    with pytest.raises(voice.VoiceError, match="does not translate"):
        voice.transcribe(recording, model=models["recognizer"], translate=True)


@pytest.mark.parametrize("form", ["json", "verbose_json"])
def test_the_server_transcribes_with_a_recognizer_of_ones_own(server, recording, form) -> None:
    answer = httpx.post(
        f"http://{server}/v1/audio/transcriptions",
        files={"file": ("said.wav", recording.read_bytes())},
        data={"response_format": form},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    assert seconds(answer.json()["text"]) == pytest.approx(46, abs=2)


def test_the_page_transcribes_with_a_recognizer_of_ones_own(services, models, recording, tmp_path) -> None:
    page = pytest.importorskip("page.transcribe", reason="gradio is not installed; pip install '.[app]'")
    steps = page.transcribe(
        services, str(recording), models["recognizer"], "Detect", False, ignore, lambda: tmp_path
    )
    *_, (words, status, *_) = steps
    assert "seconds" in words and "words in 0:54 of sound" in status


def ignore(share: float, what: str) -> None:
    """Progress that nobody watches."""


# A voice


def test_the_command_speaks_with_a_voice_of_ones_own(models, tmp_path) -> None:
    run("speak", "One. Two.", "--voice", models["voice"], "-o", tmp_path / "said.wav")
    assert voice.read(tmp_path / "said.wav").duration == pytest.approx(2.0)


def test_python_speaks_with_a_voice_of_ones_own(models) -> None:
    assert isinstance(voice.load_voice(models["voice"]), OwnVoice)
    speech = voice.speak("One. Two.", voice=models["voice"])
    assert (speech.text, speech.audio.duration) == ("One. Two.", pytest.approx(2.0))


def test_the_server_speaks_with_a_voice_of_ones_own(server, tmp_path) -> None:
    asked = {"model": "tts-1", "voice": "alloy", "input": "One. Two.", "response_format": "wav"}
    answer = httpx.post(f"http://{server}/v1/audio/speech", json=asked, timeout=60)
    (tmp_path / "said.wav").write_bytes(answer.content)
    assert voice.read(tmp_path / "said.wav").duration == pytest.approx(2.0)


def test_the_page_speaks_with_a_voice_of_ones_own(services, models, tmp_path) -> None:
    page = pytest.importorskip("page.voiceover", reason="gradio is not installed; pip install '.[app]'")
    folders = (tmp_path / str(number) for number in range(9))

    def make_folder() -> Path:
        folder = next(folders)
        folder.mkdir()
        return folder

    *_, (player, whole, status, *_) = page.voiceover(
        services, "One. Two.", models["voice"], Controls(), "", ignore, make_folder
    )
    assert "0:02 of speech" in status and voice.read(whole).duration == pytest.approx(2.0)


# A brain, with the recognizer and the voice beside it


def question() -> Audio:
    """Two seconds of speech between two of silence."""
    return Audio(np.repeat([0.0, 0.3, 0.0], 32_000).astype(np.float32), 16_000)


def test_the_command_talks_with_a_brain_of_ones_own(models, tmp_path) -> None:
    voice.write(tmp_path / "said.wav", question())
    shown = run(
        "talk", tmp_path / "said.wav", "--model", models["recognizer"], "--voice", models["voice"],
        "-o", tmp_path / "answer.wav",
    )  # fmt: skip
    assert "agent: You said" in shown and "seconds" in shown
    assert np.any(voice.read(tmp_path / "answer.wav").samples)


def test_python_talks_with_a_brain_of_ones_own(models) -> None:
    from voice.agent import Models, answers, start, talk

    loaded = Models.load(models["recognizer"], models["voice"])
    events = list(talk(question(), start(loaded, brain=OwnBrain())))
    assert answers(events, 16_000).duration > 1.0


@pytest.mark.parametrize("door", ["server", "page"])
def test_a_live_session_talks_with_a_brain_of_ones_own(services, door) -> None:
    websockets = pytest.importorskip("websockets.sync.client")
    with running_app(application(services, door)) as port:
        with websockets.connect(f"ws://127.0.0.1:{port}/v1/realtime", max_size=None) as line:
            part = {"type": "input_text", "text": "hello"}
            item = {"type": "message", "role": "user", "content": [part]}
            line.send(json.dumps({"type": "conversation.item.create", "item": item}))
            line.send(json.dumps({"type": "response.create"}))
            events = list(until("response.done", lambda: json.loads(line.recv(timeout=20))))
    assert events[-1]["response"]["status"] == "completed"
    assert "You said hello." in json.dumps(events[-1])
    assert any(event["type"].endswith("audio.delta") for event in events)


def application(services: Services, door: str):
    """The server alone, or the page with the server under it."""
    if door == "server":
        return build(services)
    app = pytest.importorskip("app", reason="gradio is not installed; pip install '.[app]'")
    return app.server(services)


def until(kind: str, receive: Callable[[], dict]) -> Iterator[dict]:
    """Events up to the first one of a kind."""
    event = receive()
    while event["type"] != kind:
        assert event["type"] != "error", event
        yield event
        event = receive()
    yield event
