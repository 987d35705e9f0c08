"""The speaking half of a conversation: the words of an answer in, sound in its time out.

It works no further ahead of what has been played than it must, so that an answer that is
interrupted is never thought to its end, and it knows at any time what has been heard of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from voice.agent.events import Event, Reply, Speaking
from voice.agent.speakable import Speakable
from voice.text.sentences import Sentence, SentenceSplitter
from voice.tts.voice import PAUSES, after_silence
from voice.types import Controls, Speech, Synthesizer

LONGEST_ANSWER = 8000  # characters; a brain that never ends is not listened to for ever


class Mouth:
    """The agent's side of one conversation."""

    def __init__(self, synthesizer: Synthesizer, controls: Controls, ahead: float) -> None:
        """`ahead` is how many seconds of sound are made before the sound that is playing ends."""
        self.controls = controls
        self._synthesizer, self._ahead = synthesizer, ahead
        self._answer: Iterator[str | Speech] | None = None
        self._played: list[tuple[float, Speech]] = []  # (start, piece), in order
        self._end = 0.0  # when the last of them ends
        self.written = ""  # the answer as the brain wrote it, so far
        self.said = ""  # the same for the ear

    @property
    def busy(self) -> bool:
        """Whether an answer has begun and not yet been ended, by `finished` or `stop`."""
        return self._answer is not None or bool(self._played)

    def say(self, pieces: Iterable[str]) -> None:
        """Begins an answer; nothing is thought before it is asked for."""
        self.written, self.said = "", ""
        self._played = []
        self._answer = self._made(pieces)

    def speak(self, now: float) -> Iterator[Event]:
        """Makes what is needed by now. Passes on what the brain or the synthesizer raises."""
        while self._answer is not None and (not self._played or self._end - now < self._ahead):
            try:
                piece = next(self._answer)
            except StopIteration:
                self._answer = None
            except BaseException:
                self._answer = None
                raise
            else:
                yield self._placed(piece, now)

    def finished(self, now: float) -> bool:
        """Whether all of the answer has been played; then it is over."""
        if self._answer is not None or now < self._end:
            return False
        self._played = []
        return True

    def stop(self, now: float) -> str:
        """Falls silent; what has been heard of the answer by `now`."""
        heard = " ".join(filter(None, (heard_of(piece, now - start) for start, piece in self._played)))
        if self._answer is not None:
            self._answer.close()
        self._answer, self._played, self._end = None, [], now
        return heard

    def _placed(self, piece: str | Speech, now: float) -> Event:
        if isinstance(piece, str):
            self.said += piece
            return Reply(now, piece)
        start = max(now, self._end)
        self._played.append((start, piece))
        self._end = start + piece.audio.duration
        return Speaking(now, start, piece)

    def _made(self, pieces: Iterable[str]) -> Iterator[str | Speech]:
        """Words for the ear as they come (str) and, after each sentence, its sound (Speech)."""
        ear, sentences, pause = Speakable(), SentenceSplitter(), 0.0
        for text in self._bounded(pieces):
            said = ear.feed(text)
            if said:
                yield said
            for sentence in sentences.push(said):
                yield from self._sound(sentence, pause)
                pause = PAUSES[sentence.after]
        said = ear.flush()
        if said:
            yield said
        for sentence in (*sentences.push(said), *sentences.flush()):
            yield from self._sound(sentence, pause)
            pause = PAUSES[sentence.after]

    def _bounded(self, pieces: Iterable[str]) -> Iterator[str]:
        for piece in pieces:
            self.written += piece
            yield piece
            if len(self.written) > LONGEST_ANSWER:
                break
        close = getattr(pieces, "close", None)
        if close:
            close()

    def _sound(self, sentence: Sentence, pause: float) -> Iterator[Speech]:
        for piece in self._synthesizer.speak(sentence.text, self.controls):
            yield after_silence(piece, pause / self.controls.speed)
            pause = 0.0


def heard_of(piece: Speech, seconds: float) -> str:
    """The words of a piece of which `seconds` have been played: those heard to their end."""
    if seconds >= piece.audio.duration:
        return piece.text
    if piece.words:
        return " ".join(word.text for word in piece.words if word.end <= seconds)
    words = piece.text.split()
    return " ".join(words[: int(len(words) * max(0.0, seconds) / piece.audio.duration)])
