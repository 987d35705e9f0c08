"""What the commands of `voice train` share."""

from __future__ import annotations

import subprocess
import sys

import pytest
from fakes.cli import run

from voice.cli.train import running


def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch, tmp_path):
    found = running.find_spec
    monkeypatch.setattr(running, "find_spec", lambda name: None if name == "tensorboard" else found(name))
    done = run("train", "vocoder", tmp_path, "--name", "mine")
    assert done.exit_code == 1
    assert (
        done.stderr
        == "error: training is not installed (tensorboard is missing); run: pip install '.[train]'\n"
    )


def test_help_imports_nothing_that_only_training_has():
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from voice.cli import app\n"
        "done = CliRunner().invoke(app, ['train', 'vocoder', '--help'])\n"
        "assert done.exit_code == 0, done.output\n"
        "assert not {'torch', 'recipes', 'data', 'matplotlib'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_each_command_is_listed():
    listed = run("train", "--help").stdout
    assert "vocoder" in listed and "endpoint" in listed


@pytest.mark.parametrize("command", ["vocoder", "endpoint"])
def test_a_name_that_is_taken_is_refused_before_anything_is_computed(command, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    done = run("train", command, tmp_path / "nothing", "--name", "quick")
    assert done.exit_code == 1 and "choose another name" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["vocoder", "endpoint"])
def test_a_folder_that_is_not_there_is_one_line(command, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    done = run("train", command, tmp_path / "nothing", "--name", "mine")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].startswith("error: ") or "to go on" in done.stderr
    assert "nothing does not exist" in done.stderr
