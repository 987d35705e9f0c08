"""`voice talk`: the agent on a recording."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from fakes.cli import RATE, Hummer, LoudIsSpeech, SecondsHeard, make_bad, run, tone

from voice import audio
from voice.types import Segment, Transcript


class AsksASum(SecondsHeard):
    """A recognizer that always hears the same question."""

    def transcribe(self, speech, *, language=None, hotwords=(), **_) -> Transcript:
        question = "What is two plus three?"
        return Transcript((Segment(question, 0.0, speech.duration),), "en", speech.duration)


def test_the_agent_answers_a_recording(monkeypatch, tmp_path):
    from voice.agent import Models

    soundfile.write(tmp_path / "in.wav", np.concatenate([tone(1), np.zeros(2 * RATE, np.float32)]), RATE)
    models = Models(LoudIsSpeech(), AsksASum(), Hummer())
    monkeypatch.setattr(Models, "load", lambda *_, **__: models)
    monkeypatch.setattr("voice.models.find", lambda *_, **__: None)
    monkeypatch.delenv("VOICE_LLM_URL", raising=False)
    done = run("talk", tmp_path / "in.wav", "-o", tmp_path / "out.wav")
    assert done.exit_code == 0, done.stderr
    said = [line.split(maxsplit=1)[1] for line in done.stdout.splitlines()]
    assert "you: What is two plus three?" in said
    assert any(line.startswith("agent: ") and "five" in line.lower() or "5" in line for line in said)
    assert audio.read(tmp_path / "out.wav").duration > 1.0
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    done = run("talk", tmp_path / "silent.wav")
    assert (done.exit_code, done.stderr) == (0, "no speech was found, so nothing was answered\n")


@pytest.mark.parametrize("name", ["missing.wav", "empty.wav", "text.wav"])
def test_the_agent_is_not_started_for_what_is_no_recording(tmp_path, name):
    done = run("talk", make_bad(tmp_path, name))
    assert done.exit_code == 1 and done.stdout == "" and name in done.stderr


@pytest.mark.parametrize(
    ("output", "complaint"),
    [
        ("two.wav", "would be overwritten"),
        ("out.txt", "sound can have the endings"),
        ("no/a.wav", "make it first"),
    ],
)
def test_the_agent_is_not_started_where_its_side_cannot_be_saved(recording, monkeypatch, output, complaint):
    monkeypatch.chdir(recording.parent)
    before = recording.read_bytes()
    done = run("talk", recording, "-o", output)
    assert done.exit_code == 1 and complaint in done.stderr and done.stderr.count("\n") == 1
    assert recording.read_bytes() == before
