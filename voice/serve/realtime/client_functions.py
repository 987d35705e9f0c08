"""The client's own functions: a language model calls them, the client carries them out."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voice.agent.skills.registry import Skill
from voice.serve.realtime.items import new_id

CALL_TIMEOUT = 60.0  # seconds; the agent itself gives up before
NO_RESULT = "The client gave no result."


@dataclass(eq=False)
class ClientFunctionCall:
    """A call under way; its `result` counts once `done` is set."""

    name: str
    arguments: str  # JSON
    id: str = field(default_factory=lambda: new_id("call"))
    result: str = NO_RESULT
    done: threading.Event = field(default_factory=threading.Event)


class ClientFunctions:
    """The functions of one client. Skills run in threads of their own; the rest belongs to the session's."""

    def __init__(self) -> None:
        self._new: queue.SimpleQueue[ClientFunctionCall] = queue.SimpleQueue()
        self._open: dict[str, ClientFunctionCall] = {}

    def skills(self, tools: Sequence[Mapping[str, Any]]) -> tuple[Skill, ...]:
        """The session's tools as skills, which ask the client when they are called."""
        return tuple(self._skill(each) for each in tools)

    def asked(self) -> Iterator[ClientFunctionCall]:
        """The calls that the client has not been told of yet."""
        while not self._new.empty():
            call = self._new.get()
            self._open[call.id] = call
            yield call

    def told(self, call: str, result: str) -> None:
        """The client has a result; it counts once the session goes on."""
        if call in self._open:
            self._open[call].result = result

    def go_on(self) -> None:
        """The client wants the answer now, with whatever results it has given."""
        for call in self._open.values():
            call.done.set()
        self._open.clear()

    def _skill(self, tool: Mapping[str, Any]) -> Skill:
        name, about = tool["name"], tool["description"] or tool["name"]

        def ask(arguments: Mapping[str, Any]) -> str:
            call = ClientFunctionCall(name, json.dumps(arguments))
            self._new.put(call)
            call.done.wait(CALL_TIMEOUT)
            return call.result

        return Skill(name, about, ask, effect=True, schema=tool["parameters"])
