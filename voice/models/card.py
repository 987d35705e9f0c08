"""The card of a model: `model.toml`, which says what the files beside it are.

A model is a folder. Recipes write it, the catalog fetches it, `loading` opens it by the kind
and the engine that the card names.

A card may come from a stranger, so its names are names and never paths: a model's name, each of its
files and the model that it derives from are single components of a safe alphabet. Only the cards
that come with this package may name a file of a sibling, as `../NAME/FILE`.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from voice.errors import ModelDamaged, ModelMissing

NAME = "model.toml"
KINDS = ("recognizer", "voice", "turn", "speakers", "vocoder", "watermark")
PRETRAINED = Path(__file__).parent / "pretrained"  # our own models, which may share files
BASE = "base"  # the option that names the model of the catalog from which this one derives
GRAPHS = "graphs"  # the option of one of our own that names the sibling whose graphs it shares
LARGEST_CARD = 1_000_000  # bytes of a card
LONGEST_NAME = 100
RATES = range(1_000, 1_000_001)  # Hz

# Tables that a card has only if there is something in them.
_OPTIONAL = ("evaluation", "consent", "training")
_TABLES = ("files", "options", "scores", *_OPTIONAL)
_SAFE = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)  # on Windows


@dataclass(frozen=True)
class Card:
    """What a model is.

    `rate` is the sampling rate in Hz that it hears or speaks at, `files` maps each file's name
    to its sha256, `options` are its engine's own, `scores` what was measured, with the command, `evaluation`
    by what and on which sets of recordings (`recipes.evaluations`), `training` how it came about: the data,
    the hours of it, the command, the run; `consent` who agreed to a voice made of their recordings, and when.
    Further tables, of later versions or of other programs, are ignored.
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
    consent: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Model:
    """A model that is in place: its card, and the folder with its files."""

    card: Card
    folder: Path


