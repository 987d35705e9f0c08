"""Web and mail addresses, telephone numbers."""

from __future__ import annotations

import re

from voice.text.verbalization.figures import say_digits
from voice.text.verbalization.rule import Rule, rule
from voice.text.verbalization.wording import Wording

_DOMAINS = "com|org|net|edu|gov|gob|info|eu|es|mx|ar|cl|co|pe|br|pt|fr|it|de|uk|io|tv|app|dev|int"


def address_rules(words: Wording) -> tuple[Rule, ...]:
    """Return the rules for addresses of the web and of mail, and for telephone numbers."""

    def say(match: re.Match[str]) -> str:
        return say_address(match["token"], words)

    def telephone(match: re.Match[str]) -> str:
        groups = re.findall(r"\d+", match["token"])
        plus = f"{words.signs['+']} " if match["token"].startswith("+") else ""
        return plus + ", ".join(say_digits(group, words) for group in groups)

    return (
        rule(r"(?<![\w@])(?P<token>[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-zA-Z]{2,})", say),
        rule(r"(?<![\w@])(?P<token>(?:https?://|www\.)[^\s<>\"'()]*[\w/])", say),
        rule(rf"(?<![\w@.])(?P<token>(?:[a-zA-Z][\w-]*\.)+(?:{_DOMAINS})(?:/[^\s<>\"'()]*[\w/])?)(?![\w@])",
             say),
        rule(r"(?<![\w.,])(?P<token>\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,6})(?![\w]|[.,]\d)", telephone),
        rule(r"(?<![\w.,+])(?P<token>\(?0\d{1,4}\)?(?:[ .-]\d{2,4}){2,5})(?![\w]|[.,]\d)", telephone),
        rule(r"(?<![\w.,+])(?P<token>\(\d{2,3}\) ?\d{4,5}-\d{4})(?![\w]|[.,]\d)", telephone),
        rule(r"(?<![\w.,+])(?P<token>[6-9]\d{2}(?: \d{3}){2}|[6-9]\d{2}(?: \d{2}){3}|"
             r"3\d{2} \d{3} \d{4}|3\d{2} \d{2} \d{2} \d{3}|\d{2} \d{4} \d{4})"
             r"(?![\w]|[.,]\d| \d)", telephone),
    )  # fmt: skip


def say_address(text: str, words: Wording) -> str:
    """Read an address: words as words, signs by their names, digits one by one."""
    said = []
    for part in re.findall(r"https?://|www(?=\.)|[^\W\d_]+|\d|.", text):
        if part.startswith("http"):
            said.append(f"{words.spell(part.rstrip(':/'))} {words.address_signs[':']}")
            said += [words.address_signs["/"]] * 2
        elif part == "www" or (part.isalpha() and not re.search("[aeiouyáéíóú]", part.lower())):
            said.append(words.spell(part))
        elif part.isalpha():
            said.append(part)
        elif part.isdigit():
            said.append(words.digits[int(part)])
        else:
            said.append(words.address_signs.get(part, ""))
    return " ".join(each for each in said if each)
