"""The page's handlers, called as the page calls them, with models that are made up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from agent_fakes import RATE, EvenVoice, LoudIsSpeech, Phrasebook

pytest.importorskip("gradio", reason="gradio is not installed; pip install '.[app]'")

import gradio as gr

import app
from page import shelf, show
from voice.asr.speakers import Turn
from voice.audio import read, write
from voice.types import Audio, Controls, Segment, Transcript, Word


class Batches(Phrasebook):
    """A phrasebook that also takes several stretches at once, as files need it."""

    longest = 30.0

    def transcribe_batch(
        self, speeches: Sequence[Audio], *, language: str | None, hotwords: Sequence[str], task: str
    ) -> list[Transcript]:
        words = (Word("What", 0.1, 0.3, 0.95), Word("time?", 0.3, 0.6, 0.4))
        return [Transcript((Segment("What time?", 0.1, 0.6, words),), "en", 1.0) for _ in speeches]


class Alternating:
    """Two people, the second of whom begins after 0.3 s."""

    def listen(self) -> Alternating:
        return self

    def through(self, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        return blocks

    def turns(self) -> tuple[Turn, ...]:
        return Turn(0, 0.0, 0.3), Turn(1, 0.3, 1.6)


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Batches]:
    book = Batches("What time?")
    made = {"recognizer": book, "voice": EvenVoice(), "speakers": Alternating()}
    monkeypatch.setattr(app, "model", lambda name, kind: made[kind])
    monkeypatch.setattr(app, "detector", LoudIsSpeech)
    monkeypatch.setattr(shelf, "shelf", lambda: tmp_path / "shelf")
    (tmp_path / "shelf").mkdir()
    monkeypatch.delenv("VOICE_LLM_URL", raising=False)
    monkeypatch.delenv("VOICE_SKILLS", raising=False)
    return book


def recording(folder: Path, samples: np.ndarray) -> str:
    path = folder / "said.wav"
    write(path, Audio(np.concatenate([np.zeros(RATE // 2, np.float32), samples]), RATE))
    return str(path)


def unheard(share: float, what: str) -> None:
    """Progress that nobody watches."""


def test_opening_the_page_loads_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, **_: object) -> None:
        raise AssertionError(f"{name} was loaded")

    monkeypatch.setattr(app, "load", refuse)
    app.build()


def test_the_page_has_its_three_tabs() -> None:
    config = app.build().get_config_file()
    labels = [each["props"]["label"] for each in config["components"] if each["type"] == "tabitem"]
    assert labels == ["Transcribe", "Voiceover", "Talk"]


def test_a_recording_becomes_words_and_files(models: Batches, tmp_path: Path) -> None:
    path = recording(tmp_path, models.say(0))
    *_, (words, status, *buttons) = app.transcribe(path, "any", "Detect", False, unheard)
    assert 'class="poor" title="' in words
    assert "2 words" in status
    assert [Path(button["value"]).suffix for button in buttons] == [".txt", ".json", ".srt", ".vtt", ".tsv"]
    assert "What time?" in Path(buttons[2]["value"]).read_text()


def test_a_recording_tells_its_speakers_apart(models: Batches, tmp_path: Path) -> None:
    path = recording(tmp_path, models.say(0))
    *_, (words, _, *buttons) = app.transcribe(path, "any", "Detect", True, unheard)
    assert words.count("<b>Speaker 1</b>") == words.count("<b>Speaker 2</b>") == 1
    assert "Speaker 2: time?" in Path(buttons[0]["value"]).read_text()


def test_no_speech_is_said_plainly(models: Batches, tmp_path: Path) -> None:
    path = recording(tmp_path, np.zeros(RATE, np.float32))
    *_, (words, status, *_) = app.transcribe(path, "any", "Detect", False, unheard)
    assert "No speech was found" in words


@pytest.mark.parametrize("path", [None, "missing.wav"])
def test_what_cannot_be_heard_is_an_error_that_says_why(models: Batches, path: str | None) -> None:
    with pytest.raises(gr.Error) as error:
        list(app.transcribe(path, "any", "Detect", False, unheard))
    assert "nothing to transcribe" in str(error.value) or "missing.wav" in str(error.value)


def test_a_voiceover_is_heard_while_it_is_made(models: Batches) -> None:
    player, *rows = app.voiceover("One two three. Four five.", "any", Controls(), "", unheard)
    assert len(player[0]["pieces"]) == 1
    assert not player[0]["done"]
    value, whole, status, *buttons = rows[-1]
    assert value["done"]
    assert read(whole).duration == pytest.approx(1.0, abs=0.2)
    assert [Path(button["value"]).suffix for button in buttons] == [".wav", ".mp3", ".srt", ".vtt"]
    assert "One two three" in Path(buttons[2]["value"]).read_text()


def test_no_text_is_an_error_that_says_so(models: Batches) -> None:
    with pytest.raises(gr.Error, match="no text"):
        list(app.voiceover("  ", "any", Controls(), "", unheard))


def test_a_voiceover_takes_the_controls_and_names_what_markup_it_does_not_know(
    models: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Listening(EvenVoice):
        def speak(self, text: str, controls: Controls = Controls()):
            asked.append(controls)
            return EvenVoice.speak(self, "One.", controls)

    monkeypatch.setattr(app, "model", lambda name, kind: Listening())
    text = "<speak>One <audio src='a.mp3'/> two.</speak>"
    *_, last = app.voiceover(text, "any", Controls(speed=1.5, pitch=2.0), "SQL = sequel", unheard)
    assert "&lt;audio&gt; is not supported" in last[2]
    assert (asked[0].speed, asked[0].pitch) == (1.5, 2.0) and "SQL" in asked[0].lexicon


@pytest.mark.parametrize(
    ("text", "words", "reason"), [("<speak>One</s>", "", "malformed"), ("One.", "SQL sequel", "line 1")]
)
def test_wrong_markup_and_a_wrong_lexicon_are_errors_that_say_why(
    models: Batches, text: str, words: str, reason: str
) -> None:
    with pytest.raises(gr.Error, match=reason):
        list(app.voiceover(text, "any", Controls(), words, unheard))


def test_words_are_shown_as_text_never_as_markup() -> None:
    words = (Word("<script>", 0.0, 1.0),)
    assert "<script>" not in show.words([Segment("<script>", 0.0, 1.0, words)])
    assert "<b>" not in show.words([Segment("<b>", 0.0, 1.0)])
    assert show.clock(3723.4) == "1:02:03"


def test_old_folders_make_room(models: Batches, tmp_path: Path) -> None:
    for _ in range(shelf.KEPT + 5):
        shelf.new_folder()
    assert len(list((tmp_path / "shelf").iterdir())) <= shelf.KEPT + 1
