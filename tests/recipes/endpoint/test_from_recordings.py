"""From a folder of sentences to a recognizer that knows when they end, with an encoder that is made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("torch")
from recipes import reproduce
from recipes.endpoint import from_recordings
from recipes.endpoint.from_recordings import Options, train_endpoint
from voice.asr.whisper.end_of_turn import EndOfTurnHead
from voice.errors import ManifestError
from voice.models.card import Card, hashes, read_card, write_card

RATE = 16_000


class LoudIsSpeech:
    """A detector that takes every loud sound for speech."""

    hop, rate = 512, RATE

    def stream_several(self):
        return lambda frames: (np.abs(frames).max(axis=1) > 0.005).astype(np.float32)


class ZeroCrossings:
    """A recognizer whose encoder hears how high the tone is."""

    def encode(self, speech):
        frames = speech.samples[: len(speech.samples) // 320 * 320].reshape(-1, 320)
        crossed = (np.diff(np.sign(frames), axis=1) != 0).mean(axis=1)
        return np.stack([crossed, np.ones_like(crossed)], axis=1)


def tone(seconds, hertz):
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)


def record(folder: Path, count: int, pauses: bool = True) -> Path:
    """Sentences that end low, with a pause before which the voice is high."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        quiet = np.zeros(round((0.4 if pauses else 0.0) * RATE))
        parts = tone(0.8, 400 + 40 * rng.random()), quiet, tone(0.8, 150 + 20 * rng.random())
        soundfile.write(folder / f"{number:02}.wav", np.concatenate(parts).astype(np.float32), RATE)
        (folder / f"{number:02}.txt").write_text(f"This is sentence {number}.")
    return folder


@pytest.fixture
def base(tmp_path, monkeypatch) -> str:
    monkeypatch.setenv("VOICE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(from_recordings, "base_of", lambda name: ZeroCrossings())
    monkeypatch.setattr(from_recordings.Silero, "open", LoudIsSpeech)
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"weights")
    card = Card("base", "recognizer", "whisper", RATE, "en", "MIT", files=hashes(folder, ["model.bin"]))
    write_card(folder, card)
    return str(folder)


def options(tmp_path, source, base):
    return Options(source, "mine", tmp_path / "run", base, command="voice train endpoint")


def test_sentences_become_a_recognizer_that_knows_their_ends(tmp_path, base):
    told = []
    outcome = train_endpoint(options(tmp_path, record(tmp_path / "recordings", 30), base), told.append)
    assert outcome.model == tmp_path / "home" / "own" / "mine"
    card = read_card(outcome.model)
    assert set(card.files) == {"model.bin", "ending.npz"} and card.scores["own AUC"] > 0.95
    assert card.training["recordings"] == 30 and card.training["ends"] == 30 and card.training["pauses"] == 30
    head = EndOfTurnHead.find(outcome.model)
    assert head is not None
    report = outcome.report.read_text("utf-8")
    assert "5-fold cross-validation" in report and report.count("data:audio/mpeg") == 10
    assert "This is sentence" in report
    check = reproduce.Options(model="mine", run=tmp_path / "run")
    again = {each.name: each for each in reproduce.reproduce(check)}
    assert set(again) == set(card.scores) and not any(each.differs(1e-4) for each in again.values())


def test_what_the_base_knows_already_is_no_gain(tmp_path, base):
    source = record(tmp_path / "recordings", 30)
    made = train_endpoint(options(tmp_path, source, base), lambda line: None).model
    again = Options(source, "other", tmp_path / "second", str(made))
    outcome = train_endpoint(again, lambda line: None)
    assert outcome.model is None and "nothing was gained" in outcome.summary
    assert outcome.report.exists() and not (tmp_path / "home" / "own" / "other").exists()


def test_too_few_sentences_or_pauses_are_told(tmp_path, base):
    with pytest.raises(ManifestError, match="record 20 or more"):
        train_endpoint(options(tmp_path, record(tmp_path / "few", 5), base), lambda line: None)
    source = record(tmp_path / "fluent", 25, pauses=False)
    with pytest.raises(ManifestError, match="25 ends and 0 pauses"):
        train_endpoint(options(tmp_path, source, base), lambda line: None)
