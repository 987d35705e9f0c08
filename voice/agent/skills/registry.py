"""Skills: plain typed functions that answer requests, found by the phrases that ask for them.

    @skill("flip a coin", "[heads, head] or [tails, tail]")
    def coin(context: Context) -> str:
        \"\"\"Flip a coin.\"\"\"
        return context.random.choice(("Heads.", "Tails."))

In a phrase `[a, b c]` is one of, `(please)` or `(d, e)` may be left out, and `$name` is a slot, read
as the type of the parameter of that name (see voice.agent.skills.parameters). A parameter of type
Context is given the state of the conversation. A skill that returns None passes the request on. A
skill without phrases is for language models alone; they see its docstring and the types of its
parameters.
"""

from __future__ import annotations

import inspect
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import ModuleType
from typing import Annotated, Any, Protocol, TypeVar, get_args, get_origin, get_type_hints, runtime_checkable

from voice.agent.language.phrases import SlotValue, SpokenRequest, compile_phrase, slot_names
from voice.agent.skills.documents import Documents
from voice.agent.skills.notes import Notes
from voice.agent.skills.parameters import from_json, from_words, is_readable
from voice.agent.timers import Timers
from voice.errors import TextError, VoiceError
from voice.types import Brain, SpeedChange

F = TypeVar("F", bound=Callable[..., Any])
_SKILL_MARK = "as_skill"  # the attribute of a function that is marked as a skill


@runtime_checkable
class ToolUser(Protocol):
    """A brain that can use the tools of a client beside its own skills; they replace earlier ones."""

    def use_client_tools(self, skills: Sequence[Skill]) -> None: ...


def pass_client_tools(brain: Brain, skills: Sequence[Skill]) -> None:
    """Let a brain use the tools of a client; do nothing if it cannot."""
    if isinstance(brain, ToolUser):
        brain.use_client_tools(skills)


@dataclass(frozen=True)
class Context:
    """The state of a conversation that a skill may read, and the few things that it may change."""

    now: datetime
    timers: Timers
    last: str = ""  # the agent's last answer
    random: random.Random = field(default_factory=random.Random)
    skills: tuple[Skill, ...] = ()
    notes: Notes | None = None
    documents: Documents | None = None
    speed_changes: list[SpeedChange] = field(default_factory=list)  # how the agent speaks from now on


@dataclass(frozen=True)
class Parameter:
    """A parameter of a skill; `note` says what it means, and a `required` one has no default."""

    name: str
    kind: Any
    note: str = ""
    required: bool = True


