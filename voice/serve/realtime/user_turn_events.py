"""The person's side of a session: their turns, and the conversation's items, as server events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from voice.agent.events import Event, Heard, Partial, SpeechStarted, TurnEnded
from voice.agent.listening.language_check import LanguageCheck
from voice.serve.realtime.clock import AudioClock
from voice.serve.realtime.event_sender import EventSender
from voice.serve.realtime.items import ContentPart, ConversationItems, Item, new_id
from voice.types import Word

LEVEL_INTERVAL = 0.1  # seconds
_MIN_LEVEL = 1e-5  # of full scale: -100 dB


@dataclass
class _OpenTurn:
    """The turn at hand. `id` is that of the item that it becomes.

    `began` is where it begins in the client's audio, in seconds; `start` what the client was told of that,
    in milliseconds.
    """

    id: str = field(default_factory=lambda: new_id("item"))
    began: float | None = None
    start: int | None = None


class UserTurnEvents:
    """What the person says, as the client is told of it."""

    def __init__(
        self, line: EventSender, clock: AudioClock, known: Callable[[], Collection[str]] = lambda: ()
    ) -> None:
        """`clock` knows where a moment of the conversation lies in the client's audio, `known` the codes of
        the languages that are understood."""
        self.items = ConversationItems()
        self._line, self._clock, self._known = line, clock, known
        self._doubt = LanguageCheck()
        self._turn = _OpenTurn()
        self._told = 0  # milliseconds of the client's audio up to which it has been told of turns
        self._awaited: deque[tuple[str, float]] = deque()  # items still being recognized, their seconds
        self.committed = False  # by the client, before the conversation said that the turn has ended
        self._energy, self._count = 0.0, 0

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
                item = self._awaited[-1][0] if self.committed else self._turn.id
                self._line.tell("partial", {"item_id": item, "stable": stable, "tail": tail})
            case TurnEnded(began=began, ended=ended):
                self._ended(began, ended)
            case Heard(text=text, words=words):
                self._recognized(text, words)

    def commit(self, said: bool, seconds: float) -> None:
        """The client says that the turn of so many seconds is over; whether any speech was heard in it."""
        self._stopped(self._clock.sent)
        item = self._commit()
        self.committed = said
        if said:
            self._awaited.append((item, seconds))
        else:
            self._done(item, seconds, "")

    def time_out(self, since: float) -> None:
        """Tell that the person has said nothing since a moment of the conversation: an item without words."""
        since, now = self._clock.sent_at(since), self._clock.sent
        about = {"audio_start_ms": _milliseconds(since), "audio_end_ms": _milliseconds(now)}
        kind = "input_audio_buffer.timeout_triggered"
        self._line.send({"type": kind, "item_id": self._turn.id} | about)
        self._done(self._commit(), now - since, "")

    def forget(self, ending: bool) -> None:
        """The turn so far counts as not said; one that was committed stays, and one that is `ending`."""
        if not ending or self.committed:
            self._turn = _OpenTurn()
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
        if self._count >= LEVEL_INTERVAL * rate:
            loudness = 10 * np.log10(max(self._energy / self._count, _MIN_LEVEL**2))
            self._line.send({"type": "voice.level", "db": round(loudness, 1)})
            self._energy, self._count = 0.0, 0

    @property
    def _detects(self) -> bool:
        return self._line.configuration.detection is not None

    def _started(self, began: float) -> None:
        if self._turn.began is None:
            self._turn.began = self._clock.sent_at(began)
        if self._detects:
            self._announce()
        self._line.state("hearing")

    def _announce(self) -> None:
        """Tell that a turn has started, unless that was told or none of its sound is the client's."""
        sent = _milliseconds(self._clock.sent)
        if self._turn.start is None and sent > self._told:
            self._turn.start = max(self._told, min(sent - 1, _milliseconds(self._turn.began)))
            about = {"item_id": self._turn.id, "audio_start_ms": self._turn.start}
            self._line.send({"type": "input_audio_buffer.speech_started"} | about)

    def _stopped(self, ended: float) -> None:
        """Tell that a turn has ended, at so many seconds of the client's audio, if its start was told."""
        if self._turn.start is not None:
            self._told = max(self._turn.start + 1, _milliseconds(ended))
            about = {"item_id": self._turn.id, "audio_end_ms": self._told}
            self._line.send({"type": "input_audio_buffer.speech_stopped"} | about)

    def _ended(self, began: float, ended: float) -> None:
        if self.committed:
            self.committed = False
            return
        began, ended = self._clock.sent_at(began), self._clock.sent_at(ended)
        if self._detects:
            self._turn.began = began if self._turn.began is None else self._turn.began
            self._announce()  # where it began while the client itself was to say when turns end
        self._stopped(ended)
        self._awaited.append((self._commit(), max(0.0, ended - began)))

    def _commit(self) -> str:
        item = Item(self._turn.id, role="user", parts=(ContentPart("input_audio", ""),))
        self._turn = _OpenTurn()
        before = self.items.add(item)
        about = {"previous_item_id": before, "item_id": item.id}
        self._line.send({"type": "input_audio_buffer.committed"} | about)
        shown = item.rendered()
        self._line.send({"type": "conversation.item.added", "previous_item_id": before, "item": shown})
        self._line.state("thinking")
        return item.id

    def _recognized(self, text: str, words: Sequence[Word]) -> None:
        note = self._doubt.note(words, self._known())
        if self._awaited:
            item, seconds = self._awaited.popleft()
            self._done(item, seconds, text)
            if note:
                self._line.tell("notes", {"item_id": item, "notes": [note]})

    def _done(self, id_: str, seconds: float, text: str) -> None:
        item = Item(id_, role="user", parts=(ContentPart("input_audio", text),))
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


def _milliseconds(seconds: float) -> int:
    """Whole milliseconds, never more than there are: a client must not look beyond what it has sent."""
    return int(1000 * seconds + 1e-6)
