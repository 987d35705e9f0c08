from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data.forms import recognize
from data.rows import Fault, Row


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.wav", "b.wav"):
        soundfile.write(tmp_path / name, np.full(4000, 0.1), 8000)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "audio", "text"),
    [
        ("train.jsonl", "audio", "text"),
        ("train.jsonl", "audio", "sentence"),
        ("train.jsonl", "audio", "Text"),
        ("train.jsonl", "path", "transcription"),
        ("train.jsonl", "audio_path", "transcript"),
        ("data.list", "wav", "txt"),
        ("train.jsonl", "source", "target"),
        ("train.ndjson", "wav_path", "normalized_text"),
    ],
)
def test_lists_of_other_makes_are_read_by_their_keys(folder, name, audio, text):
    rows = ({audio: f"{each}.wav", text: f"Text {each}."} for each in "ab")
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = list(recognize(folder).rows(folder))
    assert [(row.audio.name, row.text) for row in found if isinstance(row, Row)] == [
        ("a.wav", "Text a."), ("b.wav", "Text b."),
    ]  # fmt: skip


def test_a_list_may_be_one_value_of_features(folder):
    rows = [{"audio": {"path": "a.wav", "sampling_rate": 8000}, "sentence": "Text a."}]
    (folder / "train.json").write_text(json.dumps(rows))
    (row,) = recognize(folder).rows(folder)
    assert isinstance(row, Row)
    assert row.text == "Text a."


def test_times_are_a_stretch_unless_they_tell_where_it_was_cut_out(folder):
    rows = [
        {"path": "a.wav", "text": "One.", "start": 0.1, "end": "0.3"},
        {"path": "b.wav", "text": "Two.", "start": 5.0, "end": 5.5, "recording": "long.wav"},
        {"path": "b.wav", "text": "Three.", "start": "soon"},
    ]
    (folder / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    stretch, whole, wrong = recognize(folder / "list.jsonl").rows(folder / "list.jsonl")
    assert isinstance(stretch, Row)
    assert isinstance(whole, Row)
    assert (stretch.start, stretch.end) == (0.1, 0.3)
    assert not whole.is_stretch
    assert dict(whole.extra) == {"start": 5.0, "end": 5.5, "recording": "long.wav"}
    assert isinstance(wrong, Fault)
