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
from voice.serve.realtime.protocol.items import ConversationItems, Item, new_id
from voice.serve.realtime.response import RealtimeResponse
from voice.text.english.coverage import reading_notes

_MAX_PAST_RESPONSES = 20  # of which it is known when which word was said


class ResponseEvents:
    """Tells the client what the agent says. `current` is the response under way."""

    def __init__(self, sender: EventSender, items: ConversationItems) -> None:
        self.current: RealtimeResponse | None = None
        self.awaits_result = False  # of a client's function, in between two responses
        self._sender, self._items = sender, items
        self._past: deque[tuple[str, list[SpokenPiece]]] = deque(maxlen=_MAX_PAST_RESPONSES)
        self._trouble = ""

    def begin(self, response: RealtimeResponse) -> RealtimeResponse:
        """Start a response, and return it."""
        self.current, self._trouble, self.awaits_result = response, "", False
        self._sender.send(response.begin())
        return response

    def follow(self, event: Event, reason: str = "turn_detected") -> None:
        """Tell the client what happened on the agent's side; `reason` is why, if it was interrupted."""
        match event:
            case Reply() | Speaking() if self.awaits_result:
                pass  # "One moment.": the client knows why it takes so long
            case Reply(text=text):
                self._sender.send(self._open().write(text))
            case Speaking():
                self._speak(event)
            case Paused(position=position):
                self._pause(event.time, position)
            case Resumed(position=position):
                self._resume(event.time, position)
            case Interrupted(heard=heard, position=position):
                self.awaits_result = False
                self.cancel(reason, heard, position)
            case Spoken():
                self.awaits_result = False
                self.finish()
            case Latency():
                self._report_latency(event)
            case Rang(timer=timer):
                about = {"label": timer.label, "length_ms": round(timer.length * 1000)}
                self._sender.send_extension("timer", about)
            case Trouble(message=message):
                self._report_trouble(message)

    def flow(self, now: float, over: bool = False) -> None:
        """Pass on the sound that the client should have by `now`; `over`: there will be no more."""
        if self.current:
            for event in self.current.flow(now):
                self._sender.send(event)
            for event in self.current.over() if over else ():
                self._sender.send(event)

    def finish(self) -> None:
        """End the response, which has been said to its end or has nothing to say."""
        if self.current:
            self.flow(math.inf)
            failed = self._trouble and not self.current.opened
            self._end(self.current, "failed" if failed else "completed", self._trouble if failed else "")

    def cancel(self, reason: str, heard: str = "", position: float = 0.0) -> None:
        """End the response here: of it `heard` was heard, `position` seconds of its sound."""
        response = self.current
        self._sender.discard_audio()
        if response is None:
            return
        self._end(response, "cancelled", reason, heard if response.audible else None)
        if response.audible and response.opened and not response.apart:
            end = round(response.place(position) * 1000)
            about = {"item_id": response.item.id, "content_index": 0, "audio_end_ms": end}
            self._sender.send({"type": "conversation.item.truncated"} | about)

    def call_function(self, call: ClientFunctionCall) -> None:
        """Ask the client to carry out a function, and end the response with that."""
        response = self._current_or_new()
        item = Item(new_id("item"), "function_call", call=call.id, name=call.name, text=call.arguments)
        before = self._items.last
        self._items.add(item)
        for event in response.call_function(item, before):
            self._sender.send(event)
        self.finish()
        self.awaits_result = True

    def heard_until(self, item: Item, seconds: float) -> str:
        """Return the words of a past response that were heard in the first `seconds` of its sound."""
        for id_, pieces in self._past:
            if id_ == item.id:
                return heard_until(pieces, seconds)
        return item.content_text

    def _current_or_new(self) -> RealtimeResponse:
        return self.current or self.begin(RealtimeResponse(self._sender.configuration))

    def _open(self) -> RealtimeResponse:
        """Return the response under way, whose message the client knows."""
        response = self._current_or_new()
        if not response.opened:
            before = self._items.last
            if not response.apart:
                self._items.add(response.item)
            for event in response.open(before):
                self._sender.send(event)
        return response

    def _speak(self, event: Speaking) -> None:
        response = self._open()
        response.speak(event)
        self._sender.send_state("speaking")
        start = response.place(event.position)
        words = [
            {"text": word.text, "start": start + word.start, "end": start + word.end}
            for word in event.speech.words
            if not event.aside
        ]
        if words:
            about = {"response_id": response.id, "item_id": response.item.id}
            self._sender.send_extension("words", about | {"words": words})

    def _end(self, response: RealtimeResponse, status: str, reason: str, heard: str | None = None) -> None:
        self.current = None
        self._send_reading_notes(response)
        for event in response.end(status, reason, heard):
            self._sender.send(event)
        if not response.apart:
            self._items.put(response.item)
        self._past.append((response.item.id, response.pieces))
        self._sender.send_state("listening")

    def _send_reading_notes(self, response: RealtimeResponse) -> None:
        """Tell in sentences what the voice could not read of an answer."""
        with suppress(TextError):  # malformed markup, of which the voice has complained
            if response.audible and (notes := reading_notes(response.text)):
                about = {"response_id": response.id, "item_id": response.item.id}
                self._sender.send_extension("notes", about | {"notes": notes})

    def _pause(self, now: float, position: float) -> None:
        if self.current and self.current.opened:  # else nothing sounds yet that could pause
            self.current.pause(now)
            self._sender.send_state("paused")
            self._sender.send_extension("paused", {"audio_ms": round(position * 1000)})

    def _resume(self, now: float, position: float) -> None:
        if self.current and self.current.opened:
            self.current.resume(now)
            self._sender.send_state("speaking")
            self._sender.send_extension("resumed", {"audio_ms": round(position * 1000)})

    def _report_latency(self, event: Latency) -> None:
        self._sender.observe_latency(event.total)
        figures = {
            "turn_end_ms": event.turn_end,
            "first_words_ms": event.first_words,
            "first_audio_ms": event.first_audio,
        }
        self._sender.send_extension(
            "latency", {name: round(1000 * seconds) for name, seconds in figures.items()}
        )

    def _report_trouble(self, message: str) -> None:
        self._trouble = message
        error = {"type": "server_error", "code": "trouble", "message": message}
        self._sender.send({"type": "error", "error": error | {"param": None, "event_id": None}})
