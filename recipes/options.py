"""A recipe's options are a frozen dataclass in its own file; its command line is derived from it here."""

from __future__ import annotations

import argparse
import dataclasses
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def option(default: Any, text: str) -> Any:
    """A field with a default and the line that `--help` shows for it."""
    return dataclasses.field(default=default, metadata={"help": text})


def parse(options: type[T], argv: Sequence[str] | None = None, *, description: str | None = None) -> T:
    """Command line → an instance of the dataclass `options`.

    `word_rate: float` becomes `--word-rate`; a `bool` that is False becomes a flag and one that is
    True gets a `--no-…`; a `tuple[X, ...]` may be given several times; a `Literal` shows its choices.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    kinds = typing.get_type_hints(options)
    for field in dataclasses.fields(options):
        _add(parser, field, kinds[field.name])
    given = vars(parser.parse_args(argv))
    return options(**{name: tuple(v) if isinstance(v, list) else v for name, v in given.items()})


def _add(parser: argparse.ArgumentParser, field: dataclasses.Field, kind: Any) -> None:
    flag, text = "--" + field.name.replace("_", "-"), field.metadata.get("help", " ")
    if kind is bool:
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=field.default, help=text)
    elif typing.get_origin(kind) is tuple:
        one = typing.get_args(kind)[0]
        parser.add_argument(
            flag, action=_Extend, type=one, default=field.default, help=text, metavar=one.__name__
        )
    elif typing.get_origin(kind) is typing.Literal:
        parser.add_argument(flag, choices=typing.get_args(kind), default=field.default, help=text)
    else:
        one = _plain(kind)
        parser.add_argument(flag, type=one, default=field.default, help=text, metavar=one.__name__.lower())


class _Extend(argparse.Action):
    """Like "append", but the first value given replaces the default instead of joining it."""

    def __call__(self, parser, namespace, value, option_string=None):
        held = getattr(namespace, self.dest)
        setattr(namespace, self.dest, [*held, value] if isinstance(held, list) else [value])


def _plain(kind: Any) -> type:
    """`float | None` → `float`."""
    if isinstance(kind, types.UnionType):
        kind = next(k for k in typing.get_args(kind) if k is not type(None))
    return Path if kind is Path else kind
