"""The stream of an OpenAI-compatible server: text and tool calls, put together from their deltas."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from voice.agent.brains.tools import ToolCall
from voice.errors import BrainError

LONGEST_ARGUMENTS = 20_000  # characters


@dataclass(frozen=True)
class ReplyDelta:
    """A piece of `text`, or pieces of tool `calls` as the server sent them; `last` ends the answer."""

    text: str = ""
    calls: tuple[dict[str, Any], ...] = ()
    last: bool = False


def parse_event(line: bytes) -> ReplyDelta | None:
    """Parse a line of server-sent events; None for a line without data (a comment, a blank line).

    Raises ValueError if it cannot be read, BrainError if the server reports an error.
    """
    line = line.strip()
    if not line.startswith(b"data:"):
        return None
    data = line[len(b"data:") :].strip()
    if data == b"[DONE]":
        return ReplyDelta(last=True)
    event = json.loads(data)
    try:
        if event.get("error"):
            raise _server_error(event["error"])
        choice = (event.get("choices") or [{}])[0]
        return _reply_delta(choice.get("delta") or {}, choice.get("finish_reason") is not None)
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise ValueError("not the event of a chat") from error


def parse_complete_reply(body: bytes) -> ReplyDelta:
    """Parse the answer of a server that does not stream. Raises as parse_event does."""
    answer = json.loads(body)
    try:
        if answer.get("error"):
            raise _server_error(answer["error"])
        return _reply_delta(answer["choices"][0]["message"], last=True)
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise ValueError("not the answer of a chat") from error


def _reply_delta(message: dict[str, Any], last: bool) -> ReplyDelta:
    """Return the delta in a message, or in a part of one."""
    content = message.get("content") or message.get("refusal") or ""
    if isinstance(content, list):  # parts, of which only text can be said
        content = "".join(str(part.get("text") or "") for part in content)
    return ReplyDelta(str(content), tuple(dict(each) for each in message.get("tool_calls") or ()), last)


def _server_error(error: Any) -> BrainError:
    """Return the error that a server reports, to be raised."""
    message = error.get("message") if isinstance(error, dict) else error
    return BrainError(
        f"the language model reports an error: {message}"[:300], "My language model reports an error."
    )


class ToolCallBuilder:
    """Puts tool calls together: `add` their pieces, then `build` them all."""

    def __init__(self) -> None:
        self._parts: list[dict[str, str]] = []
        self._by_index: dict[Any, dict[str, str]] = {}

    def add(self, piece: dict[str, Any]) -> None:
        """Add a piece. It names its call by `index`; a server that numbers none gives each call an `id`.

        Raises ValueError if arguments never end.
        """
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

    def build(self) -> tuple[ToolCall, ...]:
        """Return all calls, each with an id and a name."""
        return tuple(
            ToolCall(part["id"] or f"call_{number}", part["name"], part["arguments"])
            for number, part in enumerate(self._parts)
            if part["name"]
        )
