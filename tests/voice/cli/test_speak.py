"""The controls of `voice speak`: they reach the voice, and what is wrong with them is said in a line."""

from __future__ import annotations

import io
import json
import wave
from pathlib import Path

import numpy as np
import pytest
from fakes.cli import run

from voice import audio, loading
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


def test_every_control_reaches_the_voice(buzzer: Buzzer) -> None:
    Path("words.txt").write_text("SQL = sequel\n", "utf-8")
    options = "--speed 1.5 --pitch -3 --energy 4 --pause 2 --clause-pause 0.3 --lexicon words.txt"
    done = run("speak", "Learn SQL.", *options.split())
    assert done.exit_code == 0, done.stderr
    ((reading, controls, asked),) = buzzer.asked
    assert (controls.speed, controls.pitch, controls.energy, controls.pause) == (1.5, -3.0, 4.0, 2.0)
    assert "sˈikwəl" in reading.phonemes and set(asked.pitch) == {-3.0} and set(asked.energy) == {4.0}


def test_the_sound_is_marked_if_that_is_asked_for(buzzer: Buzzer, monkeypatch: pytest.MonkeyPatch) -> None:
    class Halves:
        def mark(self, sound: Audio) -> Audio:
            return Audio(sound.samples / 2, sound.rate)

    run("speak", "One. Two.", "-o", "plain.wav")
    monkeypatch.setattr(loading, "load_watermark", lambda **_: Halves())
    assert run("speak", "One. Two.", "-o", "marked.wav", "--watermark").exit_code == 0
    plain, marked = (audio.read(Path(name)).samples for name in ("plain.wav", "marked.wav"))
    np.testing.assert_allclose(marked, plain / 2, atol=1e-4)


def test_pauses_in_seconds_are_exact(buzzer: Buzzer) -> None:
    run("speak", "One. Two.", "--sentence-pause", "1.5", "--subtitles", "out.json")
    words = [word for each in json.loads(Path("out.json").read_text())["segments"] for word in each["words"]]
    assert words[1]["start"] - words[0]["end"] == pytest.approx(1.5, abs=0.002)


def test_marks_and_breaks_of_ssml_are_in_the_json(buzzer: Buzzer) -> None:
    text = "<speak>One. <break time='1s'/> <mark name='here'/>Two. <mark name='end'/></speak>"
    assert run("speak", text, "--subtitles", "out.json").exit_code == 0
    found = json.loads(Path("out.json").read_text())
    words = [word for each in found["segments"] for word in each["words"]]
    assert words[1]["start"] - words[0]["end"] == pytest.approx(1.0, abs=0.002)
    times = {mark["name"]: mark["time"] for mark in found["marks"]}
    assert times == {"here": words[1]["start"], "end": words[1]["end"]}
    assert audio.read("out.wav").duration == pytest.approx(found["duration"], abs=0.002)


def test_the_content_of_a_document_will_do_where_it_is_said_to_be_one(buzzer: Buzzer) -> None:
    assert run("speak", "One <emphasis>two</emphasis>.", "--ssml").exit_code == 0
    assert [reading.text for reading, _, _ in buzzer.asked] == ["One two."]
    assert run("speak", "One <emphasis>two</emphasis>.").exit_code == 0
    assert buzzer.asked[-1][0].text == "One <emphasis>two</emphasis>."


def test_what_ssml_holds_and_is_not_understood_is_a_warning(buzzer: Buzzer) -> None:
    done = run("speak", "<speak>One <audio src='a.wav'/> two.</speak>")
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
    done = run("speak", *arguments)
    assert done.exit_code == 1 and complaint in done.stderr and done.stderr.count("\n") == 1
    assert not Path("out.wav").exists()


def test_a_text_that_is_the_name_of_a_file_is_spoken_with_a_hint(buzzer: Buzzer) -> None:
    Path("chapter.txt").write_text("Hello.", "utf-8")
    done = run("speak", "chapter.txt", "-o", "out.wav")
    assert done.exit_code == 0 and "-i chapter.txt speaks what is in it" in done.stderr


# into files and pipes, with a voice that hums


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg", "opus", "m4a"])
def test_speaks_into_a_file_of_any_kind(recognizer, tmp_path, suffix):
    done = run("speak", "One two. Three four five.", "-o", tmp_path / f"out.{suffix}")
    assert done.exit_code == 0 and "0.5 s" in done.stderr
    assert audio.read(tmp_path / f"out.{suffix}").duration == pytest.approx(0.5, abs=0.06)


