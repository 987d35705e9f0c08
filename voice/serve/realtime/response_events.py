"""The agent's side of a session: its answers as server events."""

from __future__ import annotations

import math
from collections import deque
from contextlib import suppress

from voice.agent.events import (
    Event,
    Interrupted,
    Latency,
    Paused,
    Rang,
    Reply,
    Resumed,
    Speaking,
    Spoken,
    Trouble,
)
from voice.agent.speaking.playback import SpokenPiece, heard_until
from voice.errors import TextError
from voice.serve.realtime.client_functions import ClientFunctionCall
from voice.serve.realtime.event_sender import EventSender
from voice.serve.realtime.items import ConversationItems, Item, new_id
from voice.serve.realtime.response import RealtimeResponse
from voice.text.english.coverage import reading_notes

_MAX_PAST_RESPONSES = 20  # answers of which it is known when which word was said


class ResponseEvents:
    """What the agent says. `answer` is the response under way."""

    def __init__(self, line: EventSender, items: ConversationItems) -> None:
        self.answer: RealtimeResponse | None = None
        self._line, self._items = line, items
        self._past: deque[tuple[str, list[SpokenPiece]]] = deque(maxlen=_MAX_PAST_RESPONSES)
        self._trouble = ""
        self.waiting = False  # for the result of a client's function, in between two responses

    def begin(self, answer: RealtimeResponse) -> None:
        """A response starts."""
        self.answer, self._trouble, self.waiting = answer, "", False
        self._line.send(answer.begin())

    def follow(self, event: Event, reason: str = "turn_detected") -> None:
        """Tells the client what happened on the agent's side; `reason` is why, if it was interrupted."""
        match event:
            case Reply() | Speaking() if self.waiting:
                pass  # "One moment.": the client knows why it takes so long
            case Reply(text=text):
                self._line.send(self._open().write(text))
            case Speaking():
                self._speak(event)
            case Paused(position=position):
                self._pause(event.time, position)
            case Resumed(position=position):
                self._resume(event.time, position)
            case Interrupted(heard=heard, position=position):
                self.waiting = False
                self.cancel(reason, heard, position)
            case Spoken():
                self.waiting = False
                self.finish()
            case _:
                self._tell(event)

    def flow(self, now: float, over: bool = False) -> None:
        """Passes on the sound that the client should have by `now`; `over`: there will be no more."""
        if self.answer:
            for event in self.answer.flow(now):
                self._line.send(event)
            for event in self.answer.over() if over else ():
                self._line.send(event)

    def finish(self) -> None:
        """The answer has been said to its end, or there was none."""
        if self.answer:
            self.flow(math.inf)
            failed = self._trouble and not self.answer.opened
            self._end("failed" if failed else "completed", self._trouble if failed else "")

    def cancel(self, reason: str, heard: str = "", position: float = 0.0) -> None:
        """The answer ends here: of it `heard` was heard, `position` seconds of its sound."""
        answer = self.answer
        self._line.cut()
        if answer is None:
            return
        self._end("cancelled", reason, heard if answer.audible else None)
        if answer.audible and answer.opened and not answer.apart:
            end = round(answer.place(position) * 1000)
            about = {"item_id": answer.item.id, "content_index": 0, "audio_end_ms": end}
            self._line.send({"type": "conversation.item.truncated"} | about)

    def call(self, call: ClientFunctionCall) -> None:
        """The client is asked to carry out a function; with that the response ends."""
        if self.answer is None:
            self.begin(RealtimeResponse(self._line.configuration))
        item = Item(new_id("item"), "function_call", call=call.id, name=call.name, text=call.arguments)
        before = self._items.last
        self._items.add(item)
        for event in self.answer.call(item, before):
            self._line.send(event)
        self.finish()
        self.waiting = True

    def heard(self, item: Item, seconds: float) -> str:
        """The words of one of our answers that were heard in the first `seconds` of its sound."""
        for id_, pieces in self._past:
            if id_ == item.id:
                return heard_until(pieces, seconds)
        return item.said

    def _open(self) -> RealtimeResponse:
        if self.answer is None:
            self.begin(RealtimeResponse(self._line.configuration))
        answer = self.answer
        if not answer.opened:
            before = self._items.last
            if not answer.apart:
                self._items.add(answer.item)
            for event in answer.open(before):
                self._line.send(event)
        return answer

    def _speak(self, event: Speaking) -> None:
        answer = self._open()
        answer.speak(event)
        self._line.state("speaking")
        at = answer.place(event.position)
        words = [
            {"text": word.text, "start": at + word.start, "end": at + word.end}
            for word in event.speech.words
            if not event.aside
        ]
        if words:
            about = {"response_id": answer.id, "item_id": answer.item.id}
            self._line.tell("words", about | {"words": words})

    def _end(self, status: str, reason: str, heard: str | None = None) -> None:
        answer, self.answer = self.answer, None
        self._note(answer)
        for event in answer.end(status, reason, heard):
            self._line.send(event)
        if not answer.apart:
            self._items.put(answer.item)
        self._past.append((answer.item.id, answer.pieces))
        self._line.state("listening")

    def _note(self, answer: RealtimeResponse) -> None:
        """What the voice could not read of an answer, in sentences for the person."""
        with suppress(TextError):  # markup that is malformed, which the voice has complained of
            if answer.audible and (notes := reading_notes(answer.text)):
                about = {"response_id": answer.id, "item_id": answer.item.id}
                self._line.tell("notes", about | {"notes": notes})

    def _pause(self, now: float, position: float) -> None:
        if not (self.answer and self.answer.opened):
            return  # there is nothing yet that could fall silent
        self.answer.pause(now)
        self._line.state("paused")
        self._line.tell("paused", {"audio_ms": round(position * 1000)})

    def _resume(self, now: float, position: float) -> None:
        if not (self.answer and self.answer.opened):
            return
        self.answer.resume(now)
        self._line.state("speaking")
        self._line.tell("resumed", {"audio_ms": round(position * 1000)})

    def _tell(self, event: Event) -> None:
        match event:
            case Latency():
                self._line.answered(event.total)
                figures = {
                    "turn_end_ms": event.turn_end,
                    "first_words_ms": event.first_words,
                    "first_audio_ms": event.first_audio,
                }
                self._line.tell("latency", {name: round(1000 * each) for name, each in figures.items()})
            case Rang(timer=timer):
                self._line.tell("timer", {"label": timer.label, "length_ms": round(timer.length * 1000)})
            case Trouble(message=message):
                self._trouble = message
                error = {"type": "server_error", "code": "trouble", "message": message}
                self._line.send({"type": "error", "error": error | {"param": None, "event_id": None}})
