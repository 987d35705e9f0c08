from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data.forms import FORMS
from data.listening import Listener
from data.prepare import AS_THEY_ARE, PrepareOptions, prepare
from voice.errors import ManifestError
from voice.manifest import read_manifest
from voice.types import Segment, Transcript, Word

SILENT = PrepareOptions(listen=False)
RATE = 8000


def record(path: Path, seconds: float = 0.5) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full(round(seconds * RATE), 0.1), RATE)
    return path


def listed(folder: Path, rows: int, **more) -> Path:
    """A manifest of so many rows that share a recording."""
    record(folder / "a.wav")
    lines = (
        json.dumps({"audio": "a.wav", "id": str(n), "text": f"Sentence {n}.", **more}) for n in range(rows)
    )
    path = folder / "list.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    return path


def lost(done) -> list[tuple[str, str]]:
    rows = done.report.read_text("utf-8").splitlines() if done.report else []
    return [(row["where"], row["kind"]) for row in map(json.loads, rows)]


def says(text: str, seconds: float) -> Listener:
    """A recognizer that hears this text, its words evenly over so many seconds."""
    words = text.split()
    step = seconds / len(words)
    timed = tuple(Word(word, n * step, (n + 0.8) * step) for n, word in enumerate(words))
    return Listener("ears", lambda path: Transcript((Segment(text, 0.0, seconds, timed),), "en", seconds))


def test_durations_and_rates_come_from_the_files(tmp_path):
    path = listed(tmp_path, 3, duration=9.0, sample_rate=44100)
    prepare(path, tmp_path / "all.jsonl", SILENT)
    assert {(c.duration, c.sample_rate) for c in read_manifest(tmp_path / "all.jsonl")} == {(0.5, RATE)}


def test_what_cannot_be_used_is_written_down_and_the_rest_is_kept(tmp_path):
    source = tmp_path / "in"
    record(source / "good.wav")
    (source / "broken.wav").write_text("not sound")
    soundfile.write(source / "none.wav", np.zeros(0), RATE)
    record(source / "untold.wav").with_suffix(".txt").write_text(" \n")
    (source / "circle.wav").symlink_to(source / "circle.wav")
    (source / "inside").symlink_to(source, target_is_directory=True)
    done = prepare(source, tmp_path / "out", SILENT)
    assert done.dropped == {
        "recording cannot be decoded": 1,
        "link in a circle": 1,
        "no sound": 1,
        "empty text": 1,
    }
    assert dict(lost(done))["none.wav"] == "no sound" and done.clips == {"train": 1}


