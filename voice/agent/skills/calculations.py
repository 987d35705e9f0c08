"""Arithmetic, percentages and the conversion of units."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated

from voice.agent.language.arithmetic import NotArithmetic, calculate, is_calculation
from voice.agent.language.numbers import format_number
from voice.agent.language.units import convert, disambiguate, unit_name
from voice.agent.language.wording import capitalize_first
from voice.agent.skills.quantities import Amount, UnitName
from voice.agent.skills.registry import skill


@skill(
    "[what is, how much is, what are, calculate, compute, work out, what does, solve, evaluate] $sum",
    "[what is, calculate] $sum [equal to, equals]",
    "(what is) the [result, value, answer] [of, to] $sum",
    "[what, how much] $sum [is, makes, equals]",
    "how much [does, do] $sum make",
    "what do [you, i, we] get [if, when] [you, i, we] $sum",
    "$sum",
)
def calculation(sum: Annotated[str, "such as (12 + 3) * 7, or in words"]) -> str | None:
    """Do arithmetic, such as twelve times seven or fifteen percent of eighty."""
    sum = re.sub(r" (?:equals?|equal to|makes?|is)(?: what)?$", "", sum)
    if not is_calculation(sum):
        return None
    try:
        return f"{capitalize_first(format_number(calculate(sum)))}."
    except NotArithmetic:
        return None
    except ZeroDivisionError:
        return "That divides by zero, which has no answer."
    except OverflowError:
        return "That number is too large for me."


@skill(
    "(what is) $part [is what, what] percent of $whole",
    "what percent of $whole is $part",
    "what [percentage, percent] is $part of $whole",
    "what percentage of $whole is $part",
)
def percentage(part: float, whole: float) -> str:
    """Say what percentage one number is of another."""
    if not whole:
        return "Nothing is a percentage of zero."
    share = Fraction(str(part)) / Fraction(str(whole)) * 100
    return f"{capitalize_first(format_number(share))} percent."


@skill(
    "convert $amount [to, into, in] $unit",
    "(what is, how much is) $amount [in, to, into, as] $unit",
    "how [many, much] $unit (are) (there) [are in, is in, in, is, are, to] $amount",
    "how [many, much] $unit [do, does] $amount (make)",
    "how [long, far, heavy, hot, cold, fast, big, warm] is $amount in $unit",
)
def conversion(amount: Amount, unit: UnitName) -> str:
    """Convert units, such as five miles to kilometers."""
    quantity = disambiguate(amount, unit)
    found = convert(quantity, unit)
    left = f"{format_number(quantity.amount)} {unit_name(quantity.unit, quantity.amount)}"
    if found is None:
        return f"{capitalize_first(quantity.unit.plural)} and {unit.plural} measure different things."
    size = abs(found.amount)
    rounded = found.amount if size < 1 else Fraction(round(found.amount * 100), 100)
    right = format_number(rounded)
    about = "about " if rounded != found.amount and not right.startswith("about") else ""
    left = "that" if left.startswith("about") else left  # 5 feet 10 are no round number of feet
    return f"{capitalize_first(left)} is {about}{right} {unit_name(unit, right)}."
