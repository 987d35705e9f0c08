import json
import multiprocessing
import os
import signal
import time

import pytest

from recipes.planning import Estimate
from recipes.stages import RECORD, Result, Stage, carry_out
from voice.errors import VoiceError


class Steps:
    """Stages that count their calls and write a file each; `fails` raises in the stage of that name."""

    def __init__(self, source=None, steps=3):
        self.called, self.told, self.source, self.steps, self.fails = [], [], source, steps, {}

    def stage(self, name, **more):
        def run(work):
            self.called.append(name)
            (work.folder / "begun").write_text("here")
            if name in self.fails:
                raise self.fails[name]
            made = work.folder / "made.txt"
            made.write_text(self.made(name))
            return Result({"name": name}, {"second": time.time()}, (made,))

        return Stage(name, f"do {name}", run, **more)

    def made(self, name):
        return self.source.read_text() if self.source else name

    def run(self, folder):
        stages = [
            self.stage("prepare", inputs={"source": self.source} if self.source else {}),
            self.stage("train", extent=lambda results: self.steps),
            self.stage("score"),
        ]
        return carry_out(folder, stages, self.told.append)


def test_stages_run_in_order_and_once(tmp_path):
    steps = Steps()
    results = steps.run(tmp_path)
    assert steps.called == ["prepare", "train", "score"]
    assert steps.run(tmp_path) == results
    assert steps.called == ["prepare", "train", "score"]


def test_a_stage_that_failed_is_called_again_with_its_folder_as_it_was(tmp_path):
    steps = Steps()
    steps.fails["train"] = OSError("no room")
    with pytest.raises(OSError, match="no room"):
        steps.run(tmp_path)
    assert (tmp_path / "train" / "begun").exists() and not (tmp_path / "score").exists()
    (tmp_path / "train" / "begun").write_text("kept")
    steps.fails.clear()
    steps.called.clear()
    steps.run(tmp_path)
    assert steps.called == ["train", "score"]
    assert not (tmp_path / "train.before").exists()


def test_a_changed_input_starts_its_stage_anew_and_keeps_what_was_there(tmp_path):
    source = tmp_path / "source.txt"
    source.write_text("first")
    steps = Steps(source)
    steps.run(tmp_path / "run")
    source.write_text("second")
    steps.called.clear()
    steps.run(tmp_path / "run")
    assert steps.called == ["prepare", "train", "score"]
    assert (tmp_path / "run" / "train.before" / "made.txt").read_text() == "first"
    assert any("starts anew" in line for line in steps.told)


def test_the_old_inputs_bring_back_what_was_made_from_them(tmp_path):
    source = tmp_path / "source.txt"
    source.write_text("first")
    steps = Steps(source)
    steps.run(tmp_path / "run")
    source.write_text("mistyped")
    steps.fails["train"] = OSError("no such base")
    with pytest.raises(OSError, match="no such base"):
        steps.run(tmp_path / "run")
    steps.fails.clear()
    source.write_text("first")
    steps.called.clear()
    steps.run(tmp_path / "run")
    assert "train" not in steps.called and "prepare" not in steps.called
    assert (tmp_path / "run" / "train" / "made.txt").read_text() == "first"
    assert any("goes on with what was there" in line for line in steps.told)


def test_of_two_old_folders_the_one_that_took_longer_is_kept(tmp_path):
    source = tmp_path / "source.txt"
    source.write_text("first")
    steps = Steps(source)
    steps.run(tmp_path / "run")
    record = tmp_path / "run" / "train" / "stage.json"
    row = json.loads(record.read_text())
    record.write_text(json.dumps({**row, "seconds": 9999.0}))
    for content in ("second", "third"):
        source.write_text(content)
        steps.run(tmp_path / "run")
    assert (tmp_path / "run" / "train.before" / "made.txt").read_text() == "first"
    assert (tmp_path / "run" / "train" / "made.txt").read_text() == "third"


def test_an_input_that_changed_without_effect_repeats_only_its_own_stage(tmp_path):
    source = tmp_path / "recordings"
    source.mkdir()
    (source / "a.txt").write_text("hello")
    steps = Steps()

    def run():
        stages = [steps.stage("prepare", inputs={"source": source}), steps.stage("train")]
        return carry_out(tmp_path / "run", stages, steps.told.append)

    run()
    os.utime(source / "a.txt", (1, 1))
    steps.called.clear()
    run()
    assert steps.called == ["prepare"]


def test_more_steps_go_on_in_the_same_folder(tmp_path):
    steps = Steps()
    steps.run(tmp_path)
    steps.steps = 5
    steps.called.clear()
    steps.run(tmp_path)
    assert steps.called == ["train"]
    assert not (tmp_path / "train.before").exists()


def test_a_stage_whose_file_is_gone_runs_again(tmp_path):
    steps = Steps()
    steps.run(tmp_path)
    (tmp_path / "train" / "made.txt").unlink()
    steps.called.clear()
    steps.run(tmp_path)
    assert steps.called == ["train"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"fingerprint": 3}', "null"])
def test_a_record_that_cannot_be_read_counts_as_none(tmp_path, content):
    steps = Steps()
    steps.run(tmp_path)
    (tmp_path / "train" / RECORD).write_text(content)
    steps.called.clear()
    steps.run(tmp_path)
    assert steps.called == ["train"]


def test_the_plan_comes_first_and_again_once_times_are_known(tmp_path):
    told = []

    def measure(work):
        told.append("measured")
        return Result(notes={"minutes": 12.0, "steps": 600})

    def estimate(results):
        notes = results["measure"].notes if "measure" in results else None
        return notes and Estimate(notes["minutes"], notes["steps"], 0.001)

    train = Stage("train", "learn", lambda work: Result(), estimate=estimate)
    carry_out(tmp_path, [Stage("measure", "time some steps", measure), train], told.append)
    first, second = (index for index, line in enumerate(told) if line.startswith("plan, in"))
    assert first == 0 and second > told.index("measured")
    assert "known once it is measured" in "\n".join(told[:second])
    assert "600 steps, about 12 min" in "\n".join(told[second:])
    assert "0.0 GB of memory" in "\n".join(told[second:])


def test_two_processes_do_not_share_a_folder(tmp_path):
    def again(work):
        with pytest.raises(VoiceError, match="another process trains"):
            carry_out(tmp_path, [], print)
        return Result()

    carry_out(tmp_path, [Stage("one", "try", again)], lambda line: None)


def _wait_in_the_second(folder):
    def stop(work):
        (work.folder / "reached").write_text("1")
        time.sleep(60)
        return Result()

    first = Stage("first", "be quick", lambda work: Result({"once": os.getpid()}))
    carry_out(folder, [first, Stage("second", "wait", stop)], lambda line: None)


def test_a_killed_process_is_gone_on_with(tmp_path):
    process = multiprocessing.get_context("fork").Process(target=_wait_in_the_second, args=(tmp_path,))
    process.start()
    try:
        deadline = time.monotonic() + 20
        while not (tmp_path / "second" / "reached").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.join()
    assert json.loads((tmp_path / "second" / RECORD).read_text())["done"] is False

    def go_on(work):
        assert (work.folder / "reached").exists()
        return Result()

    first = Stage("first", "be quick", lambda work: pytest.fail("it was done"))
    results = carry_out(tmp_path, [first, Stage("second", "wait", go_on)], lambda line: None)
    assert results["first"].facts["once"] == process.pid
