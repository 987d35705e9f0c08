"""Values of the parameters of skills, from spoken words and from the JSON of a language model.

A `str` takes normalized words, `Verbatim` the words as they were said. `int`, `float`, `bool`, `Literal`
and `X | None` are understood, and so is any class with a static method `parse(text)` that returns None
for what it cannot read; the first line of its docstring tells a language model what to write.
"""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from voice.agent.language.numbers import parse_number
from voice.agent.language.phrases import SlotValue, normalize_request


class Verbatim(str):
    """Words with their capitals and punctuation."""


_JSON_TYPES = {str: "string", Verbatim: "string", int: "integer", float: "number", bool: "boolean"}
_YES, _NO = frozenset("yes true on yeah".split()), frozenset("no false off".split())


def is_readable(kind: Any) -> bool:
    """Tell whether parameters of this type can be read."""
    if get_origin(kind) is Literal:
        return all(isinstance(each, str) for each in get_args(kind))
    if _is_optional(kind):
        return is_readable(_without_none(kind))
    return kind in _JSON_TYPES or hasattr(kind, "parse")


def from_words(kind: Any, value: SlotValue) -> Any:
    """Return spoken words as a value of that type; None if they cannot be read as one."""
    if _is_optional(kind):
        return from_words(_without_none(kind), value)
    if get_origin(kind) is Literal:
        return next((each for each in get_args(kind) if normalize_request(each) == value.normalized), None)
    if kind in (str, Verbatim):
        return value.normalized if kind is str else Verbatim(value.verbatim)
    if kind is bool:
        return True if value.normalized in _YES else False if value.normalized in _NO else None
    if kind in (int, float):
        return _number(kind, value.normalized)
    return kind.parse(value.normalized)


def from_json(kind: Any, value: Any) -> Any:
    """Return a JSON value as a value of that type. Raises ValueError that says what it should have been."""
    if _is_optional(kind):
        return None if value is None else from_json(_without_none(kind), value)
    if kind is bool and isinstance(value, bool):
        return value
    if kind in (int, float) and isinstance(value, int | float) and not isinstance(value, bool):
        if kind is int and value != int(value):
            raise ValueError(f"{value} is no whole number")
        return kind(value)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        text = str(value)
        found = text if kind is str else from_words(kind, SlotValue(normalize_request(text), text))
        if found is not None:
            return found
    raise ValueError(f"{value!r} cannot be read as {_describe(kind)}"[:200])


def json_schema(kind: Any) -> dict[str, Any]:
    """Return the JSON schema of a type."""
    if _is_optional(kind):
        return json_schema(_without_none(kind))
    if get_origin(kind) is Literal:
        return {"type": "string", "enum": list(get_args(kind))}
    if kind in _JSON_TYPES:
        return {"type": _JSON_TYPES[kind]}
    return {"type": "string", "description": _describe(kind)}


def _is_optional(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType) and NoneType in get_args(kind) and len(get_args(kind)) == 2


def _without_none(kind: Any) -> Any:
    """Return X of `X | None`."""
    return next(each for each in get_args(kind) if each is not NoneType)


def _number(kind: type[int] | type[float], text: str) -> int | float | None:
    """Return the number that a text says; None if it says none or a fraction where an int is asked for."""
    number = parse_number(text)
    if number is None or (kind is int and number.denominator != 1):
        return None
    return kind(number)


def _describe(kind: Any) -> str:
    """Return what a value of this type is, in words."""
    if kind in _JSON_TYPES:
        return _JSON_TYPES[kind]
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind))
    described: str = kind.__doc__ or kind.__name__
    return described.strip().splitlines()[0]