def test_the_subtitles_have_the_times_of_the_whole(recognizer, tmp_path):
    done = run("speak", "One two. Three.", "-o", tmp_path / "a.wav", "--subtitles", tmp_path / "a.json")
    assert done.exit_code == 0
    words = [
        word
        for segment in json.loads((tmp_path / "a.json").read_text())["segments"]
        for word in segment["words"]
    ]
    assert [word["start"] for word in words] == pytest.approx([0.0, 0.1, 0.2])


def test_speaks_a_file_and_what_comes_from_a_pipe(recognizer, tmp_path):
    (tmp_path / "text.txt").write_text("One two three.", "utf-8")
    assert run("speak", "-i", tmp_path / "text.txt", "-o", tmp_path / "a.wav").exit_code == 0
    assert run("speak", "-i", "-", "-o", tmp_path / "b.wav", given=b"One two three.").exit_code == 0
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_streams_wav_to_standard_output(recognizer):
    done = run("speak", "One two. Three.", "-o", "-")
    assert done.exit_code == 0
    assert audio.read(io.BytesIO(done.stdout_bytes)).duration == pytest.approx(0.3, abs=0.001)
    with wave.open(io.BytesIO(done.stdout_bytes)) as header:
        assert (header.getframerate(), header.getnchannels(), header.getsampwidth()) == (24_000, 1, 2)


def test_speaks_faster_when_asked(recognizer, tmp_path):
    run("speak", "One two.", "-o", tmp_path / "a.wav", "--speed", "2")
    assert audio.read(tmp_path / "a.wav").duration == pytest.approx(0.1, abs=0.001)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "say what to speak"),
        (["Hello.", "-i", "text.txt"], "and a file as well (-i text.txt); leave one of them out"),
        (["  "], "no text to speak"),
        (["caf\udce9", "--subtitles", "x.srt"], "the text is not text in UTF-8; set the terminal to UTF-8"),
        (["..."], "can be spoken"),
        (["-i", "missing.txt"], "missing.txt cannot be read"),
        (["Hello.", "--speed", "9"], "from 0.5 (slow) to 2 (fast)"),
        (["Hello.", "--voice", "nobody"], 'there is no model "nobody"'),
        (["Hello.", "-o", "out.doc"], "out.doc"),
        (["Hello.", "--subtitles", "out.doc"], "subtitles are written as"),
    ],
)
def test_what_cannot_be_spoken_leaves_no_file(recognizer, tmp_path, monkeypatch, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    done = run("speak", *arguments)
    assert done.exit_code == 1 and complaint in done.stderr
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
    assert recognizer.loads == 0 or complaint in ("can be spoken", 'there is no model "nobody"')


def test_what_is_read_is_not_overwritten_by_what_is_spoken(recognizer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("text.txt", "names.txt", "text.wav"):
        Path(name).write_text("SQL = sequel")
    for arguments in (
        ["-i", "text.txt", "--subtitles", "text.txt"],
        ["-i", "text.txt", "--lexicon", "names.txt", "--subtitles", "./names.txt"],
        ["-i", "text.wav", "-o", "text.wav"],
    ):
        done = run("speak", *arguments)
        assert done.exit_code == 1 and "is read here and would be overwritten" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["names.txt", "text.txt", "text.wav"]


def test_the_file_has_the_rate_that_is_asked_for_and_so_has_a_stream(buzzer: Buzzer) -> None:
    assert run("speak", "One. Two.", "-o", "own.wav").exit_code == 0
    assert run("speak", "One. Two.", "-o", "high.wav", "--rate", "48000").exit_code == 0
    own, high = audio.read("own.wav"), audio.read("high.wav")
    assert (own.rate, high.rate) == (8000, 48_000)
    assert high.duration == pytest.approx(own.duration, abs=0.001)
    stream = run("speak", "One. Two.", "-o", "-", "--rate", "48000").stdout_bytes
    assert stream[24:28] == (48_000).to_bytes(4, "little")
    assert np.abs(np.frombuffer(stream[-len(high.samples) * 2 :], "<i2") / 32768 - high.samples).max() < 1e-3


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("-o a.opus --rate 44100", "opus cannot have 44100 Hz"),
        ("-o - --bit-rate 64", "wav has no bit rate"),
        ("-o a.mp3 --bit-rate 1000", "takes 32 to 320 kbit/s, not 1000"),
    ],
)
def test_a_rate_that_the_format_has_not_is_refused_before_anything_is_spoken(
    buzzer: Buzzer, options: str, reason: str
) -> None:
    done = run("speak", "One.", *options.split())
    assert done.exit_code == 1 and reason in done.stderr and not buzzer.asked
