"""Units of measure by their spoken names, and exact conversions between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from voice.agent.language.numbers import MOST_DIGITS, words_to_numerals


@dataclass(frozen=True)
class Unit:
    """A unit that is `factor` base units of its `dimension`; `offset` is added to an amount before that.

    `alternative` is another unit that its short name may mean: "k" is kelvins, but kilometers beside miles.
    """

    singular: str
    plural: str
    dimension: str
    factor: Fraction
    offset: Fraction = Fraction(0)
    alternative: Unit | None = None


@dataclass(frozen=True)
class Quantity:
    """An amount of a unit; "5 feet 10 inches" is summed in the first of its units."""

    amount: Fraction
    unit: Unit


# One row for each unit: singular, plural, how many base units it is, other names.
_TABLE = {
    "length": """
        millimeter millimeters 0.001 mm millimetre millimetres
        centimeter centimeters 0.01 cm centimetre centimetres
        meter meters 1 m metre metres
        kilometer kilometers 1000 km kilometre kilometres kilometer's
        inch inches 0.0254 in
        foot feet 0.3048 ft
        yard yards 0.9144 yd yds
        mile miles 1609.344 mi
        nautical_mile nautical_miles 1852
        light_year light_years 9460730472580800""",
    "mass": """
        milligram milligrams 0.000001 mg
        gram grams 0.001 g gramme grammes
        kilogram kilograms 1 kg kilo kilos kilogramme kilogrammes
        metric_ton metric_tons 1000 tonne tonnes
        ounce ounces 0.028349523125 oz
        pound pounds 0.45359237 lb lbs
        stone stones 6.35029318
        ton tons 907.18474""",
    "volume": """
        milliliter milliliters 0.001 ml millilitre millilitres
        centiliter centiliters 0.01 cl centilitre centilitres
        liter liters 1 l litre litres
        cubic_meter cubic_meters 1000
        teaspoon teaspoons 0.00492892159375 tsp
        tablespoon tablespoons 0.01478676478125 tbsp
        fluid_ounce fluid_ounces 0.0295735295625
        cup cups 0.2365882365
        pint pints 0.473176473
        quart quarts 0.946352946
        gallon gallons 3.785411784""",
    "speed": """
        meter_per_second meters_per_second 1 m/s
        kilometer_per_hour kilometers_per_hour 5/18 km/h kph kmh
        mile_per_hour miles_per_hour 0.44704 mph
        knot knots 463/900""",
    "time": """
        millisecond milliseconds 0.001 ms
        second seconds 1 sec secs
        minute minutes 60 min mins
        hour hours 3600 hr hrs
        day days 86400
        week weeks 604800
        year years 31557600""",
    "data": """
        bit bits 1/8
        byte bytes 1
        kilobyte kilobytes 1000 kb
        megabyte megabytes 1000000 mb meg megs
        gigabyte gigabytes 1000000000 gb gig gigs
        terabyte terabytes 1000000000000 tb
        kibibyte kibibytes 1024
        mebibyte mebibytes 1048576
        gibibyte gibibytes 1073741824""",
    "area": """
        square_meter square_meters 1
        square_kilometer square_kilometers 1000000
        square_foot square_feet 0.09290304
        square_mile square_miles 2589988.110336
        acre acres 4046.8564224
        hectare hectares 10000""",
}
_TEMPERATURES = (
    ("degree Celsius", "degrees Celsius", "1", "273.15", "celsius centigrade c °c"),
    ("degree Fahrenheit", "degrees Fahrenheit", "5/9", "459.67", "fahrenheit f °f"),
    ("kelvin", "kelvins", "1", "0", "kelvin kelvins"),
)


def _units() -> dict[str, Unit]:
    """Return each unit by all its names."""
    units: dict[str, Unit] = {}
    for dimension, rows in _TABLE.items():
        for row in rows.strip().splitlines():
            singular, plural, factor, *others = row.split()
            unit = Unit(singular.replace("_", " "), plural.replace("_", " "), dimension, Fraction(factor))
            units |= {name.replace("_", " "): unit for name in (singular, plural, *others)}
    for singular, plural, factor, offset, names in _TEMPERATURES:
        unit = Unit(singular, plural, "temperature", Fraction(factor), Fraction(offset))
        for name in names.split():
            units |= {f"{degrees}{name}": unit for degrees in ("", "degrees ", "degree ")}
    units["k"] = replace(units["kelvin"], alternative=units["kilometer"])
    british = {name.replace("meter", "metre"): unit for name, unit in units.items() if " " in name}
    return british | units


UNITS = _units()
_LONGEST_NAME = max(len(name.split()) for name in UNITS)
_NUMBER_AND_UNIT = re.compile(r"(?<=\d)(?=[a-z°])")  # "5km", "100°F"


def find_unit(text: str) -> Unit | None:
    """Return the unit that `text` names, or None."""
    return UNITS.get(" ".join(text.lower().replace("-", " ").split()))


def parse_quantity(text: str) -> Quantity | None:
    """Read a whole text as one amount: "five miles", "5 feet 10 inches", "an hour and a half", "a mile"."""
    text = re.sub(r"^an? (?=\d)", "", _NUMBER_AND_UNIT.sub(" ", text.lower())).replace("° ", "°")  # "a 5k"
    words = words_to_numerals(re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text).split())
    total: Quantity | None = None
    position = 0
    while position < len(words):
        if words[position] == "and" and total:
            position += 1
        found = _quantity_at(words, position, total)
        if not found:
            return None
        quantity, position = found
        total = quantity if total is None else _add(total, quantity)
        if total is None:
            return None
    return total


def _quantity_at(words: Sequence[str], at: int, before: Quantity | None) -> tuple[Quantity, int] | None:
    """Return the quantity that begins at word `at` and the index after it, `before` being the one before."""
    amount = _amount(words[at]) if at < len(words) else None
    if amount is None:
        return None
    at += 1
    if words[at : at + 2] == ["of", "a"] or words[at : at + 2] == ["of", "an"]:  # "a third of a mile"
        at += 2
    elif words[at : at + 1] in (["a"], ["an"]):
        at += 1
    for size in range(_LONGEST_NAME, 0, -1):
        unit = UNITS.get(" ".join(words[at : at + size]))
        if unit and at + size <= len(words):
            return Quantity(amount, unit), at + size
    if before and at == len(words):
        return _without_unit(amount, before.unit), at
    return None


def _without_unit(amount: Fraction, unit: Unit) -> Quantity:
    """Give a number without a unit its unit, from the one before: "an hour and a half", "five foot ten"."""
    smaller = {"foot": "inch", "hour": "minute", "minute": "second", "pound": "ounce"}.get(unit.singular)
    return Quantity(amount, UNITS[smaller] if smaller and amount >= 1 else unit)


def _amount(word: str) -> Fraction | None:
    """Return the number that a word is, or None."""
    if word in ("a", "an", "one"):
        return Fraction(1)
    try:
        return Fraction(word) if len(word) <= MOST_DIGITS else None
    except (ValueError, ZeroDivisionError):
        return None


def _add(first: Quantity, second: Quantity) -> Quantity | None:
    """Add two quantities in the unit of the first; None if they cannot be added."""
    if first.unit.dimension != second.unit.dimension or first.unit.dimension == "temperature":
        return None
    return Quantity(first.amount + second.amount * second.unit.factor / first.unit.factor, first.unit)


def disambiguate(quantity: Quantity, unit: Unit) -> Quantity:
    """Return `quantity` in the unit that its name means beside `unit`: 5 k in miles are kilometers."""
    other = quantity.unit.alternative
    return Quantity(quantity.amount, other) if other and other.dimension == unit.dimension else quantity


def convert(quantity: Quantity, unit: Unit) -> Quantity | None:
    """Convert a quantity to another unit, exactly; None if the two units measure different things."""
    if quantity.unit.dimension != unit.dimension:
        return None
    base = (quantity.amount + quantity.unit.offset) * quantity.unit.factor
    return Quantity(base / unit.factor - unit.offset, unit)


def unit_name(unit: Unit, amount: Fraction | str) -> str:
    """Return the name that goes with an amount: "1 mile", "2 miles"."""
    return unit.singular if amount in (1, "1") else unit.plural
