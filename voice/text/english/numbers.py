"""Number words of American English: cardinals, ordinals, years, digits, decimals, Roman numerals."""

from __future__ import annotations

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen"
).split()
TENS = ("", "", *"twenty thirty forty fifty sixty seventy eighty ninety".split())
SCALES = (
    "",
    *"thousand million billion trillion quadrillion quintillion sextillion septillion octillion".split(),
    "nonillion",
)
SHORT_SCALES = {
    "k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion", "tn": "trillion",
    "t": "trillion",
}  # fmt: skip
_IRREGULAR = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
ROMAN_NUMERAL = r"(?=[IVXLCDM])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"  # a figure as written
NUMBER_END = r"(?![\w]|[.,]\d)"


def cardinal(n: int) -> str:
    """Return 'one thousand two hundred thirty-four'; past nonillions, the digits one by one."""
    if n < 0:
        return "minus " + cardinal(-n)
    if n >= 1000 ** len(SCALES):
        return digits(str(n))
    groups: list[str] = []
    for scale in SCALES:
        n, group = divmod(n, 1000)
        if group:
            groups.insert(0, f"{_below_thousand(group)} {scale}".strip())
        if not n:
            break
    return " ".join(groups) or "zero"


def _below_thousand(n: int) -> str:
    hundreds, rest = divmod(n, 100)
    words = [f"{ONES[hundreds]} hundred"] if hundreds else []
    if rest >= 20:
        words.append(TENS[rest // 10] + (f"-{ONES[rest % 10]}" if rest % 10 else ""))
    elif rest:
        words.append(ONES[rest])
    return " ".join(words)


def ordinal(n: int) -> str:
    """Return 'twenty-third', 'one hundred first'."""
    head, separator, last = split_last_word(cardinal(n))
    if last in _IRREGULAR:
        last = _IRREGULAR[last]
    else:
        last = last[:-1] + "ieth" if last.endswith("y") else last + "th"
    return head + separator + last


def split_last_word(words: str) -> tuple[str, str, str]:
    """Split 'one hundred twenty-three' into 'one hundred twenty', '-' and 'three'."""
    place = max(words.rfind(" "), words.rfind("-"))
    return ("", "", words) if place < 0 else (words[:place], words[place], words[place + 1 :])


def plural(word: str) -> str:
    """Turn 'six' into 'sixes', 'twenty' into 'twenties'."""
    if word.endswith("y"):
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("x", "s", "sh", "ch")) else "s")


def digits(text: str) -> str:
    """Name each digit of `text`; everything else is left out."""
    return " ".join(ONES[int(c)] for c in text if c.isdecimal())


def year(n: int) -> str:
    """Read 1984 as 'nineteen eighty-four', 1905 as 'nineteen oh five', 2009 as 'two thousand nine'."""
    high, low = divmod(n, 100)
    if not 10 <= high <= 99 or (high % 10 == 0 and low < 10):
        return cardinal(n)
    if low == 0:
        return f"{cardinal(high)} hundred"
    return f"{cardinal(high)} {'oh ' if low < 10 else ''}{cardinal(low)}"


def number(text: str) -> str:
    """Return a figure as written, '-1,234.50' or '007' or '.5', in words."""
    comma = "," in text
    text = (
        text.replace(",", "").replace("−", "-").replace(" ", "").replace("\u00a0", "").replace("\u202f", "")
    )
    if text.startswith(("-", "+")):
        return ("minus " if text[0] == "-" else "plus ") + number(text[1:])
    whole, point, fraction = text.partition(".")
    words = "" if not whole else digits(whole) if _is_code(whole) and not comma else cardinal(int(whole))
    return f"{words} point {digits(fraction)}".strip() if point and fraction else words


def is_one(text: str) -> bool:
    """Tell whether a figure as written is one, before which a noun stands in the singular."""
    return text.lstrip("-−+") == "1"


def _is_code(whole: str) -> bool:
    """Tell whether a figure must be an identifier: leading zeros, or so long and so little rounded."""
    return (len(whole) > 1 and whole[0] == "0") or (len(whole) > 6 and not whole.endswith("000"))


def say_in_name(text: str) -> str:
    """Read digits within a name as people say them: '747' → 'seven forty-seven', '15' → 'fifteen'."""
    if text.startswith("0") or len(text) > 4:
        return digits(text)
    if len(text) == 4:
        return year(int(text))
    if len(text) == 3 and text[1:] != "00":
        tail = f"oh {ONES[int(text[2])]}" if text[1] == "0" else cardinal(int(text[1:]))
        return f"{ONES[int(text[0])]} {tail}"
    return cardinal(int(text))


def roman_value(text: str) -> int:
    """Return the value of a Roman numeral: 'XIV' → 14."""
    values = [_ROMAN_VALUES[c] for c in text]
    following = [*values[1:], 0]
    return sum(-value if value < after else value for value, after in zip(values, following, strict=True))
