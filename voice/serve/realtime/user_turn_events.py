"""The person's side of a session: turns and items of the conversation as server events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from voice.agent.events import Event, Heard, Partial, SpeechStarted, TurnEnded
from voice.agent.listening.language_check import LanguageCheck
from voice.serve.realtime.clock import AudioClock
from voice.serve.realtime.event_sender import EventSender
from voice.serve.realtime.protocol.items import ContentPart, ConversationItems, Item, new_id
from voice.types import Samples, Word

LEVEL_INTERVAL = 0.1  # seconds
_MIN_LEVEL = 1e-5  # of full scale: -100 dB


@dataclass
class _OpenTurn:
    """The turn under way. `id` is that of the item that it becomes.

    It begins at `began` seconds of the client's audio; the client was told `start` milliseconds.
    """

    id: str = field(default_factory=lambda: new_id("item"))
    began: float | None = None
    start: int | None = None


class UserTurnEvents:
    """Tells the client what the person says, and keeps the `items` of the conversation."""

    def __init__(
        self,
        sender: EventSender,
        clock: AudioClock,
        languages: Callable[[], Collection[str]] = lambda: (),
    ) -> None:
        """Map moments of the conversation to the client's audio by `clock`.

        `languages` returns the codes of the languages that the recognizer knows.
        """
        self.items = ConversationItems()
        self._sender, self._clock, self._languages = sender, clock, languages
        self._language_check = LanguageCheck()
        self._turn = _OpenTurn()
        self._reported = 0  # milliseconds of the client's audio up to which its turns were reported
        self._awaited: deque[tuple[str, float]] = deque()  # items still being recognized, with their seconds
        self.committed = False  # by the client, before the conversation has ended the turn
        self._energy, self._count = 0.0, 0

    @property
    def awaits_transcript(self) -> bool:
        """Whether the words of a committed turn are still being recognized."""
        return bool(self._awaited)

    def follow(self, event: Event) -> None:
        """Tell the client what happened on the person's side."""
        match event:
            case SpeechStarted(began=began):
                self._start_turn(began)
            case Partial(stable=stable, tail=tail):
                item = self._awaited[-1][0] if self.committed else self._turn.id
                self._sender.send_extension("partial", {"item_id": item, "stable": stable, "tail": tail})
            case TurnEnded(began=began, ended=ended):
                self._end_turn(began, ended)
            case Heard(text=text, words=words):
                self._finish_item(text, words)

    def commit(self, has_speech: bool, seconds: float) -> None:
        """End the turn of so many seconds because the client says so; `has_speech` if any was heard."""
        self._report_end(self._clock.sent)
        item = self._commit()
        self.committed = has_speech
        if has_speech:
            self._awaited.append((item, seconds))
        else:
            self._complete_item(item, seconds, "")

    def time_out(self, since: float) -> None:
        """Add an item without words: the person has said nothing since a moment of the conversation."""
        since, now = self._clock.sent_at(since), self._clock.sent
        about = {"audio_start_ms": _milliseconds(since), "audio_end_ms": _milliseconds(now)}
        kind = "input_audio_buffer.timeout_triggered"
        self._sender.send({"type": kind, "item_id": self._turn.id} | about)
        self._complete_item(self._commit(), now - since, "")

    def forget(self, ending: bool) -> None:
        """Drop the turn so far, unless it was committed or is `ending`."""
        if not ending or self.committed:
            self._turn = _OpenTurn()
        self._sender.send_state("thinking" if self._awaited else "listening")

    def create_item(self, item: Item, after: str | None) -> None:
        """Add an item that the client wrote. Raises ProtocolError."""
        before = self.items.add(item, after)
        for kind in ("added", "done"):
            self._sender.send(
                {
                    "type": f"conversation.item.{kind}",
                    "previous_item_id": before,
                    "item": item.to_dict(),
                }
            )

    def measure_level(self, samples: Samples, rate: int) -> None:
        """Measure the level of the person's (T,) samples, and tell it every LEVEL_INTERVAL seconds."""
        if not self._sender.configuration.extras.level:
            return
        self._energy += float(np.square(samples).sum())
        self._count += len(samples)
        if self._count >= LEVEL_INTERVAL * rate:
            loudness = 10 * np.log10(max(self._energy / self._count, _MIN_LEVEL**2))
            self._sender.send({"type": "voice.level", "db": round(loudness, 1)})
            self._energy, self._count = 0.0, 0

    @property
    def _detects(self) -> bool:
        return self._sender.configuration.detection is not None

    def _start_turn(self, began: float) -> None:
        if self._turn.began is None:
            self._turn.began = self._clock.sent_at(began)
        if self._detects:
            self._report_start()
        self._sender.send_state("hearing")

    def _report_start(self) -> None:
        """Tell that a turn has started, unless that was told or none of its sound is the client's."""
        sent, began = _milliseconds(self._clock.sent), self._turn.began
        if self._turn.start is None and began is not None and sent > self._reported:
            self._turn.start = max(self._reported, min(sent - 1, _milliseconds(began)))
            about = {"item_id": self._turn.id, "audio_start_ms": self._turn.start}
            self._sender.send({"type": "input_audio_buffer.speech_started"} | about)

    def _report_end(self, ended: float) -> None:
        """Tell that a turn has ended, at so many seconds of the client's audio, if its start was told."""
        if self._turn.start is not None:
            self._reported = max(self._turn.start + 1, _milliseconds(ended))
            about = {"item_id": self._turn.id, "audio_end_ms": self._reported}
            self._sender.send({"type": "input_audio_buffer.speech_stopped"} | about)

    def _end_turn(self, began: float, ended: float) -> None:
        if self.committed:
            self.committed = False
            return
        began, ended = self._clock.sent_at(began), self._clock.sent_at(ended)
        if self._detects:
            self._turn.began = began if self._turn.began is None else self._turn.began
            self._report_start()  # where it began while the client itself was to say when turns end
        self._report_end(ended)
        self._awaited.append((self._commit(), max(0.0, ended - began)))

    def _commit(self) -> str:
        item = Item(self._turn.id, role="user", parts=(ContentPart("input_audio", ""),))
        self._turn = _OpenTurn()
        before = self.items.add(item)
        about = {"previous_item_id": before, "item_id": item.id}
        self._sender.send({"type": "input_audio_buffer.committed"} | about)
        shown = item.to_dict()
        self._sender.send({"type": "conversation.item.added", "previous_item_id": before, "item": shown})
        self._sender.send_state("thinking")
        return item.id

    def _finish_item(self, text: str, words: Sequence[Word]) -> None:
        note = self._language_check.note(words, self._languages())
        if self._awaited:
            item, seconds = self._awaited.popleft()
            self._complete_item(item, seconds, text)
            if note:
                self._sender.send_extension("notes", {"item_id": item, "notes": [note]})

    def _complete_item(self, id_: str, seconds: float, text: str) -> None:
        item = Item(id_, role="user", parts=(ContentPart("input_audio", text),))
        self.items.put(item)
        self._sender.send({"type": "conversation.item.done", "item": item.to_dict()})
        if self._sender.configuration.transcription:
            self._send_transcript(id_, text, seconds)
        if not text:
            self._sender.send_state("listening")

    def _send_transcript(self, item: str, text: str, seconds: float) -> None:
        kind = "conversation.item.input_audio_transcription"
        where = {"item_id": item, "content_index": 0}
        if text:
            self._sender.send({"type": f"{kind}.delta"} | where | {"delta": text})
        usage = {"type": "duration", "seconds": round(seconds, 3)}
        self._sender.send({"type": f"{kind}.completed"} | where | {"transcript": text, "usage": usage})


def _milliseconds(seconds: float) -> int:
    """Return whole milliseconds, rounded down: a client must not look beyond what it has sent."""
    return int(1000 * seconds + 1e-6)
