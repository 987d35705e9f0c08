from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data.prepare import PrepareOptions, prepare
from voice.errors import ManifestError
from voice.manifest import read_manifest


def record(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.sin(np.arange(8000) * 0.3), 16000)
    return path


def read(folder: Path, *lines: str, name: str = "metadata.csv", encoding: str = "utf-8", end: str = "\n"):
    """The clips of a table, what was dropped, and the remarks; recordings are 1.wav to 4.wav."""
    for number in range(1, 5):
        record(folder / f"{number}.wav")
    (folder / name).write_bytes("".join(f"{line}{end}" for line in lines).encode(encoding))
    done = prepare(folder / name, folder / "out" / "all.jsonl", PrepareOptions(listen=False))
    lost = [json.loads(line) for line in done.report.read_text("utf-8").splitlines()] if done.report else []
    return read_manifest(done.manifests["all"]), lost, done.remarks


@pytest.mark.parametrize("mark", ["|", ",", ";", "\t"])
@pytest.mark.parametrize("header", [["file", "transcript", "speaker"], []])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-le"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_of_any_make_gives_the_same(tmp_path, mark, header, encoding, end):
    rows = [
        *[header] * bool(header),
        ["1.wav", "Ein Käse zum Frühstück.", "ann"],
        ["2.wav", "Öl? „Nein“, sagt er.", "bob"],
        ["3.wav", "Drei.", "ann"],
        ["4.wav", "Vier!", "bob"],
    ]
    quoted = [[f'"{x}"' if mark == "," and mark in x else x for x in row] for row in rows]
    clips, lost, _ = read(tmp_path, *map(mark.join, quoted), encoding=encoding, end=end)
    assert [clip.text for clip in clips] == [row[1] for row in rows[-4:]] and not lost
    assert [clip.speaker for clip in clips] == ["ann", "bob", "ann", "bob"]


@pytest.mark.parametrize(
    "header",
    [["audio,text"], [], ["clip,quote"]],
)
def test_commas_outside_of_quotes_never_cut_a_text(tmp_path, header):
    clips, lost, remarks = read(
        tmp_path, *header, "1.wav,Well, this is it, folks.", "2.wav,Yes", "3.wav,No, no"
    )
    assert [clip.text for clip in clips] == ["Well, this is it, folks.", "Yes", "No, no"] and not lost
    assert any("',' outside of quotes" in remark for remark in remarks)


def test_commas_before_other_columns_stay_in_the_text(tmp_path):
    clips, lost, _ = read(tmp_path, "speaker,text,path", "ann,Well, this is it.,1.wav", "bob,Yes,2.wav")
    assert [(c.speaker, c.text) for c in clips] == [("ann", "Well, this is it."), ("bob", "Yes")] and not lost


@pytest.mark.parametrize(
    "text", ['"Printing," he said', 'He said "no".', '"Quoted."', "It's 5' 6\" high", 'An "open quote, alas']
)
def test_quotes_in_a_text_are_kept_where_nothing_is_quoted(tmp_path, text):
    clips, _, _ = read(tmp_path, f"1.wav|{text}", "2.wav|Yes.")
    assert [clip.text for clip in clips] == [text, "Yes."]


def test_an_open_quote_swallows_no_other_rows(tmp_path):
    clips, lost, _ = read(tmp_path, "audio,text", '1.wav,"It began', "2.wav,Yes.", "3.wav,No.", "4.wav,Four.")
    assert [clip.text for clip in clips] == ['"It began', "Yes.", "No.", "Four."] and not lost


def test_a_quoted_text_may_have_several_lines(tmp_path):
    clips, _, _ = read(tmp_path, "audio,text", '1.wav,"One,', 'two."', "2.wav,Yes.")
    assert ["".join(clip.text.split()) for clip in clips] == ["One,two.", "Yes."]


def test_what_a_row_lacks_is_told(tmp_path):
    clips, lost, _ = read(
        tmp_path,
        "speaker\tpath\ttext",
        "ann\t1.wav\tYes, please.",
        "bob\t\tnone",
        "bob\t3.wav",
        "bob\t9.wav\tGone.",
    )
    assert [clip.text for clip in clips] == ["Yes, please."]
    assert [each["kind"] for each in lost] == [
        "column is missing",
        "column is missing",
        "recording cannot be found",
    ]
    assert lost[0]["where"] == "metadata.csv, row 3" and "it names no audio" in lost[0]["reason"]
    assert "fewer columns than the table" in lost[1]["reason"]


def test_the_form_of_lj_speech_finds_recordings_by_their_ids(tmp_path):
    for name in ("a1", "a2"):
        record(tmp_path / "wavs" / f"{name}.wav")
    clips, _, _ = read(tmp_path, "a1|Dr. No|Doctor No", "a2|Yes.|Yes.")
    assert [clip.text for clip in clips] == ["Dr. No", "Yes."]
    assert clips[0].extra == {"text_normalized": "Doctor No"}


def test_lists_of_vits_have_the_speaker_in_the_middle(tmp_path):
    rows = [f"{n}.wav|{n % 2}|Sentence number {n}." for n in range(1, 5)]
    clips, _, _ = read(tmp_path, *rows, name="train.txt")
    assert [(clip.speaker, clip.text) for clip in clips][1] == ("0", "Sentence number 2.")


def test_columns_with_unknown_names_are_told_by_what_is_in_them(tmp_path):
    clips, _, remarks = read(tmp_path, "soundbite|spoken_words", "1.wav|Hello there.", "2.wav|Yes.")
    assert [clip.text for clip in clips] == ["Hello there.", "Yes."]
    assert "unknown names" in remarks[0] and "audio is column 1, text is column 2" in remarks[0]


def test_a_table_that_names_no_recordings_is_an_error_that_says_so(tmp_path):
    with pytest.raises(ManifestError, match="no column of .* names recordings"):
        read(tmp_path, "city,country", "Paris,France", "Rome,Italy")


def test_times_in_a_table_cut_stretches(tmp_path):
    clips, lost, _ = read(
        tmp_path, "file,start,end,text", "1.wav,0.1,0.3,Yes.", "1.wav,0.3,0.5,No.", "2.wav,x,1,Hm."
    )
    assert [(round(clip.duration, 3), clip.text) for clip in clips] == [(0.2, "Yes."), (0.2, "No.")]
    assert "no number of seconds" in lost[0]["reason"]


def test_a_split_may_stand_in_the_table_or_in_its_name(tmp_path):
    for number in range(1, 5):
        record(tmp_path / "in" / f"{number}.wav")
    (tmp_path / "in" / "metadata.csv").write_text(
        "file,text,split\n1.wav,One.,train\n2.wav,Two.,validation\n"
    )
    done = prepare(tmp_path / "in", tmp_path / "one", PrepareOptions(listen=False))
    assert dict(done.clips) == {"train": 1, "dev": 1}
    (tmp_path / "in" / "metadata.csv").unlink()
    (tmp_path / "in" / "train.csv").write_text("file,text\n1.wav,One.\n")
    (tmp_path / "in" / "test.csv").write_text("file,text\n2.wav,Two.\n")
    done = prepare(tmp_path / "in", tmp_path / "two", PrepareOptions(listen=False))
    assert dict(done.clips) == {"train": 1, "test": 1}