def test_paths_just_work_and_none_leaves_the_folder(tmp_path):
    root = tmp_path / "deep" / "in"
    audio = record(root / "wavs" / "a b.wav")
    record(tmp_path / "secret.wav")
    names = [
        "wavs/a b.wav",
        str(audio),
        "wavs\\a b.wav",
        "C:\\data\\wavs\\a b.wav",
        audio.as_uri(),
        "a b",
        "a b.wav",
    ]
    wrong = ["../../secret.wav", "https://example.org/a.wav", "none.wav"]
    rows = [{"audio": name, "id": str(n), "text": f"Text {n}."} for n, name in enumerate([*names, *wrong])]
    (root / "all.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    done = prepare(root / "all.jsonl", tmp_path / "out.jsonl", SILENT)
    assert [(c.id, c.audio.resolve()) for c in read_manifest(tmp_path / "out.jsonl")] == [
        (str(n), audio) for n in range(len(names))
    ]
    reasons = done.report.read_text("utf-8")
    assert "leaves the folder of the data" in reasons and "is an address; download it" in reasons
    assert len(lost(done)) == 3


def test_nothing_usable_is_an_error_that_says_why(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.wav").write_bytes(b"")
    with pytest.raises(
        ManifestError, match=r"no recording can be used \(1 × no sound\); see .*dropped.jsonl"
    ):
        prepare(tmp_path / "in", tmp_path / "out", SILENT)


def test_manifests_do_not_go_into_the_folder_that_is_walked(tmp_path):
    record(tmp_path / "a.wav")
    with pytest.raises(ManifestError, match="name another folder"):
        prepare(tmp_path, tmp_path / "out", SILENT)


def test_an_interrupted_run_goes_on_where_it_was(tmp_path):
    path, seen = listed(tmp_path, 40), []
    one = prepare(path, tmp_path / "one", SILENT)

    def stop(done: int, seconds: float) -> None:
        if done == 25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(path, tmp_path / "two", SILENT, progress=stop)
    assert not list((tmp_path / "two").glob("*.jsonl"))
    with (tmp_path / "two" / ".prepare").open("a") as journal:
        journal.write('{"key": "half a li')  # as a run that was killed leaves it
    two = prepare(path, tmp_path / "two", SILENT, progress=lambda done, seconds: seen.append(done))
    assert len(seen) == 15 and two.clips == one.clips and not (tmp_path / "two" / ".prepare").exists()
    for name in ("train", "dev", "test"):
        assert (tmp_path / "one" / f"{name}.jsonl").read_bytes() == (
            tmp_path / "two" / f"{name}.jsonl"
        ).read_bytes()


def test_a_journal_of_other_options_is_begun_anew(tmp_path):
    path, seen = listed(tmp_path, 10), []
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".prepare").write_text('{"about": "something else"}\n')
    prepare(path, tmp_path / "out", SILENT, progress=lambda done, seconds: seen.append(done))
    assert len(seen) == 10


def test_several_processes_make_the_same_as_one(tmp_path):
    path = listed(tmp_path, 300)
    for workers in (1, 2):
        prepare(path, tmp_path / str(workers), PrepareOptions(listen=False, workers=workers))
    for name in ("train", "dev", "test"):
        assert (tmp_path / "1" / f"{name}.jsonl").read_bytes() == (
            tmp_path / "2" / f"{name}.jsonl"
        ).read_bytes()


def test_published_splits_are_kept_and_dev_is_held_out_where_it_lacks(tmp_path):
    path = listed(tmp_path, 30)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    record(tmp_path / "hf" / "train" / "a.wav")
    record(tmp_path / "hf" / "test" / "a.wav")
    for name, own in (("train", rows[:20]), ("test", rows[20:])):
        lines = [json.dumps({"file_name": "a.wav", "id": row["id"], "text": row["text"]}) for row in own]
        (tmp_path / "hf" / name / "metadata.jsonl").write_text("\n".join(lines))
    done = prepare(tmp_path / "hf", tmp_path / "out", SILENT)
    assert done.clips == {"train": 18, "dev": 2, "test": 10}
    assert {clip.id for clip in read_manifest(tmp_path / "out" / "test.jsonl")} == {
        str(n) for n in range(20, 30)
    }


def test_what_has_no_text_is_written_down_and_marked(tmp_path):
    record(tmp_path / "in" / "a.wav")
    done = prepare(tmp_path / "in", tmp_path / "out.jsonl", listener=lambda: says("Good morning.", 0.5))
    assert done.remarks == ('1 texts were written by a recognizer ("transcribed_by"); correct them',)
    (clip,) = read_manifest(tmp_path / "out.jsonl")
    assert (clip.text, clip.language, clip.extra) == ("Good morning.", "en", {"transcribed_by": "ears"})


def test_a_long_recording_is_cut_with_its_text(tmp_path):
    sentences = [
        f"This is the sentence that has number {n}." for n in "one two three four five six seven".split()
    ]
    record(tmp_path / "in" / "talk.wav", 40.0).with_suffix(".txt").write_text("\n".join(sentences))
    said = " ".join(sentences).replace("number four", "member for")
    done = prepare(tmp_path / "in", tmp_path / "out.jsonl", listener=lambda: says(said, 39.0))
    clips = read_manifest(tmp_path / "out.jsonl")
    assert " ".join(clip.text for clip in clips) == " ".join(sentences) and len(clips) > 2
    assert all(clip.duration <= 20 and clip.extra["aligned_by"] == "ears" for clip in clips)
    assert sum(clip.extra["agreement"] < 1 for clip in clips) == 1 and not done.dropped
    assert soundfile.info(clips[1].audio).duration == pytest.approx(clips[1].duration)


def test_nobody_listening_drops_what_is_long_and_tells(tmp_path):
    record(tmp_path / "in" / "talk.wav", 40.0).with_suffix(".txt").write_text("A long story.")
    record(tmp_path / "in" / "short.wav").with_suffix(".txt").write_text("Short.")
    done = prepare(tmp_path / "in", tmp_path / "out.jsonl", SILENT)
    assert lost(done) == [("talk.wav", "long without times")]
    assert prepare(tmp_path / "in", tmp_path / "all.jsonl", AS_THEY_ARE).clips == {"all": 2}


def test_recordings_in_which_nobody_speaks_are_told(tmp_path):
    record(tmp_path / "in" / "noise.wav")
    record(tmp_path / "in" / "short.wav").with_suffix(".txt").write_text("Short.")
    deaf = Listener("ears", lambda path: Transcript((), "und", 0.5))
    assert lost(prepare(tmp_path / "in", tmp_path / "out.jsonl", listener=lambda: deaf)) == [
        ("noise.wav", "no speech")
    ]


def test_a_language_is_given_to_rows_that_tell_none(tmp_path):
    path = listed(tmp_path, 2)
    prepare(path, tmp_path / "out.jsonl", PrepareOptions(listen=False, language="de"))
    assert {clip.language for clip in read_manifest(tmp_path / "out.jsonl")} == {"de"}


def test_a_name_that_is_not_utf8_costs_its_recording_alone(tmp_path):
    source = tmp_path / "in"
    record(source / "good.wav")
    (source / os.fsdecode(b"caf\xe9.wav")).write_bytes((source / "good.wav").read_bytes())
    done = prepare(source, tmp_path / "all.jsonl", SILENT)
    assert dict(done.dropped) == {"name is not UTF-8": 1}
    assert [clip.id for clip in read_manifest(tmp_path / "all.jsonl")] == ["good.wav"]
    assert "caf" in lost(done)[0][0]


@pytest.mark.parametrize("times", ["nan,0.2", "0.1,nan", "0.1,inf", "1e400,2", "-1,0.2", "0.3,0.2", "9,10"])
def test_times_that_are_none_cost_their_row_alone(tmp_path, times):
    record(tmp_path / "a.wav")
    table = tmp_path / "list.csv"
    table.write_text(f"file,text,start,end\na.wav,Hello there,{times}\na.wav,Good day,0.1,0.3\n", "utf-8")
    done = prepare(table, tmp_path / "all.jsonl", SILENT)
    assert dict(done.dropped) == {"times are wrong": 1}
    assert [clip.text for clip in read_manifest(tmp_path / "all.jsonl")] == ["Good day"]


@pytest.mark.parametrize("form", [form.NAME for form in FORMS if form.NAME != "folder"])
def test_a_form_that_the_source_has_not_is_an_error(tmp_path, form):
    record(tmp_path / "in" / "a.wav")
    with pytest.raises(ManifestError):
        prepare(tmp_path / "in", tmp_path / "all.jsonl", PrepareOptions(form=form, listen=False))


def test_no_share_holds_nothing_out(tmp_path):
    done = prepare(listed(tmp_path, 30), tmp_path / "out", PrepareOptions(listen=False, share=0.0))
    assert dict(done.clips) == {"train": 30}


def test_lists_of_an_earlier_run_are_set_aside_where_their_rows_are_in_others_now(tmp_path):
    prepare(listed(tmp_path, 30), tmp_path / "out", SILENT)
    done = prepare(listed(tmp_path, 30), tmp_path / "out", PrepareOptions(listen=False, share=0.0))
    assert sorted(path.name for path in (tmp_path / "out").glob("*.jsonl*")) == [
        "dev.jsonl.before", "test.jsonl.before", "train.jsonl",
    ]  # fmt: skip
    assert sum("of an earlier run" in remark for remark in done.remarks) == 2
