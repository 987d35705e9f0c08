"""Which recordings a voice can be made of, and that every other one is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recipes.tts.preparation.selection import select_clips
from voice.errors import VoiceError

GOOD = {"audio": "a.wav", "text": "Good morning to you.", "duration": 2.0, "id": "good", "sample_rate": 24000}


def manifest(folder: Path, *rows: dict) -> Path:
    path = folder / "some.jsonl"
    path.write_text("".join(json.dumps(GOOD | row) + "\n" for row in rows), "utf-8")
    return path


def test_what_is_left_out_is_named_with_the_reason(tmp_path, capsys):
    rows = {"id": "mute", "text": None}, {"id": "hours", "duration": 95.0}, {"id": "han", "text": "你好世界"}
    assert [clip.id for clip in select_clips(manifest(tmp_path, {}, *rows))] == ["good"]
    told = capsys.readouterr().out
    assert "no transcript: mute" in told and "longer than 60 s" in told and "hours" in told
    assert "no English reading" in told and "han" in told


def test_recordings_of_few_hertz_are_told(tmp_path, capsys):
    select_clips(manifest(tmp_path, {}, {"id": "phone", "sample_rate": 16000}))
    assert "1 of 2 recordings" in (told := capsys.readouterr().out) and "above 8 kHz" in told


@pytest.mark.parametrize(
    "row",
    [
        {"language": "de"},
        {"language": "de-CH"},
        {"text": "Das ist nicht der Weg, den wir mit euch auch heute noch gehen wollen."},
    ],
)
def test_other_languages_are_refused_by_what_rows_say_and_by_their_words(tmp_path, row):
    with pytest.raises(VoiceError, match="German; voices can be trained in English alone"):
        select_clips(manifest(tmp_path, row))


def test_a_manifest_without_transcripts_is_refused(tmp_path):
    with pytest.raises(VoiceError, match="give each a transcript"):
        select_clips(manifest(tmp_path, {"text": None}))
