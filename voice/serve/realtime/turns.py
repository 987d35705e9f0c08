"""The person's side of a session: their turns, and the conversation's items, as server events."""

from __future__ import annotations

from collections import deque

import numpy as np

from voice.agent.events import Event, Heard, Partial, SpeechStarted, TurnEnded
from voice.serve.realtime.items import Item, Items, Part, fresh
from voice.serve.realtime.line import Line

LEVEL_EVERY = 0.1  # seconds
_QUIETEST = 1e-5  # of full scale: -100 dB


class Turns:
    """What the person says, as the client is told of it."""

    def __init__(self, line: Line) -> None:
        self.items = Items()
        self._line = line
        self._id: str | None = None  # of the item that the present turn becomes
        self._awaited: deque[tuple[str, float]] = deque()  # items still being recognized, their seconds
        self.committed = False  # by the client, before the conversation said that the turn has ended
        self._energy, self._count = 0.0, 0
        self.unheard = 0.0  # seconds that passed without sound of the client

    @property
    def awaited(self) -> bool:
        """Whether the words of a committed turn are still being recognized."""
        return bool(self._awaited)

    def follow(self, event: Event) -> None:
        """Tells the client what happened on the person's side."""
        match event:
            case SpeechStarted(began=began):
                self._started(began)
            case Partial(stable=stable, tail=tail):
                self._line.tell("partial", {"item_id": self._turn(), "stable": stable, "tail": tail})
            case TurnEnded(began=began, ended=ended):
                self._ended(began, ended)
            case Heard(text=text):
                self._recognized(text)

    def commit(self, said: bool, seconds: float) -> None:
        """The client says that the turn of so many seconds is over; whether any speech was heard in it."""
        item = self._commit()
        self.committed = said
        if said:
            self._awaited.append((item, seconds))
        else:
            self._done(item, seconds, "")

    def forget(self) -> None:
        """The turn so far counts as not said; one that was committed stays."""
        self._id = None
        self._line.state("thinking" if self._awaited else "listening")

    def create(self, item: Item, after: str | None) -> None:
        """An item that the client wrote. Raises ProtocolError."""
        before = self.items.add(item, after)
        for kind in ("added", "done"):
            self._line.send(
                {
                    "type": f"conversation.item.{kind}",
                    "previous_item_id": before,
                    "item": item.rendered(),
                }
            )

    def level(self, samples: np.ndarray, rate: int) -> None:
        """Takes note of how loud the person's (T,) samples are."""
        if not self._line.configuration.extras.level:
            return
        self._energy += float(np.square(samples).sum())
        self._count += len(samples)
        if self._count >= LEVEL_EVERY * rate:
            loudness = 10 * np.log10(max(self._energy / self._count, _QUIETEST**2))
            self._line.send({"type": "voice.level", "db": round(loudness, 1)})
            self._energy, self._count = 0.0, 0

    @property
    def _detects(self) -> bool:
        return self._line.configuration.detection is not None

    def _turn(self) -> str:
        self._id = self._id or fresh("item")
        return self._id

    def _milliseconds(self, moment: float) -> int:
        """A time of the conversation in the client's: in its own sound."""
        return round(1000 * max(0.0, moment - self.unheard))

    def _started(self, began: float) -> None:
        if self._id is None and self._detects:
            start = self._milliseconds(began)
            self._line.send(
                {
                    "type": "input_audio_buffer.speech_started",
                    "item_id": self._turn(),
                    "audio_start_ms": start,
                }
            )
        self._line.state("hearing")

    def _ended(self, began: float, ended: float) -> None:
        if self.committed:
            self.committed = False
            return
        if self._detects:
            end = self._milliseconds(ended)
            self._line.send(
                {
                    "type": "input_audio_buffer.speech_stopped",
                    "item_id": self._turn(),
                    "audio_end_ms": end,
                }
            )
        self._awaited.append((self._commit(), max(0.0, ended - began)))

    def _commit(self) -> str:
        item = Item(self._turn(), role="user", parts=(Part("input_audio", ""),))
        self._id = None
        before = self.items.add(item)
        about = {"previous_item_id": before, "item_id": item.id}
        self._line.send({"type": "input_audio_buffer.committed"} | about)
        shown = item.rendered()
        self._line.send({"type": "conversation.item.added", "previous_item_id": before, "item": shown})
        self._line.state("thinking")
        return item.id

    def _recognized(self, text: str) -> None:
        if self._awaited:
            item, seconds = self._awaited.popleft()
            self._done(item, seconds, text)

    def _done(self, id_: str, seconds: float, text: str) -> None:
        item = Item(id_, role="user", parts=(Part("input_audio", text),))
        self.items.put(item)
        self._line.send({"type": "conversation.item.done", "item": item.rendered()})
        if self._line.configuration.transcription:
            self._transcribed(id_, text, seconds)
        if not text:
            self._line.state("listening")

    def _transcribed(self, item: str, text: str, seconds: float) -> None:
        kind = "conversation.item.input_audio_transcription"
        where = {"item_id": item, "content_index": 0}
        if text:
            self._line.send({"type": f"{kind}.delta"} | where | {"delta": text})
        usage = {"type": "duration", "seconds": round(seconds, 3)}
        self._line.send({"type": f"{kind}.completed"} | where | {"transcript": text, "usage": usage})
