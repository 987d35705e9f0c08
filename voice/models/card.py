"""The card of a model: `model.toml`, which says what the files beside it are.

A model is a folder. Recipes write it, the catalog fetches it, `loading` opens it by the kind
and the engine that the card names.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from voice.errors import ModelDamaged, ModelMissing

NAME = "model.toml"
KINDS = ("recognizer", "voice", "turn", "speakers", "vocoder")


@dataclass(frozen=True)
class Card:
    """What a model is.

    `rate` is the sampling rate in Hz that it hears or speaks at, `files` maps each file's name
    to its sha256, `options` are its engine's own, `scores` what was measured, with the command.
    """

    name: str
    kind: str
    engine: str
    rate: int
    language: str
    license: str
    description: str = ""
    origin: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)


def read_card(folder: Path) -> Card:
    """The card in `folder`. Raises ModelMissing if there is none, ModelDamaged if it is wrong."""
    path = Path(folder) / NAME
    try:
        row = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ModelMissing(f"{folder} is no model: it has no {NAME}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelDamaged(f"{path} cannot be read ({error}); write or fetch the model again") from error
    return make_card(row, str(path))


def make_card(row: Mapping[str, Any], where: str) -> Card:
    """A card from a parsed table. Raises ModelDamaged, naming `where`, for a wrong one."""
    known = {each.name: each for each in fields(Card)}
    for name in row:
        if name not in known:
            raise ModelDamaged(f'{where}: a card has no "{name}"; it has {", ".join(known)}')
    for name in ("name", "kind", "engine", "rate", "language", "license"):
        if name not in row:
            raise ModelDamaged(f'{where} has no "{name}"')
    for name, value in row.items():
        expected = {"rate": int, "files": dict, "options": dict, "scores": dict}.get(name, str)
        if not isinstance(value, expected):
            raise ModelDamaged(f'{where}: "{name}" is {value!r}; expected {expected.__name__}')
    if row["kind"] not in KINDS:
        raise ModelDamaged(f'{where}: the kind is "{row["kind"]}"; it is one of {", ".join(KINDS)}')
    return Card(**row)


def write_card(folder: Path, card: Card) -> None:
    """Write `card` as the card of `folder`, whole or not at all."""
    lines = []
    for name, value in asdict(card).items():
        if isinstance(value, dict):
            lines += ["", f"[{name}]", *(f"{_key(key)} = {_value(each)}" for key, each in value.items())]
        else:
            lines.append(f"{name} = {_value(value)}")
    beside = Path(folder) / f".{NAME}"
    beside.write_text("\n".join(lines) + "\n", "utf-8")
    beside.replace(Path(folder) / NAME)


def hashes(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """name → sha256 of files in `folder`, as a card's `files` wants them."""
    return {name: sha256(Path(folder) / name) for name in names}


def sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _key(name: str) -> str:
    plain = name.replace("-", "").replace("_", "")
    return name if plain.isascii() and plain.isalnum() else json.dumps(name)


def _value(value: Any) -> str:
    """`value` in TOML; a table inside a table is written in line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    if isinstance(value, (str, bool, int)):
        return json.dumps(value, ensure_ascii=False)
    return repr(float(value))  # inf and nan as TOML has them
