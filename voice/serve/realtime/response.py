"""One response: its server events, its sound on its way to the client, and the words in it."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from voice.agent.events import Speaking
from voice.agent.speaking.playback import SpokenPiece
from voice.serve.realtime.protocol.audio_formats import encode_audio
from voice.serve.realtime.protocol.configuration import Configuration
from voice.serve.realtime.protocol.items import ContentPart, Item, new_id

MAX_AHEAD = 2.0  # seconds of sound that a client holds at most before it plays them
MAX_DELTA = 0.2  # seconds of sound in one event
MIN_DELTA = 0.04  # less than this waits for more

Event = dict[str, Any]


@dataclass
class _OutgoingAudio:
    """Encoded sound that starts at `start` of the conversation; `sent` bytes of it are with the client."""

    start: float
    data: bytes
    sent: int = 0


@dataclass
class RealtimeResponse:
    """A response under way. `configuration` is the session's with the response's own settings."""

    configuration: Configuration
    apart: bool = False  # asked for outside of the conversation
    metadata: Any = None
    id: str = field(default_factory=lambda: new_id("resp"))
    item: Item = field(default_factory=lambda: Item(new_id("item"), role="assistant", status="in_progress"))
    pieces: list[SpokenPiece] = field(default_factory=list)
    calls: list[Item] = field(default_factory=list)  # of the client's functions
    _first: float | None = None  # where it begins in the conversation's answer
    _text: str = ""
    _sounds: deque[_OutgoingAudio] = field(default_factory=deque)
    _paused: float | None = None  # since when
    opened: bool = False
    _is_sound_over: bool = False

    @property
    def audible(self) -> bool:
        """Whether it has sound."""
        return self.configuration.modality == "audio"

    @property
    def text(self) -> str:
        """The words so far."""
        return self._text

    def begin(self) -> Event:
        """Return the event that opens the response."""
        return {"type": "response.created", "response": self.to_dict("in_progress")}

    def open(self, before: str | None) -> Iterator[Event]:
        """Yield the events that open its message; `before` is the item before it."""
        if self.opened:
            return
        self.opened = True
        yield self._of_response("response.output_item.added", self.item.to_dict())
        if not self.apart:
            shown = self.item.to_dict()
            yield {"type": "conversation.item.added", "previous_item_id": before, "item": shown}
        yield self._of_part("response.content_part.added") | {"part": self._part()}

    def write(self, text: str) -> Event:
        """Add the next words, and return their event."""
        self._text += text
        name = "audio_transcript" if self.audible else "text"
        return self._of_part(f"response.output_{name}.delta") | {"delta": text}

    def speak(self, event: Speaking) -> None:
        """Add the next piece of sound; `flow` passes it on in time."""
        speech = event.speech
        self._first = event.position if self._first is None else self._first
        if not event.aside:
            self.pieces.append(SpokenPiece.of(self.place(event.position), speech))
        self._sounds.append(
            _OutgoingAudio(event.start, encode_audio(speech.audio, self.configuration.output))
        )

    def place(self, position: float) -> float:
        """Map a position in the conversation's answer to one in this response's sound."""
        return max(0.0, position - (self._first or 0.0))

    def call_function(self, item: Item, before: str | None) -> Iterator[Event]:
        """Yield the events that call a function of the client; `before` is the item before the call."""
        self.calls.append(item)
        index, shown = len(self.calls) - (not self.opened), item.to_dict()
        about = {"response_id": self.id, "output_index": index}
        yield {"type": "response.output_item.added", "item": shown} | about
        yield {"type": "conversation.item.added", "previous_item_id": before, "item": shown}
        about |= {"item_id": item.id, "call_id": item.call}
        kind = "response.function_call_arguments"
        yield {"type": f"{kind}.delta", "delta": item.text} | about
        yield {"type": f"{kind}.done", "name": item.name, "arguments": item.text} | about
        yield {"type": "response.output_item.done", "item": shown} | about
        yield {"type": "conversation.item.done", "item": shown}

    def pause(self, now: float) -> None:
        """Pass on nothing more."""
        self._paused = now

    def resume(self, now: float) -> None:
        """Pass on the rest, which is played as much later as the pause has lasted."""
        if self._paused is not None:
            for sound in self._sounds:
                sound.start += now - self._paused
        self._paused = None

    def flow(self, now: float) -> Iterator[Event]:
        """Yield the sound that the client should have by `now`, in events of MAX_DELTA seconds at most."""
        while self._sounds and self._paused is None:
            sound, form = self._sounds[0], self.configuration.output
            due = min(now + MAX_AHEAD - sound.start, len(sound.data) / form.width / form.rate)
            until = max(sound.sent, form.width * round(due * form.rate))
            if until - sound.sent < MIN_DELTA * form.rate * form.width and until < len(sound.data):
                return
            longest = form.width * round(MAX_DELTA * form.rate)
            for at in range(sound.sent, until, longest):
                piece = base64.b64encode(sound.data[at : min(until, at + longest)]).decode()
                yield self._of_part("response.output_audio.delta") | {"delta": piece}
            sound.sent = until
            if until == len(sound.data):
                self._sounds.popleft()

    def over(self) -> Iterator[Event]:
        """Tell that no more sound will come, once all of it has been passed on."""
        if self.opened and self.audible and not self._sounds and not self._is_sound_over:
            self._is_sound_over = True
            yield self._of_part("response.output_audio.done")

    def end(self, status: str, reason: str = "", heard: str | None = None) -> Iterator[Event]:
        """Close what was opened; `status` as in response.done, `heard` are the words heard, if not all."""
        self._sounds.clear()
        text = self._text.strip() if heard is None else heard
        self._text = text
        if self.opened:
            if self.audible:
                yield from self.over()
                yield self._of_part("response.output_audio_transcript.done") | {"transcript": text}
            else:
                yield self._of_part("response.output_text.done") | {"text": text}
            yield self._of_part("response.content_part.done") | {"part": self._part()}
            whole = "completed" if status == "completed" else "incomplete"
            self.item = replace(self.item, status=whole, parts=(self._content(),))
            yield self._of_response("response.output_item.done", self.item.to_dict())
            if not self.apart:
                yield {"type": "conversation.item.done", "item": self.item.to_dict()}
        yield {"type": "response.done", "response": self.to_dict(status, reason)}

    def to_dict(self, status: str, reason: str = "") -> Event:
        """Return the protocol's response object."""
        now = self.configuration
        done = status != "in_progress"
        return {
            "id": self.id,
            "object": "realtime.response",
            "status": status,
            "status_details": _status_details(status, reason) if done else None,
            "output": [each.to_dict() for each in self._output()] if done else [],
            "conversation_id": None if self.apart else "conversation",
            "output_modalities": [now.modality],
            "audio": {"output": {"format": {"type": now.output.name}, "voice": now.voice}},
            "max_output_tokens": "inf",
            "metadata": self.metadata,
            "usage": _zero_usage() if done else None,
        }

    def _output(self) -> list[Item]:
        return [*([self.item] if self.opened else []), *self.calls]

    def _content(self) -> ContentPart:
        return ContentPart("output_audio" if self.audible else "output_text", self._text)

    def _part(self) -> Event:
        if self.audible:
            return {"type": "audio", "transcript": self._text}
        return {"type": "text", "text": self._text}

    def _of_response(self, kind: str, item: Event) -> Event:
        return {"type": kind, "response_id": self.id, "output_index": 0, "item": item}

    def _of_part(self, kind: str) -> Event:
        place = {"item_id": self.item.id, "output_index": 0, "content_index": 0}
        return {"type": kind, "response_id": self.id} | place


def _status_details(status: str, reason: str) -> Event:
    if status == "failed":
        return {"type": status, "error": {"type": "server_error", "code": "failed", "message": reason}}
    return {"type": status} | ({"reason": reason} if reason else {})


def _zero_usage() -> Event:
    """Return a usage of no tokens: nothing here counts them, but clients read the fields."""
    return {"total_tokens": 0, "input_tokens": 0, "output_tokens": 0}