@dataclass(frozen=True)
class Skill:
    """A function with the phrases that call it; `description` is its docstring.

    A skill with an `effect` is not called before the turn of the person has certainly ended. A skill
    that is not `offered` is hidden from language models, which need no help with it. A skill that
    answers `at_once` does so even if a language model answers all other requests.
    """

    name: str
    description: str
    function: Callable[..., str | None]
    phrases: tuple[re.Pattern[str], ...] = ()
    parameters: tuple[Parameter, ...] = ()
    effect: bool = False
    offered: bool = True
    at_once: bool = False
    context_parameter: str = ""  # the parameter that takes the Context, if there is one
    schema: Mapping[str, Any] | None = None  # of a client's tool, whose function takes one mapping

    @property
    def summary(self) -> str:
        """Return the first line of the docstring."""
        return self.description.splitlines()[0]

    def matches(self, request: SpokenRequest) -> Iterator[dict[str, SlotValue]]:
        """Yield the slots of each phrase that the whole request matches."""
        for phrase in self.phrases:
            slots = request.match(phrase)
            if slots is not None:
                yield slots

    def read_slots(self, slots: Mapping[str, SlotValue]) -> dict[str, Any] | None:
        """Return the arguments that spoken slots give; None if a slot cannot be read."""
        kinds = {each.name: each.kind for each in self.parameters}
        arguments = {name: from_words(kinds[name], slot) for name, slot in slots.items()}
        return None if any(value is None for value in arguments.values()) else arguments

    def read_json(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments that JSON values give.

        Raises ValueError in words that help a language model to call again.
        """
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
        """Return the answer, or None if the function passes the request on."""
        if self.schema is not None:
            return self.function(arguments)
        return self.function(
            **arguments, **({self.context_parameter: context} if self.context_parameter else {})
        )


@dataclass(frozen=True)
class _SkillMark:
    """The arguments of `skill`, kept at the function."""

    phrases: tuple[str, ...]
    effect: bool
    offered: bool
    at_once: bool


def skill(
    *phrases: str, effect: bool = False, offered: bool = True, at_once: bool = False
) -> Callable[[F], F]:
    """Mark a function as a skill; the function itself stays as it is.

    `effect` says that a call changes something (a light, a list); the skill is then not called while
    the person may still go on speaking. `offered=False` hides it from language models; `at_once` answers
    its phrases without asking them.
    """

    def mark(function: F) -> F:
        setattr(function, _SKILL_MARK, _SkillMark(phrases, effect, offered, at_once))
        return function

    if len(phrases) == 1 and callable(phrases[0]):  # the decorator was written without brackets
        name = getattr(phrases[0], "__name__", "skill")
        raise VoiceError(f"{name}: write @skill() with brackets, and phrases in them")
    return mark


def skills_of(module: ModuleType) -> tuple[Skill, ...]:
    """Return the functions of a module that are marked as skills, in their order there.

    Raises VoiceError if a phrase, a slot, a type or a docstring is wrong.
    """
    marked = [
        each for each in vars(module).values() if isinstance(getattr(each, _SKILL_MARK, None), _SkillMark)
    ]
    return tuple(skill_from(function) for function in marked if function.__module__ == module.__name__)


def matching_skills(text: str, skills: Iterable[Skill]) -> list[tuple[Skill, dict[str, Any]]]:
    """Return the skills that a text may ask for with their arguments, the best match first.

    The best match leaves the fewest letters to slots; of equal ones the skill that stands earlier counts.
    """
    whole = SpokenRequest.of(text)
    ways = (whole, whole.without_courtesy(), whole.without_interruption().without_courtesy())
    asked = [
        (sum(len(value.normalized) for value in slots.values()), place, each, slots)
        for place, each in enumerate(skills)
        for request in dict.fromkeys(ways)
        for slots in each.matches(request)
    ]
    ordered = [(each, each.read_slots(slots)) for _, _, each, slots in sorted(asked, key=lambda row: row[:2])]
    return [(each, arguments) for each, arguments in ordered if arguments is not None]


def answer(text: str, skills: Iterable[Skill], context: Context) -> str | None:
    """Return what the first skill that takes a request says to it; None if none takes it."""
    for each, arguments in matching_skills(text, skills):
        reply = each.call(arguments, context)
        if reply is not None:
            return reply
    return None


# ---- functions → skills


def skill_from(function: Callable[..., str | None]) -> Skill:
    """Return the skill of a marked function. Raises VoiceError, with the line, if it is wrong."""
    mark: _SkillMark = getattr(function, _SKILL_MARK)
    description = inspect.cleandoc(function.__doc__ or "").strip()
    where = f"skill {function.__name__} (line {function.__code__.co_firstlineno})"
    if not description:
        raise VoiceError(f"{where} needs a docstring: it is how the agent explains it")
    try:
        phrases = tuple(map(_compile, mark.phrases))
        hints = get_type_hints(function, include_extras=True)
    except (TextError, ValueError, NameError, TypeError) as error:
        raise VoiceError(f"{where}: {error}") from error
    found = [_parameter(each, hints.get(each.name), where) for each in _parameters(function)]
    contexts = [each.name for each in found if each.kind is Context]
    taken = tuple(each for each in found if each.kind is not Context)
    missing = set(slot_names(phrases)) - {each.name for each in taken}
    if missing:
        raise VoiceError(f"{where}: slot ${min(missing)} is no typed parameter of it")
    return Skill(
        function.__name__,
        description,
        function,
        phrases,
        taken,
        mark.effect,
        mark.offered,
        mark.at_once,
        "".join(contexts[:1]),
    )


def _compile(phrase: str) -> re.Pattern[str]:
    """Compile a phrase; its errors show it."""
    try:
        return compile_phrase(phrase)
    except TextError as error:
        raise TextError(f"{error} (in {phrase!r})") from None


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return list(inspect.signature(function).parameters.values())


def _parameter(given: inspect.Parameter, hint: Any, where: str) -> Parameter:
    """Return a parameter of a function with its type. Raises VoiceError if nothing can read it."""
    kind, note = hint, ""
    if get_origin(hint) is Annotated:
        kind, *notes = get_args(hint)
        note = next((each for each in notes if isinstance(each, str)), "")
    if given.kind in (given.VAR_POSITIONAL, given.VAR_KEYWORD, given.POSITIONAL_ONLY):
        raise VoiceError(f"{where}: its parameters are passed by name; {given} cannot be")
    if hint is None:
        raise VoiceError(f"{where}: {given.name} has no type; write {given.name}: str or the like")
    if kind is not Context and not is_readable(kind):
        raise VoiceError(f"{where}: nothing reads {given.name}: {getattr(kind, '__name__', kind)}")
    return Parameter(given.name, kind, note, given.default is given.empty)
