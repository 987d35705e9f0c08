"""Recordings on a local Ray of two workers, of which one dies; one of the files is bad."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
import typer

ray = pytest.importorskip("ray")

from voice.cli import cluster, table
from voice.cli.jobs import Job, remaining
from voice.text.subtitles import render
from voice.types import Segment, Transcript, Word


def open_work():
    """What a worker does: write the name of the recording, but for those that go wrong."""

    def work(job: Job) -> float:
        name, place = Path(job.source).stem, job.target
        if name == "bad":
            raise ValueError("it is no recording")
        if name == "deadly":
            with place.with_name("tries").open("a") as file:
                file.write("x")
            os.kill(os.getpid(), signal.SIGKILL)
        once = place.with_name("died-once")
        if name == "unlucky" and not once.exists():
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        place.write_text(f"{name} by {os.getpid()}")
        return 60.0

    return work


@pytest.fixture(scope="module", autouse=True)
def workers():
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield
    ray.shutdown()


def test_what_dies_or_is_bad_loses_nothing_and_the_next_call_goes_on(tmp_path, capsys):
    names = ["a", "bad", "b", "unlucky", "c"]
    jobs = [Job(f"/recordings/{name}.wav", tmp_path / f"{name}.txt") for name in names]
    with pytest.raises(typer.Exit) as end:
        cluster.each(jobs, open_work, cluster.Cluster("local", 2))
    assert end.value.exit_code == 1
    written = {path.stem: path.read_text() for path in tmp_path.glob("*.txt")}
    assert sorted(written) == ["a", "b", "c", "unlucky"]
    said = capsys.readouterr().err
    assert "bad.wav" in said and "it is no recording" in said
    assert "times real time" in said and "1 of 5 recordings failed; the others are done" in said
    assert [Path(job.source).stem for job in remaining(jobs)] == ["bad"]


def test_what_kills_each_worker_that_opens_it_is_given_up_after_some_tries(tmp_path, capsys):
    names = ["deadly", "a", "b", "c"]
    jobs = [Job(f"/recordings/{name}.wav", tmp_path / f"{name}.txt") for name in names]
    with pytest.raises(typer.Exit):
        cluster.each(jobs, open_work, cluster.Cluster("local", 2))
    assert sorted(path.stem for path in tmp_path.glob("*.txt")) == ["a", "b", "c"]
    assert len((tmp_path / "tries").read_text()) == cluster.TRIES
    said = capsys.readouterr().err
    assert "deadly.wav: the worker that had it died, 3 times" in said
    assert "1 of 4 recordings failed; the others are done" in said


def test_transcripts_are_gathered_in_one_table_and_the_rest_with_the_next_call(tmp_path, capsys):
    parquet, output = pytest.importorskip("pyarrow.parquet"), str(tmp_path / "all.parquet")
    folder = Path(table.place_of_parts(output, None, shared=True))
    folder.mkdir()
    jobs = [Job(f"{name}.wav", folder / f"{name}.json") for name in ("a", "b")]
    said = Segment("Hello you.", 0.5, 1.5, (Word("Hello", 0.5, 1.0, 0.9), Word("you.", 1.0, 1.5, 0.9)))
    whole = render(Transcript((said,), "en", 2.0), "json")
    jobs[0].target.write_text(whole, "utf-8")
    with pytest.raises(typer.Exit), table.gathering(output, jobs):
        raise typer.Exit(1)
    assert "1 of 2 recordings; call it again" in capsys.readouterr().err and folder.exists()
    jobs[1].target.write_text(whole, "utf-8")
    with table.gathering(output, jobs):
        pass
    rows = parquet.read_table(output).to_pylist()
    assert [row["source"] for row in rows] == ["a.wav", "b.wav"] and not folder.exists()
    (segment,) = rows[1]["segments"]
    assert (rows[1]["language"], segment["text"], segment["speaker"]) == ("en", "Hello you.", None)
    assert [word["text"].strip() for word in segment["words"]] == ["Hello", "you."]
    with pytest.raises(cluster.VoiceError, match="is a table, which --ray writes"):
        table.place_of_parts(output, "srt", shared=True)


def test_without_ray_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    with pytest.raises(cluster.VoiceError, match=r"pip install '\.\[cluster\]'"):
        cluster.each([Job("a", Path("b"))], open_work, cluster.Cluster("local", 2))
