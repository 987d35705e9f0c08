"""`voice transcribe`: what it writes, where, and what it says of recordings that it cannot read."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fakes.cli import RATE, SecondsHeard, make_bad, run, tone

from voice import loading
from voice.asr.diarization.speakers import SpeakerTurn
from voice.cli import interrupts
from voice.cli.speaker_count import join_speaker_count
from voice.errors import ModelDamaged, VoiceError


def test_prints_the_text_of_a_recording(recognizer, recording):
    done = run("transcribe", recording)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "2 seconds.\n", "")


def test_tells_the_recognizer_what_was_asked(recognizer, recording):
    done = run("transcribe", recording, "--language", "de", "--translate", "--hotwords", "Ada, Grace Hopper")
    assert done.exit_code == 0
    assert recognizer.asked == [{"language": "de", "hotwords": ["Ada", "Grace Hopper"], "task": "translate"}]


@pytest.mark.parametrize("said", ["German", "deutsch", "de-AT", "deu", "DE"])
def test_a_language_may_be_called_by_its_name_or_with_a_region(recognizer, recording, said):
    assert run("transcribe", recording, "-l", said).exit_code == 0
    assert recognizer.asked[0]["language"] == "de"


def test_auto_detects_the_language(recognizer, recording):
    assert run("transcribe", recording, "-l", "auto").exit_code == 0
    assert recognizer.asked[0]["language"] is None


def test_an_unknown_language_is_refused_before_a_model_is_loaded(recognizer, recording):
    done = run("transcribe", recording, "-l", "Grman")
    assert done.exit_code == 1 and "did you mean German (de)" in done.stderr
    assert recognizer.loads == 0


def test_a_language_that_the_recognizer_does_not_know_is_refused_before_it_hears(recognizer, recording):
    recognizer.languages = {"en", "fr"}
    done = run("transcribe", recording, "-l", "German")
    assert done.exit_code == 1 and "does not know German (de); it knows en fr" in done.stderr
    assert recognizer.asked == []


@pytest.mark.parametrize("form", ["txt", "json", "srt", "vtt", "tsv"])
def test_the_suffix_of_the_output_chooses_the_format(recognizer, recording, tmp_path, form):
    done = run("transcribe", recording, "-o", tmp_path / f"out.{form}")
    assert done.exit_code == 0 and done.stdout == ""
    assert (tmp_path / f"out.{form}").read_text("utf-8") == run("transcribe", recording, "-f", form).stdout


def test_the_json_is_whispers(recognizer, recording):
    whole = json.loads(run("transcribe", recording, "-f", "json").stdout)
    assert whole.keys() == {"text", "language", "duration", "segments"}
    assert whole["segments"][0].keys() == {"id", "start", "end", "text", "words"}
    assert whole["segments"][0]["words"][0].keys() == {"word", "start", "end", "probability"}


class TwoTakeTurns:
    """Whoever is asked for two people hears two, one second each; otherwise one."""

    def stream(self):
        return self

    def through(self, blocks):
        yield from blocks

    def turns(self, count):
        return (SpeakerTurn(0, 0.0, 1.0), *([SpeakerTurn(1, 1.0, 60.0)] if count == 2 else []))


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        (["--speakers"], "Speaker 1: 2 seconds."),
        (["--speakers", "2"], "Speaker 1: 2 seconds."),
        (["--speakers=2"], "Speaker 1: 2 seconds."),
        ([], "2 seconds."),
    ],
)
def test_names_who_speaks_with_a_number_and_without(recognizer, recording, monkeypatch, asked, line):
    fake = loading.open_model
    monkeypatch.setattr(
        loading, "open_model", lambda name, **o: TwoTakeTurns() if name == "speakers" else fake(name, **o)
    )
    for arguments in ([*asked, recording], [recording, *asked]):
        done = run("transcribe", *arguments)
        assert (done.exit_code, done.stdout) == (0, f"{line}\n")


def test_a_number_belongs_to_speakers_and_a_file_does_not():
    joined = {
        "--speakers 3 a.wav": "--speakers=3 a.wav",
        "--speakers a.wav -f srt": "--speakers=all a.wav -f srt",
        "a.wav --speakers": "a.wav --speakers=all",
        "-- --speakers": "-- --speakers",
        "--speakers two a.wav": "--speakers=two a.wav",
        "--speakers -1 -l en": "--speakers=-1 -l en",
    }
    for given, found in joined.items():
        assert join_speaker_count(given.split()) == found.split()


def test_does_not_name_who_speaks_live(recognizer, recording):
    done = run("transcribe", "--live", "--speakers", recording)
    assert done.exit_code == 1 and "leave out --live" in done.stderr


def test_reads_a_recording_from_standard_input(recognizer, recording):
    assert run("transcribe", "-", given=recording.read_bytes()).stdout == "2 seconds.\n"


def test_several_go_to_a_folder_and_the_model_is_loaded_once(recognizer, recording, tmp_path):
    soundfile.write(tmp_path / "three.flac", tone(3), RATE)
    done = run("transcribe", recording, tmp_path / "three.flac", "-o", tmp_path / "out", "-f", "srt")
    assert done.exit_code == 0 and recognizer.loads == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["three.srt", "two.srt"]


def test_several_on_the_screen_are_told_apart(recognizer, recording):
    assert run("transcribe", recording, recording).stdout == f"{recording}:\n2 seconds.\n" * 2


def test_recordings_of_one_name_do_not_overwrite_each_other(recognizer, recording, tmp_path):
    for seconds in (3, 4):
        (tmp_path / str(seconds)).mkdir()
        soundfile.write(tmp_path / str(seconds) / "two.wav", tone(seconds), RATE)
    done = run("transcribe", *sorted(tmp_path.rglob("two.wav")), "-o", tmp_path / "out")
    assert done.exit_code == 0
    texts = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
    assert texts == {"two.txt": "3 seconds.\n", "two-2.txt": "4 seconds.\n", "two-3.txt": "2 seconds.\n"}


def test_several_do_not_go_into_one_file(recognizer, recording, tmp_path):
    (tmp_path / "out.txt").write_text("precious")
    done = run("transcribe", recording, recording, "-o", tmp_path / "out.txt")
    assert done.exit_code == 1 and "name a folder" in done.stderr
    assert (tmp_path / "out.txt").read_text() == "precious"


def test_several_subtitles_do_not_go_to_the_screen_where_they_would_run_together(recognizer, recording):
    done = run("transcribe", recording, recording, "-f", "srt")
    assert done.exit_code == 1 and "name a folder with --output" in done.stderr
    assert done.stdout == "" and recognizer.loads == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["-f", "doc"], 'there is no format "doc"; choose one of txt, json, srt, vtt, tsv'),
        (["--model", "whisper-huge"], 'there is no model "whisper-huge"'),
        (["-o", "/no/such/folder/out.txt"], "/no/such/folder is not a directory; make it first"),
        (["-o", "/dev/null"], "/dev/null is no ordinary file"),
        (["--speakers", "zero"], '"zero" after --speakers is neither a number nor a file; give how many'),
        (["--speakers=-1"], '"-1" after --speakers is neither a number nor a file'),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(recognizer, recording, arguments, complaint):
    done = run("transcribe", recording, *arguments)
    assert done.exit_code == 1 and done.stdout == "" and recognizer.loads == 0
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert complaint in done.stderr


def test_a_transcript_overwrites_no_recording(recognizer, recording, tmp_path):
    song = tmp_path / "song"
    song.write_bytes(recording.read_bytes())
    for target, complaint in {
        recording: "is read here and would be overwritten; name another file",
        tmp_path / "new.wav": f"is a name for sound; for text, name {tmp_path / 'new.txt'}",
        song: "is there and is no text, perhaps a recording; name another file",
    }.items():
        before = target.read_bytes() if target.exists() else None
        for form in ("txt", "srt"):
            done = run("transcribe", recording, "-f", form, "-o", target)
            assert done.exit_code == 1 and complaint in done.stderr and done.stderr.count("\n") == 1
        assert (target.read_bytes() if target.exists() else None) == before
    assert recognizer.loads == 0


def test_a_transcript_overwrites_an_earlier_one_and_not_the_terms_that_it_is_made_with(
    recognizer, recording, tmp_path
):
    (tmp_path / "out.txt").write_text("Ada\n")
    done = run("transcribe", recording, "--hotwords", tmp_path / "out.txt", "-o", tmp_path / "out.txt")
    assert done.exit_code == 1 and "is read here" in done.stderr
    assert run("transcribe", recording, "-o", tmp_path / "out.txt").exit_code == 0
    assert (tmp_path / "out.txt").read_text() == "2 seconds.\n"


def test_says_how_much_of_which_language_it_wrote_down(recognizer, recording, tmp_path):
    for code, name in {"en": "English", "de": "German"}.items():
        done = run("transcribe", recording, "-l", code, "-o", tmp_path / "out.txt")
        assert done.stderr == f"{tmp_path / 'out.txt'}: 2.0 s of {name}\n"


def test_a_folder_that_is_closed_is_named_before_anything_is_loaded(
    recognizer, recording, tmp_path, monkeypatch
):
    monkeypatch.setattr("os.access", lambda *_: False)
    for arguments in (
        ["transcribe", recording, "-o", tmp_path / "out.txt"],
        ["speak", "Hello.", "-o", tmp_path / "out.wav"],
        ["speak", "Hello.", "-o", "-", "--subtitles", tmp_path / "out.srt"],
    ):
        done = run(*arguments)
        assert done.exit_code == 1 and recognizer.loads == 0
        hint = "check its permissions or name another folder"
        assert done.stderr == f"error: {tmp_path} cannot be written to; {hint}\n"


def test_an_interrupted_program_does_not_wait_for_what_its_threads_compute(tmp_path):
    code = """
