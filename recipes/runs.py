"""What a run is: `run.toml` in its folder, written when training starts, read by export and evaluation.

recipe = "recipes.asr.train"
seed = 0
batches_a_step = 1      # of all processes together
code = ["0.2.0 (8229b862b5a7)"]

[options]               # all of the command line's, but for those that are None
context = "full"

[base]                  # the model that it started from
name = "whisper-base"
sha256 = "…"

[data]                  # every file that it learned from, as the command line named it
"my/train.jsonl" = "…"

[model]                 # the sizes of the network, where the recipe decides them
"""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import filelock
import tomli_w

import voice
from recipes import devices
from recipes.evaluations import split_selection
from recipes.options import changeable, defaults, flag, values
from voice.errors import ModelDamaged, ModelMissing, VoiceError
from voice.models.card import sha256

FILE = "run.toml"
CHECKPOINT = "last.pt"
LOCK = "run.lock"
LOCK_WAIT = 10.0  # s, in which the workers of a process that was killed notice it
_held: dict[Path, filelock.BaseFileLock] = {}  # until this process ends
_RENAMED = {  # options since 0.1
    "critic_width": "discriminators_width",
    "critic_batch": "discriminators_batch",
    "critic_seconds": "discriminators_seconds",
    "critic_rate": "discriminators_rate",
    "critics_start": "discriminators_start",
}


@dataclass(frozen=True)
class Base:
    """A model by its name or its folder, and the sha256 of its files."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Run:
    """What `run.toml` says. `options`, `data` and `model` are as in the file, see above."""

    recipe: str
    options: Mapping[str, Any]
    data: Mapping[str, str] = field(default_factory=dict)
    base: Base | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    code: tuple[str, ...] = ()
    batches_a_step: int = 1

    def option(self, name: str, given: Any, folder: Path) -> Any:
        """Return the run's value of an option; `given` must equal it unless it is None.

        Raises VoiceError where the run in `folder` was trained with another value.
        """
        trained = self.options.get(name)
        if given is not None and _plain(given) != trained:
            raise VoiceError(
                f"{folder} was trained with {_as_flag(name, trained)}, "
                f"not with {_as_flag(name, _plain(given))}: leave {flag(name)} out, or train such a run"
            )
        return trained


def describe(
    recipe: str, options: Any, data: Iterable[str | Path] = (), *, base: Base | None = None,
    model: Mapping[str, Any] | None = None, batches_a_step: int = 1,
) -> Run:  # fmt: skip
    """Return what a run with these options is. `data`: its files; a manifest's `PATH:N` counts as PATH.

    `batches_a_step`: processes times batches that each adds up (`data.batching.Share.per_step`).

    Raises ManifestError or VoiceError where a file is missing.
    """
    given = {name: _plain(value) for name, value in values(options).items() if value is not None}
    hashes = {str(name): _hash(str(name)) for name in data}
    sizes = {name: _plain(value) for name, value in (model or {}).items()}
    return Run(recipe, given, hashes, base, sizes, (code_version(),), batches_a_step)


def begin(folder: Path, run: Run, options: Any) -> bool:
    """Write `run.toml` and return whether the run in `folder` goes on, which it does as what it was begun as.

    The run is this training's alone until the process ends. Raises VoiceError where something that decides
    what is learned differs, where an earlier version began the run and did not say what it is, where another
    process trains there, or where torchrun has started several that know nothing of each other.
    """
    if devices.expected_processes() > 1 and not devices.are_joined():
        raise VoiceError(f"{run.recipe} runs in one process: start it with `python -m`, not with torchrun")
    with devices.first_alone():
        if devices.is_writer():
            _lock(folder)
        resumes = (folder / CHECKPOINT).exists() and not options.fresh
        if resumes and not (folder / FILE).exists():
            raise VoiceError(
                f"{folder} holds a run of an earlier version, which does not say what it is: "
                "name another --out, or give --fresh to start over"
            )
        if resumes:
            before = read(folder, run.recipe)
            _check(folder, before, run, options)
            code = before.code if run.code[-1] in before.code else (*before.code, *run.code)
            run = replace(run, code=code)
        if devices.is_writer():
            write(folder, run)
    return resumes


def _lock(folder: Path) -> None:
    """Keep a run to this process until it ends. Raises VoiceError where another process trains there."""
    path = folder.resolve() / LOCK
    if path in _held:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=LOCK_WAIT)
    except filelock.Timeout as error:
        raise VoiceError(f"another process trains in {folder}: wait for it, or name another --out") from error
    except (OSError, NotImplementedError):
        return  # a file system without locks
    _held[path] = lock


def read(folder: Path, recipe: str) -> Run:
    """Return what the run in `folder` is; `recipe` is the module that makes such runs.

    Raises ModelMissing where there is no `run.toml`, ModelDamaged where it cannot be read, VoiceError where
    another recipe wrote it.
    """
    path = folder / FILE
    if not path.exists():
        raise ModelMissing(
            f"there is no {path}, which says what a run is; `python -m {recipe} --out {folder}` writes one "
            "(versions before 0.2 did not)"
        )
    try:
        row = tomllib.loads(path.read_text("utf-8"))
        base = Base(**row["base"]) if "base" in row else None
        options = {_RENAMED.get(name, name): value for name, value in row["options"].items()}
        sizes, code, batches = row.get("model", {}), tuple(row["code"]), row.get("batches_a_step", 1)
        run = Run(row["recipe"], options, row.get("data", {}), base, sizes, code, batches)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelDamaged(f"{path} cannot be read ({error}); start over with --fresh") from error
    if run.recipe != recipe:
        raise VoiceError(
            f"{folder} is a run of {run.recipe}, not of {recipe}: give the folder of one of its own"
        )
    return run


def write(folder: Path, run: Run) -> None:
    """Write `run.toml`, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    table: dict[str, Any] = {"recipe": run.recipe, "seed": run.options.get("seed", 0), "code": list(run.code)}
    table["batches_a_step"] = run.batches_a_step
    base = {} if run.base is None else vars(run.base)
    parts = {"options": run.options, "base": base, "data": run.data, "model": run.model}
    table |= {name: dict(part) for name, part in parts.items() if part}
    beside = folder / f".{FILE}.{os.getpid()}"
    beside.write_text(tomli_w.dumps(table), "utf-8")
    beside.replace(folder / FILE)


