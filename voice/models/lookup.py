"""Models by name: found, fetched if they have to be, derived if they are a part, and removed.

A name is one of the catalog's, a folder with a model, or hf:ORG/NAME[@revision]; hf:FOLDER means the folder.
Folders and repositories may come from strangers: what their cards say never becomes a path outside of the
cache's own folders.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from voice.errors import ModelDamaged, ModelError, ModelMissing
from voice.models import card as cards
from voice.models import catalog, converting
from voice.models import fetch as fetching
from voice.models import own as models_own
from voice.models.cache import (
    derived_folders,
    discard,
    discard_older,
    forget_verified,
    home,
    is_derived,
    make_folder,
    note_verified,
    open_verified,
)
from voice.models.card import BASE, Card, Model
from voice.models.catalog import Entry
from voice.models.fetch import Hub, Progress
from voice.models.hub import folders
from voice.models.hub.names import REPOSITORY, hub_folder, parse_hub_name, without_prefix
from voice.models.resuming import SourceFailed
from voice.models.staging import fill, half
from voice.places import expand_home, is_full


def find(name: str, *, kind: str | None = None, progress: Progress | None = None) -> Model:
    """Return the model called `name`, fetched first if it has to be.

    `name` is in the catalog, or a folder, or hf:ORG/NAME[@revision]; an error names those of the `kind`
    that is looked for; `progress` is called with the bytes fetched. Raises ModelMissing if it is not here and
    cannot be fetched, ModelDamaged if its files are not what its card says; both say what to do.
    """
    name = without_prefix(name)
    model = _locate(name, progress, kind)
    return _open_derived(model, name, progress) if BASE in model.card.options else model


def find_stored(name: str) -> Model:
    """Return the model called `name` as its own card describes it; nothing is fetched or derived.

    Raises ModelMissing if it is not on this machine, ModelDamaged if it is damaged.
    """
    name = without_prefix(name)
    if entry := catalog.entry_of(name):
        return Model(entry.card, entry.home)
    folder = hub_folder(name) if name.startswith("hf:") else _folder(name)
    if not folder.is_dir() and name.startswith("hf:"):
        raise ModelMissing(f"{name} is not here; to fetch it: voice models get {name}")
    if folder.is_dir() and converting.is_convertible(folder):
        return Model(converting.guess_card(folder), folder)
    return _locate(name, None, None)


def get(name: str, *, progress: Progress | None = None) -> Model:
    """Return the model of `find` with every file hashed anew; a damaged one is fetched again if possible."""
    try:
        model = find(name, progress=progress)
        forget_verified(model.folder)
        return open_verified(model.folder, model.card, name)
    except ModelDamaged:
        if not cached_folders(name):
            raise
        remove(name)
        return find(name, progress=progress)


def fetch_folder(name: str, *, progress: Progress | None = None) -> Path:
    """Return the folder with the files of a model as its library wrote them, fetched first if it has to be.

    It is neither converted nor opened, so that it may hold what can only be trained. `name` is a folder or
    hf:ORG/NAME[@revision]. Raises ModelMissing.
    """
    name = without_prefix(name)
    if name.startswith("hf:"):
        return _hub_files(name, progress, check=lambda stage: None)
    if not _folder(name).is_dir():
        raise ModelMissing(f"there is no folder {name}; give one, or a model of the Hub as hf:ORG/NAME")
    return _folder(name)


def remove(name: str, *, own: bool = False) -> int:
    """Delete the folders that were fetched or derived for `name`; return how many bytes they had.

    `name` may also be that of a derived folder, as `derived` lists it. With `own`, a model that the person
    has trained is deleted itself. Raises ModelError if there is nothing to delete; models that were installed
    are not removed.
    """
    entry = catalog.entries().get(name)
    mine = entry.home if entry and entry.own else None
    if entry and entry.voice_of:
        raise ModelError(f"{name} is a voice of {entry.voice_of}: voice models remove {entry.voice_of}")
    if own and mine is None:
        raise ModelError(f"{name} is none of your own models; leave --own out")
    folders = cached_folders(name)
    if not folders and not own:
        keeps = f"; the model itself is yours, and --own deletes it: {mine}" if mine else ""
        raise ModelError(f"there is nothing of {name} in the cache to remove{keeps}")
    freed = models_own.delete(mine) if own and mine else 0
    for folder in folders:
        freed += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        discard(folder)
    return freed


def cached_folders(name: str) -> list[Path]:
    """Return the folders of the cache that hold `name`."""
    name = without_prefix(name)
    if name.startswith("hf:"):
        folder = hub_folder(name)
        folders = [folder, *derived_folders(None, _source_of(name, folder))]
    elif name in catalog.entries():
        entry = catalog.entries()[name]
        folders = [entry.home] if entry.fetched else derived_folders(name, None)
    elif is_derived(name):
        folders = [home() / "models" / name]
    elif _folder(name).is_dir():  # somebody's own; what is derived from it is the cache's
        folders = derived_folders(None, _source_of(name, _folder(name)))
    else:
        raise ModelMissing(f'there is no model "{name}"; voice models lists those that there are')
    whole_or_half = [each for folder in folders for each in (folder, half(folder))]
    return [folder for folder in whole_or_half if folder.is_dir()]


def _locate(name: str, progress: Progress | None, kind: str | None) -> Model:
    """Find a model by name: on the Hub, in the catalog or in a folder. Raises ModelMissing."""
    if name.startswith("hf:"):
        return _from_hub(name, progress)
    entry = catalog.entry_of(name)
    if entry:
        return _open_entry(entry, progress)
    folder = _folder(name)
    if folder.is_dir():
        return _open_folder(folder, name)
    fitting = {each: one for each, one in catalog.entries().items() if kind in (None, one.card.kind)}
    listed = ", ".join(each for each, one in fitting.items() if not one.voice_of)
    raise ModelMissing(
        f'there is no model "{name}": it is neither a folder here nor one of {listed}'
        + _near(name, list(fitting))
        + (_hint(name) if kind in (None, "recognizer") else "")
    )


def _near(name: str, names: Sequence[str]) -> str:
    """Return a question about the one of `names` that may have been meant, "" if none is close."""
    close = get_close_matches(name.lower(), names, n=1, cutoff=0.75)
    return f"; did you mean {close[0]}?" if close else ""


def _folder(name: str) -> Path:
    """Return the absolute path of a folder that was named."""
    return expand_home(name).absolute()


def _hint(name: str) -> str:
    """Return a hint on how a usual name of Whisper, or a name of the Hub, is written here."""
    size = converting.size_of(name)
    called = f"hf:{name}" if REPOSITORY.fullmatch(name) else None
    if size:
        called = f"whisper-{size}" if f"whisper-{size}" in catalog.entries() else converting.hub_name(size)
    return f". With a network, run: voice models get {called}" if called else ""


def _open_folder(folder: Path, name: str) -> Model:
    """Return the model in a folder that was asked for as `name`, converted first if it has to be."""
    if not converting.is_convertible(folder):
        return open_verified(folder, read_or_guess(folder), name)
    card, source = converting.guess_card(folder), _source_of(name, folder)
    made = home() / "models" / f"{card.name}-{source}-{converting.version(folder)}"
    if not made.is_dir():
        make_folder(made, name, lambda stage: cards.write_card(stage, converting.convert(folder, stage)))
        discard_older(made, card.name, source)
    return open_verified(made, cards.read_card(made), name)


def _open_entry(entry: Entry, progress: Progress | None) -> Model:
    """Return the model of an entry, fetched first if it is not in place."""
    if entry.voice_of:
        return replace(_open_entry(catalog.entries()[entry.voice_of], progress), card=entry.card)
    if entry.fetched and not entry.in_place:
        if entry.home.exists() and not entry.in_place:  # some file is gone: of no use
            discard(entry.home)
        fetching.fetch(entry.card, entry.home, entry.sources, size=entry.size, progress=progress)
        note_verified(entry.home, entry.card.files)
    if not entry.home.is_dir():
        raise ModelMissing(f"{entry.name} comes with the installation and is gone; install voice again")
    return open_verified(entry.home, entry.card, entry.name)


def _open_derived(part: Model, name: str, progress: Progress | None) -> Model:
    """Return the whole of a model that holds only what differs from its base; it is made once and kept.

    `part` was asked for as `name`.
    """
    source = _source_of(name, part.folder)
    folder = catalog.derivation(part.card, source)
    options = {key: value for key, value in part.card.options.items() if key != BASE}
    if not folder.is_dir():
        base = find(part.card.options[BASE], progress=progress)
        make_folder(folder, name, lambda stage: _derive(part, base, stage, options))
        discard_older(folder, part.card.name, source)
    return open_verified(folder, replace(cards.read_card(folder), options=options), name)


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
    """Return what tells derived models of one name apart: None for ours, else a hash of the folder's path."""
    return (
        None if name in catalog.entries() else hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:12]
    )


