"""Models by name: what there is, where it lies, and that it is what its card says.

A model's name is one of the catalog's (catalog.toml and pretrained/), a folder with a card, or
hf:ORG/NAME[@revision]. Fetched ones lie in the cache, whose place VOICE_HOME can set. Files are
hashed when they arrive and again only when their size or time has changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from voice.errors import ModelDamaged, ModelError, ModelMissing
from voice.models import card as cards
from voice.models import fetch as fetching
from voice.models.card import Card
from voice.models.fetch import Hub, Index, Progress, Source, Wheel

HERE = Path(__file__).parent
PRETRAINED = HERE / "pretrained"
BASE = "base"  # the option of a card that names the model from which it derives


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
    def in_place(self) -> bool:
        """Whether it can be used without a network."""
        if self.base:
            return _derivation(self.card).is_dir() or entries()[self.base].in_place
        return all((self.home / name).is_file() for name in self.card.files)


def home() -> Path:
    """The cache: VOICE_HOME, or the platform's place for caches."""
    chosen = os.environ.get("VOICE_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
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
    return _derived(model, progress) if BASE in model.card.options else model


def _locate(name: str, progress: Progress | None, kind: str | None) -> Model:
    if name.startswith("hf:"):
        return _from_hub(name)
    known = entries()
    if name in known:
        return _known(known[name], progress)
    folder = Path(name).expanduser().absolute()
    if folder.is_dir():
        return _checked(folder, read_or_guess(folder))
    fitting = [each for each, entry in known.items() if kind in (None, entry.card.kind)]
    raise ModelMissing(
        f'there is no model "{name}": it is neither a folder here nor one of {", ".join(fitting)}'
    )


def _known(entry: Entry, progress: Progress | None) -> Model:
    if entry.fetched and not entry.in_place:
        if entry.home.exists() and not entry.in_place:  # some file is gone: of no use
            shutil.rmtree(entry.home)
        fetching.fetch(entry.card, entry.home, entry.sources, size=entry.size, progress=progress)
        _remember(entry.home, entry.card.files)
    if not entry.home.is_dir():
        raise ModelMissing(f"{entry.name} comes with the installation and is gone; install voice again")
    return _checked(entry.home, entry.card)


def _derived(part: Model, progress: Progress | None) -> Model:
    """`part` holds only what differs from its base; the whole is made once and kept."""
    folder = _derivation(part.card)
    options = {key: part.card.options[key] for key in part.card.options if key not in (BASE, "adapter")}
    if not folder.is_dir():
        from voice.models import adapter, quantized

        base = find(part.card.options[BASE], progress=progress)
        difference = part.folder / part.card.options.get("adapter", adapter.ADAPTER)
        with fetching.staging(folder) as stage:
            adapter.derive(base.folder, difference, stage)
            for name in part.card.files:
                if part.folder / name != difference:
                    shutil.copyfile(part.folder / name, stage / name)
            quantized.complete(stage)
            files = cards.hashes(stage, sorted(path.name for path in stage.iterdir()))
            cards.write_card(stage, replace(part.card, files=files, options=options))
        for older in _derivations(part.card.name):
            if older != folder:
                shutil.rmtree(older, ignore_errors=True)
    return _checked(folder, replace(cards.read_card(folder), options=options))


def _derivation(card: Card) -> Path:
    """Where the whole of a model that derives from another lies or will lie, by the files of both."""
    known = entries().get(card.options[BASE])
    base = known.card if known else find(card.options[BASE]).card
    version = hashlib.sha256(json.dumps([dict(base.files), dict(card.files)], sort_keys=True).encode())
    return home() / "models" / f"{card.name}-{version.hexdigest()[:12]}"


def _derivations(name: str) -> list[Path]:
    return list((home() / "models").glob(f"{name}-{'[0-9a-f]' * 12}"))


def read_or_guess(folder: Path) -> Card:
    """The card of `folder`; a converted Whisper without one gets the card that it would have."""
    if not (folder / cards.NAME).exists() and (folder / "model.bin").exists():
        if (folder / "tokenizer.json").exists():
            return Card(folder.name, "recognizer", "whisper", 16_000, "multilingual", "unknown")
    return cards.read_card(folder)


def _hub_name(name: str) -> tuple[str, str | None]:
    repository, _, revision = name.removeprefix("hf:").partition("@")
    if repository.count("/") != 1 or ".." in repository:
        raise ModelMissing(f'"{name}" is not of the form hf:ORG/NAME or hf:ORG/NAME@REVISION')
    return repository, revision or None


def _hub_folder(repository: str, revision: str | None) -> Path:
    parts = ["hf", *repository.split("/"), *([revision.replace("/", "-")] if revision else [])]
    return home() / "models" / "--".join(parts)


def _from_hub(name: str) -> Model:
    repository, revision = _hub_name(name)
    folder = _hub_folder(repository, revision)
    if not folder.is_dir():
        try:
            with fetching.staging(folder) as stage:
                fetching.hub_repository(Hub(repository, revision), stage)
                fetching.verify(stage, read_or_guess(stage).files)
        except (fetching.SourceFailed, OSError) as error:
            raise ModelMissing(
                f"{name} is not on this machine and could not be fetched ({error}). "
                f"With a network, run: voice models get {name}"
            ) from error
    return _checked(folder, read_or_guess(folder))


def get(name: str, *, progress: Progress | None = None) -> Model:
    """`find`, with every file hashed anew; what is damaged is fetched again if it can be."""
    try:
        model = find(name, progress=progress)
        _forget(model.folder)
        return _checked(model.folder, model.card)
    except ModelDamaged:
        if not cached(name):
            raise
        remove(name)
        return find(name, progress=progress)


def _checked(folder: Path, card: Card) -> Model:
    """The model, its files hashed unless they are known to be as they were."""
    if _note(folder) != _stamp(folder, card.files):
        try:
            fetching.verify(folder, card.files)
        except ModelDamaged as error:
            again = f"voice models get {card.name}" if home() in folder.parents else "write it again"
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
        shutil.rmtree(folder)
        _forget(folder)
    return freed


def cached(name: str) -> list[Path]:
    """The folders in the cache that hold `name`."""
    if name.startswith("hf:"):
        folders = [_hub_folder(*_hub_name(name))]
    elif name in entries():
        entry = entries()[name]
        folders = [entry.home] if entry.fetched else _derivations(name)
    elif Path(name).expanduser().is_dir():
        folders = []  # somebody's own, not the cache's
    else:
        raise ModelMissing(f'there is no model "{name}"; voice models lists those that there are')
    return [folder for folder in folders if folder.is_dir()]