def read_card(folder: Path) -> Card:
    """Read the card in `folder`. Raises ModelMissing if there is none, ModelDamaged if it is wrong."""
    path = Path(folder) / NAME
    if not path.is_file():
        raise ModelMissing(f"{folder} is no model: it has no {NAME}")
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_CARD + 1)
        if len(data) > LARGEST_CARD:
            raise ValueError(f"it has more than {LARGEST_CARD:,} bytes")
        row = tomllib.loads(data.decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # no UTF-8, no TOML, nested without end
        raise ModelDamaged(f"{path} cannot be read ({error}); write or fetch the model again") from error
    return make_card(row, str(path), shares=_is_ours(folder))


def _is_ours(folder: Path) -> bool:
    """Tell whether `folder` is a model of this package."""
    return Path(folder).resolve().parent == PRETRAINED.resolve()


def make_card(row: Mapping[str, Any], where: str, *, shares: bool = False) -> Card:
    """Make a card of a parsed table; one that `shares` may name files of siblings.

    Raises ModelDamaged, naming `where`, for a wrong one.
    """
    known = {each.name: each for each in fields(Card)}
    for name in row:
        if name not in known and not isinstance(row[name], dict):
            raise ModelDamaged(f'{where}: a card has no "{name}"; it has {", ".join(known)}')
    for name in ("name", "kind", "engine", "rate", "language", "license"):
        if name not in row:
            raise ModelDamaged(f'{where} has no "{name}"')
    for name, value in row.items():
        expected = {"rate": int, **dict.fromkeys(_TABLES, dict)}.get(name, str if name in known else dict)
        if not isinstance(value, expected) or isinstance(value, bool):
            raise ModelDamaged(f'{where}: "{name}" is {value!r:.100}; expected {expected.__name__}')
        _check_plain(value, f'{where}: "{name}"')
    if row["kind"] not in KINDS:
        raise ModelDamaged(f'{where}: the kind is "{row["kind"]}"; it is one of {", ".join(KINDS)}')
    if row["rate"] not in RATES:
        raise ModelDamaged(f"{where}: the rate is {row['rate']:.6g} Hz; it is between 1 kHz and 1 MHz")
    card = Card(**{name: value for name, value in row.items() if name in known})
    _check_names(card, where, shares)
    return card


def is_name(name: Any) -> bool:
    """Tell whether a text can be the name of a model or of a file in its folder."""
    fits = isinstance(name, str) and len(name) <= LONGEST_NAME and _SAFE.fullmatch(name)
    return bool(fits) and not _DEVICE.fullmatch(name)


def check_name(name: Any, where: str) -> None:
    """Raise ModelDamaged, naming `where`, unless `name` can be that of a model or of a file in its folder."""
    if not is_name(name):
        raise ModelDamaged(
            f"{where}: {name!r:.100} cannot be a name here; names have letters, digits, dots, dashes and "
            f"underscores, at most {LONGEST_NAME} of them, and no dot at either end"
        )


def _check_names(card: Card, where: str, shares: bool) -> None:
    """Raise ModelDamaged where a string of the card that becomes a name or a path is not a safe name."""
    check_name(card.name, where)
    for name, digest in card.files.items():
        check_name(_of_sibling(name, where) if shares else name, where)
        if name.lower() == NAME or not isinstance(digest, str):
            raise ModelDamaged(f"{where}: {name!r} in its files is not a file with its sha256")
    if BASE in card.options:
        check_name(card.options[BASE], where)
        if card.options[BASE] == card.name:
            raise ModelDamaged(f"{where}: {card.name} cannot derive from itself; give the model another name")
    if GRAPHS in card.options:
        if not shares:
            raise ModelDamaged(f"{where}: only a model of this package can share the graphs of another")
        check_name(_of_sibling(f"{card.options[GRAPHS]}/all", where), where)


def _of_sibling(name: str, where: str) -> str:
    """Return the name of a file without the sibling before it, as in `../NAME/FILE`."""
    up, _, rest = name.partition("/")
    sibling, _, file = rest.partition("/")
    if up != ".." or not file:
        return name
    check_name(sibling, where)
    return file


def _check_plain(value: Any, where: str) -> None:
    """Raise ModelDamaged unless `value` is made of tables, lists, numbers and text that can be shown."""
    if isinstance(value, Mapping):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple):
        for each in value:
            _check_plain(each, where)
    elif not isinstance(value, str | int | float):
        raise ModelDamaged(f"{where} holds {value!r:.100}; a card has text, numbers, lists and tables")
    elif isinstance(value, str) and _CONTROL.search(value):
        raise ModelDamaged(f"{where} holds {value!r:.100}; a card's text has no control characters")


def option_of(model: Model, name: str, default: Any) -> Any:
    """Return an option of the model's card. Raises ModelDamaged if its type is not that of `default`."""
    value = model.card.options.get(name, default)
    if not isinstance(value, type(default)):
        raise ModelDamaged(f'{model.folder}: the option "{name}" of its card is {value!r:.100}')
    return value


def write_card(folder: Path, card: Card) -> None:
    """Write `card` as the card of `folder`, whole or not at all.

    Raises ModelDamaged for one that `read_card` would refuse.
    """
    make_card(asdict(card), str(Path(folder) / NAME), shares=_is_ours(folder))
    lines = []
    for name, value in asdict(card).items():
        if name in _OPTIONAL and not value:
            continue
        if isinstance(value, dict):
            lines += ["", f"[{name}]", *(f"{_key(key)} = {_value(each)}" for key, each in value.items())]
        else:
            lines.append(f"{name} = {_value(value)}")
    beside = Path(folder) / f".{NAME}"
    beside.write_text("\n".join(lines) + "\n", "utf-8")
    beside.replace(Path(folder) / NAME)


def hashes(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the sha256 of files in `folder` by name, as a card's `files` has them."""
    return {name: sha256(Path(folder) / name) for name in names}


def sha256(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _key(name: str) -> str:
    plain = name.replace("-", "").replace("_", "")
    return name if plain.isascii() and plain.isalnum() else json.dumps(name)


def _value(value: Any) -> str:
    """Return `value` in TOML; a table inside a table is written in line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    if isinstance(value, (str, bool, int)):
        return json.dumps(value, ensure_ascii=False)
    return repr(float(value))  # inf and nan as TOML has them
