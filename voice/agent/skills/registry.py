"""What the agent can do by itself: plain typed functions, found by the phrases that ask for them.

    @skill("flip a coin", "[heads, head] or [tails, tail]")
    def coin(context: Context) -> str:
        \"\"\"Flip a coin.\"\"\"
        return context.random.choice(("Heads.", "Tails."))

In a phrase `[a, b c]` is one of, `(please)` or `(d, e)` may be left out, and `$name` is a slot, read
as the type of the parameter of that name (see readers). A parameter of type Context is given the
state of the conversation. A skill that returns None passes. A skill without phrases is for language
models alone; they are offered it with its docstring and the types of its parameters.
"""

from __future__ import annotations

import importlib.util
import inspect
import random
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Protocol, get_args, get_origin, get_type_hints, runtime_checkable

from voice.agent.language.phrases import Request, SlotValue, compile_phrase, slots_of
from voice.agent.skills.documents import Documents
from voice.agent.skills.notes import Notes
from voice.agent.skills.parameters import from_json, from_words, readable
from voice.agent.timers import Timers
from voice.errors import TextError, VoiceError
from voice.types import Brain, Pace


@runtime_checkable
class ToolUser(Protocol):
    """A brain that can use further skills, which replace those of an earlier `offer`."""

    def offer(self, skills: Sequence[Skill]) -> None: ...


def offer(brain: Brain, skills: Sequence[Skill]) -> None:
    """Let a brain use further skills; nothing happens if it cannot."""
    if isinstance(brain, ToolUser):
        brain.offer(skills)


@dataclass(frozen=True)
class Context:
    """What a skill may look at, and the few things that it may change."""

    now: datetime
    timers: Timers
    last: str = ""  # the agent's last answer
    random: random.Random = field(default_factory=random.Random)
    skills: tuple[Skill, ...] = ()
    notes: Notes | None = None
    documents: Documents | None = None
    wishes: list[Pace] = field(default_factory=list)  # how the agent shall speak from now on


@dataclass(frozen=True)
class Parameter:
    """One of a skill's parameters; `note` says what it is, `required` that it has no default."""

    name: str
    kind: Any
    note: str = ""
    required: bool = True


