"""`voice understand` where there is nothing to understand with."""

from __future__ import annotations

from fakes.cli import run


def test_commands_that_are_not_there_are_named(recognizer, recording, tmp_path):
    done = run("understand", recording, "--commands", tmp_path / "none.yml")
    hint = "name the YAML file in which the commands stand"
    assert (done.exit_code, done.stderr) == (1, f"error: {tmp_path / 'none.yml'} does not exist; {hint}\n")
