"""One response on its way from a reply to sound: text for speech, and after each sentence its speech.

It may be begun before it is certain that it is wanted: then it is made up to its first sound, or up
to what has an effect.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np

from voice.agent.speaking.plain_text import SpeakableText, TextForSpeech
from voice.agent.work import Lane, Task
from voice.errors import BrainError, ModelError, VoiceError
from voice.text.languages import name_of
from voice.tts.streaming import begin, voice_for
from voice.types import (
    Controls,
    LanguageChange,
    ReplyPiece,
    SpeculativeReply,
    Speech,
    SpeedChange,
    Synthesizer,
)

LONGEST_REPLY = 8000  # characters; the rest of a reply that never ends is not asked for
INAUDIBLE = 0.002  # samples below this are not heard
KEPT_LEAD = 0.01  # seconds before the first sound that are kept
MOST_SILENCE = 0.2  # seconds that are cut; a longer silence is meant
_SENTENCE_ENDS = (".", "!", "?")

Piece = str | Speech | SpeedChange  # text for speech, its sound, or another speed from now on


@dataclass(frozen=True)
class SynthesizedPiece:
    """A piece of a response, and the conversation's time at which it was ready."""

    piece: Piece
    ready: float


class Response:
    """Pieces of one response, made one sentence at a time in its lane."""

    def __init__(
        self,
        begin_reply: Callable[[], SpeculativeReply],
        synthesizer: Synthesizer,
        controls: tuple[Controls, Controls],
        lane: Lane,
        now: float,
    ) -> None:
        """`begin_reply` is called in the lane; `controls` are those of now and of the beginning."""
        self._begin_reply, self._lane = begin_reply, lane
        self._controls, self._first_controls = controls
        self._synthesizer = synthesizer
        self._speech = begin(synthesizer, self._controls)
        self._reply: SpeculativeReply | None = None
        self._committed = self._closed = False
        self._made: deque[Piece] = deque()
        self._pieces = self._produce()
        self._over = False  # no more will be made
        self._sounded = False  # whether there is sound of it
        self._held = False  # until the turn has surely ended
        self._task: Task[None] | None = lane.start(self._work, now)

    @property
    def ended(self) -> bool:
        """Whether all of it has been made and taken."""
        return self._over and not self._made and self._task is None

    @property
    def pending(self) -> Task[None] | None:
        """What is being made just now."""
        return self._task

    def commit(self) -> None:
        """Say that the turn has ended: the response is wanted."""
        self._committed = True
        if self._reply:
            self._reply.commit()

    def close(self) -> None:
        """Throw the rest away."""
        self._closed = True
        if self._reply:
            self._reply.close()
        if self._task is None or self._task.done:
            self._pieces.close()  # suspended, it and this would hold each other, and the sound
            self._made.clear()

    def take(self, now: float) -> Iterator[SynthesizedPiece]:
        """Yield what has been made by now. Raises what the brain or the synthesizer raises."""
        task = self._task
        finished = task is not None and task.done  # before taking, so that nothing slips in between
        ready = max(now, task.ready) if task else now
        while self._made:
            yield SynthesizedPiece(self._made.popleft(), ready)
        if task and finished:
            self._task = None
            if task.failed:
                self._over = True
                self.close()
            task.result()

    def go_on(self, now: float) -> bool:
        """Begin to make the next sentence; return False where there is nothing to begin."""
        if self._over or self._task or (self._held and not self._committed):
            return False
        self._task = self._lane.start(self._work, now)
        return True

    def _work(self) -> None:
        """Make pieces up to the next sound, or up to what has to wait; runs in the lane."""
        self._held = False
        if self._closed:
            self._over = True
            return
        for piece in self._pieces:
            if piece is None:
                self._held = True
                return
            self._made.append(piece)
            if isinstance(piece, Speech):
                return
        self._over = True

    def _produce(self) -> Generator[Piece | None]:
        """Yield text for speech as it comes and, after each sentence, its sound; None where it waits."""
        text, ends_whole = TextForSpeech(), False
        for piece in self._bounded_reply():
            if isinstance(piece, SpeedChange):
                self._controls = piece.apply_to(self._controls, self._first_controls)
                self._speech.controls = self._controls
                yield piece
                continue
            if isinstance(piece, LanguageChange):
                yield from self._say_rest(text)
                self._speech = begin(self._voice_for(piece.code), self._controls)
                continue
            if piece is None:
                if ends_whole:  # whole sentences before a wait are spoken during it
                    yield from self._sound(self._speech.flush())
                yield None
                continue
            words = piece if isinstance(piece, SpeakableText) else text.feed(piece)
            if words:
                yield words
                ends_whole = words.rstrip().endswith(_SENTENCE_ENDS)
                yield from self._sound(self._speech.push(words))
        yield from self._say_rest(text)

    def _say_rest(self, text: TextForSpeech) -> Iterator[Piece]:
        """Yield what of a text has not been said yet, and its sound."""
        words = text.flush()
        if words:
            yield words
            yield from self._sound(self._speech.push(words))
        yield from self._sound(self._speech.flush())

    def _voice_for(self, language: str) -> Synthesizer:
        """Return the voice that speaks a language. Raises BrainError, to be said, where there is none."""
        try:
            return voice_for(self._synthesizer, language)
        except ModelError as error:
            raise BrainError(str(error), f"I have no voice for {name_of(language)} here.") from error

    def _bounded_reply(self) -> Iterator[ReplyPiece]:
        """Yield the brain's reply up to LONGEST_REPLY; whatever a brain raises becomes a BrainError."""
        written = 0
        try:
            self._reply = self._begin_reply()
            if self._committed:
                self._reply.commit()
            for piece in self._reply:
                if isinstance(piece, str):
                    written += len(piece)
                yield piece
                if self._closed or written > LONGEST_REPLY:
                    break
        except VoiceError:
            raise
        except Exception as error:
            raise BrainError(f"the brain failed: {error!r}") from error
        finally:
            if self._reply:
                self._reply.close()

    def _sound(self, pieces: Iterator[Speech]) -> Iterator[Speech]:
        """Yield the sound of sentences, the very first without the silence before it."""
        for piece in pieces:
            yield piece if self._sounded else without_lead(piece)
            self._sounded = True


def without_lead(speech: Speech) -> Speech:
    """Return speech without the silence before its first sound, for which somebody would wait."""
    loud = np.abs(speech.audio.samples) > INAUDIBLE
    early = int(np.argmax(loud)) / speech.audio.rate - KEPT_LEAD if loud.any() else 0.0
    if not 0 < early <= MOST_SILENCE:
        return speech
    words = tuple(
        replace(word, start=max(0.0, word.start - early), end=max(0.0, word.end - early))
        for word in speech.words
    )
    marks = tuple(replace(mark, time=max(0.0, mark.time - early)) for mark in speech.marks)
    return replace(speech, audio=speech.audio.cut(early, speech.audio.duration), words=words, marks=marks)