@dataclass(frozen=True)
class Skill:
    """A function with the phrases that call it; `description` is its docstring.

    One with an `effect` is not called before the person's turn has surely ended. One that is not
    `offered` is kept from language models, which do that by themselves. One done `at_once` answers
    its phrases even where a language model answers the rest.
    """

    name: str
    description: str
    function: Callable[..., str | None]
    phrases: tuple[re.Pattern[str], ...] = ()
    parameters: tuple[Parameter, ...] = ()
    effect: bool = False
    offered: bool = True
    at_once: bool = False
    wants: str = ""  # the parameter that takes the Context
    schema: Mapping[str, Any] | None = None  # of another's tool; its function takes all arguments as one

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return self.description.splitlines()[0]

    def asked_by(self, request: Request) -> Iterator[dict[str, SlotValue]]:
        """The slots, for each phrase that the whole request matches."""
        for phrase in self.phrases:
            slots = request.matches(phrase)
            if slots is not None:
                yield slots

    def heard(self, slots: Mapping[str, SlotValue]) -> dict[str, Any] | None:
        """The arguments from what was said, or None where a slot cannot be read."""
        kinds = {each.name: each.kind for each in self.parameters}
        arguments = {name: from_words(kinds[name], slot) for name, slot in slots.items()}
        return None if any(value is None for value in arguments.values()) else arguments

    def given(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments from JSON values. Raises ValueError, in words that a language model can use."""
        if self.schema is not None:
            return dict(values)
        known = {each.name: each for each in self.parameters}
        wrong = [name for name in values if name not in known]
        missing = [each.name for each in self.parameters if each.required and values.get(each.name) is None]
        if wrong or missing:
            what = f"there is no parameter {wrong[0]}" if wrong else f"{missing[0]} is missing"
            raise ValueError(f"{what}; {self.name} takes {', '.join(known) or 'nothing'}")
        return {
            name: from_json(known[name].kind, value) for name, value in values.items() if value is not None
        }

    def call(self, arguments: Mapping[str, Any], context: Context) -> str | None:
        """The answer, or None where the function passes."""
        if self.schema is not None:
            return self.function(arguments)
        return self.function(**arguments, **({self.wants: context} if self.wants else {}))


@dataclass(frozen=True)
class _Mark:
    phrases: tuple[str, ...]
    effect: bool
    offered: bool
    at_once: bool


def skill(
    *phrases: str, effect: bool = False, offered: bool = True, at_once: bool = False
) -> Callable[[Callable], Callable]:
    """Marks a function as a skill; the function itself stays as it is.

    `effect` says that calling it changes something (a light, a list): it is then never called for a
    person who may still be speaking. `offered=False` keeps it from language models; `at_once` has its
    phrases answered without asking them.
    """

    def mark(function: Callable) -> Callable:
        function.as_skill = _Mark(phrases, effect, offered, at_once)
        return function

    if len(phrases) == 1 and callable(phrases[0]):
        raise VoiceError(f"{phrases[0].__name__}: write @skill() with brackets, and phrases in them")
    return mark


def skills_of(module: ModuleType) -> tuple[Skill, ...]:
    """The functions of a module that are marked as skills, in their order there.

    Raises VoiceError where a phrase, a slot, a type or a docstring is wrong.
    """
    marked = [each for each in vars(module).values() if isinstance(getattr(each, "as_skill", None), _Mark)]
    return tuple(made(function) for function in marked if function.__module__ == module.__name__)


def load_skills(path: str | Path) -> tuple[Skill, ...]:
    """The skills that a user wrote in a Python file. It is run: load only what you trust.

    Raises VoiceError that names the line where the file is wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise VoiceError(f"no file of skills at {path}; give the path of a Python file")
    spec = importlib.util.spec_from_file_location(f"voice_skills_{path.stem}", path.resolve())
    if spec is None:
        raise VoiceError(f"{path} is no Python file; skills lie in one that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    try:
        spec.loader.exec_module(module)
    except VoiceError as error:
        raise VoiceError(f"{_place(path, error)}: {error}") from error
    except Exception as error:  # whatever the user's file raises
        reason = f"{type(error).__name__}: {getattr(error, 'msg', None) or error}"
        raise VoiceError(f"{_place(path, error)}: the file does not run: {reason}") from error
    found = _skills_in(path, module)
    if not found:
        raise VoiceError(f'{path} holds no skills: put @skill("a phrase") above a function')
    return found


def _skills_in(path: Path, module: ModuleType) -> tuple[Skill, ...]:
    try:
        return skills_of(module)
    except VoiceError as error:
        raise VoiceError(f"{path}: {error}") from error


def _place(path: Path, error: Exception) -> str:
    """The line of the file where it went wrong, if that is known."""
    if isinstance(error, SyntaxError) and error.lineno and str(error.filename) == str(path.resolve()):
        return f"{path}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [each.lineno for each in frames if each.filename == str(path.resolve())]
    return f"{path}, line {lines[-1]}" if lines else str(path)


def requests(text: str, skills: Iterable[Skill]) -> list[tuple[Skill, dict[str, Any]]]:
    """The skills that a text may ask for with their arguments, the best one first.

    The best one is that whose phrase has the most words of its own, the fewest in slots.
    """
    whole = Request.of(text)
    ways = (whole, whole.without_courtesy(), whole.without_interruption().without_courtesy())
    asked = [
        (sum(len(slot.plain) for slot in slots.values()), place, each, slots)
        for place, each in enumerate(skills)
        for request in dict.fromkeys(ways)
        for slots in each.asked_by(request)
    ]
    ordered = [(each, each.heard(slots)) for _, _, each, slots in sorted(asked, key=lambda row: row[:2])]
    return [(each, arguments) for each, arguments in ordered if arguments is not None]


def answer(text: str, skills: Iterable[Skill], context: Context) -> str | None:
    """What the best matching skill says to a request at once; None where none knows."""
    for each, arguments in requests(text, skills):
        said = each.call(arguments, context)
        if said is not None:
            return said
    return None


# ---- functions → skills


def made(function: Callable[..., str | None]) -> Skill:
    """The skill that a marked function is. Raises VoiceError where it is wrong, with its line."""
    mark: _Mark = function.as_skill
    where = f"skill {function.__name__} (line {function.__code__.co_firstlineno})"
    if not (function.__doc__ or "").strip():
        raise VoiceError(f"{where} needs a docstring: it is how the agent explains it")
    try:
        phrases = tuple(map(_compiled, mark.phrases))
        hints = get_type_hints(function, include_extras=True)
    except (TextError, ValueError, NameError, TypeError) as error:
        raise VoiceError(f"{where}: {error}") from error
    found = [_parameter(each, hints.get(each.name), where) for each in _parameters(function)]
    wants = [each.name for each in found if each.kind is Context]
    taken = tuple(each for each in found if each.kind is not Context)
    missing = set(slots_of(phrases)) - {each.name for each in taken}
    if missing:
        raise VoiceError(f"{where}: slot ${min(missing)} is no typed parameter of it")
    return Skill(
        function.__name__,
        inspect.cleandoc(function.__doc__),
        function,
        phrases,
        taken,
        mark.effect,
        mark.offered,
        mark.at_once,
        "".join(wants[:1]),
    )


def _compiled(phrase: str) -> re.Pattern[str]:
    try:
        return compile_phrase(phrase)
    except TextError as error:
        raise TextError(f"{error} (in {phrase!r})") from None


def _parameters(function: Callable) -> list[inspect.Parameter]:
    return list(inspect.signature(function).parameters.values())


def _parameter(given: inspect.Parameter, hint: Any, where: str) -> Parameter:
    kind, note = hint, ""
    if get_origin(hint) is Annotated:
        kind, *notes = get_args(hint)
        note = next((each for each in notes if isinstance(each, str)), "")
    if given.kind in (given.VAR_POSITIONAL, given.VAR_KEYWORD, given.POSITIONAL_ONLY):
        raise VoiceError(f"{where}: its parameters are passed by name; {given} cannot be")
    if hint is None:
        raise VoiceError(f"{where}: {given.name} has no type; write {given.name}: str or the like")
    if kind is not Context and not readable(kind):
        raise VoiceError(f"{where}: nothing reads {given.name}: {getattr(kind, '__name__', kind)}")
    return Parameter(given.name, kind, note, given.default is given.empty)
