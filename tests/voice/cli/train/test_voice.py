"""`voice train voice` asks whose voice it is before anything else."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("numba")

from typer.testing import CliRunner

from recipes.own_voice import train
from recipes.publishing import Outcome
from recipes.tts.preparation.consent import read_consent
from voice.cli import app
from voice.cli.train import voice as command

TINY = Path(__file__).resolve().parents[4] / "data" / "tiny" / "train.jsonl"


def call(tmp_path, *more):
    given = ["train", "voice", str(TINY), "--name", "anna", "--run", str(tmp_path / "run"), *more]
    return CliRunner().invoke(app, given)


def test_without_a_terminal_and_a_consent_nothing_is_read(tmp_path):
    result = call(tmp_path)
    assert result.exit_code == 1 and "no voice is made without the consent" in result.stderr
    assert "--consent statement.toml" in result.stderr and not (tmp_path / "run").exists()


def test_what_is_given_reaches_the_recipe(tmp_path, monkeypatch):
    seen = []

    def train_voice(options, tell):
        seen.append(options)
        return Outcome(tmp_path, tmp_path / "report.html", "anna: 6.3 % WER", "voice speak")

    monkeypatch.setattr(train, "train_voice", train_voice)
    monkeypatch.setattr("sys.argv", ["/bin/voice", "train", "voice", "my recordings"])
    result = call(tmp_path, "--consent", "Anna, 2026-11-30: I agree", "--minutes", "40", "--threads", "2")
    assert result.exit_code == 0 and "anna: 6.3 % WER" in result.stderr and "report.html" in result.stderr
    (options,) = seen
    assert (options.name, options.minutes, options.threads, options.source) == ("anna", 40.0, 2, TINY)
    assert options.command == "voice train voice 'my recordings'" and options.run == tmp_path / "run"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("answer", ["y", "n"])
def test_at_a_terminal_it_asks_who_agreed(monkeypatch, answer):
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(command.typer, "prompt", lambda *_, **__: "Anna: Miller, of Bern")
    monkeypatch.setattr(command.typer, "confirm", lambda *_, **__: answer == "y")
    said = command.ask_consent()
    if answer == "n":
        assert said is None
    else:
        assert read_consent(said).person == "Anna Miller of Bern"
