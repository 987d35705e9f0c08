"""What the agent can do by itself: plain typed functions, found by the phrases that ask for them.

    @skill("flip a coin", "[heads, head] or [tails, tail]")
    def coin(context: Context) -> str:
        \"\"\"Flip a coin.\"\"\"
        return context.random.choice(("Heads.", "Tails."))

In a phrase `[a, b c]` is one of, `(please)` or `(d, e)` may be left out, and `$name` is a slot, read
as the type of the parameter of that name: str takes the words as they are, any other must have a
reader in `READERS` or a static method `parse(text)` that returns None for what it can't read. A parameter
of type Context is given the state of the conversation. A skill that returns None passes.
"""

from __future__ import annotations

import importlib.util
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import get_type_hints

from voice.agent.numbers import parse_number
from voice.agent.timers import Timers
from voice.errors import VoiceError


@dataclass(frozen=True)
class Context:
    """What a skill may look at, and the two things that it may change (timers, random)."""

    now: datetime
    timers: Timers
    last: str = ""  # the agent's last answer
    random: random.Random = field(default_factory=random.Random)
    skills: tuple[Skill, ...] = ()


@dataclass(frozen=True)
class Skill:
    """A function with the phrases that call it; `description` is its docstring's first line."""

    name: str
    description: str
    function: Callable[..., str | None]
    phrases: tuple[re.Pattern[str], ...]
    types: Mapping[str, type]

    def asked_by(self, request: str) -> Iterator[dict[str, str]]:
        """The slots as written, for each phrase that the whole request matches."""
        for phrase in self.phrases:
            found = phrase.fullmatch(request + " ")
            if found:
                yield {name: text.strip() for name, text in found.groupdict().items() if text}

    def call(self, slots: Mapping[str, str], context: Context) -> str | None:
        """The answer, or None where a slot cannot be read or the function passes."""
        arguments = {name: _read(self.types[name], text) for name, text in slots.items()}
        if any(value is None for value in arguments.values()):
            return None
        for name, kind in self.types.items():
            if kind is Context:
                arguments[name] = context
        return self.function(**arguments)


def skill(*phrases: str) -> Callable[[Callable[..., str | None]], Callable[..., str | None]]:
    """Marks a function as a skill; the function itself stays as it is."""

    def mark(function: Callable[..., str | None]) -> Callable[..., str | None]:
        function.phrases = phrases
        return function

    return mark


def skills_of(module: ModuleType) -> tuple[Skill, ...]:
    """The functions of a module that are marked as skills, in their order there.

    Raises VoiceError where a phrase, a slot or a docstring is wrong.
    """
    marked = (value for value in vars(module).values() if hasattr(value, "phrases") and callable(value))
    return tuple(_made(function) for function in marked if function.__module__ == module.__name__)


