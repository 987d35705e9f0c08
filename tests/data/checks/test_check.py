"""Every kind of broken data, each with its own message."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fakes.cli import silent_video

from data.checks.check import CheckOptions, check
from data.checks.findings import KINDS, Finding
from data.checks.lists import Repeats, leaks
from data.listening import Listener
from data.measuring import explain
from voice.errors import ManifestError
from voice.manifest import Clip, read_manifest
from voice.types import Segment, Transcript

RATE = 16000
TEXT = "This is what somebody says in it."


def voice_like(seconds: float = 2.0, rate: int = RATE) -> np.ndarray:
    """Noise that swells and fades, so that no check finds anything wrong with it."""
    count = round(seconds * rate)
    loudness = 0.5 + 0.5 * np.sin(2 * np.pi * 3 * np.arange(count) / rate)
    return 0.1 * loudness * np.random.default_rng(0).standard_normal(count).clip(-3, 3)


def write_sound(path: Path, samples: np.ndarray | None = None, rate: int = RATE, **how) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, voice_like(rate=rate) if samples is None else samples, rate, **how)
    return path


def row(**changes) -> dict:
    usual = {
        "audio": "a.wav",
        "text": TEXT,
        "duration": 2.0,
        "speaker": "ann",
        "id": "a",
        "sample_rate": RATE,
    }
    return {name: value for name, value in {**usual, **changes}.items() if value != "LEAVE OUT"}


def write_rows(folder: Path, *rows: dict | str, name: str = "all.jsonl") -> Path:
    path = folder / name
    lines = (each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in rows)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def find(path: Path, **options) -> list[Finding]:
    found: list[Finding] = []
    report = check(path, CheckOptions(**options), tell=found.append)
    assert sum(report.counts.values()) == len(found)
    return found


def cut_off(folder: Path) -> None:
    whole = write_sound(folder / "whole.wav", voice_like(4.0)).read_bytes()
    (folder / "a.wav").write_bytes(whole[: len(whole) // 2])


def no_samples(folder: Path) -> None:
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36, b"WAVE", b"fmt ", 16, 1, 1, RATE, 32000, 2, 16, b"data", 0
    )
    (folder / "a.wav").write_bytes(header)


def with_nan(folder: Path) -> None:
    samples = voice_like()
    samples[5000] = np.nan
    write_sound(folder / "a.wav", samples, subtype="FLOAT")


def opposite(folder: Path) -> None:
    write_sound(folder / "a.wav", np.stack([voice_like(), -voice_like()], 1))


def one_empty(folder: Path) -> None:
    write_sound(folder / "a.wav", np.stack([voice_like(), np.zeros(2 * RATE)], 1))


def circle(folder: Path) -> None:
    (folder / "a.wav").symlink_to(folder / "a.wav")


def elsewhere(folder: Path) -> None:
    write_sound(folder / "wavs" / "a.wav")


def sound(samples: np.ndarray) -> Callable[[Path], object]:
    return lambda folder: write_sound(folder / "a.wav", samples)


def nothing(folder: Path) -> None:
    pass


fine = sound(voice_like())
long_text = " ".join(["word"] * 1200)

# kind, what lies there, the rows, a part of the message
CASES = [
    ("bad json", fine, ['{"audio": "a.wav", "text": '], "is not JSON"),
    ("no object", fine, ["[1, 2]"], "is not an object"),
    ("column missing", fine, [row(audio="LEAVE OUT")], 'has no "audio"'),
    ("wrong type", fine, [row(text=7)], '"text" is 7; expected a string or null'),
    ("wrong type", fine, [row(duration=-1)], "cannot be used"),
    ("id occurs again", fine, [row(), row()], "the id occurs more than once"),
    ("recording occurs again", fine, [row(), row(id="b")], "a.wav is in an earlier row"),
    ("no transcript", fine, [row(), row(id="b"), row(id="c", text=None)], "most others have one"),
    ("missing", nothing, [row()], "is missing; check the path"),
    ("found elsewhere", elsewhere, [row()], "is missing, but there is"),
    ("found elsewhere", elsewhere, [row(audio="C:\\Users\\ann\\wavs\\a.wav")], "is missing, but there is"),
    ("found elsewhere", fine, [row(audio="A.WAV")], "is missing, but there is"),
    ("missing", fine, [row(audio="a\0.wav")], "holds a zero byte"),
    ("missing", lambda f: (f / "a.wav").symlink_to(f / "b.wav"), [row()], "is a link to"),
    ("link in a circle", circle, [row()], "is a link that leads to itself"),
    ("not a file", lambda folder: (folder / "a.wav").mkdir(), [row()], "is a directory"),
    ("not a file", lambda folder: os.mkfifo(folder / "a.wav"), [row()], "is a device or a pipe"),
    ("cannot be decoded", lambda f: (f / "a.wav").write_text("no"), [row()], "cannot be read as sound"),
    ("truncated", cut_off, [row(duration=4.0)], "of its sound are lost"),
    ("video without sound", lambda f: silent_video(f / "a.mp4"), [row(audio="a.mp4")], "has no sound track"),
    ("zero length", no_samples, [row()], "not one sample could be decoded"),
    ("zero length", lambda folder: (folder / "a.wav").write_bytes(b""), [row()], "is empty"),
    ("not finite", with_nan, [row()], "not numbers"),
    ("silent", sound(np.zeros(2 * RATE)), [row()], "the audio is silent"),
    ("opposite phase", opposite, [row()], "cancel each other"),
    ("empty channel", one_empty, [row()], "one of its channels is empty"),
    ("wrong rate", fine, [row(sample_rate=8000)], "the rate is 16000 Hz, the row says 8000"),
    ("wrong duration", fine, [row(duration=0.5)], "lasts 2.00 s, the row says 0.50"),
    ("very short", sound(voice_like(0.05)), [row(duration=0.05, text="A")], "it lasts 0.05 s"),
    ("long without times", sound(voice_like(31.0)), [row(duration=31.0, text=TEXT * 9)], "it lasts 31 s"),
    ("clipped", sound((9 * voice_like()).clip(-1, 1)), [row()], "are cut off at the peak"),
    ("offset", sound(voice_like() + 0.1), [row()], "swings around +0.10"),
    ("very quiet", sound(voice_like() / 200), [row()], "dB below full scale"),
    ("empty text", fine, [row(text="  ")], "the text is empty"),
    ("nothing spoken", fine, [row(text="… –")], "holds no word"),
    ("very long text", fine, [row(text=long_text)], "it has 1,200 words"),
    ("text too long", fine, [row(text=" ".join(map(str, range(100, 200))))], "cannot be said"),
    ("text too short", sound(voice_like(8.0)), [row(duration=8.0, text="Yes.")], "3 letters in 8.0 s"),
    ("words repeat", fine, [row(text="nine nine nine nine nine")], "'nine' comes 4 times or more"),
    ("markup", fine, [row(text="It is <b>bold</b>.")], "'<b>' is nothing that is said"),
    ("markup", fine, [row(text="Fish &amp; chips")], "'&amp;' is nothing that is said"),
    ("markup", fine, [row(text="Well [laughter] yes")], "'[laughter]' is nothing that is said"),
    ("markup", fine, [row(text="(laughs) Well then")], "'(laughs)' is nothing that is said"),
    ("markup", fine, [row(text="SIL well then SIL")], "'SIL' is nothing that is said"),
    ("markup", fine, [row(text="Well then %hesitation yes")], "%hesitation' is nothing that is said"),
    ("markup", fine, [row(text="hello_there_friend")], "'_' is nothing that is said"),
    ("placeholder", fine, [row(text="N/A")], "no transcript had been written"),
    ("placeholder", fine, [row(text="TODO")], "no transcript had been written"),
    ("placeholder", fine, [row(text="clip_0001.wav")], "no transcript had been written"),
    ("figures", fine, [row(text="It was 1455 then")], "holds figures"),
    ("other script", fine, [row(text="Привет всем", language="en")], "is not written as en"),
    ("other script", fine, [*[row(id=str(n)) for n in range(30)], row(text="你好世界")], "which is LATIN"),
    ("mixed scripts", fine, [row(text="The p\u0430yment is due today")], "letters of two alphabets"),
    ("other language", fine, [row(text="Das ist nicht der Weg", language="en")], "seems to be de, not en"),
    ("wrong encoding", fine, [row(text="Ein KÃ¤se zum FrÃ¼hstÃ¼ck")], "was UTF-8 and read as another"),
    ("lost characters", fine, [row(text="Ein K\ufffdse zum Mittag")], "a letter that was lost"),
    ("control characters", fine, [row(text="Zero\u200bwidth\x07 here")], "characters that nobody sees"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "prepare", "rows", "message"), CASES)
def test_each_kind_of_broken_data_has_its_message(tmp_path, kind, prepare, rows, message):
    prepare(tmp_path)
    found = [each for each in find(write_rows(tmp_path, *rows)) if each.kind == kind]
    assert len(found) == 1 and message in found[0].message and found[0].mend
    assert found[0].line == len(rows)


def test_faint_sound_is_not_taken_for_clipped(tmp_path):
    write_sound(tmp_path / "a.wav", voice_like() / 2000)
    assert {each.kind for each in find(write_rows(tmp_path, row()))} == {"very quiet"}


def test_a_file_of_another_kind_is_one_error_and_not_one_a_line(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("file,text\na.wav,Hello\n")
    with pytest.raises(ManifestError, match="voice data prepare"):
        find(path)


def test_fixing_twice_keeps_both_old_lists(tmp_path):
    fine(tmp_path)
    path = write_rows(tmp_path, row(duration=9.0))
    first = path.read_bytes()
    find(path, fix=True)
    path.write_bytes(path.read_bytes().replace(b"2.0", b"3.0"))
    second = path.read_bytes()
    report = check(path, CheckOptions(fix=True))
    assert path.with_name("all.jsonl.before").read_bytes() == first
    assert report.kept is not None
    assert report.kept.read_bytes() == second


def test_a_list_of_which_nothing_would_be_left_stays_as_it_is(tmp_path):
    path = write_rows(tmp_path, row(audio="gone.wav"))
    before = path.read_bytes()
    with pytest.raises(ManifestError, match="nothing would be left"):
        find(path, fix=True)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["all.jsonl"]


def test_many_rows_with_the_same_id_are_numbered_in_no_time(tmp_path):
    repeats = Repeats()
    clip = Clip(tmp_path / "a.wav", None, 1.0, None, "x")
    names = [each.change["id"] for n in range(20_000) for each in repeats.findings(n, clip) if each.change]
    assert names[:2] == ["x-2", "x-3"] and len(set(names)) == 19_999


def test_nothing_is_wrong_with_what_is_fine(tmp_path):
    fine(tmp_path)
    assert find(write_rows(tmp_path, row())) == []


def test_a_real_corpus_has_no_errors(corpora):
    assert check(corpora / "kathleen" / "dev.jsonl").of("error") == 0


def test_what_may_not_be_read_is_said_so(tmp_path):
    error = explain(tmp_path / "a.wav", PermissionError(13, "Permission denied"))
    assert error.kind == "no permission" and "chmod u+r" in str(error)


def heard(text: str) -> Listener:
    return Listener("somebody", lambda path: Transcript((Segment(text, 0.0, 1.0),), "en", 1.0))


def test_shuffled_transcripts_are_heard(tmp_path):
    rows = [
        row(id=str(n), audio=f"{n}.wav", text=f"Another sentence {'abcdef'[n]} of quite other words.")
        for n in range(6)
    ]
    for n in range(6):
        write_sound(tmp_path / f"{n}.wav")
    path = write_rows(tmp_path, *rows)
    found = find(path, listener=heard("Nobody expects this now."))
    assert [each.kind for each in found] == ["another text"] * 6
    assert "somebody hears 'Nobody expects" in found[0].message
    report = check(path, CheckOptions(listener=heard("Nobody expects this now.")))
    assert "the transcripts seem to be shuffled" in report.remarks[-1]
    assert find(path, listener=heard("another sentence see of quite other words")) == []


def test_what_is_in_two_splits_is_told(tmp_path):
    for name in "abc":
        write_sound(tmp_path / f"{name}.wav")
    train = write_rows(tmp_path, row(), row(id="b", audio="b.wav", text="Only here."), name="train.jsonl")
    dev = write_rows(tmp_path, row(id="x"), row(id="c", audio="c.wav", text="only here"), name="dev.jsonl")
    kinds = [(split, each.id, each.kind) for split, each in leaks({"train": train, "dev": dev})]
    assert kinds == [
        ("dev", "x", "recording in two splits"),
        ("dev", "x", "speaker in two splits"),
        ("dev", "c", "sentence in two splits"),
    ]


def test_every_kind_is_tested_and_has_a_mend():
    here = {kind for kind, *_ in CASES}
    elsewhere = {"no permission", "another text", "recording in two splits", "sentence in two splits"}
    assert here | elsewhere | {"speaker in two splits"} == set(KINDS)
    assert len(KINDS) >= 30 and all(kind.mend for kind in KINDS.values())


def test_fixing_mends_what_is_safe_and_loses_nothing(tmp_path):
    fine(tmp_path)
    elsewhere(tmp_path)
    os.rename(tmp_path / "wavs" / "a.wav", tmp_path / "wavs" / "b.wav")
    path = write_rows(
        tmp_path,
        row(duration=9.0, sample_rate=8000, text="Fish &amp; <i>chips</i>\x07 and KÃ¤se"),
        row(audio="b.wav"),
        row(id="gone", audio="gone.wav"),
        "{broken",
        row(id="other", text="Привет всем", language="en"),
    )
    before = path.read_bytes()
    report = check(path, CheckOptions(fix=True))
    assert (report.mended, report.rejected) == (2, 2)
    assert path.with_name("all.jsonl.before").read_bytes() == before
    first, second, third = read_manifest(path)
    assert (first.text, first.duration, first.sample_rate) == ("Fish & chips and Käse", 2.0, RATE)
    assert second.id == "a-2" and second.audio == tmp_path / "wavs" / "b.wav"
    assert third.text == "Привет всем"  # whether it belongs there a person decides
    rejected = path.with_name("all.jsonl.rejected").read_text("utf-8")
    assert "gone.wav is missing" in rejected and "is not JSON" in rejected
    assert check(path).counts == {"other script": 1, "recording occurs again": 1}


def test_fixing_what_is_fine_changes_nothing(tmp_path):
    fine(tmp_path)
    path = write_rows(tmp_path, row())
    check(path, CheckOptions(fix=True))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.wav", "all.jsonl"]


def test_several_processes_find_the_same_as_one(tmp_path):
    write_sound(tmp_path / "a.wav", voice_like(0.3))
    rows = [row(id=str(n), duration=0.3 + (n % 7 == 0)) for n in range(300)]
    path = write_rows(tmp_path, *rows)
    assert find(path, workers=2) == find(path, workers=1)


def test_a_file_that_is_no_text_is_an_error(tmp_path):
    (tmp_path / "all.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ManifestError, match="cannot be read"):
        check(tmp_path / "all.jsonl")