import sys, time, threading, voice.cli
def command(*_, **__):
    threading.Thread(target=time.sleep, args=(30,)).start()
    raise SystemExit(int(sys.argv[1]))
voice.cli.app = command
voice.cli.main()
"""
    done = subprocess.run([sys.executable, "-c", code, "130"], timeout=20)
    assert done.returncode == 130


def test_several_recordings_do_not_go_into_a_folder_that_is_named_like_one_file(
    recognizer, recording, tmp_path
):
    done = run("transcribe", recording, recording, "-o", tmp_path / "both.srt")
    assert done.exit_code == 1 and "both.srt is a name for one file" in done.stderr
    assert not (tmp_path / "both.srt").exists()


@pytest.mark.parametrize("number", ["0", "65", "100000"])
def test_people_can_be_too_few_or_too_many(recognizer, recording, number):
    done = run("transcribe", recording, "--speakers", number)
    assert done.exit_code == 1 and f"--speakers is {number}, and can be 1 to 64" in done.stderr


def test_control_c_ends_it_quietly_and_leaves_no_file(recognizer, recording, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(recognizer, "transcribe_batch", interrupt)
    done = run("transcribe", recording, "-o", tmp_path / "out.txt")
    assert (done.exit_code, done.stderr) == (130, "interrupted\n")
    assert [path.name for path in tmp_path.iterdir()] == ["two.wav"]


def test_what_fails_because_of_a_signal_is_not_blamed_on_a_file(recognizer, recording, monkeypatch):
    def broken_off(*_, **__):
        raise ModelDamaged("head.onnx cannot be read (initialization failed); fetch the recognizer again")

    monkeypatch.setattr(interrupts, "came", interrupts.ProgramInterrupted)
    monkeypatch.setattr(loading, "open_model", broken_off)
    done = run("transcribe", recording)
    assert (done.exit_code, done.stderr) == (130, "interrupted\n")


# what people call recordings


BAD = {
    "corrupt.mp3": "corrupt.mp3",
    "empty.wav": "is empty",
    "directory": "is a directory",
    "missing.wav": "does not exist",
    "text.wav": "cannot be read as sound",
    "nan.wav": "not numbers",
    "silent.mp4": "no sound track",
    "header.wav": "no sound",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_recording_gets_one_clear_line(recognizer, tmp_path, name):
    done = run("transcribe", make_bad(tmp_path, name))
    assert done.exit_code == 1 and done.stdout == ""
    assert BAD[name] in done.stderr and name in done.stderr
    assert "Traceback" not in done.stderr


def test_bad_ones_among_many_lose_none_of_the_others(recognizer, recording, tmp_path):
    bad = [make_bad(tmp_path, name) for name in BAD]
    soundfile.write(tmp_path / "three.flac", tone(3), RATE)
    files = [recording, *bad, tmp_path / "three.flac"]
    done = run("transcribe", *files, "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert f"{len(BAD)} of {len(files)} recordings failed" in done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["three.txt", "two.txt"]


class Fails(SecondsHeard):
    """A recognizer that hears only what lasts three seconds or more, and fails at the rest in `how`."""

    def __init__(self, how: Exception) -> None:
        super().__init__()
        self.how = how

    def transcribe_batch(self, speeches, **asked):
        if speeches[0].duration < 3:
            raise self.how
        return super().transcribe_batch(speeches, **asked)


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        (ValueError("Conversion from 's64' is unsupported"), "ValueError: Conversion from 's64' is unsupp"),
        (MemoryError(), "there is not enough memory for it"),
        (VoiceError("it cannot be had"), "it cannot be had"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        (RuntimeError("a fault of ours"), "nobody has foreseen this, please report it"),
        (UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates not allowed"), "surrogates not allowed"),
        (RecursionError("too deep"), "too deep"),
    ],
)
def test_whatever_one_recording_ends_by_the_others_go_on(recognizer, recording, monkeypatch, how, complaint):
    monkeypatch.setattr(loading, "open_model", lambda *_, **__: Fails(how))
    monkeypatch.chdir(recording.parent)
    soundfile.write("three.wav", tone(3), RATE)
    done = run("transcribe", "two.wav", "three.wav", "two.wav", "-o", "out")
    assert done.exit_code == 1 and done.exception.code == 1
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 2 and all(complaint in line and "two.wav" in line for line in lines)
    assert done.stderr.endswith("2 of 3 recordings failed; the others are done. Failed: two.wav, two.wav\n")
    assert (Path("out") / "three.txt").read_text() == "3 seconds.\n"


def test_a_full_disk_is_said_and_what_follows_is_tried_when_there_is_room(recognizer, recording, monkeypatch):
    monkeypatch.chdir(recording.parent)
    room = iter([False, True])
    for name in "abcd":
        soundfile.write(f"{name}.wav", tone(2), RATE)

    def write(path: Path, text: str) -> None:
        if path.name.startswith("a."):
            raise VoiceError("out/a.txt cannot be written: No space left on device") from OSError(28, "full")
        path.write_text(text)

    monkeypatch.setattr("voice.cli.results.write_text", write)
    monkeypatch.setattr("voice.cli.batch._has_room", lambda job: next(room))
    done = run("transcribe", *(f"{name}.wav" for name in "abcd"), "-o", "out")
    assert done.exit_code == 1
    assert sorted(path.name for path in Path("out").iterdir()) == ["c.txt", "d.txt"]
    assert len(recognizer.asked) == 3  # b was not begun, as there was no room for it
    assert "2 of 4 recordings failed; the others are done. Failed: a.wav, b.wav" in done.stderr


def test_a_name_of_any_bytes_is_printed_in_one_line_and_named_rightly_on_disk(recognizer, recording):
    names = [os.fsdecode(name) for name in (b"bad\xff.wav", b"two\nlines.wav", b"[red]\x1b[1m.wav")]
    for name in names:
        (recording.parent / name).write_bytes(recording.read_bytes())
    files = [recording.parent / name for name in names]
    done = run("transcribe", *files, recording.parent / os.fsdecode(b"none\xfe.wav"))
    assert [line for line in done.stdout.splitlines() if line.endswith(":")] == [
        f"{recording.parent}/{shown}:" for shown in ("bad\\xff.wav", "two\\nlines.wav", "[red]\\x1b[1m.wav")
    ]
    assert done.stdout.count("2 seconds.\n") == 3
    assert "none\\xfe.wav does not exist" in done.stderr and done.stderr.count("\n") == 2
    assert run("transcribe", *files, "-o", recording.parent / "out").exit_code == 0
    written = sorted(os.listdir(os.fsencode(recording.parent / "out")))
    assert written == [b"[red]\x1b[1m.txt", b"bad\xff.txt", b"two\nlines.txt"]


def test_odd_recordings_get_the_right_answer(recognizer, tmp_path):
    soundfile.write(tmp_path / "blink.wav", tone(0.01), RATE)
    soundfile.write(tmp_path / "eight.wav", np.stack([tone(2)] * 8, axis=1), RATE)
    soundfile.write(tmp_path / "high.wav", tone(2, 192_000), 192_000)
    soundfile.write(tmp_path / "quiet.wav", np.zeros(RATE, np.float32), RATE)
    for name, text in {"blink": "", "eight": "2 seconds.\n", "high": "2 seconds.\n", "quiet": ""}.items():
        done = run("transcribe", tmp_path / f"{name}.wav")
        assert (done.exit_code, done.stdout) == (0, text), name


# folders, and what is there already


@pytest.fixture
def tree(recording, tmp_path, monkeypatch) -> Path:
    """A folder of recordings, subfolders, and what is none or is hidden, in the working directory."""
    folder = tmp_path / "tree"
    for name in (
        "b.wav", "a.mp3", "a.wav", "talk.partial.wav", ".hidden.wav", "notes.txt", "code.ts",
        "sub/b.wav", "sub/deep/c.MP4", ".secret/d.wav", "../elsewhere/e.wav",
    ):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(recording.read_bytes())
    (folder / "sub" / "again").symlink_to(folder)
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    return folder


def files_in(folder: str) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


def test_a_folder_is_the_recordings_in_it(recognizer, tree):
    done = run("transcribe", "tree", "-o", "out", "-f", "srt")
    assert done.exit_code == 0 and len(recognizer.asked) == 3
    assert files_in("out") == ["a.mp3.srt", "a.wav.srt", "b.srt"]


def test_subfolders_keep_their_places_and_links_in_circles_end(recognizer, tree):
    done = run("transcribe", "tree", "--recursive", "-o", "out")
    assert done.exit_code == 0, done.stderr
    assert files_in("out") == [
        "a.mp3.txt",
        "a.wav.txt",
        "b.txt",
        "linked/e.txt",
        "sub/b.txt",
        "sub/deep/c.txt",
    ]


def test_a_folder_is_printed_in_the_order_of_names(recognizer, tree):
    done = run("transcribe", "tree")
    assert done.stdout == "".join(f"tree/{name}:\n2 seconds.\n" for name in ("a.mp3", "a.wav", "b.wav"))


@pytest.mark.parametrize("arguments", [["empty"], ["empty", "--recursive"], ["empty", "-o", "out.txt"]])
def test_a_folder_without_recordings_is_said(recognizer, tree, arguments):
    Path("empty", "sub").mkdir(parents=True)
    done = run("transcribe", *arguments)
    assert done.exit_code == 1 and recognizer.loads == 0
    assert done.stderr.startswith("error: empty is a directory without sound or video files; ")


def test_what_is_there_is_skipped_and_said(recognizer, tree):
    assert run("transcribe", "tree", "-o", "out").exit_code == 0
    Path("out", "b.txt").unlink()
    Path("out", "a.wav.txt").write_text("mended by hand\n")
    done = run("transcribe", "tree", "-o", "out", "--skip-existing")
    assert done.exit_code == 0 and len(recognizer.asked) == 4
    assert "tree/a.wav is skipped: out/a.wav.txt is there\n" in done.stderr
    assert Path("out", "a.wav.txt").read_text() == "mended by hand\n" and Path("out", "b.txt").exists()
    loads = recognizer.loads
    assert run("transcribe", "tree", "-o", "out", "--skip-existing").exit_code == 0
    assert recognizer.loads == loads  # where nothing is left to be done, nothing is loaded


def test_a_transcript_that_may_be_anothers_is_made_anew(recognizer, tree):
    both = ["tree/b.wav", "tree/sub/b.wav"]
    for _ in range(2):
        assert run("transcribe", *both, "-o", "out", "--skip-existing").exit_code == 0
    assert files_in("out") == ["b-2.txt", "b.txt"] and len(recognizer.asked) == 4


def test_nothing_can_be_skipped_where_all_is_printed(recognizer, recording):
    done = run("transcribe", recording, "--skip-existing")
    assert done.exit_code == 1 and "name a folder or a file with --output" in done.stderr


def test_two_names_of_formats_are_one_too_many(recognizer, recording, tmp_path):
    done = run("transcribe", recording, "-f", "srt", "-o", tmp_path / "out.vtt")
    assert done.exit_code == 1 and "leave one of them out" in done.stderr and recognizer.loads == 0


def test_where_nothing_is_said_that_is_said(recognizer, tmp_path):
    quiet = tmp_path / "quiet.wav"
    soundfile.write(quiet, np.zeros(3 * RATE, np.float32), RATE)
    done = run("transcribe", quiet)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", f"{quiet}: no speech was found in 3.0 s\n")
    done = run("transcribe", quiet, "-o", tmp_path / "out.srt")
    assert done.stderr == f"{tmp_path / 'out.srt'}: no speech was found in 3.0 s\n"
