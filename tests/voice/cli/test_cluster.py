"""Recordings on a local Ray of two workers, of which one dies; one of the files is bad."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
import typer

ray = pytest.importorskip("ray")

from voice.cli import cluster
from voice.cli.jobs import Job, remaining


def open_work():
    """What a worker does: write the name of the recording, but for those that go wrong."""

    def work(job: Job) -> float:
        name, place = Path(job.source).stem, job.target
        if name == "bad":
            raise ValueError("it is no recording")
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


def test_without_ray_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    with pytest.raises(cluster.VoiceError, match=r"pip install '\.\[cluster\]'"):
        cluster.each([Job("a", Path("b"))], open_work, cluster.Cluster("local", 2))
