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

from voice.agent.language.numbers import LONGEST as LONGEST_NUMBER
from voice.agent.language.numbers import numerals

LARGEST_EXPONENT = 1024
LARGEST_FACTORIAL = 100
LONGEST = 150  # numbers and signs; each parenthesis is a step deeper


def _word(pattern: str) -> str:
    """A word of its own or one that figures run into, as recognizers write: "12x7", "5squared"."""
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


class NotArithmetic(ValueError):
    """The words are not a calculation."""


def calculate(text: str) -> Fraction | float:
    """The value of a spoken or written calculation.

    Raises NotArithmetic where `text` is none, ZeroDivisionError, and OverflowError where the
    result is too large to be of use.
    """
    tokens = tokenize(text)
    if len(tokens) > LONGEST:
        raise NotArithmetic(text[:LONGEST])
    value, position = _sum(tokens, 0)
    if position != len(tokens):
        raise NotArithmetic(text)
    return value


def tokenize(text: str) -> list[str]:
    """Numbers as exact numerals, operators as one sign each."""
    if _DATE.fullmatch(text):
        raise NotArithmetic(text)
    text = _SPLIT.sub(lambda found: " " if found[0] == "-" else "", text.lower())
    for pattern, replacement in _PHRASES:
        text = re.sub(pattern, replacement, text)
    words = _TOKEN.findall(text)
    if any(len(word) > LONGEST_NUMBER for word in words):
        raise NotArithmetic(text[:LONGEST])
    if "".join(words) != re.sub(r"\s", "", text):
        raise NotArithmetic(text)
    return numerals(words)


def is_calculation(text: str) -> bool:
    """Whether `text` computes something, rather than being just a number."""
    try:
        tokens = tokenize(text)
        return len(tokens) > 1 and any(token in _SIGNS for token in tokens)
    except NotArithmetic:
        return False


_SIGNS = frozenset(["+", "-", "*", "/", "^", "%", "!", "mod", "sqrt", "cbrt"])


def _sum(tokens: list[str], at: int) -> tuple[Fraction | float, int]:
    value, at = _term(tokens, at)
    while at < len(tokens) and tokens[at] in "+-":
        sign = 1 if tokens[at] == "+" else -1
        start = at + 1
        right, at = _term(tokens, start)
        if tokens[start:at][1:] == ["%"]:  # "80 plus 10 percent": of what stands before
            right = value * right
        value = value + sign * right
    return value, at


def _term(tokens: list[str], at: int) -> tuple[Fraction | float, int]:
    value, at = _power(tokens, at)
    while at < len(tokens) and tokens[at] in ("*", "/", "mod"):
        sign = tokens[at]
        right, at = _power(tokens, at + 1)
        if sign == "*":
            value = value * right
        else:
            value = value / right if sign == "/" else value % right
    return value, at


def _power(tokens: list[str], at: int) -> tuple[Fraction | float, int]:
    value, at = _signed(tokens, at)
    if at < len(tokens) and tokens[at] == "^":
        exponent, at = _power(tokens, at + 1)
        value = _raised(value, exponent)
    return value, at


def _signed(tokens: list[str], at: int) -> tuple[Fraction | float, int]:
    token = tokens[at] if at < len(tokens) else ""
    if token == "-":
        value, at = _power(tokens, at + 1)
        return -value, at
    if token in ("sqrt", "cbrt"):
        value, at = _signed(tokens, at + 1)
        return _root(value, 2 if token == "sqrt" else 3), at
    value, at = _value(tokens, at)
    while at < len(tokens) and tokens[at] in ("!", "%"):
        value = value / 100 if tokens[at] == "%" else _factorial(value)
        at += 1
    return value, at


def _value(tokens: list[str], at: int) -> tuple[Fraction | float, int]:
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


def _raised(value: Fraction | float, exponent: Fraction | float) -> Fraction | float:
    whole = Fraction(exponent).denominator == 1
    if abs(exponent) > LARGEST_EXPONENT or abs(value) > 10**30:
        raise OverflowError("too large")
    if whole:
        return value ** int(exponent)
    if value < 0:
        raise NotArithmetic("a root of a negative number")
    return float(value) ** float(exponent)


def _root(value: Fraction | float, degree: int) -> Fraction | float:
    if value < 0 and degree == 2:
        raise NotArithmetic("a square root of a negative number")
    guess = round(math.copysign(abs(float(value)) ** (1 / degree), float(value)))
    if guess**degree == value:
        return Fraction(guess)
    return math.copysign(abs(float(value)) ** (1 / degree), float(value))


def _factorial(value: Fraction | float) -> Fraction:
    if value < 0 or Fraction(value).denominator != 1:
        raise NotArithmetic("a factorial of a fraction")
    if value > LARGEST_FACTORIAL:
        raise OverflowError("too large")
    return Fraction(math.factorial(int(value)))
