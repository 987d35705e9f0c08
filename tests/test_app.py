"""The page's handlers, called as the page calls them, with models that are made up."""

from __future__ import annotations

import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from fakes.agent import RATE, EvenVoice

pytest.importorskip("gradio", reason="gradio is not installed; pip install '.[app]'")

import gradio as gr
from fakes.page import BOOK, services
from fastapi import FastAPI

import app
from page import markup, temporary_files
from page.models import open_recognizer
from page.preloading import Preloading
from page.steps import run_in_turn
from page.transcribe import transcribe
from page.voiceover import voiceover
from page.work_queue import WorkQueue
from voice.agent.brains.choice import Choice
from voice.audio import read, write
from voice.errors import BrainError
from voice.media.container import RECORDINGS
from voice.media.formats import Encoding
from voice.serve import Services, Settings, running
from voice.text.reading import SpokenSentence
from voice.tts.engine import timed_words
from voice.tts.voice import Voice
from voice.types import Audio, Controls, Segment, Speech, Word


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Services:
    monkeypatch.setattr(temporary_files, "private_folder", lambda: tmp_path / "shelf")
    (tmp_path / "shelf").mkdir()
    return services()


def recording(folder: Path, samples: np.ndarray) -> str:
    path = folder / "said.wav"
    write(path, Audio(np.concatenate([np.zeros(RATE // 2, np.float32), samples]), RATE))
    return str(path)


def unheard(share: float, what: str) -> None:
    """Progress that nobody watches."""


class Tone:
    """An engine that says each phoneme in 0.1 s."""

    rate = RATE

    def render(self, reading: SpokenSentence, controls: Controls) -> Speech:
        words = timed_words(reading, np.full(len(reading.phonemes) + 2, 0.1))
        samples = np.full(RATE * (len(reading.phonemes) + 2) // 10, 0.1, np.float32)
        return Speech(Audio(samples, RATE), reading.text, words)


def test_opening_the_page_loads_no_model() -> None:
    def refuse(name: str, kind: str) -> None:
        raise AssertionError(f"{name} was loaded")

    app.build(Services(Settings(), loader=refuse))


def test_the_page_has_its_three_tabs() -> None:
    config = app.build(services()).get_config_file()
    labels = [each["props"]["label"] for each in config["components"] if each["type"] == "tabitem"]
    assert labels == ["Transcribe", "Voiceover", "Talk"]


def test_a_recording_becomes_words_and_files(models: Services, tmp_path: Path) -> None:
    path = recording(tmp_path, BOOK.say(0))
    *_, (words, status, *buttons) = transcribe(models, path, "whisper-base", "Detect", False, unheard)
    assert 'class="poor" title="' in words
    assert "2 words" in status
    assert [Path(button["value"]).suffix for button in buttons] == [".txt", ".json", ".srt", ".vtt", ".tsv"]
    assert "What time?" in Path(buttons[2]["value"]).read_text()


def test_a_recording_tells_its_speakers_apart(models: Services, tmp_path: Path) -> None:
    path = recording(tmp_path, BOOK.say(0))
    *_, (words, _, *buttons) = transcribe(models, path, "whisper-base", "Detect", True, unheard)
    assert words.count("<b>Speaker 1</b>") == words.count("<b>Speaker 2</b>") == 1
    assert "Speaker 2: time?" in Path(buttons[0]["value"]).read_text()


def test_no_speech_is_said_plainly(models: Services, tmp_path: Path) -> None:
    path = recording(tmp_path, np.zeros(RATE, np.float32))
    *_, (words, status, *_) = transcribe(models, path, "whisper-base", "Detect", False, unheard)
    assert "No speech was found" in words


@pytest.mark.parametrize("path", [None, "missing.wav"])
def test_what_cannot_be_heard_is_an_error_that_says_why(models: Services, path: str | None) -> None:
    with pytest.raises(gr.Error) as error:
        list(transcribe(models, path, "whisper-base", "Detect", False, unheard))
    assert "nothing to transcribe" in str(error.value) or "missing.wav" in str(error.value)


def test_where_others_use_the_page_its_tabs_have_the_limits_of_the_server(
    models: Services, tmp_path: Path
) -> None:
    path = recording(tmp_path, np.zeros(RATE, np.float32))
    limits = {"minutes": 0.01, "characters": 8}
    shared, own = (services(settings=Settings(host=host, **limits)) for host in ("0.0.0.0", "127.0.0.1"))
    with pytest.raises(gr.Error, match="longer than the 0.01 minutes"):
        list(transcribe(shared, path, "whisper-base", "Detect", False, unheard))
    with pytest.raises(gr.Error, match="more than the 8 characters"):
        list(voiceover(shared, "One two three.", "heart", Controls(), "", unheard))
    assert list(transcribe(own, path, "whisper-base", "Detect", False, unheard))
    assert list(voiceover(own, "One two three.", "heart", Controls(), "", unheard))


def test_a_voiceover_is_heard_while_it_is_made(models: Services) -> None:
    _, player, *rows = voiceover(models, "One two three. Four five.", "heart", Controls(), "", unheard)
    assert len(player[0]["pieces"]) == 1
    assert not player[0]["done"]
    value, whole, status, *buttons = rows[-1]
    assert value["done"]
    assert read(whole).duration == pytest.approx(1.0, abs=0.2)
    assert [Path(button["value"]).suffix for button in buttons] == [".wav", ".mp3", ".srt", ".vtt"]
    assert "One two three" in Path(buttons[2]["value"]).read_text()


def test_the_files_of_a_voiceover_have_the_rate_that_is_chosen(models: Services) -> None:
    shown = voiceover(
        models, "One two three.", "heart", Controls(), "", unheard, encoding=Encoding(48_000, 64)
    )
    *_, (_, whole, _, wav, mp3, *_) = shown
    assert [read(each).rate for each in (whole, wav["value"], mp3["value"])] == [48_000] * 3


def test_no_text_is_an_error_that_says_so(models: Services) -> None:
    with pytest.raises(gr.Error, match="no text"):
        list(voiceover(models, "  ", "heart", Controls(), "", unheard))


@pytest.mark.parametrize("text", ["  ", "<speak>One</s>", "One."])
def test_a_voiceover_first_takes_away_what_is_shown_of_another_text(models: Services, text: str) -> None:
    player, whole, status, *buttons = next(voiceover(models, text, "heart", Controls(), "", unheard))
    assert (player, whole, status) == (markup.NO_SOUND, None, markup.status_html(""))
    assert len(buttons) == 4 and not any(each["interactive"] or each["value"] for each in buttons)


def test_what_a_voice_cannot_read_is_shown_and_not_printed(
    models: Services, recwarn: pytest.WarningsRecorder
) -> None:
    real = Voice(Tone())
    models.voice = lambda name=None: real
    text = "<speak>Hello <foo>你好</foo> there.</speak>"
    *_, last = voiceover(models, text, "heart", Controls(), "", unheard)
    assert "你好" in last[2] and "&lt;foo&gt; is not supported" in last[2]
    assert not [each for each in recwarn if each.category is UserWarning]


def test_a_recording_of_which_no_words_are_there_yet_is_not_done() -> None:
    assert markup.transcription_progress(0.0, 13.0, 13.0) == (0.5, "words up to 0:00 of 0:13")
    assert markup.transcription_progress(13.0, 13.0, 13.0) == (1.0, "words up to 0:13 of 0:13")
    assert markup.transcription_progress(3.0, 13.0, None) == (0.0, "words up to 0:03")


def test_a_voiceover_takes_the_controls_and_names_what_markup_it_does_not_know(
    models: Services,
) -> None:
    asked = []

    class Listening(EvenVoice):
        def speak(self, text: str, controls: Controls = Controls()):
            asked.append(controls)
            return EvenVoice.speak(self, "One.", controls)

    text = "<speak>One <audio src='a.mp3'/> two.</speak>"
    *_, last = voiceover(
        services(Listening()), text, "heart", Controls(speed=1.5, pitch=2.0), "SQL = sequel", unheard
    )
    assert "&lt;audio&gt; is not supported" in last[2]
    assert (asked[0].speed, asked[0].pitch) == (1.5, 2.0) and "SQL" in asked[0].lexicon


@pytest.mark.parametrize(
    ("text", "words", "reason"), [("<speak>One</s>", "", "malformed"), ("One.", "SQL sequel", "line 1")]
)
def test_wrong_markup_and_a_wrong_lexicon_are_errors_that_say_why(
    models: Services, text: str, words: str, reason: str
) -> None:
    with pytest.raises(gr.Error, match=reason):
        list(voiceover(models, text, "heart", Controls(), words, unheard))


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("/tmp/voice-page-x/a-b/broken.mp3 cannot be read", "broken.mp3 cannot be read."),
        ("/tmp/gradio/9d9a/my song.mp3 is none", "my song.mp3 is none."),
        ("there is no text: write some", "There is no text: write some."),
        ("line 1: <break time='9 s'/> is no pause!", "Line 1: &lt;break time='9 s'/&gt; is no pause!"),
        ("<speak> </speak> has no words", "&lt;speak&gt; &lt;/speak&gt; has no words."),
        ("quick cannot; see http://host/a/b", "Quick cannot; see http://host/a/b."),
        ("[Errno 13] denied: '/home/me/.cache/voice/x.bin'", "[Errno 13] denied: 'x.bin'."),
    ],
)
def test_messages_are_sentences_in_which_nothing_is_markup_and_no_path_is_told(
    message: str, shown: str
) -> None:
    assert markup.sentence_html(message) == shown


def test_the_language_that_was_taken_is_told_and_what_the_recognizer_cannot(
    models: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = recording(tmp_path, BOOK.say(0))

    def status(language: str) -> str:
        return list(transcribe(models, path, "whisper-base", language, False, unheard))[-1][1]

    assert "taken for English" in status("Detect")
    assert "taken for" not in status("English")
    monkeypatch.setattr(type(BOOK), "languages", frozenset({"en"}), raising=False)
    assert "knows English alone" in status("Detect")


def test_a_wait_for_the_model_counts_until_the_first_sound(models: Services) -> None:
    made = models.voice()

    def slowly(name: str | None = None):
        time.sleep(0.3)
        return made

    models.voice = slowly
    *_, last = voiceover(models, "One.", "heart", Controls(), "", unheard)
    assert float(last[2].partition("first sound after ")[2].split()[0]) >= 0.3


def test_what_was_not_foreseen_is_said_in_place_and_nothing_of_it_shown() -> None:
    def steps():
        yield "words", "status"
        raise RuntimeError("/home/me/secret")

    *_, (words, status) = run_in_turn(steps(), 1, 2, WorkQueue(1))
    assert "log" in status and "secret" not in status and words != "words"


def test_every_kind_of_recording_is_offered_for_upload() -> None:
    offered = re.search(r'ACCEPTED_TYPES = "(audio/\*,video/\*,.*)"', markup.page_script())[1].split(",")
    assert {*offered} == {"audio/*", "video/*", *RECORDINGS}


def test_words_are_shown_as_text_never_as_markup() -> None:
    words = (Word("<script>", 0.0, 1.0),)
    assert "<script>" not in markup.words_html([Segment("<script>", 0.0, 1.0, words)])
    assert "<b>" not in markup.words_html([Segment("<b>", 0.0, 1.0)])
    assert markup.clock(3723.4) == "1:02:03"


@pytest.mark.parametrize(
    ("environment", "promise"),
    [
        ({}, "nothing leaves it"),
        ({"VOICE_BRAIN": " Offline "}, "nothing leaves it"),
        ({"VOICE_BRAIN": "./model"}, "nothing leaves it"),
        ({"VOICE_LLM_URL": "https://me:secret@llm.example/v1"}, "go to the language model at `llm.example`"),
        ({"VOICE_BRAIN": "HTTP://llm.example:8080"}, "go to the language model at `llm.example:8080`"),
        ({"VOICE_BRAIN": "llm.example:8080/v1"}, "go to the language model at `llm.example:8080`"),
        (
            {"VOICE_BRAIN": "localhost:11434"},
            "on this computer, with the language model at `localhost:11434`",
        ),
        ({"VOICE_LLM_URL": "http://[::1]:80/v1"}, "on this computer, with the language model at `[::1]:80`"),
    ],
)
def test_the_page_promises_what_its_brain_can_keep(environment: dict[str, str], promise: str) -> None:
    choice = Choice.of(environment)
    assert promise in markup.privacy_statement(choice)
    assert "secret" not in markup.privacy_statement(choice) + markup.talk_html(choice)


@pytest.mark.parametrize(
    ("environment", "usual"),
    [
        ({}, "skills"),
        ({"VOICE_BRAIN": "Offline"}, "skills"),
        ({"VOICE_BRAIN": "./model"}, "./model"),
        ({"VOICE_LLM_URL": "https://me:secret@llm.example/v1"}, "llm.example"),
    ],
)
def test_talk_names_its_usual_brain(environment: dict[str, str], usual: str) -> None:
    assert f"The usual one: {usual}<" in markup.talk_html(Choice.of(environment))


@pytest.mark.parametrize("address", ["http://[::1/v1", "http://llm.example:port/v1", "ftp://llm.example"])
def test_a_wrong_address_of_a_language_model_is_explained(address: str) -> None:
    choice = Choice.of({"VOICE_LLM_URL": address})
    for shown in (markup.privacy_statement, markup.talk_html):
        with pytest.raises(BrainError, match="it looks like"):
            shown(choice)


def test_a_folder_is_no_address_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Choice("llm.example").is_address
    (tmp_path / "llm.example").mkdir()
    assert not Choice("llm.example").is_address


@dataclass
class Listening:
    """A socket that listens nowhere; the system chose 50123 for who wanted any port."""

    settings: Settings

    def getsockname(self) -> tuple[str, int]:
        return self.settings.host, self.settings.port or 50123


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Services]:
    """What is served, by and by; nobody listens."""
    made: list[Services] = []
    for name in [each for each in os.environ if each.startswith("VOICE_") or each == "PORT"]:
        monkeypatch.delenv(name)

    def server(services: Services) -> FastAPI:
        made.append(services)
        unserved = FastAPI()
        nothing = Services(
            loader=lambda name, kind: object(), detector=object, turn_detector=lambda recognizer: object()
        )
        unserved.state.preloading = Preloading(nothing)
        return unserved

    monkeypatch.setattr(app, "server", server)
    monkeypatch.setattr(running, "listen", Listening)
    monkeypatch.setattr(running, "spare_memory", lambda: None)
    monkeypatch.setattr(running, "run", lambda app, listening, ready: ready())
    monkeypatch.setattr(app, "remove_all", lambda: None)
    monkeypatch.setattr(app, "end_as_sigterm", lambda: None)
    return made


def test_the_page_is_set_as_the_server_is(started: list[Services], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICE_THREADS", "1")
    monkeypatch.setenv("VOICE_LIVE_MODEL", "whisper-tiny.en")
    monkeypatch.setenv("VOICE_PORT", "9000")
    monkeypatch.setattr(sys, "argv", ["app.py", "--host", "localhost"])
    app.main()
    found = started[0].settings
    assert (found.threads, found.live_model, found.port, found.host) == (
        1,
        "whisper-tiny.en",
        9000,
        "localhost",
    )


@pytest.mark.parametrize(
    ("environment", "arguments", "port"),
    [
        ({}, [], 7860),
        ({"VOICE_PORT": " ", "PORT": ""}, [], 7860),
        ({"VOICE_PORT": "", "PORT": "9001"}, [], 9001),
        ({"VOICE_PORT": "9000", "PORT": "9001"}, [], 9000),
        ({"VOICE_PORT": "9000", "PORT": "none"}, [], 9000),
        ({"VOICE_PORT": "9000", "PORT": "9001"}, ["--port", "9002"], 9002),
        ({"VOICE_PORT": "0"}, [], 50123),
    ],
)
def test_the_page_says_at_which_port_it_is(
    started: list[Services], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    environment: dict[str, str], arguments: list[str], port: int,
) -> None:  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["app.py", *arguments])
    app.main()
    assert capsys.readouterr().out == f"The page is on http://127.0.0.1:{port}\n"


@pytest.mark.parametrize("name", ["PORT", "VOICE_PORT"])
def test_a_wrong_port_is_named_as_it_was_given(
    started: list[Services], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.setenv(name, "abc")
    monkeypatch.setattr(sys, "argv", ["app.py"])
    with pytest.raises(SystemExit):
        app.main()
    assert capsys.readouterr().err == f"{name} is 'abc'; it is a number\n"


def test_the_page_hears_conversations_with_a_recognizer_of_their_own() -> None:
    shared = Services(Settings(live_model="quick"), loader=lambda name, kind: object())
    assert open_recognizer(shared, "whisper-base", unheard) is shared.recognizer()
    assert open_recognizer(shared, "whisper-base", unheard) is not shared.live_recognizer()


@pytest.mark.parametrize(
    ("host", "token", "is_warned"), [("0.0.0.0", "", True), ("0.0.0.0", "sesame", False), ("", "", False)]
)
def test_whoever_lets_other_machines_in_without_a_token_is_warned(
    started: list[Services], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    host: str, token: str, is_warned: bool,
) -> None:  # fmt: skip
    monkeypatch.setenv("VOICE_TOKEN", token)
    monkeypatch.setattr(sys, "argv", ["app.py", *(["--host", host] if host else [])])
    app.main()
    assert ("no token is set" in capsys.readouterr().err) == is_warned
    assert started[0].settings.port == 7860


def test_what_was_said_in_closed_tabs_is_forgotten_after_a_few_others() -> None:
    page = app.server(services()).routes[-1].app
    assert page.state_holder.capacity == app.MAX_STATES