def load_skills(path: str | Path) -> tuple[Skill, ...]:
    """The skills that a user wrote in a Python file. It is run: load only what you trust."""
    path = Path(path)
    if not path.is_file():
        raise VoiceError(f"no file of skills at {path}; VOICE_SKILLS is the path of a Python file")
    spec = importlib.util.spec_from_file_location(f"voice_skills_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the user's file raises
        raise VoiceError(f"{path} does not run: {error}. Fix it, or unset VOICE_SKILLS") from error
    found = skills_of(module)
    if not found:
        raise VoiceError(f'{path} holds no skills: put @skill("a phrase") above a function')
    return found


def answer(request: str, skills: Iterable[Skill], context: Context) -> str | None:
    """What the best matching skill says to a request; None where none knows.

    The best one is that whose phrase has the most words of its own, the fewest in slots.
    """
    whole = plain(request)
    asked = [
        (sum(map(len, slots.values())), place, each, slots)
        for place, each in enumerate(skills)
        for words in dict.fromkeys((whole, without_courtesy(whole)))
        for slots in each.asked_by(words)
    ]
    for _, _, each, slots in sorted(asked, key=lambda row: row[:2]):
        said = each.call(slots, context)
        if said is not None:
            return said
    return None


# ---- how a request is brought into the form that phrases have

_LEAD = re.compile(
    r"^(?:(?:hey|hi|hello|ok|okay|alright|please|um|uh|uhm|er|so|well|and|now|then|thanks|thank you"
    r"|can you|could you|would you|will you|can i|could i|i want you to|i would like(?: you)? to"
    r"|i want to know|i would like to know|do you know|tell me|just|let us) )+(?=\S)"
)
_TRAIL = re.compile(r"(?: (?:please|thanks|thank you|for me|right now|again please|will you|would you))+$")


def plain(request: str) -> str:
    """Lower case, contractions written out, and no punctuation but that of numbers."""
    text = request.lower().replace("’", "'").strip()
    text = re.sub(r"\b(what|when|that|it|who|there|here|how|where)'s\b", r"\1 is", text)
    text = re.sub(r"\b(i|you|he|she|we|they)'d\b", r"\1 would", text)
    text = text.replace("i'm", "i am").replace("you're", "you are").replace("let's", "let us")
    text = re.sub(r"(?<=\w)-(?=[a-z])", " ", text)
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    text = re.sub(r"[?!;:\"“”…]|,|\.(?!\d)", " ", text)
    return " ".join(text.split())


def without_courtesy(request: str) -> str:
    """A plain request without the words of courtesy before and after it."""
    return _TRAIL.sub("", _LEAD.sub("", request))


# ---- phrases → regular expressions over words that each end in a space

_TOKEN = re.compile(r"\[|\]|\(|\)|,|\$\w+|[^\s\[\](),$]+")


def _made(function: Callable[..., str | None]) -> Skill:
    hints = get_type_hints(function)
    hints.pop("return", None)
    if not function.__doc__:
        raise VoiceError(f"skill {function.__name__} needs a docstring: it is how the agent explains it")
    try:
        phrases = tuple(_pattern(phrase) for phrase in function.phrases)
    except (ValueError, re.error) as error:
        raise VoiceError(f"skill {function.__name__}: {error}") from error
    missing = {name for phrase in phrases for name in phrase.groupindex} - set(hints)
    if missing:
        raise VoiceError(f"skill {function.__name__}: slot ${min(missing)} is no typed parameter of it")
    for name, kind in hints.items():
        if kind not in READERS and kind is not Context and not hasattr(kind, "parse"):
            raise VoiceError(f"skill {function.__name__}: nothing reads {name}: {kind.__name__}")
    description = function.__doc__.strip().splitlines()[0]
    return Skill(function.__name__, description, function, phrases, hints)


def _pattern(phrase: str) -> re.Pattern[str]:
    parts, open_brackets = [], []
    for token in _TOKEN.findall(phrase):
        if token in "[(":
            open_brackets.append(token)
            parts.append("(?:")
        elif token in "])":
            if not open_brackets or open_brackets.pop() + token not in ("[]", "()"):
                raise ValueError(f"brackets do not match in {phrase!r}")
            parts.append(")" if token == "]" else ")?")
        elif token == ",":
            if not open_brackets:
                raise ValueError(f"a comma outside of brackets in {phrase!r}")
            parts.append("|")
        elif token.startswith("$"):
            parts.append(rf"(?P<{token[1:]}>(?:\S+ )+?)")
        else:
            parts.append(re.escape(token.lower()) + " ")
    if open_brackets:
        raise ValueError(f"brackets do not match in {phrase!r}")
    return re.compile("".join(parts))


def _whole(text: str) -> int | None:
    number = parse_number(text)
    return int(number) if number is not None and number.denominator == 1 else None


def _real(text: str) -> float | None:
    number = parse_number(text)
    return None if number is None else float(number)


READERS: dict[type, Callable[[str], object]] = {str: str, int: _whole, float: _real}


def _read(kind: type, text: str) -> object:
    reader = READERS.get(kind) or kind.parse
    return reader(text)
