"""What programs of data and recipes say when they fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data.failures import _explain

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def without(tmp_path):
    """Runs `python -m …` where the libraries of that name cannot be imported."""

    def run(names: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "sitecustomize.py").write_text(f"import sys; sys.modules |= dict.fromkeys({names})")
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        command = [sys.executable, "-m", *arguments]
        return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True)

    return run


@pytest.mark.parametrize(
    "module",
    ["recipes.asr.train", "recipes.tts.prepare", "recipes.vocoder.train", "recipes.speakers.convert"],
)
def test_a_recipe_says_in_a_line_what_to_install(without, module):
    done = without(["torch", "onnx", "numba"], module, "--help")
    assert done.returncode == 1 and done.stdout == "" and done.stderr.count("\n") == 1
    assert " is not installed; run make test, which installs" in done.stderr


def test_the_help_of_a_corpus_needs_no_training_library(without):
    done = without(
        ["torch", "scipy", "soundfile", "numba", "transformers"], "voice", "data", "prepare", "--help"
    )
    assert done.returncode == 0 and "SOURCE" in done.stdout.upper()


def test_recordings_are_measured_without_training_libraries(without, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out.jsonl"
    folder.mkdir()
    soundfile.write(folder / "a.wav", np.full(4000, 0.1), 8000)
    done = without(
        ["soundfile", "torch"], "voice", "data", "prepare", str(folder), "-o", str(out), "--no-listen"
    )
    assert done.returncode == 0 and '"duration": 0.5' in out.read_text()


def test_what_is_wrong_with_a_manifest_is_said_in_a_line(without):
    done = without([], "recipes.tts.prepare", "--manifest", "none.jsonl")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("error: none.jsonl does not exist; check the path")


@pytest.mark.parametrize("name", ["torch", "torch.nothing"])
def test_what_is_missing_is_named_even_where_it_is_a_part_of_a_library(name, capsys):
    _explain(ModuleNotFoundError, ModuleNotFoundError(name=name), None)
    assert capsys.readouterr().err.startswith(f"error: {name} is not installed; run make test")


def test_importing_the_packages_leaves_failures_as_they_are():
    code = "import data, recipes, sys; assert sys.excepthook is sys.__excepthook__"
    assert subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT).returncode == 0


def test_other_errors_keep_their_traceback(without):
    done = without([], "data.nothing")
    assert done.returncode == 1 and "No module named data.nothing" in done.stderr
    done = without(["voice.pitch"], "recipes.vocoder.train", "--help")
    assert done.returncode == 1 and "Traceback" in done.stderr
