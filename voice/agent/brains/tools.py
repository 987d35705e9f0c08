"""Skills as the tools of a language model: their JSON schemas, and the calls that the model makes.

The format is that of OpenAI's chat completions, which other servers and the chat templates of
`transformers` use too.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any

from voice.agent.skills.parameters import json_schema
from voice.agent.skills.registry import Skill
from voice.agent.skills.runner import SkillRunner
from voice.agent.speculative import CommitGate
from voice.types import ReplyPiece

LONGEST_RESULT = 4000  # characters


@dataclass(frozen=True)
class ToolCall:
    """A call of a tool by a language model; `arguments` is the JSON text that the model wrote."""

    id: str
    name: str
    arguments: str

    def as_json(self) -> dict[str, Any]:
        """Return the call as it stands in a message of the assistant."""
        return {
            "id": self.id,
            "type": "function",
            "function": {"name": self.name, "arguments": self.arguments},
        }


def tool_schemas(skills: Iterable[Skill]) -> list[dict[str, Any]]:
    """Return the descriptions of the skills that are offered to a language model."""
    return [{"type": "function", "function": _tool_schema(each)} for each in skills if each.offered]


def _tool_schema(skill: Skill) -> dict[str, Any]:
    """Return the name, the description and the JSON schema of one skill."""
    if skill.schema is not None:
        return {"name": skill.name, "description": skill.description, "parameters": dict(skill.schema)}
    properties = {}
    for each in skill.parameters:
        known = json_schema(each.kind)
        notes = [note for note in (each.note, known.get("description", "")) if note]
        properties[each.name] = {**known, **({"description": "; ".join(notes)} if notes else {})}
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


def run_tool(call: ToolCall, runner: SkillRunner, gate: CommitGate) -> Generator[ReplyPiece, None, str]:
    """Make the call that a model asks for, and return its result in words for the model.

    Nothing that the model writes raises an error: what is wrong with a call is its result.
    """
    skill = runner.find(call.name)
    if skill is None or not skill.offered:
        known = ", ".join(each.name for each in runner.skills if each.offered)
        return f"Error: there is no tool {call.name}; there are {known}."
    try:
        arguments = skill.read_json(_parse_arguments(call.arguments))
    except ValueError as error:
        return f"Error: {error}."
    try:
        result = yield from runner.call(skill, arguments, gate)
    except TimeoutError:
        return f"Error: {skill.name} took too long and was given up."
    except Exception as error:  # a user's skill may raise anything; the conversation goes on
        return f"Error: {skill.name} failed: {error}"[:LONGEST_RESULT]
    return str(result)[:LONGEST_RESULT] if result else "Done." if result == "" else "Nothing was found."


def _parse_arguments(text: str) -> dict[str, Any]:
    """Return the JSON object that a model wrote. Raises ValueError in words for the model."""
    try:
        value = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise ValueError(f"the arguments are not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ValueError("the arguments must be a JSON object")
    return value
