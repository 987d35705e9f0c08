"""Carry out a training as stages in one folder, which can be stopped at any moment and gone on with.

    stages = [Stage("prepare", "read the recordings", prepare, {"source": folder}), Stage("train", …), …]
    results = carry_out(Path("runs/anna"), stages)

Each stage has a folder of its name in the run's folder, and in it `stage.json`, which says from what it was
made. A stage that was done from the same inputs, and from the same results before it, is skipped; one that
was stopped, even by `kill -9`, is called again with the folder as it was left. Where the inputs have changed
since, the old folder is kept as `NAME.before`, and the stage starts anew; with the old inputs it comes back.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recipes.planning import Estimate, Line, Tell, TimeLeft, duration, lines
from voice.errors import VoiceError
from voice.models.card import sha256

RECORD = "stage.json"
LOCK = ".lock"


@dataclass(frozen=True)
class Result:
    """What a stage has made: `facts` and `files` decide what comes after it, `notes` do not.

    `facts` and `notes` hold what JSON can: text, numbers, lists, tables. A file that is gone makes the
    stage run again.
    """

    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[Path, ...] = ()


Results = Mapping[str, Result]  # by the name of the stage


@dataclass(frozen=True)
class Work:
    """What a stage gets: its own folder, which may hold what it began, and the results of those before.

    It may call `progress` with the share of it that is done, from 0 to 1, for the time left.
    """

    folder: Path
    results: Results
    progress: Callable[[float], None] = lambda share: None


def _nothing(results: Results) -> None:
    return None


@dataclass(frozen=True)
class Stage:
    """One part of a training.

    `does` says in a few words what it does. `inputs` decide what it makes, beside the results before it:
    plain values, or paths that are there before the first stage, of which the content counts (of a folder
    the names, sizes and times in it). `extent` is how far it goes, such as steps: where that alone has
    changed, a stage that was done goes on from where it is. `estimate` is what it takes, None as long as that
    is not known. Both are asked with the results so far.
    """

    name: str
    does: str
    run: Callable[[Work], Result]
    inputs: Mapping[str, Any] = field(default_factory=dict)
    extent: Callable[[Results], Any] = _nothing
    estimate: Callable[[Results], Estimate | None] = _nothing


@dataclass(frozen=True)
class Record:
    """What `stage.json` says. `files` are the paths, with size and sha256, that the result names."""

    fingerprint: str
    extent: Any
    done: bool
    seconds: float
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def result(self) -> Result:
        """Return the result that was recorded."""
        return Result(self.facts, self.notes, tuple(Path(name) for name in self.files))

    @property
    def digest(self) -> str:
        """Return a hash of all that decides what comes after."""
        return _digest([self.facts, [[Path(name).name, digest] for name, (_, digest) in self.files.items()]])

    @property
    def is_whole(self) -> bool:
        """Tell whether the stage was done and all its files are still there."""
        sizes = ((Path(name), size) for name, (size, _) in self.files.items())
        return self.done and all(path.is_file() and path.stat().st_size == size for path, size in sizes)


def carry_out(folder: Path, stages: Sequence[Stage], tell: Tell = print) -> dict[str, Result]:
    """Run the stages that are not done yet and return the results of all, by their names.

    `tell` gets the plan and the progress, a line each. What a stage raises comes through, KeyboardInterrupt
    too; the next call goes on there. Raises VoiceError where another process works in `folder`.
    """
    folder = folder.absolute()
    with _alone(folder):
        contents = {stage.name: _content(stage.inputs) for stage in stages}
        jobs = [_Job(folder / stage.name, stage, contents[stage.name]) for stage in stages]
        records: dict[str, Record] = {}
        plan = _tell_plan(folder, jobs, records, tell)
        for number, job in enumerate(jobs):
            record = job.find_record(records)
            if record is None:
                record = _run(job, records, sum(line.minutes_left for line in plan[number + 1 :]), tell)
            records[job.stage.name] = record
            if _unknown(_plan(jobs, records)) < _unknown(plan):
                plan = _tell_plan(folder, jobs, records, tell)
        return _results(records)


@dataclass(frozen=True)
class _Job:
    """A stage with its folder and the content of its inputs."""

    own: Path
    stage: Stage
    content: Any

    def fingerprint(self, records: Mapping[str, Record]) -> str:
        """Return a hash of what decides the result: the inputs and the results before."""
        return _digest([self.stage.name, self.content, *(record.digest for record in records.values())])

    def find_record(self, records: Mapping[str, Record]) -> Record | None:
        """Return what the stage has made if it is done from what it would be made of now, else None."""
        record = _read(self.own)
        if record is None or not record.is_whole or record.fingerprint != self.fingerprint(records):
            return None
        return record if record.extent == _plain(self.stage.extent(_results(records))) else None


def check_trained(folder: Path, steps: int) -> None:
    """Raise KeyboardInterrupt where the run in `folder` has fewer steps: a signal told its loop to stop."""
    from recipes.checkpoints import read_state
    from recipes.runs import CHECKPOINT

    done = read_state(folder / CHECKPOINT, "the training")["step"]
    if done < steps:
        raise KeyboardInterrupt(f"{done} of {steps} steps are done")


def _run(job: _Job, records: Mapping[str, Record], later: float, tell: Tell) -> Record:
    """Run one stage, in its folder as it was left or in a new one, and record what it has made."""
    stage, results, key = job.stage, _results(records), job.fingerprint(records)
    estimate, extent = stage.estimate(results), stage.extent(results)
    before = _read(job.own)
    if before is not None and before.fingerprint != key:
        before = _put_aside(job.own, key, tell)
        if before is not None and before.is_whole and before.extent == _plain(extent):
            return before
    spent = before.seconds if before else 0.0
    _write(job.own, Record(key, extent, False, spent))
    tell(f"{stage.name}: {stage.does}" + (f", about {duration(estimate.minutes)}" if estimate else ""))
    begun = time.monotonic()
    try:
        with TimeLeft(stage.name, estimate.minutes if estimate else None, later, tell) as left:
            result = stage.run(Work(job.own, results, left.move))
    finally:
        spent += time.monotonic() - begun
        _write(job.own, Record(key, extent, False, spent))
    files = {str(path.absolute()): (path.stat().st_size, sha256(path)) for path in result.files}
    record = Record(key, extent, True, spent, _plain(result.facts), _plain(result.notes), files)
    _write(job.own, record)
    return record


def _plan(jobs: Sequence[_Job], records: Mapping[str, Record]) -> list[Line]:
    """Return the plan: stages in `records` are done, and those after them as far as their folders tell."""
    plan, known = [], dict(records)
    for number, job in enumerate(jobs):
        stage = job.stage
        record = known.get(stage.name) or (job.find_record(known) if len(known) == number else None)
        if record:
            known[stage.name] = record
            plan.append(Line(stage.name, stage.does, "done", None, record.seconds / 60))
        else:
            state = "begun" if (job.own / RECORD).is_file() else "to do"
            plan.append(Line(stage.name, stage.does, state, stage.estimate(_results(known))))
    return plan


def _tell_plan(folder: Path, jobs: Sequence[_Job], records: Mapping[str, Record], tell: Tell) -> list[Line]:
    """Tell the plan and return it."""
    plan = _plan(jobs, records)
    for line in lines(f"plan, in {folder}:", plan):
        tell(line)
    return plan


def _unknown(plan: Sequence[Line]) -> int:
    """Return how many stages of a plan take a time that is not known yet."""
    return sum(line.state != "done" and line.estimate is None for line in plan)


def _results(records: Mapping[str, Record]) -> dict[str, Result]:
    return {name: record.result for name, record in records.items()}


def _put_aside(own: Path, key: str, tell: Tell) -> Record | None:
    """Keep a folder made from other inputs as `NAME.before`; of two of them, the one that took longer.

    If the one kept already was made from the inputs `key`, they change places and its record is returned.
    """
    aside, swapped = own.with_name(f"{own.name}.before"), own.with_name(f".{own.name}.swapped")
    kept, here = _read(aside), _read(own)
    if kept is not None and kept.fingerprint == key:
        own.rename(swapped)
        aside.rename(own)
        swapped.rename(aside)
        tell(f"{own.name}: its inputs are those of {aside} again, so it goes on with what was there")
        return kept
    if kept is None or here is None or kept.seconds <= here.seconds:
        shutil.rmtree(aside, ignore_errors=True)
        own.rename(aside)
    shutil.rmtree(own, ignore_errors=True)
    tell(f"{own.name}: its inputs have changed, so it starts anew; what took longest so far is in {aside}")
    return None


def _read(own: Path) -> Record | None:
    """Return a stage's record, None where there is none or where it cannot be read."""
    try:
        row = json.loads((own / RECORD).read_text("utf-8"))
        files = {name: (int(size), str(digest)) for name, (size, digest) in row.pop("files").items()}
        return Record(**row, files=files)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _write(own: Path, record: Record) -> None:
    """Write a stage's record, whole or not at all."""
    own.mkdir(parents=True, exist_ok=True)
    beside = own / f".{RECORD}.{os.getpid()}"
    beside.write_text(json.dumps(vars(record), indent=1, ensure_ascii=False) + "\n", "utf-8")
    beside.replace(own / RECORD)


def _content(value: Any) -> Any:
    """Return what counts of an input: a path's content, other values as they are."""
    if isinstance(value, Path):
        return sha256(value) if value.is_file() else _listing(value)
    if isinstance(value, Mapping):
        return {str(name): _content(each) for name, each in value.items()}
    return [_content(each) for each in value] if isinstance(value, list | tuple) else value


def _listing(folder: Path) -> list[Any]:
    """Return the names in a folder, with the size and time of each; [] where there is none."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    stats = ((path, path.stat()) for path in found)
    return [[path.relative_to(folder).as_posix(), stat.st_size, stat.st_mtime_ns] for path, stat in stats]


def _plain(value: Any) -> Any:
    """Return a value as JSON gives it back."""
    return json.loads(json.dumps(value))


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:24]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock. Raises VoiceError where another process has it."""
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise VoiceError(f"another process trains in {folder}; wait for it, or name another folder") from None
    try:
        yield
    finally:
        lock.release()