def read_or_guess(folder: Path) -> Card:
    """Return the card of `folder`; for a model of another library without one, the one it would have."""
    if not (folder / cards.NAME).exists() and converting.is_converted(folder):
        return converting.guess_card(folder)
    return folders.guess_card(folder) or cards.read_card(folder)


def _from_hub(name: str, progress: Progress | None) -> Model:
    return _open_folder(_hub_files(name, progress, check=_check_fetched), name)


def _check_fetched(stage: Path) -> None:
    """Raise ModelError for files of no model that can be used, or that are not what their card says."""
    if not converting.is_convertible(stage):
        fetching.verify(stage, read_or_guess(stage).files)


def _hub_files(name: str, progress: Progress | None, check: Callable[[Path], None]) -> Path:
    """Return the folder of the cache with a model of the Hub, fetched and checked if it was not there."""
    repository, revision = parse_hub_name(name)
    folder = hub_folder(name)

    def gather(stage: Path) -> None:
        fetching.hub_repository(Hub(repository, revision), stage, progress)
        for left in stage.glob("*.part"):  # of files that have changed on the Hub since
            left.unlink()
        try:
            check(stage)
        except ModelError as error:
            shutil.rmtree(stage)  # there is nothing to go on with
            raise type(error)(str(error).replace(str(stage), name)) from error

    if not folder.is_dir():
        try:
            fill(folder, gather, resumable=True)
        except (SourceFailed, OSError) as error:
            if is_full(error):
                raise fetching.no_room(name, folder) from error
            raise ModelMissing(
                f"{name} is not on this machine and could not be fetched ({error}). "
                f"With a network, run: voice models get {name}"
            ) from error
    return folder
