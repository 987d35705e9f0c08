"""One answer on its way from a thought to sound: words for the ear, and after each sentence its speech.

It may be begun before it is certain that it is wanted: then it is made up to its first sound, or up
to what has an effect.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from voice.agent.speaking.plain_text import TextForSpeech
from voice.agent.work import Lane, Task
from voice.errors import BrainError, VoiceError
from voice.text.sentences import Sentence, SentenceSplitter
from voice.tts.pauses import PAUSES, after_silence
from voice.types import Controls, Pace, SpeculativeReply, Speech, Synthesizer

LONGEST_ANSWER = 8000  # characters; a brain that never ends is not listened to for ever
INAUDIBLE = 0.002  # samples below this are not heard
BREATH = 0.01  # seconds before the first sound that are kept
MOST_SILENCE = 0.2  # seconds that are cut; a longer silence is meant
_SENTENCE_ENDS = (".", "!", "?")


@dataclass(frozen=True)
class SynthesizedPiece:
    """A piece of an answer, and the conversation's time at which it was ready."""

    piece: str | Speech | Pace
    ready: float


class Response:
    """Pieces of one answer, made one sentence at a time in its lane."""

    def __init__(
        self,
        think: Callable[[], SpeculativeReply],
        synthesizer: Synthesizer,
        controls: tuple[Controls, Controls],
        lane: Lane,
        now: float,
    ) -> None:
        """`think` begins the thought, in the lane; `controls` are those of now and of the beginning."""
        self._think, self._synthesizer, self._lane = think, synthesizer, lane
        self._controls, self._first_controls = controls
        self._thought: SpeculativeReply | None = None
        self._committed = self._closed = False
        self._made: deque[str | Speech | Pace] = deque()
        self._pieces = self._spoken()
        self._over = False  # no more will be made
        self._sounded = False  # whether there is sound of it
        self._held = False  # until the turn has surely ended
        self.written = ""  # as the brain wrote it, so far
        self._task: Task | None = lane.start(self._produce, now)

    @property
    def ended(self) -> bool:
        """Whether all of it has been made and taken."""
        return self._over and not self._made and self._task is None

    @property
    def pending(self) -> Task | None:
        """What is being made just now."""
        return self._task

    def commit(self) -> None:
        """The turn has ended: the answer is wanted."""
        self._committed = True
        if self._thought:
            self._thought.commit()

    def close(self) -> None:
        """Nobody wants the rest."""
        self._closed = True
        if self._thought:
            self._thought.close()
        if self._task is None or self._task.done:
            self._pieces.close()  # a suspended generator and its answer would hold each other, and the sound
            self._made.clear()

    def take(self, now: float) -> Iterator[SynthesizedPiece]:
        """What has been made by now. Passes on what the brain or the synthesizer raises."""
        task = self._task
        finished = task is not None and task.done  # before taking, so that nothing slips in between
        ready = max(now, task.ready) if task else now
        while self._made:
            yield SynthesizedPiece(self._made.popleft(), ready)
        if finished:
            self._task = None
            if task.failed:
                self._over = True
                self.close()
            task.result()

    def go_on(self, now: float) -> bool:
        """Begins to make the next sentence; False where there is nothing to begin."""
        if self._over or self._task or (self._held and not self._committed):
            return False
        self._task = self._lane.start(self._produce, now)
        return True

    def _produce(self) -> None:
        """In the lane: makes pieces up to the next sound, or up to what has to wait."""
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

    def _spoken(self) -> Iterator[str | Speech | Pace | None]:
        """Words for the ear as they come and, after each sentence, its sound; None where it waits."""
        ear, sentences, pause = TextForSpeech(), SentenceSplitter(), 0.0
        said_whole = False
        for piece in self._thoughts():
            if isinstance(piece, Pace):
                self._controls = piece.applied(self._controls, self._first_controls)
                yield piece
                continue
            said = ear.feed(piece or "")
            if said:
                yield said
                said_whole = said.rstrip().endswith(_SENTENCE_ENDS)
            # What was said whole before a wait is spoken during it.
            complete = sentences.flush() if piece is None and said_whole else sentences.push(said)
            for sentence in complete:
                yield from self._sound(sentence, pause)
                pause = PAUSES[sentence.after]
            if piece is None:
                yield None
        said = ear.flush()
        if said:
            yield said
        for sentence in (*sentences.push(said), *sentences.flush()):
            yield from self._sound(sentence, pause)
            pause = PAUSES[sentence.after]

    def _thoughts(self) -> Iterator[str | Pace | None]:
        """The brain's answer, bounded; whatever a brain raises becomes a BrainError."""
        try:
            self._thought = self._think()
            if self._committed:
                self._thought.commit()
            for piece in self._thought:
                if isinstance(piece, str):
                    self.written += piece
                yield piece
                if self._closed or len(self.written) > LONGEST_ANSWER:
                    break
        except VoiceError:
            raise
        except Exception as error:
            raise BrainError(f"the brain failed: {error!r}") from error
        finally:
            if self._thought:
                self._thought.close()

    def _sound(self, sentence: Sentence, pause: float) -> Iterator[Speech]:
        for piece in self._synthesizer.speak(sentence.text, self._controls):
            yield after_silence(piece, pause / self._controls.speed) if self._sounded else promptly(piece)
            self._sounded, pause = True, 0.0


def promptly(speech: Speech) -> Speech:
    """The same without the silence before its first sound, for which somebody would wait."""
    loud = np.abs(speech.audio.samples) > INAUDIBLE
    early = int(np.argmax(loud)) / speech.audio.rate - BREATH if loud.any() else 0.0
    if not 0 < early <= MOST_SILENCE:
        return speech
    words = tuple(
        replace(word, start=max(0.0, word.start - early), end=max(0.0, word.end - early))
        for word in speech.words
    )
    marks = tuple(replace(mark, time=max(0.0, mark.time - early)) for mark in speech.marks)
    return replace(speech, audio=speech.audio.cut(early, speech.audio.duration), words=words, marks=marks)
