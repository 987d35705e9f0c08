"""Models of one's own: what `voice train` has made, found by name like those of the catalog.

They lie in the data folder of your account, not in the cache, because nothing can fetch them again:
`VOICE_HOME/own` where VOICE_HOME is set, else the platform's place for data. Each is a folder of the model's
name with its card. A model of the catalog keeps its name: nobody's own model can be called like one.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from voice.errors import ModelDamaged, ModelError
from voice.models import card as cards
from voice.models.card import Card
from voice.places import expand_home


def own_home() -> Path:
    """Return the folder of one's own models."""
    chosen = os.environ.get("VOICE_HOME")
    if chosen:
        return expand_home(chosen).absolute() / "own"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "voice" / "models"
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming")) / "voice" / "models"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "voice" / "models"


def own_cards() -> dict[Path, Card]:
    """Return the cards of one's own models by their folders; a folder whose card is damaged is left out."""
    found = {}
    for folder in _folders():
        try:
            card = cards.read_card(folder)
        except ModelError:
            continue
        if card.name == folder.name:
            found[folder] = card
    return found


def unusable_folders() -> list[str]:
    """Return a line for each folder among one's own models that is left out, and why."""
    wrong = []
    for folder in _folders():
        try:
            card = cards.read_card(folder)
        except ModelError as error:
            wrong.append(str(error))
            continue
        if card.name != folder.name:
            wrong.append(f"{folder} is left out: its card calls it {card.name}; rename the folder to that")
    return wrong


def install(made: Path, name: str, out: Path | None = None) -> Path:
    """Copy the model folder `made` to where its `name` is found, or to `out`, and return its place.

    It is there whole or not at all. A model that was there before stays beside it as `.NAME.before`. Raises
    ModelDamaged where the card has another name, ModelError where nothing can be written.
    """
    card = cards.read_card(made)
    if card.name != name:
        raise ModelDamaged(f"the card in {made} calls the model {card.name}, not {name}; export it again")
    place = out.absolute() if out else own_home() / name
    making, before = (place.with_name(f".{place.name}.{state}") for state in ("making", "before"))
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        for file in [*card.files, cards.NAME]:
            shutil.copyfile(made / file, making / file)
        if place.is_dir():
            shutil.rmtree(before, ignore_errors=True)
            place.rename(before)
        making.rename(place)
    except OSError as error:
        raise ModelError(
            f"{place} cannot be written ({error.strerror}); make room there, or name another "
            "folder with --out"
        ) from error
    return place


def delete(folder: Path) -> int:
    """Delete one of one's own models and return how many bytes it had. Raises ModelError for others."""
    if folder.parent != own_home() or folder.is_symlink():
        raise ModelError(f"{folder} is none of your own models; delete it yourself")
    freed = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    shutil.rmtree(folder)
    return freed


def _folders() -> list[Path]:
    home = own_home()
    if not home.is_dir():
        return []
    folders = sorted(path.parent for path in home.glob("*/" + cards.NAME))
    return [folder for folder in folders if not folder.name.startswith(".")]
