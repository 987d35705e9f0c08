from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from data.forms import recognize
from data.rows import Row

TEXTS = ["Well, this is it.", "Good morning.", "It is noon."]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in "abc":
        soundfile.write(tmp_path / f"{name}.wav", np.full(4000, 0.1), 8000)
    return tmp_path


def rows(folder: Path, name: str, lines: list[str]) -> list[Row]:
    (folder / name).write_text("\n".join(lines) + "\n")
    return [each for each in recognize(folder).rows(folder) if isinstance(each, Row)]


@pytest.mark.parametrize(
    ("name", "before", "row"),
    [
        ("metadata.csv", [], "{id}|{speaker}|{text}"),  # Piper
        ("train.list", [], "{id}.wav|{speaker}|EN|{text}"),  # GPT-SoVITS
        ("train_list.txt", [], "{id}.wav|{text}|{speaker}"),  # StyleTTS 2
        ("list.csv", ["Datei;Sprecher;Satz"], "{id}.wav;{speaker};{text}"),
        ("list.csv", ["sep=;", "file;speaker;text"], "{id}.wav;{speaker};{text}"),  # Excel
        ("LIST.CSV", ["# mine", "file;speaker;text"], "{id}.wav;{speaker};{text}"),
    ],
)
def test_lists_of_other_programs_keep_speaker_and_text_apart(folder, name, before, row):
    speakers = ["anna", "anna", "bob"]
    lines = [
        row.format(id=each, speaker=s, text=t) for each, s, t in zip("abc", speakers, TEXTS, strict=True)
    ]
    found = rows(folder, name, [*before, *lines])
    assert [each.text for each in found] == TEXTS
    assert [each.speaker for each in found] == speakers
    assert {each.language for each in found} == {"EN" if "EN" in row else None}


def test_two_versions_of_a_text_are_no_names(folder):
    found = rows(
        folder, "metadata.csv", [f"{each}|{text}|{text}" for each, text in zip("abc", TEXTS, strict=True)]
    )
    assert [each.text for each in found] == TEXTS
    assert {each.speaker for each in found} == {None}


def test_what_pandas_writes_for_nothing_is_no_text(folder):
    found = rows(folder, "list.csv", ["file,text", "a.wav,nan", "b.wav,NULL", "c.wav,None of it"])
    assert [each.text for each in found] == [None, None, "None of it"]
