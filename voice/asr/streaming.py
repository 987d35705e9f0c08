"""Live recognition: sound in as it comes, words out that stay, and a tail that may still change.

The words are those of voice.asr.incremental; this module cuts the sound into frames and has a detector
judge them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from voice.asr.incremental import RATE, IncrementalRecognizer, Pacing, PartialTranscript
from voice.silero import SILERO_HOP
from voice.types import Recognizer, Segment, SpeechDetector, Transcript
from voice.vad import amplified_stream


class Live:
    """One stream of speech, in pieces of any length. Holds the sound of at most `pacing.longest` seconds.

    `detector` None takes all sound for speech (then nothing is done ahead, and each `finish` after new
    sound recognizes). The other arguments are those of IncrementalRecognizer.
    """

    rate = RATE

    def __init__(
        self,
        recognizer: Recognizer,
        detector: SpeechDetector | None = None,
        *,
        language: str | None = None,
        hotwords: Sequence[str] = (),
        pacing: Pacing = Pacing(),
        stopwatch: Callable[[], float] | None = None,
    ) -> None:
        self._hop = detector.hop if detector else SILERO_HOP
        self._probability = amplified_stream(detector) if detector else _always
        self._rest = np.zeros(0, np.float32)  # not judged yet: less than a frame
        self._words = IncrementalRecognizer(
            recognizer, self._hop, language=language, hotwords=hotwords, pacing=pacing, stopwatch=stopwatch
        )

    @property
    def partial(self) -> PartialTranscript:
        """What is understood of what `forget` and `take_settled` have not taken away."""
        return self._words.partial

    def feed(self, samples: np.ndarray) -> PartialTranscript | None:
        """Take the next (T,) float32 samples at 16 kHz, any number of them; return what is new, or None.

        Recognition happens in here, at fixed places of the stream: most calls only take the samples.
        Raises VoiceError as the recognizer does; no sound is lost by that, and the stream may go on.
        """
        sound = np.concatenate((self._rest, samples), dtype=np.float32)
        whole = len(sound) // self._hop * self._hop
        frames, self._rest = sound[:whole], sound[whole:]
        return self._words.feed(frames, [*map(self._probability, frames.reshape(-1, self._hop))])

    def finish(self) -> Transcript:
        """Return all words since the beginning or the last `forget` or `take_settled`, in final quality.

        Times count from the start of the stream, and `duration` is how much of it was fed. Nothing
        ends with it: it may be called at a likely end of a turn, and feeding may go on. It costs
        nothing where nobody has spoken since it was last called or done ahead.
        """
        return self._words.finish(self._rest)

    def take_settled(self) -> tuple[Segment, ...]:
        """Hand over the segments that can no longer change; partials and `finish` then begin after them.

        A sentence that is still being said is not handed over before it ends or a pause follows.
        """
        return self._words.take_settled()

    def forget(self) -> None:
        """Begin a new turn: drop all words so far, and keep only the sound after the last speech."""
        self._words.forget()


def stream(blocks: Iterable[np.ndarray], live: Live) -> Iterator[PartialTranscript | Segment]:
    """Yield the segments of blocks of sound at 16 kHz as they are settled, and between them what comes next.

    A PartialTranscript tells only of what follows the last Segment. The rest is settled at the end.
    """
    for block in blocks:
        changed = live.feed(block)
        yield from live.take_settled()
        if changed:
            yield live.partial
    yield from live.finish().segments
    live.forget()


def _always(frame: np.ndarray) -> float:
    return 1.0


__all__ = ["RATE", "Live", "Pacing", "PartialTranscript", "stream"]
