"""Many texts are spoken, each into a file of its own: those of a folder, or the lines of a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.cli import Hummer, run

from voice import audio, loading
from voice.cli import cluster, texts
from voice.types import Controls


@pytest.fixture(autouse=True)
def hummer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(loading, "load_voice", lambda name, **_: Hummer())
    monkeypatch.chdir(tmp_path)


def write_texts() -> None:
    Path("texts").mkdir()
    for name, text in {"a": "One two.", "b": "One two three.", "empty": " "}.items():
        Path(f"texts/{name}.txt").write_text(text, "utf-8")
    Path("texts/notes.md").write_text("Not this.", "utf-8")


def test_a_folder_of_texts_becomes_a_folder_of_sounds_and_one_that_fails_loses_none():
    write_texts()
    done = run("speak", "-i", "texts", "-o", "spoken", "-f", "flac")
    assert done.exit_code == 1
    assert sorted(each.name for each in Path("spoken").iterdir()) == ["a.flac", "b.flac"]
    assert audio.length("spoken/b.flac") == pytest.approx(0.3, abs=0.02)
    assert "empty.txt" in done.stderr and "1 of 3 texts failed; the others are done" in done.stderr


def test_each_line_can_be_a_text_and_what_is_there_is_left_out():
    Path("lines.txt").write_text("One.\n\nOne two.\n", "utf-8")
    assert run("speak", "-i", "lines.txt", "--lines", "-o", "spoken").exit_code == 0
    assert sorted(each.name for each in Path("spoken").iterdir()) == ["0001.wav", "0003.wav"]
    Path("spoken/0001.wav").unlink()
    stamp = Path("spoken/0003.wav").stat().st_mtime_ns
    done = run("speak", "-i", "lines.txt", "--lines", "-o", "spoken", "--skip-existing")
    assert done.exit_code == 0 and "1 of 1 texts" in done.stderr and "times real time" in done.stderr
    assert Path("spoken/0001.wav").exists() and Path("spoken/0003.wav").stat().st_mtime_ns == stamp


def test_the_workers_of_a_cluster_do_the_same(monkeypatch: pytest.MonkeyPatch):
    write_texts()
    asked = []

    def each(jobs, open_work, where):
        work = open_work()
        asked.append((where, [work(job) for job in jobs if "empty" not in job.source]))

    monkeypatch.setattr(cluster, "each", each)
    given = ("speak", "-i", "texts", "-o", "spoken", "--ray", "local", "--workers", "2")
    assert run(*given).exit_code == 0
    ((where, seconds),) = asked
    assert (where.address, where.workers, where.what) == ("local", 2, "texts")
    assert seconds == pytest.approx([0.2, 0.3]) and Path("spoken/a.wav").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("-i", "texts", "-o", "all.wav"), "name a folder"),
        (("-i", "texts", "-o", "x", "-f", "midi"), 'no format "midi"'),
        (("-i", "texts", "-o", "x", "--subtitles", "x.srt"), "those of one text"),
        (("Hello.", "--ray", "local"), "for several texts"),
        (("-i", "none", "-o", "x"), "holds no .txt file"),
    ],
)
def test_what_cannot_be_is_said_before_any_work(arguments, complaint):
    write_texts()
    Path("none").mkdir()
    done = run("speak", *arguments)
    assert done.exit_code == 1 and complaint in done.stderr and not Path("x").exists()


def test_a_job_can_be_sent_to_another_machine():
    import pickle

    write_texts()
    asked = texts.SpeakingRequest("heart", Controls(), False, False, False, 1)
    assert pickle.loads(pickle.dumps(asked)) == asked
