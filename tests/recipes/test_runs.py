"""A run says what it is, goes on as nothing else, and answers what exports ask."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from recipes import runs
from recipes.options import group, option, parse
from recipes.runs import Base, Run
from voice.errors import ModelDamaged, ModelMissing, VoiceError

RECIPE = "recipes.mine.train"


@dataclass(frozen=True)
class Sizes:
    width: int = option(8, "channels")


@dataclass(frozen=True)
class Options:
    manifest: tuple[Path, ...] = option((), "data")
    context: str = option("full", "what is heard")
    start: Path | None = option(None, "what to begin with")
    plain: bool = option(False, "without sources")
    sizes: Sizes = group(Sizes(16))
    seed: int = option(3, "of everything")
    minutes: float | None = option(None, "stop then", may_change=True)
    fresh: bool = option(False, "start over", may_change=True)


@pytest.fixture
def manifest(tmp_path) -> Path:
    path = tmp_path / "train.jsonl"
    path.write_text("{}\n")
    return path


@pytest.fixture
def options(manifest) -> Options:
    return Options(manifest=(manifest,))


def describe_run(options: Options, base: str = "a") -> Run:
    return runs.describe(RECIPE, options, options.manifest, base=Base("whisper", base), model={"blocks": 2})


@pytest.fixture
def begun(tmp_path, options) -> Path:
    """The folder of a run that has a checkpoint."""
    folder = tmp_path / "run"
    runs.begin(folder, describe_run(options), options)
    (folder / "last.pt").write_bytes(b"")
    return folder


def test_what_is_written_is_what_is_read(begun, options, manifest):
    run = runs.read(begun, RECIPE)
    assert run == dataclasses.replace(describe_run(options), code=run.code)
    assert run.options == {
        "manifest": [str(manifest)], "context": "full", "plain": False, "width": 16, "seed": 3,
        "fresh": False,
    }  # fmt: skip
    assert len(run.data[str(manifest)]) == 64 and run.code[0].startswith("0.")
    assert "seed = 3" in (begun / "run.toml").read_text().splitlines()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"context": "utterance"}, "begun with --context full, not with --context utterance"),
        ({"plain": True}, "begun with --no-plain, not with --plain"),
        ({"start": Path("x")}, "begun with no --start, not with --start x"),
        ({"sizes": Sizes(4)}, "begun with --width 16, not with --width 4"),
    ],
)
def test_a_run_does_not_go_on_with_options_that_contradict_it(begun, options, changed, sentence):
    other = dataclasses.replace(options, **changed)
    with pytest.raises(VoiceError, match=f"{sentence}.*--fresh to start over"):
        runs.begin(begun, describe_run(other), other)
    fresh = dataclasses.replace(other, fresh=True)
    runs.begin(begun, describe_run(fresh), fresh)
    runs.begin(begun, describe_run(other), other)


def test_a_run_does_not_go_on_from_another_base_with_other_data_or_another_size(begun, options, manifest):
    with pytest.raises(VoiceError, match="from another model than whisper is now"):
        runs.begin(begun, describe_run(options, "b"), options)
    larger = dataclasses.replace(describe_run(options), model={"blocks": 3})
    with pytest.raises(VoiceError, match="a network with blocks 2, not 3"):
        runs.begin(begun, larger, options)
    manifest.write_text("other\n")
    with pytest.raises(VoiceError, match="train.jsonl, which has changed since"):
        runs.begin(begun, describe_run(options), options)


def test_how_long_a_run_takes_may_change_and_each_version_of_the_code_is_noted(begun, options):
    longer = dataclasses.replace(options, minutes=3.0)
    runs.begin(begun, dataclasses.replace(describe_run(longer), code=("9.9",)), longer)
    run = runs.read(begun, RECIPE)
    assert run.options["minutes"] == 3.0 and run.code == (runs.code_version(), "9.9")


def test_an_option_that_an_export_is_given_has_to_be_the_runs(begun):
    run = runs.read(begun, RECIPE)
    assert run.option("context", None, begun) == run.option("context", "full", begun) == "full"
    with pytest.raises(
        VoiceError, match="trained with --context full, not with --context utterance: leave --con"
    ):
        run.option("context", "utterance", begun)


def test_a_run_of_before_says_what_to_do(begun, options):
    (begun / "run.toml").unlink()
    with pytest.raises(VoiceError, match="an earlier version, which does not say what it is"):
        runs.begin(begun, describe_run(options), options)
    with pytest.raises(ModelMissing, match="`python -m recipes.mine.train --out"):
        runs.read(begun, RECIPE)


def test_a_run_of_another_recipe_or_torn_is_refused(begun):
    with pytest.raises(VoiceError, match="a run of recipes.mine.train, not of recipes.other"):
        runs.read(begun, "recipes.other")
    (begun / "run.toml").write_text("recipe = [")
    with pytest.raises(ModelDamaged, match="--fresh"):
        runs.read(begun, RECIPE)


def test_a_manifest_with_a_number_is_known_by_its_file_and_one_that_is_missing_is_named(manifest, options):
    found = runs.describe(RECIPE, options, (f"{manifest}:-20", manifest))
    assert len(set(found.data.values())) == 1 and f"{manifest}:-20" in found.data
    with pytest.raises(VoiceError, match="none.jsonl is not there"):
        runs.describe(RECIPE, options, ("none.jsonl",))


def test_options_of_a_group_stand_on_the_command_line_with_its_defaults():
    assert parse(Options, []) == Options()
    assert parse(Options, ["--width", "5"]).sizes == Sizes(5)


def test_options_of_a_run_are_known_by_their_present_names(begun):
    path = begun / "run.toml"
    path.write_text(path.read_text().replace("width = 16", "critic_width = 16"))
    assert runs.read(begun, RECIPE).options["discriminators_width"] == 16


def test_a_run_may_be_older_than_an_option_that_is_left_as_it_was(begun, options):
    path = begun / "run.toml"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if "width" not in line))
    assert runs.begin(begun, describe_run(options), options)
    wider = dataclasses.replace(options, sizes=Sizes(32))
    path.write_text("".join(line for line in path.read_text().splitlines(True) if "width" not in line))
    with pytest.raises(VoiceError, match="begun with --width 16, not with --width 32"):
        runs.begin(begun, describe_run(wider), wider)


def test_a_run_keeps_its_batches_a_step_however_many_processes_have_them(begun, options):
    four = dataclasses.replace(describe_run(options), batches_a_step=4)
    with pytest.raises(VoiceError, match="begun with 1 batches a step, not with 4.*--accumulate"):
        runs.begin(begun, four, options)


def test_a_recipe_that_knows_of_no_other_process_does_not_begin_under_torchrun(begun, options, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(VoiceError, match="runs in one process"):
        runs.begin(begun, describe_run(options), options)


def test_two_programs_do_not_train_in_one_folder(tmp_path, options, monkeypatch):
    folder = tmp_path / "run"
    runs.begin(folder, describe_run(options), options)
    runs.begin(folder, describe_run(options), options)  # the same program may
    code = (
        f"from filelock import FileLock; FileLock({str(folder.resolve() / runs.LOCK)!r}).acquire(timeout=0)"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "Timeout" in other.stderr
    held = FileLock(tmp_path / "other" / runs.LOCK)
    (tmp_path / "other").mkdir()
    monkeypatch.setattr(runs, "LOCK_WAIT", 0.05)
    with held, pytest.raises(VoiceError, match="another process trains in"):
        runs.begin(tmp_path / "other", describe_run(options), options)
