"""Types for parameters of skills that are quantities: durations, amounts with a unit, units."""

from __future__ import annotations

from voice.agent.language.units import Quantity, Unit, find_unit, parse_quantity


class Duration(float):
    """A length of time with its unit, such as "90 seconds" or "an hour and a half"."""

    @staticmethod
    def parse(text: str) -> Duration | None:
        """Return the duration that a text says, in seconds, or None."""
        quantity = parse_quantity(text.removesuffix(" long"))
        if quantity is None or quantity.unit.dimension != "time":
            return None
        return Duration(quantity.amount * quantity.unit.factor)


class Amount(Quantity):
    """A number with its unit, such as "5 miles"."""

    @staticmethod
    def parse(text: str) -> Quantity | None:
        """Return the quantity that a text says, or None."""
        return parse_quantity(text)


class UnitName(Unit):
    """The name of a unit, such as "kilometers"."""

    @staticmethod
    def parse(text: str) -> Unit | None:
        """Return the unit of that name, or None."""
        return find_unit(text)
