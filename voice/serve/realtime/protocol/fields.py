"""Read the fields of what a client sent, each by its type; errors name the field that is wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voice.errors import VoiceError

MAX_DEPTH = 32  # levels of nested JSON; no event needs more than eight


class ProtocolError(VoiceError):
    """An event that cannot be handled; `code` and `param` are those of the protocol's `error` event."""

    def __init__(
        self, message: str, code: str = "invalid_value", param: str = "", event_id: str = ""
    ) -> None:
        super().__init__(message)
        self.code, self.param, self.event_id = code, param, event_id


@dataclass(frozen=True)
class Fields:
    """The fields of one JSON object, found at `path` of the event."""

    values: Mapping[str, Any]
    path: str = ""

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def at(self, name: str) -> str:
        """Return the path of a field in the event."""
        return f"{self.path}.{name}" if self.path else name

    def wrong(self, name: str, wanted: str) -> ProtocolError:
        """Return the error for a field that is not what is `wanted`."""
        given = json.dumps(self.values.get(name), default=str)
        given = given if len(given) < 80 else f"{given[:77]}..."
        return ProtocolError(f"{self.at(name)} is {given}; it has to be {wanted}", param=self.at(name))

    def text(self, name: str, default: str | None = None, longest: int = 100_000) -> str:
        """Return a string; without a default it has to be there."""
        value = self._value(name, default)
        if not isinstance(value, str) or len(value) > longest:
            raise self.wrong(name, f"a string of at most {longest} characters")
        return value

    def texts(self, name: str, default: tuple[str, ...], most: int, longest: int) -> tuple[str, ...]:
        """Return a list of strings."""
        values = self.values.get(name)
        if values is None:
            return default
        fits = isinstance(values, list) and len(values) <= most
        if not fits or not all(isinstance(each, str) and 0 < len(each) <= longest for each in values):
            raise self.wrong(name, f"a list of at most {most} strings of up to {longest} characters")
        return tuple(values)

    def choice(self, name: str, choices: Sequence[str], default: str | None = None) -> str:
        """Return a string that is one of `choices`."""
        value = self._value(name, default)
        if not isinstance(value, str) or value not in choices:
            raise self.wrong(name, "one of " + ", ".join(choices))
        return value

    def number(self, name: str, default: float | None, least: float, most: float) -> float:
        """Return a finite number from `least` to `most`."""
        value = self._value(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(name, f"a number from {least:g} to {most:g}")
        if not math.isfinite(value) or not least <= value <= most:
            raise self.wrong(name, f"a number from {least:g} to {most:g}")
        return value

    def whole(self, name: str, default: int | None, least: int, most: int) -> int:
        """Return a whole number from `least` to `most`."""
        value = self.number(name, default, least, most)
        if value != int(value):
            raise self.wrong(name, "a whole number")
        return int(value)

    def flag(self, name: str, default: bool) -> bool:
        """Return true or false."""
        value = self._value(name, default)
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def inner(self, name: str) -> Fields | None:
        """Return the object in a field; None where there is none or null."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, dict):
            raise self.wrong(name, "an object or null")
        return None if value is None else Fields(value, self.at(name))

    def required_inner(self, name: str) -> Fields:
        """Return the object in a field that has to be there."""
        inner = self.inner(name)
        if inner is None:
            raise self.missing(name)
        return inner

    def each(self, name: str, most: int = 1000) -> Iterator[Fields]:
        """Yield the objects of a list; none where the field is missing or null."""
        values = self.values.get(name) or []
        if not isinstance(values, list) or len(values) > most:
            raise self.wrong(name, f"a list of at most {most} objects")
        for at, value in enumerate(values):
            if not isinstance(value, dict):
                raise ProtocolError(f"{self.at(name)}[{at}] is no object", param=f"{self.at(name)}[{at}]")
            yield Fields(value, f"{self.at(name)}[{at}]")

    def missing(self, name: str) -> ProtocolError:
        """Return the error for a field that has to be there."""
        return ProtocolError(f"{self.at(name)} is missing", "missing_required_parameter", self.at(name))

    def _value(self, name: str, default: Any) -> Any:
        value = self.values.get(name)
        if value is None:
            value = default
        if value is None:
            raise self.missing(name)
        return value


def parse_object(text: str) -> Fields:
    """Return the fields of one event from its text. Raises ProtocolError where it is no JSON object."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"the event is not JSON: {error}", "invalid_json") from None
    if not isinstance(values, dict):
        raise ProtocolError("an event is a JSON object with a type", "invalid_event")
    if _too_deep(values):
        raise ProtocolError(f"the event is nested more than {MAX_DEPTH} deep", "invalid_event")
    return Fields(values)


def _too_deep(value: Any) -> bool:
    layer = [value]
    for _ in range(MAX_DEPTH):
        layer = [inner for each in layer for inner in _inside(each)]
        if not layer:
            return False
    return True


def _inside(value: Any) -> Sequence[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else ()
