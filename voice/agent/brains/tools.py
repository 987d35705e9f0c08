"""Skills as the tools of a language model: their JSON schemas, and calls made from what it writes.

The format is that of OpenAI's chat completions, which other servers and the chat templates of
`transformers` share.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from voice.agent.skills.parameters import schema
from voice.agent.skills.registry import Skill
from voice.agent.skills.runner import SkillRunner
from voice.agent.speculative import CommitGate
from voice.types import Pace

LONGEST_RESULT = 4000  # characters


@dataclass(frozen=True)
class Call:
    """A language model calls a tool; `arguments` is the JSON that it wrote."""

    id: str
    name: str
    arguments: str

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": "function",
            "function": {"name": self.name, "arguments": self.arguments},
        }


def described(skills: Iterable[Skill]) -> list[dict[str, Any]]:
    """What a language model is told of the skills that are offered to it."""
    return [{"type": "function", "function": _described(each)} for each in skills if each.offered]


def _described(skill: Skill) -> dict[str, Any]:
    if skill.schema is not None:
        return {"name": skill.name, "description": skill.description, "parameters": dict(skill.schema)}
    properties = {}
    for each in skill.parameters:
        said = schema(each.kind)
        notes = [note for note in (each.note, said.get("description", "")) if note]
        properties[each.name] = {**said, **({"description": "; ".join(notes)} if notes else {})}
    return {
        "name": skill.name,
        "description": skill.description,
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": [each.name for each in skill.parameters if each.required],
            "additionalProperties": False,
        },
    }


def carried_out(call: Call, desk: SkillRunner, turn: CommitGate) -> Iterator[str | Pace | None]:
    """Does what a model asks for: a generator whose value is the result in words for the model.

    Nothing that the model writes raises: what is wrong with a call is its result.
    """
    skill = desk.named(call.name)
    if skill is None or not skill.offered:
        known = ", ".join(each.name for each in desk.skills if each.offered)
        return f"Error: there is no tool {call.name}; there are {known}."
    try:
        arguments = skill.given(_object(call.arguments))
    except ValueError as error:
        return f"Error: {error}."
    try:
        result = yield from desk.call(skill, arguments, turn)
    except TimeoutError:
        return f"Error: {skill.name} took too long and was given up."
    except Exception as error:  # a user's skill may raise anything; the conversation goes on
        return f"Error: {skill.name} failed: {error}"[:LONGEST_RESULT]
    return str(result)[:LONGEST_RESULT] if result else "Done." if result == "" else "Nothing was found."


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise ValueError(f"the arguments are not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ValueError("the arguments must be a JSON object")
    return value
