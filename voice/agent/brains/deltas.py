"""What an OpenAI-compatible server streams: text and tool calls, put together from their pieces."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from voice.agent.brains.tools import Call
from voice.errors import BrainError

LONGEST_ARGUMENTS = 20_000  # characters


@dataclass(frozen=True)
class Delta:
    """One piece: `text` to say, pieces of `calls` as the server sent them; `last` ends the answer."""

    text: str = ""
    calls: tuple[dict[str, Any], ...] = ()
    last: bool = False


def read_line(line: bytes) -> Delta | None:
    """A line of server-sent events; None where it carries nothing (a comment, a blank line).

    Raises ValueError where it cannot be read, BrainError where the server reports an error.
    """
    line = line.strip()
    if not line.startswith(b"data:"):
        return None
    data = line[len(b"data:") :].strip()
    if data == b"[DONE]":
        return Delta(last=True)
    event = json.loads(data)
    try:
        if event.get("error"):
            raise _reported(event["error"])
        choice = (event.get("choices") or [{}])[0]
        return _delta(choice.get("delta") or {}, choice.get("finish_reason") is not None)
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise ValueError("not the event of a chat") from error


def read_whole(body: bytes) -> Delta:
    """The answer of a server that does not stream. Raises as read_line does."""
    answer = json.loads(body)
    try:
        if answer.get("error"):
            raise _reported(answer["error"])
        return _delta(answer["choices"][0]["message"], last=True)
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise ValueError("not the answer of a chat") from error


def _delta(message: dict[str, Any], last: bool) -> Delta:
    content = message.get("content") or message.get("refusal") or ""
    if isinstance(content, list):  # parts, of which only text can be said
        content = "".join(str(part.get("text") or "") for part in content)
    return Delta(str(content), tuple(dict(each) for each in message.get("tool_calls") or ()), last)


def _reported(error: Any) -> BrainError:
    message = error.get("message") if isinstance(error, dict) else error
    return BrainError(
        f"the language model reports an error: {message}"[:300], "My language model reports an error."
    )


class Calls:
    """Tool calls on their way: `add` their pieces, then take them all with `made`."""

    def __init__(self) -> None:
        self._parts: list[dict[str, str]] = []
        self._by_index: dict[Any, dict[str, str]] = {}

    def add(self, piece: dict[str, Any]) -> None:
        """A piece names its call by `index`; a server that numbers none gives each call an `id`."""
        index, name = piece.get("index"), str(piece.get("id") or "")
        part = self._by_index.get(index)
        if part is None or (name and part["id"] and name != part["id"]):
            part = {"id": "", "name": "", "arguments": ""}
            self._parts.append(part)
            self._by_index[index] = part
        function = piece.get("function") or {}
        part["id"] = part["id"] or name
        part["name"] = part["name"] or str(function.get("name") or "")
        arguments = function.get("arguments") or ""
        part["arguments"] += arguments if isinstance(arguments, str) else json.dumps(arguments)
        if len(part["arguments"]) > LONGEST_ARGUMENTS:
            raise ValueError("the arguments of a tool call never end")

    def made(self) -> tuple[Call, ...]:
        """All calls, each with an id and a name."""
        return tuple(
            Call(part["id"] or f"call_{number}", part["name"], part["arguments"])
            for number, part in enumerate(self._parts)
            if part["name"]
        )
