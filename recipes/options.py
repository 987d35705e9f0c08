"""The command line of a recipe, derived from the frozen dataclass of options in its own file."""

from __future__ import annotations

import argparse
import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def option(default: Any, text: str, *, may_change: bool = False, alone: Any = None) -> Any:
    """Return a field with a default and the line that `--help` shows for it.

    `may_change`: a run may go on with another value, because it does not decide what is learned. `alone` is
    the value of an option that is given without one; by default it has to have one.
    """
    about = {"help": text, "may_change": may_change, "alone": alone}
    return dataclasses.field(default=default, metadata=about)


def group(default: Any) -> Any:
    """Return a field that holds further options, with the defaults of this instance of their dataclass."""
    return dataclasses.field(default=default, metadata={"group": type(default)})


def parse(options: type[T], argv: Sequence[str] | None = None, *, description: str | None = None) -> T:
    """Return an instance of the dataclass `options` as a command line describes it.

    `word_rate: float` becomes `--word-rate`; a `bool` that is False becomes a flag and one that is
    True gets a `--no-…`; a `tuple[X, ...]` may be given several times; a `Literal` shows its choices. The
    options of a `group` stand beside the others.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    for field, kind, default in _flags(options):
        _add(parser, field, kind, default)
    return _fill(options, vars(parser.parse_args(argv)))


def restore(options: type[T], given: Mapping[str, Any]) -> T:
    """Return an instance of the dataclass `options` with the values by name that `run.toml` gives back.

    What it does not name has its default.
    """
    kept = {field.name: (kind, default) for field, kind, default in _flags(options)}
    found = {name: given.get(name, default) for name, (_, default) in kept.items()}
    paths = {
        name for name, (kind, _) in kept.items() if _without_none(kind) is Path and found[name] is not None
    }
    made: T = _fill(options, {name: Path(each) if name in paths else each for name, each in found.items()})
    return made


def values(options: Any) -> dict[str, Any]:
    """Return each option's value by name, those of groups included, in the order of the command line."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        found |= values(value) if "group" in field.metadata else {field.name: value}
    return found


def changeable(options: Any) -> set[str]:
    """Return the names of the options that may change while a run goes on."""
    return {field.name for field, _, _ in _flags(type(options)) if field.metadata.get("may_change")}


def defaults(options: Any) -> dict[str, Any]:
    """Return each option's default by name, those of groups included."""
    return {field.name: default for field, _, default in _flags(type(options))}


def flag(name: str) -> str:
    """Return how the command line calls an option."""
    return "--" + name.replace("_", "-")


def _flags(options: Any, defaults: Any = None) -> Iterator[tuple[dataclasses.Field[Any], Any, Any]]:
    """Yield (field, type, default) of every option, those of groups in their place."""
    kinds = typing.get_type_hints(options)
    for field in dataclasses.fields(options):
        default = field.default if defaults is None else getattr(defaults, field.name)
        if "group" in field.metadata:
            yield from _flags(field.metadata["group"], default)
        else:
            yield field, kinds[field.name], default


def _fill(options: Any, given: Mapping[str, Any]) -> Any:
    """Return an instance of `options` with the values given by name."""
    made = {}
    for field in dataclasses.fields(options):
        if "group" in field.metadata:
            made[field.name] = _fill(field.metadata["group"], given)
        else:
            value = given[field.name]
            made[field.name] = tuple(value) if isinstance(value, list) else value
    return options(**made)


def _add(parser: argparse.ArgumentParser, field: dataclasses.Field[Any], kind: Any, default: Any) -> None:
    """Give the parser one option."""
    name, text = flag(field.name), field.metadata.get("help", " ")
    kind = _without_none(kind)
    if kind is bool:
        parser.add_argument(name, action=argparse.BooleanOptionalAction, default=default, help=text)
    elif typing.get_origin(kind) is tuple:
        one = typing.get_args(kind)[0]
        parser.add_argument(name, action=_Extend, type=one, default=default, help=text, metavar=one.__name__)
    elif typing.get_origin(kind) is typing.Literal:
        parser.add_argument(name, choices=typing.get_args(kind), default=default, help=text)
    elif field.metadata.get("alone") is not None:
        alone = field.metadata["alone"]
        parser.add_argument(name, type=kind, default=default, help=text, metavar="N", nargs="?", const=alone)
    else:
        parser.add_argument(name, type=kind, default=default, help=text, metavar=kind.__name__.lower())


class _Extend(argparse.Action):
    """Like "append", but the first value given replaces the default instead of joining it."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        value: Any,
        flag: str | None = None,
    ) -> None:
        held = getattr(namespace, self.dest)
        setattr(namespace, self.dest, [*held, value] if isinstance(held, list) else [value])


def _without_none(kind: Any) -> Any:
    """Return `X` for `X | None`."""
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        kind = next(each for each in typing.get_args(kind) if each is not type(None))
    return Path if kind is Path else kind
