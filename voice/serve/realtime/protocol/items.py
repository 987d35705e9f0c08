"""The items of a conversation in the protocol: messages, calls of functions, and their results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from voice.serve.realtime.protocol.fields import Fields, ProtocolError
from voice.types import Message

MAX_ITEMS = 1000  # of one conversation; the oldest are dropped
BETA_PARTS = {"output_text": "text", "output_audio": "audio"}  # the beta's names
_TODAYS_PARTS = {beta: name for name, beta in BETA_PARTS.items()}
_PARTS = {
    "user": ("input_text", "input_audio", "input_image"),
    "assistant": ("output_text", "output_audio"),
    "system": ("input_text",),
    "developer": ("input_text",),  # a newer name of the same in other interfaces of OpenAI
}


def new_id(kind: str) -> str:
    """Return a new id, such as "item_0c1f…"."""
    return f"{kind}_{uuid4().hex[:21]}"


@dataclass(frozen=True)
class ContentPart:
    """A part of a message; `kind` is today's name, `text` the written text or the transcript."""

    kind: str
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return the protocol's object."""
        return {"type": self.kind, ("transcript" if self.kind.endswith("audio") else "text"): self.text}


@dataclass(frozen=True)
class Item:
    """A message, a function call or its output (`kind`)."""

    id: str
    kind: str = "message"
    role: str = ""
    parts: tuple[ContentPart, ...] = ()
    status: str = "completed"
    call: str = ""  # the id of a function call
    name: str = ""
    text: str = ""  # a call's arguments, or its output

    @property
    def content_text(self) -> str:
        """The text of all parts."""
        return " ".join(part.text for part in self.parts if part.text)

    def to_dict(self) -> dict[str, Any]:
        """Return the protocol's object."""
        about: dict[str, Any] = {"id": self.id, "object": "realtime.item", "type": self.kind}
        about["status"] = self.status
        if self.kind == "message":
            return about | {"role": self.role, "content": [part.to_dict() for part in self.parts]}
        about["call_id"] = self.call
        if self.kind == "function_call":
            return about | {"name": self.name, "arguments": self.text}
        return about | {"output": self.text}

    def message(self) -> Message | None:
        """Return what a brain is shown of it; None where it has no words or is incomplete.

        A model sees calls and their results while it answers, not again later.
        """
        if self.kind != "message" or not self.content_text or self.status == "in_progress":
            return None
        return Message(self.role, self.content_text)


class ConversationItems:
    """The items of one conversation, in order."""

    def __init__(self) -> None:
        self._items: list[Item] = []

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    @property
    def last(self) -> str | None:
        """The id of the last item."""
        return self._items[-1].id if self._items else None

    def add(self, item: Item, after: str | None = None) -> str | None:
        """Add an item at the end, or after the item of an id ("root": at the beginning).

        Return the id of the item before it, if any. Raises ProtocolError where an id is unknown or taken.
        """
        if any(each.id == item.id for each in self._items):
            raise ProtocolError(f"there is an item {item.id} already; choose another id", param="item.id")
        at = len(self._items) if after is None else 0 if after == "root" else self._at(after) + 1
        self._items.insert(at, item)
        before = self._items[at - 1].id if at else None
        del self._items[:-MAX_ITEMS]
        return before

    def get(self, item: str) -> Item:
        """Return the item of an id. Raises ProtocolError where there is none."""
        return self._items[self._at(item)]

    def put(self, item: Item) -> None:
        """Replace the item of the same id, if it is still there."""
        self._items = [item if each.id == item.id else each for each in self._items]

    def delete(self, item: str) -> None:
        """Delete the item of an id. Raises ProtocolError where there is none."""
        del self._items[self._at(item)]

    def messages(self) -> list[Message]:
        """Return what brains are shown."""
        return [message for item in self._items if (message := item.message())]

    def _at(self, item: str) -> int:
        for at, each in enumerate(self._items):
            if each.id == item:
                return at
        raise ProtocolError(f"there is no item {item}", "item_not_found", "item_id")


def with_heard_text(item: Item, text: str) -> Item:
    """Return an answer with `text`, which was heard of it, in place of its whole text."""
    parts = tuple(replace(part, text=text if at == 0 else "") for at, part in enumerate(item.parts))
    return replace(item, parts=parts)


def read_item(fields: Fields) -> Item:
    """Read an item as a client writes it. Raises ProtocolError."""
    kind = fields.choice("type", ("message", "function_call", "function_call_output"))
    item = Item(fields.text("id", "", 64) or new_id("item"), kind)
    if kind == "function_call_output":
        return replace(item, call=fields.text("call_id", longest=200), text=fields.text("output"))
    if kind == "function_call":
        call, name = fields.text("call_id", "", 200) or new_id("call"), fields.text("name", longest=200)
        return replace(item, call=call, name=name, text=fields.text("arguments"))
    role = fields.choice("role", tuple(_PARTS))
    parts = tuple(_part(each, _PARTS[role]) for each in fields.each("content", 100))
    if not parts:
        raise fields.missing("content")
    return replace(item, role="system" if role == "developer" else role, parts=parts)


def _part(fields: Fields, kinds: Sequence[str]) -> ContentPart:
    given = fields.values.get("type")
    kind = _TODAYS_PARTS.get(given, given) if isinstance(given, str) else ""
    if kind not in kinds:
        raise fields.wrong("type", "one of " + ", ".join(kinds))
    if kind == "input_image":
        raise ProtocolError("pictures cannot be seen here; send text or sound", param=fields.at("type"))
    name = "transcript" if kind.endswith("audio") else "text"
    if kind == "input_audio" and not fields.values.get(name):
        raise ProtocolError(
            "sound is taken by input_audio_buffer.append; in an item only its transcript is read",
            param=fields.at("audio"),
        )
    return ContentPart(kind, fields.text(name))
