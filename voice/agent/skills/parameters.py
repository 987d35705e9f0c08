"""How a skill's parameters are read: from words that were said, and from a language model's JSON.

str takes plain words, AsSaid the words as they were said; int, float, bool, `Literal` and
`X | None` are understood, and any class with a static method `parse(text)` that returns None for
what it cannot read; the first line of its docstring tells a language model what to write.
"""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from voice.agent.language.numbers import parse_number
from voice.agent.language.phrases import SlotValue, plain


class AsSaid(str):
    """Words with the capitals and the punctuation that they were said with."""


_NAMES = {str: "string", AsSaid: "string", int: "integer", float: "number", bool: "boolean"}
_YES, _NO = frozenset("yes true on yeah".split()), frozenset("no false off".split())


def readable(kind: Any) -> bool:
    """Whether parameters of this type can be read."""
    if get_origin(kind) is Literal:
        return all(isinstance(each, str) for each in get_args(kind))
    if _is_optional(kind):
        return readable(_inner(kind))
    return kind in _NAMES or hasattr(kind, "parse")


def from_words(kind: Any, slot: SlotValue) -> Any:
    """What was said, as that type; None where it cannot be read."""
    if _is_optional(kind):
        return from_words(_inner(kind), slot)
    if get_origin(kind) is Literal:
        return next((each for each in get_args(kind) if plain(each) == slot.plain), None)
    if kind in (str, AsSaid):
        return slot.plain if kind is str else AsSaid(slot.said)
    if kind is bool:
        return True if slot.plain in _YES else False if slot.plain in _NO else None
    if kind in (int, float):
        return _number(kind, slot.plain)
    return kind.parse(slot.plain)


def from_json(kind: Any, value: Any) -> Any:
    """A value as JSON has it, as that type. Raises ValueError saying what it should have been."""
    if _is_optional(kind):
        return None if value is None else from_json(_inner(kind), value)
    if kind is bool and isinstance(value, bool):
        return value
    if kind in (int, float) and isinstance(value, int | float) and not isinstance(value, bool):
        if kind is int and value != int(value):
            raise ValueError(f"{value} is no whole number")
        return kind(value)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        text = str(value)
        read = text if kind is str else from_words(kind, SlotValue(plain(text), text))
        if read is not None:
            return read
    raise ValueError(f"{value!r} cannot be read as {_wanted(kind)}"[:200])


def schema(kind: Any) -> dict[str, Any]:
    """The JSON schema of a type."""
    if _is_optional(kind):
        return schema(_inner(kind))
    if get_origin(kind) is Literal:
        return {"type": "string", "enum": list(get_args(kind))}
    if kind in _NAMES:
        return {"type": _NAMES[kind]}
    return {"type": "string", "description": _wanted(kind)}


def _is_optional(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType) and NoneType in get_args(kind) and len(get_args(kind)) == 2


def _inner(kind: Any) -> Any:
    return next(each for each in get_args(kind) if each is not NoneType)


def _number(kind: type, text: str) -> int | float | None:
    number = parse_number(text)
    if number is None or (kind is int and number.denominator != 1):
        return None
    return kind(number)


def _wanted(kind: Any) -> str:
    if kind in _NAMES:
        return _NAMES[kind]
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind))
    return (kind.__doc__ or kind.__name__).strip().splitlines()[0]