@lru_cache
def code_version() -> str:
    """Return the package's version and, in a checkout, the commit; "+" after it where files have changed."""
    command = ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"]
    try:
        found = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return voice.__version__
    return f"{voice.__version__} ({found.stdout.strip()})"


def _check(folder: Path, before: Run, now: Run, options: Any) -> None:
    """Raise VoiceError, naming the first difference, unless both runs learn the same."""
    hint = "name another --out, or give --fresh to start over"
    free, usual = changeable(options), defaults(options)
    for name in {**before.options, **now.options}:  # in the order of the command line
        was = before.options.get(name, _plain(usual.get(name)))  # options that are newer than the run
        given = now.options.get(name)
        if name not in free and was != given:
            raise VoiceError(
                f"{folder} was begun with {_as_flag(name, was)}, not with {_as_flag(name, given)}: {hint}"
            )
    if before.batches_a_step != now.batches_a_step:
        raise VoiceError(
            f"{folder} was begun with {before.batches_a_step} batches a step, not with {now.batches_a_step}: "
            "make processes times --accumulate the same, or name another --out"
        )
    if before.base and now.base and before.base.sha256 != now.base.sha256:
        raise VoiceError(f"{folder} was begun from another model than {now.base.name} is now: {hint}")
    for name, digest in now.data.items():
        if before.data.get(name, digest) != digest:
            raise VoiceError(f"{folder} was begun with another {name}, which has changed since: {hint}")
    if dict(before.model) != dict(now.model):
        raise VoiceError(f"{folder} was begun as {_sizes(before.model, now.model)}: {hint}")


def _sizes(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return the first size that differs, as it was and as it is."""
    name = next(name for name in [*before, *now] if before.get(name) != now.get(name))
    return f"a network with {name} {before.get(name)}, not {now.get(name)}"


def _as_flag(name: str, value: Any) -> str:
    """Return an option as the command line would give it."""
    if value is None:
        return f"no {flag(name)}"
    if isinstance(value, bool):
        return flag(name) if value else flag(f"no_{name}")
    if isinstance(value, list):
        return " ".join(f"{flag(name)} {each}" for each in value) or f"no {flag(name)}"
    return f"{flag(name)} {value}"


def _hash(name: str) -> str:
    """Return the sha256 of a file, or of the manifest that `PATH:N` names."""
    chosen = Path(split_selection(name)[0])
    if not chosen.is_file():
        raise VoiceError(f"{chosen} is not there to learn from")
    return sha256(chosen)


def _plain(value: Any) -> Any:
    """Return a value as TOML gives it back."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
