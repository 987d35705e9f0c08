from __future__ import annotations

import json

import numpy as np
import pytest

from voice import audio
from voice.errors import ManifestError
from voice.manifest import Clip, RowError, read_manifest, read_rows, write_manifest
from voice.types import Audio

TONE = Audio(np.sin(np.arange(8000) / 10).astype(np.float32) / 4, 16_000)


def clip(folder, name="a", **changes) -> Clip:
    path = folder / "sounds" / f"{name}.wav"
    path.parent.mkdir(exist_ok=True)
    audio.write(path, TONE)
    facts = {"text": "Hello.", "duration": 0.5, "speaker": "anna", "id": name, "sample_rate": 16_000}
    return Clip(audio=path, **{**facts, **changes})


def test_what_is_written_is_read_back(tmp_path):
    clips = [
        clip(tmp_path, "a", language="en", extra={"age": "50-70"}),
        clip(tmp_path, "b", text=None, speaker=None),
    ]
    write_manifest(tmp_path / "lists" / "all.jsonl", clips)
    rows = (tmp_path / "lists" / "all.jsonl").read_text("utf-8").splitlines()
    assert json.loads(rows[0])["audio"] == "../sounds/a.wav"
    read = read_manifest(tmp_path / "lists" / "all.jsonl")
    assert [each.audio.resolve() for each in read] == [each.audio.resolve() for each in clips]
    assert [(each.text, each.speaker, each.extra) for each in read] == [
        ("Hello.", "anna", {"age": "50-70"}),
        (None, None, {}),
    ]


def test_a_failed_write_leaves_the_old_manifest(tmp_path):
    path = tmp_path / "all.jsonl"
    write_manifest(path, [clip(tmp_path)])
    with pytest.raises(TypeError):
        write_manifest(path, [clip(tmp_path, extra={"speaker_embedding": object()})])
    assert len(read_manifest(path)) == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["all.jsonl", "sounds"]


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("not json", "is not JSON"),
        ("[]", "is not an object"),
        ('{"id": "a", "duration": 1}', 'has no "audio"'),
        ('{"id": "a", "duration": "1", "audio": "a.wav"}', "\"duration\" is '1'; expected a whole number"),
        ('{"id": 7, "duration": 1, "audio": "a.wav"}', '"id" is 7; expected a string'),
        ('{"id": "a", "duration": NaN, "audio": "a.wav"}', "cannot be used"),
        ('{"id": "a", "duration": -1, "audio": "a.wav"}', "cannot be used"),
        ('{"id": "a", "duration": 1' + "0" * 400 + ', "audio": "a.wav"}', "cannot be used"),
        ('{"id": "a", "duration": ' + "9" * 5000 + ', "audio": "a.wav"}', "is not JSON"),
        ('{"id": "\\ud800", "duration": 1, "audio": "a.wav"}', "cannot be used"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_wrong_row_is_named_with_its_line(tmp_path, row, complaint):
    path = tmp_path / "bad.jsonl"
    path.write_text('{"id": "fine", "duration": 1.0, "audio": "a.wav"}\n\n' + row + "\n", "utf-8")
    with pytest.raises(ManifestError, match="bad.jsonl:3") as failure:
        read_manifest(path)
    assert complaint in str(failure.value)


def test_a_missing_manifest_is_an_error_in_words(tmp_path):
    with pytest.raises(ManifestError, match="does not exist; check the path"):
        read_manifest(tmp_path / "none.jsonl")


def test_rows_are_read_one_at_a_time_and_wrong_ones_cost_no_others(tmp_path):
    path = tmp_path / "all.jsonl"
    good = json.dumps({"audio": "a.wav", "duration": 1.0, "id": "a"})
    path.write_bytes("\ufeff".encode() + f"{good}\r\n\r\n{{broken\n{good}\n".encode())
    rows = list(read_rows(path))
    assert [number for number, _ in rows] == [1, 3, 4]
    assert isinstance(rows[1][1], RowError) and rows[1][1].kind == "bad json"
    assert rows[0][1] == rows[2][1] == Clip(tmp_path / "a.wav", None, 1.0, None, "a")


def test_the_corpora_are_read_as_they_are(corpora):
    for path in sorted(corpora.glob("*/*.jsonl")):
        clips = read_manifest(path)
        assert clips and all(each.audio.is_absolute() for each in clips)


def test_separators_of_lines_in_a_text_end_no_row(tmp_path):
    text = "one\u2028two\x85three\x0bfour"
    write_manifest(tmp_path / "all.jsonl", [clip(tmp_path, text=text)])
    assert [each.text for each in read_manifest(tmp_path / "all.jsonl")] == [text]
