"""The client's own functions: a language model calls them, the client carries them out."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voice.agent.skills.registry import Skill
from voice.serve.realtime.protocol.items import new_id

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

    def skills(self, functions: Sequence[Mapping[str, Any]]) -> tuple[Skill, ...]:
        """Return the session's functions as skills, which ask the client when they are called."""
        return tuple(self._skill(each) for each in functions)

    def new_calls(self) -> Iterator[ClientFunctionCall]:
        """Yield the calls that the client has not been told of yet."""
        while not self._new.empty():
            call = self._new.get()
            self._open[call.id] = call
            yield call

    def add_result(self, call: str, result: str) -> None:
        """Keep the client's result of a call; it counts once the session resumes."""
        if call in self._open:
            self._open[call].result = result

    def resume(self) -> None:
        """Let the skills return, with whatever results the client has given."""
        for call in self._open.values():
            call.done.set()
        self._open.clear()

    def _skill(self, function: Mapping[str, Any]) -> Skill:
        name, about = function["name"], function["description"] or function["name"]

        def ask(arguments: Mapping[str, Any]) -> str:
            call = ClientFunctionCall(name, json.dumps(arguments))
            self._new.put(call)
            call.done.wait(CALL_TIMEOUT)
            return call.result

        return Skill(name, about, ask, effect=True, schema=function["parameters"])
