from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data.forms import folder, recognize
from data.rows import Fault, Remark, Row


def record(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full(4000, 0.1), 8000, format="WAV")
    return path


def written(path: Path, text: str = "Good morning.") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def texts(source: Path) -> dict[str, str | None]:
    return {each.id: each.text for each in folder.rows(source) if isinstance(each, Row)}


def faults(source: Path) -> list[str]:
    return [each.where for each in folder.rows(source) if isinstance(each, Fault)]


@pytest.mark.parametrize(
    ("sound", "text"),
    [
        ("a.wav", "a.txt"),
        ("A.WAV", "A.TXT"),
        ("Clip.wav", "clip.lab"),
        ("a.wav", "a.wav.txt"),
        ("cafe\u0301.wav", "caf\u00e9.txt"),
        ("a b[1].wav", "a b[1].txt"),
        ("wav/s1/a.wav", "txt/s1/a.txt"),
        ("Audio/a.wav", "Transcripts/a.TXT"),
        ("s1/wavs/a.wav", "s1/text/a.txt"),
    ],
)
def test_a_text_is_found_however_its_name_is_written(tmp_path, sound, text):
    record(tmp_path / sound)
    written(tmp_path / text)
    assert texts(tmp_path) == {sound: "Good morning."}
    assert faults(tmp_path) == []


def test_a_text_belongs_to_the_recording_that_is_called_exactly_so(tmp_path):
    for name in ("a.wav", "A.wav", "talk.wav", "talk.2.wav"):
        record(tmp_path / name)
    written(tmp_path / "a.txt")
    written(tmp_path / "talk.2.srt", "1\n00:00:00,000 --> 00:00:00,400\nGood day.\n")
    assert texts(tmp_path) == {
        "A.wav": None, "a.wav": "Good morning.", "talk.wav": None, "talk.2.wav@0.00": "Good day.",
    }  # fmt: skip


def test_subtitles_may_name_their_language(tmp_path):
    record(tmp_path / "film.wav")
    written(tmp_path / "Film.en.SRT", "1\n00:00:00,000 --> 00:00:00,400\nGood day.\n")
    assert texts(tmp_path) == {"film.wav@0.00": "Good day."}
    assert faults(tmp_path) == []


def test_a_text_without_a_recording_is_told(tmp_path):
    record(tmp_path / "a.wav")
    written(tmp_path / "b.txt")
    written(tmp_path / "README.txt")
    assert faults(tmp_path) == ["b.txt"]


@pytest.mark.parametrize(
    ("place", "speaker", "split"),
    [
        ("a.wav", None, None),
        ("anna/a.wav", "anna", None),
        ("anna/wavs/a.wav", "anna", None),
        ("wavs/anna/a.wav", "anna", None),
        ("train/anna/a.wav", "anna", "train"),
        ("test/a.wav", None, "test"),
        ("trainer/a.wav", "trainer", None),
    ],
)
def test_folders_tell_the_speaker_and_the_split(tmp_path, place, speaker, split):
    record(tmp_path / place)
    (row,) = folder.rows(tmp_path)
    assert isinstance(row, Row)
    assert (row.speaker, row.split) == (speaker, split)


def test_pipes_and_devices_among_the_files_stop_nothing(tmp_path):
    record(tmp_path / "a.wav")
    for name in ("a.txt", "metadata.jsonl", "list.jsonl", "text.csv"):
        os.mkfifo(tmp_path / name)
    os.symlink("/dev/zero", tmp_path / "a.lab")
    assert recognize(tmp_path) is folder
    assert texts(tmp_path) == {"a.wav": None}


def test_a_recording_renamed_by_another_system_is_found_again(tmp_path):
    written(tmp_path / "metadata.csv", "file,text\nCAF\u00c9.wav,Good morning\n")
    shutil.move(record(tmp_path / "other.wav"), tmp_path / "cafe\u0301.wav")
    (row,) = recognize(tmp_path).rows(tmp_path)
    assert isinstance(row, Row)
    assert row.audio == tmp_path / "cafe\u0301.wav"


@pytest.mark.parametrize("name", ["etc/PROMPTS", "labels.json", "metadata.xlsx", "my.transcription", "a.tsv"])
def test_a_list_that_nobody_can_read_is_told_where_no_recording_has_a_text(tmp_path, name):
    record(tmp_path / "a.wav")
    written(tmp_path / name, '{"a": "b"}')
    (remark,) = (each for each in folder.rows(tmp_path) if isinstance(each, Remark))
    assert name in remark.text
    written(tmp_path / "a.txt")
    assert not [each for each in folder.rows(tmp_path) if isinstance(each, Remark)]
