"""The events that a client can send, read and checked: one frozen dataclass each."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass

from voice.serve.realtime.protocol.fields import Fields, ProtocolError, parse_object
from voice.serve.realtime.protocol.items import Item, read_item

MAX_APPEND = 15 << 20  # bytes of one append, as the protocol limits it


@dataclass(frozen=True)
class ClientEvent:
    """An event of a client; `id` is the client's own name for it, or ""."""

    id: str


@dataclass(frozen=True)
class UpdateSession(ClientEvent):
    """Change settings of the session."""

    session: Fields


@dataclass(frozen=True)
class AppendAudio(ClientEvent):
    """Take the next sound of the person."""

    audio: bytes


@dataclass(frozen=True)
class CommitAudio(ClientEvent):
    """End the turn: what was appended so far."""


@dataclass(frozen=True)
class ClearAudio(ClientEvent):
    """Drop what was appended since the last turn."""


@dataclass(frozen=True)
class CreateItem(ClientEvent):
    """Add an item, after another one if `after` is its id."""

    item: Item
    after: str | None


@dataclass(frozen=True)
class TruncateItem(ClientEvent):
    """Shorten an answer to the words that were heard."""

    item: str
    end: float  # seconds of its sound that were played


@dataclass(frozen=True)
class DeleteItem(ClientEvent):
    """Delete an item."""

    item: str


@dataclass(frozen=True)
class RetrieveItem(ClientEvent):
    """Send an item again."""

    item: str


@dataclass(frozen=True)
class CreateResponse(ClientEvent):
    """Begin a response."""

    wanted: Fields


@dataclass(frozen=True)
class CancelResponse(ClientEvent):
    """Cancel a response, the current one if it is ""."""

    response: str


@dataclass(frozen=True)
class ClearOutput(ClientEvent):
    """Throw away the sound that is being played."""


@dataclass(frozen=True)
class AudioPlayed(ClientEvent):
    """Tell how many seconds of an answer's sound have been played: an event of our own.

    `item` is the answer's item, or "" for the current one.
    """

    item: str
    seconds: float


def parse(text: str) -> ClientEvent:
    """Read a client's event. Raises ProtocolError, with the event's id if it has one."""
    fields = parse_object(text)
    id_ = fields.values.get("event_id")
    id_ = id_ if isinstance(id_, str) and len(id_) <= 512 else ""
    try:
        kind = fields.text("type", longest=200)
        reader = _READERS.get(kind)
        if reader is None:
            raise ProtocolError(f"there is no event {kind!r}; see docs/realtime.md", param="type")
        return reader(fields, id_)
    except ProtocolError as error:
        error.event_id = id_
        raise


def _append(fields: Fields, id_: str) -> AppendAudio:
    text = fields.text("audio", longest=MAX_APPEND * 4 // 3 + 4)
    try:
        return AppendAudio(id_, base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise ProtocolError("audio is not base64", param="audio") from None


def _create_item(fields: Fields, id_: str) -> CreateItem:
    after = fields.text("previous_item_id", "", 200)
    return CreateItem(id_, read_item(fields.required_inner("item")), after or None)


def _truncate(fields: Fields, id_: str) -> TruncateItem:
    item, end = fields.text("item_id", longest=200), fields.whole("audio_end_ms", None, 0, 1 << 31)
    fields.whole("content_index", 0, 0, 0)
    return TruncateItem(id_, item, end / 1000)


def _transcription(fields: Fields, id_: str) -> UpdateSession:
    """Read the beta's settings of a session that only transcribes."""
    session = fields.required_inner("session")
    return UpdateSession(id_, Fields({"type": "transcription", **session.values}, session.path))


def _response(fields: Fields, id_: str) -> CreateResponse:
    return CreateResponse(id_, fields.inner("response") or Fields({}, "response"))


def _item(kind: Callable[[str, str], ClientEvent]) -> Callable[[Fields, str], ClientEvent]:
    return lambda fields, id_: kind(id_, fields.text("item_id", longest=200))


_READERS: dict[str, Callable[[Fields, str], ClientEvent]] = {
    "session.update": lambda fields, id_: UpdateSession(id_, fields.required_inner("session")),
    "transcription_session.update": _transcription,
    "input_audio_buffer.append": _append,
    "input_audio_buffer.commit": lambda fields, id_: CommitAudio(id_),
    "input_audio_buffer.clear": lambda fields, id_: ClearAudio(id_),
    "conversation.item.create": _create_item,
    "conversation.item.truncate": _truncate,
    "conversation.item.delete": _item(DeleteItem),
    "conversation.item.retrieve": _item(RetrieveItem),
    "response.create": _response,
    "response.cancel": lambda fields, id_: CancelResponse(id_, fields.text("response_id", "", 200)),
    "output_audio_buffer.clear": lambda fields, id_: ClearOutput(id_),
    "voice.played": lambda fields, id_: AudioPlayed(
        id_, fields.text("item_id", "", 200), fields.number("audio_ms", None, 0, 1e9) / 1000
    ),
}
