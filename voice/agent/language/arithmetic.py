"""Arithmetic in spoken words: a small recursive-descent parser over exact fractions, no eval.

sum    := term (("+" | "-") term)*
term   := power (("*" | "/" | "mod") power)*
power  := signed ("^" power)?
signed := "-" signed | "sqrt" signed | "cbrt" signed | value "!"* "%"*
value  := number | "(" sum ")"
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

from voice.agent.language.numbers import MOST_DIGITS, words_to_numerals

LARGEST_EXPONENT = 1024
LARGEST_FACTORIAL = 100
MOST_TOKENS = 150  # numbers and signs; each parenthesis is one level of recursion


def _word(pattern: str) -> str:
    """Return a pattern for a word that letters do not touch; figures may, as in "12x7"."""
    return rf"(?<![a-z])(?:{pattern})(?![a-z])"


_PHRASES = (
    (r"^add (.+?) (?:and|to) (.+)", r"( \1 ) + ( \2 )"),
    (r"^subtract (.+?) from (.+)", r"( \2 ) - ( \1 )"),
    (r"^multiply (.+?) (?:by|and|with) (.+)", r"( \1 ) * ( \2 )"),
    (r"^divide (.+?) by (.+)", r"( \1 ) / ( \2 )"),
    (r"^(?:add|subtract|multiply|divide) (?=\d)", ""),  # "multiply 12x7"
    (rf"^(.+?)(?:%|{_word('percent|per cent')}) ?off (.+)", r"( \2 ) * ( 1 - ( \1 ) / 100 )"),
    (r"\bsum of (.+?) and (.+)", r"( \1 ) + ( \2 )"),
    (r"\bproduct of (.+?) and (.+)", r"( \1 ) * ( \2 )"),
    (r"\bdifference (?:between|of) (.+?) and (.+)", r"( \1 ) - ( \2 )"),
    (r"\b(?:quotient|ratio) of (.+?) and (.+)", r"( \1 ) / ( \2 )"),
    (r"\bopen (?:parenthesis|bracket)", "("),
    (r"\bclose (?:parenthesis|bracket)", ")"),
    (_word("(?:raised )?to the power(?: of)?") + r"|\*\*", " ^ "),
    (_word(r"(?:raised )?to the (\d+)(?:st|nd|rd|th)(?: power)?"), r" ^ \1 "),
    (_word("divided by|over") + "|÷", " / "),
    (_word("multiplied by|times|by|x") + "|[×·⋅∙∗*]", " * "),
    (_word("plus|added to"), " + "),
    (_word("minus|take away|negative") + "|[−–—‐‑]", " - "),
    (_word("squared") + "|²", " ^ 2 "),
    (_word("cubed") + "|³", " ^ 3 "),
    (_word("square root(?: of)?") + "|√", " sqrt "),
    (_word("cube root(?: of)?"), " cbrt "),
    (_word("modulo"), " mod "),
    (_word("factorial"), " ! "),
    (_word("percent|per cent"), " % "),
    (_word("of"), " * "),
    (_word("the") + "|[=?]", " "),
)
_SPLIT = re.compile(r"(?<=[a-z])-(?=[a-z])|(?<=\d),(?=\d{3})|\$")
_TOKEN = re.compile(r"\d+\.?\d*|\.\d+|[a-z']+|[-+*/^%!()]")
_DATE = re.compile(r"\s*\d{1,4}([-/.])\d{1,2}\1\d{2,4}\s*")


Number = Fraction | float


class NotArithmetic(ValueError):
    """The text is not a calculation."""


def calculate(text: str) -> Number:
    """Return the value of a spoken or written calculation.

    Raises NotArithmetic if `text` is none, ZeroDivisionError, and OverflowError if the result is too
    large to be of use.
    """
    tokens = tokenize(text)
    if len(tokens) > MOST_TOKENS:
        raise NotArithmetic(text[:MOST_TOKENS])
    value, position = _sum(tokens, 0)
    if position != len(tokens):
        raise NotArithmetic(text)
    return value


def tokenize(text: str) -> list[str]:
    """Split a calculation into exact numerals and operators of one sign each. Raises NotArithmetic."""
    if _DATE.fullmatch(text):
        raise NotArithmetic(text)
    text = _SPLIT.sub(lambda found: " " if found[0] == "-" else "", text.lower())
    for pattern, replacement in _PHRASES:
        text = re.sub(pattern, replacement, text)
    words = _TOKEN.findall(text)
    if any(len(word) > MOST_DIGITS for word in words):
        raise NotArithmetic(text[:MOST_TOKENS])
    if "".join(words) != re.sub(r"\s", "", text):
        raise NotArithmetic(text)
    return words_to_numerals(words)


def is_calculation(text: str) -> bool:
    """Tell whether `text` computes something and is more than a number."""
    try:
        tokens = tokenize(text)
        return len(tokens) > 1 and any(token in _OPERATORS for token in tokens)
    except NotArithmetic:
        return False


_OPERATORS = frozenset(["+", "-", "*", "/", "^", "%", "!", "mod", "sqrt", "cbrt"])


def _sum(tokens: list[str], at: int) -> tuple[Number, int]:
    """Parse a sum from token `at`; return its value and the index after it."""
    value, at = _term(tokens, at)
    while at < len(tokens) and tokens[at] in "+-":
        sign = 1 if tokens[at] == "+" else -1
        start = at + 1
        right, at = _term(tokens, start)
        if tokens[start:at][1:] == ["%"]:  # "80 plus 10 percent": of what stands before
            right = value * right
        value = value + sign * right
    return value, at


def _term(tokens: list[str], at: int) -> tuple[Number, int]:
    """Parse a product."""
    value, at = _power(tokens, at)
    while at < len(tokens) and tokens[at] in ("*", "/", "mod"):
        sign = tokens[at]
        right, at = _power(tokens, at + 1)
        if sign == "*":
            value = value * right
        else:
            value = value / right if sign == "/" else value % right
    return value, at


def _power(tokens: list[str], at: int) -> tuple[Number, int]:
    """Parse a power, which binds to the right."""
    value, at = _signed_value(tokens, at)
    if at < len(tokens) and tokens[at] == "^":
        exponent, at = _power(tokens, at + 1)
        value = _power_of(value, exponent)
    return value, at


def _signed_value(tokens: list[str], at: int) -> tuple[Number, int]:
    """Parse a value with the signs and roots before it and the factorials and percents after it."""
    token = tokens[at] if at < len(tokens) else ""
    if token == "-":
        value, at = _power(tokens, at + 1)
        return -value, at
    if token in ("sqrt", "cbrt"):
        value, at = _signed_value(tokens, at + 1)
        return _root(value, 2 if token == "sqrt" else 3), at
    value, at = _value(tokens, at)
    while at < len(tokens) and tokens[at] in ("!", "%"):
        value = value / 100 if tokens[at] == "%" else _factorial(value)
        at += 1
    return value, at


def _value(tokens: list[str], at: int) -> tuple[Number, int]:
    """Parse a number or a sum in parentheses."""
    token = tokens[at] if at < len(tokens) else ""
    if token == "(":
        value, at = _sum(tokens, at + 1)
        if tokens[at : at + 1] != [")"]:
            raise NotArithmetic(" ".join(tokens))
        return value, at + 1
    try:
        return Fraction(token), at + 1
    except ValueError:
        raise NotArithmetic(" ".join(tokens)) from None


def _power_of(value: Number, exponent: Number) -> Number:
    """Raise `value` to a power. Raises OverflowError before the result becomes enormous."""
    whole = Fraction(exponent).denominator == 1
    if abs(float(exponent)) > LARGEST_EXPONENT or abs(float(value)) > 1e30:
        raise OverflowError("too large")
    if whole:
        power: Number = value ** int(exponent)
        return power
    if value < 0:
        raise NotArithmetic("a root of a negative number")
    root: float = float(value) ** float(exponent)
    return root


def _root(value: Number, degree: int) -> Number:
    """Return a square or cube root, exactly if it is whole."""
    if value < 0 and degree == 2:
        raise NotArithmetic("a square root of a negative number")
    nearest = round(math.copysign(abs(float(value)) ** (1 / degree), float(value)))
    if nearest**degree == value:
        return Fraction(nearest)
    return math.copysign(abs(float(value)) ** (1 / degree), float(value))


def _factorial(value: Number) -> Fraction:
    """Return the factorial of a whole number."""
    if value < 0 or Fraction(value).denominator != 1:
        raise NotArithmetic("a factorial of a fraction")
    if value > LARGEST_FACTORIAL:
        raise OverflowError("too large")
    return Fraction(math.factorial(int(value)))
