"""The controls of `voice speak`: they reach the voice, and what is wrong with them is said in a line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from voice import audio, loading
from voice.cli import app
from voice.tts.engine import timed_words
from voice.tts.prosody_targets import prosody_targets
from voice.tts.voice import Voice
from voice.types import Audio, Speech


class Buzzer:
    """Speaks every phoneme as 0.05 s of buzz, and writes down what is asked."""

    rate = 8000

    def __init__(self) -> None:
        self.asked = []

    def render(self, reading, controls):
        self.asked.append((reading, controls, prosody_targets(reading, controls)))
        seconds = np.array([0.1, *(0.05 for _ in reading.phonemes), 0.1])
        samples = np.where(np.arange(round(seconds.sum() * self.rate)) % 2, 0.5, -0.5).astype(np.float32)
        samples[:800], samples[-800:] = 0, 0
        return Speech(Audio(samples, self.rate), reading.text, timed_words(reading, seconds))


@pytest.fixture
def buzzer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Buzzer:
    engine = Buzzer()
    monkeypatch.setattr(loading, "open_model", lambda name, **_: Voice(engine))
    monkeypatch.chdir(tmp_path)
    return engine


def run(*arguments: str):
    return CliRunner().invoke(app, ["speak", *arguments])


def test_every_control_reaches_the_voice(buzzer: Buzzer) -> None:
    Path("words.txt").write_text("SQL = sequel\n", "utf-8")
    options = "--speed 1.5 --pitch -3 --energy 4 --pause 2 --clause-pause 0.3 --lexicon words.txt"
    done = run("Learn SQL.", *options.split())
    assert done.exit_code == 0, done.stderr
    ((reading, controls, asked),) = buzzer.asked
    assert (controls.speed, controls.pitch, controls.energy, controls.pause) == (1.5, -3.0, 4.0, 2.0)
    assert "sˈikwəl" in reading.phonemes and set(asked.pitch) == {-3.0} and set(asked.energy) == {4.0}


def test_pauses_in_seconds_are_exact(buzzer: Buzzer) -> None:
    run("One. Two.", "--sentence-pause", "1.5", "--subtitles", "out.json")
    words = [word for each in json.loads(Path("out.json").read_text())["segments"] for word in each["words"]]
    assert words[1]["start"] - words[0]["end"] == pytest.approx(1.5, abs=0.002)


def test_marks_and_breaks_of_ssml_are_in_the_json(buzzer: Buzzer) -> None:
    text = "<speak>One. <break time='1s'/> <mark name='here'/>Two. <mark name='end'/></speak>"
    assert run(text, "--subtitles", "out.json").exit_code == 0
    found = json.loads(Path("out.json").read_text())
    words = [word for each in found["segments"] for word in each["words"]]
    assert words[1]["start"] - words[0]["end"] == pytest.approx(1.0, abs=0.002)
    times = {mark["name"]: mark["time"] for mark in found["marks"]}
    assert times == {"here": words[1]["start"], "end": words[1]["end"]}
    assert audio.read("out.wav").duration == pytest.approx(found["duration"], abs=0.002)


def test_the_content_of_a_document_will_do_where_it_is_said_to_be_one(buzzer: Buzzer) -> None:
    assert run("One <emphasis>two</emphasis>.", "--ssml").exit_code == 0
    assert [reading.text for reading, _, _ in buzzer.asked] == ["One two."]
    assert run("One <emphasis>two</emphasis>.").exit_code == 0
    assert buzzer.asked[-1][0].text == "One <emphasis>two</emphasis>."


def test_what_ssml_holds_and_is_not_understood_is_a_warning(buzzer: Buzzer) -> None:
    done = run("<speak>One <audio src='a.wav'/> two.</speak>")
    assert done.exit_code == 0
    assert done.stderr.startswith("warning: line 1: <audio> is not supported")
    assert [reading.text for reading, _, _ in buzzer.asked] == ["One two."]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["Hi", "--pitch", "20"], "pitch is 20; it goes from -12 to 12 semitones"),
        (["Hi", "--sentence-pause", "-1"], "sentence pause is -1; it goes from 0 to 10 seconds"),
        (["Hi", "--lexicon", "none.txt"], "none.txt cannot be read"),
        (["Hi", "--lexicon", "bad.txt"], "bad.txt, line 2: 'b'"),
        (["<speak>a<b></speak>"], "malformed in line 1, column 14"),
        (["<speak><voice name='bob'>a</voice></speak>"], "leave <voice> out"),
        (["<speak> <!-- a --> </speak>"], "nothing in this text can be spoken"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(buzzer: Buzzer, arguments: list[str], complaint: str) -> None:
    Path("bad.txt").write_text("a = c\nb\n", "utf-8")
    done = run(*arguments)
    assert done.exit_code == 1 and complaint in done.stderr and done.stderr.count("\n") == 1
    assert not Path("out.wav").exists()


def test_a_text_that_is_the_name_of_a_file_is_spoken_with_a_hint(buzzer: Buzzer) -> None:
    Path("chapter.txt").write_text("Hello.", "utf-8")
    done = run("chapter.txt", "-o", "out.wav")
    assert done.exit_code == 0 and "-i chapter.txt speaks what is in it" in done.stderr
