from __future__ import annotations

import json
import os

import numpy as np
import pytest

from voice import audio
from voice.errors import ManifestError
from voice.manifest import Clip, check, read_manifest, write_manifest
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


def test_check_finds_nothing_wrong_with_good_clips(tmp_path):
    write_manifest(tmp_path / "m.jsonl", [clip(tmp_path, "a"), clip(tmp_path, "b")])
    report = check(tmp_path / "m.jsonl")
    assert (report.clips, report.seconds, report.problems) == (2, 1.0, ())


def test_check_names_every_problem(tmp_path):
    clips = [
        clip(tmp_path, "long", duration=3.0),
        clip(tmp_path, "rate", sample_rate=8000),
        clip(tmp_path, "mute", text="  "),
        clip(tmp_path, "gone", id="gone"),
        clip(tmp_path, "twice"),
        clip(tmp_path, "twice"),
        clip(tmp_path, "still"),
    ]
    clips[3].audio.unlink()
    audio.write(clips[6].audio, Audio(np.zeros(8000, np.float32), 16_000))
    write_manifest(tmp_path / "m.jsonl", clips)
    found = {problem.id: problem.message for problem in check(tmp_path / "m.jsonl").problems}
    assert found.keys() == {"long", "rate", "mute", "gone", "twice", "still"}
    assert "the row says 3.00" in found["long"]
    assert "the row says 8000" in found["rate"]
    assert "does not exist" in found["gone"]
    assert "more than once" in found["twice"]
    assert "silent" in found["still"]


def test_the_corpora_are_read_as_they_are(corpora):
    for path in sorted(corpora.glob("*/*.jsonl")):
        clips = read_manifest(path)
        assert clips and all(each.audio.is_absolute() for each in clips)


def test_a_real_corpus_has_no_problems(corpora):
    assert check(corpora / "kathleen" / "dev.jsonl").problems == ()


def test_separators_of_lines_in_a_text_end_no_row(tmp_path):
    text = "one\u2028two\x85three\x0bfour"
    write_manifest(tmp_path / "all.jsonl", [clip(tmp_path, text=text)])
    assert [each.text for each in read_manifest(tmp_path / "all.jsonl")] == [text]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_a_list_is_told_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "all.jsonl").write_text('{"id": "a", "duration": 1, "audio": "pipe.wav"}\n')
    assert "a pipe" in check(tmp_path / "all.jsonl").problems[0].message
