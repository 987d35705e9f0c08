"""Many recordings or texts on many machines: Ray Data gives each worker one at a time.

A worker is an actor that has loaded its models once. It writes its own results, whole or not at all, so that
neither a worker that dies nor the end of the command loses any: Ray gives the recording to another worker,
and the next call with --skip-existing goes on with what is missing. Every machine has to reach the files by
the same path.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from voice.cli import batch
from voice.cli.console import error_message, note
from voice.cli.jobs import Job
from voice.errors import VoiceError

Ray = Annotated[
    str | None,
    typer.Option("--ray", metavar="local|ADDRESS", help="Share several among the workers of a Ray cluster."),
]
Workers = Annotated[int, typer.Option("--workers", min=0, help="With --ray: how many; 0: one for each core.")]
LOCAL = "local"
TRIES = 3  # how often a recording may take its worker's life
SHOWN_EVERY = 10.0  # seconds between two lines on how far it is
Work = Callable[[Job], float]  # does a job; returns the seconds of sound in it or of it


@dataclass(frozen=True)
class Cluster:
    """Where Ray runs ("local" starts it here), how many workers (0: as many as fit), threads of each.

    `what` its jobs are called, and the `sound` that they are about.
    """

    address: str
    workers: int
    threads: int = 1
    what: str = "recordings"
    sound: str = "sound"


@dataclass
class Pace:
    """How many of `count` jobs are done, and how fast: a line of it now and then, and one at the end."""

    count: int
    what: str
    sound: str
    done: int = 0
    seconds: float = 0.0
    begun: float = field(default_factory=time.monotonic)
    shown: float = field(default_factory=time.monotonic)

    def add(self, seconds: float) -> None:
        """Count a job with so many seconds of sound in it."""
        self.done, self.seconds = self.done + 1, self.seconds + seconds
        now = time.monotonic()
        if now - self.shown >= SHOWN_EVERY or self.done == self.count:
            self.shown = now
            note(self._line(now - self.begun))

    def _line(self, spent: float) -> str:
        pace = self.seconds / max(spent, 1e-3)
        hours = f"{self.seconds / 3600:.2f} h of {self.sound} in {spent:.0f} s"
        return f"{self.done} of {self.count} {self.what}, {hours}: {pace:.1f} times real time"


class Worker:
    """What Ray makes an actor of: `open_work` loads the models, and every row is one job."""

    def __init__(self, open_work: Callable[[], Work]) -> None:
        self._work = open_work()

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Do the job of a row; what goes wrong with it is said in its "error"."""
        begun, seconds, error = time.monotonic(), 0.0, ""
        try:
            target = Path(row["target"]) if row["target"] else None
            seconds = self._work(Job(row["source"], target, row["numbered"]))
        except Exception as failure:  # of one recording; the others go on
            error = error_message(failure)
        return {"number": row["number"], "seconds": seconds, "took": time.monotonic() - begun, "error": error}


def each(jobs: Sequence[Job], open_work: Callable[[], Work], cluster: Cluster) -> None:
    """Do every job on a cluster, as `batch.each` does here; exit status 1 if one of them failed.

    `open_work` is called once in each worker. Raises VoiceError without Ray, or where no cluster answers.
    """
    if not jobs:
        return
    _connect(cluster, len(jobs))
    pace = Pace(len(jobs), cluster.what, cluster.sound)
    left = dict(enumerate(jobs))
    failed: list[Job] = []
    for row in _rows(jobs, open_work, cluster):
        job = left.pop(row["number"])
        if row["error"]:
            failed.append(job)
            note(f"error: {job.source}: {row['error']}")
        pace.add(row["seconds"])
    for job in left.values():
        failed.append(job)
        note(f"error: {job.source}: the worker that had it died, {TRIES} times; look at its memory")
    if failed:
        batch.sum_up(failed, len(jobs), full=False, what=cluster.what)
        raise typer.Exit(1)


def _connect(cluster: Cluster, jobs: int) -> None:
    """Start Ray here, with no more processes than jobs, or join the one at the address. Raises VoiceError."""
    if find_spec("ray") is None:
        raise VoiceError("--ray takes Ray, which is not installed: pip install '.[cluster]'")
    from voice.models.sessions import cores

    ray: Any = import_module("ray")
    if ray.is_initialized():
        return
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if cluster.address == LOCAL:
            count = min(cluster.workers, jobs) * cluster.threads or cores()  # Ray starts them all at once
            ray.init(address=LOCAL, num_cpus=count, include_dashboard=False, **quiet)
        else:
            ray.init(address=cluster.address, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise VoiceError(f"no Ray cluster answers at {cluster.address} ({error})"[:300]) from error


def _rows(jobs: Sequence[Job], open_work: Callable[[], Work], cluster: Cluster) -> Iterator[dict[str, Any]]:
    """Yield the row of each job when it is done; none for a job that took its worker's life each time."""
    ray: Any = import_module("ray")
    ray_data: Any = import_module("ray.data")
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray_data.DataContext.get_current()
    context.max_errored_blocks = -1  # one that dies loses none of the others
    context.enable_progress_bars = False
    workers = cluster.workers or max(1, int(ray.cluster_resources().get("CPU", 1)) // cluster.threads)
    items = [
        {
            "number": number,
            "source": os.path.abspath(job.source),
            "target": _path(job),
            "numbered": job.numbered,
        }
        for number, job in enumerate(jobs)
    ]
    dataset = ray_data.from_items(items, override_num_blocks=len(items))
    rows = dataset.map(
        Worker, fn_constructor_args=(open_work,), concurrency=min(workers, len(jobs)),
        num_cpus=cluster.threads, max_restarts=-1, max_task_retries=TRIES - 1,
    )  # fmt: skip
    yield from rows.iter_rows()


def _path(job: Job) -> str:
    return os.path.abspath(job.target) if job.target else ""
