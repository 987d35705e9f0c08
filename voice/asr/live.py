"""Live recognition: sound in as it comes, words out that stay, and a tail that may still change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from voice.types import Recognizer, Segment, SpeechDetector, Transcript


@dataclass(frozen=True)
class Partial:
    """What has been understood up to `until` seconds of the stream.

    `stable` only ever grows (until `forget` or `settled` takes it away); `tail` may still change.
    """

    stable: str
    tail: str
    until: float

    @property
    def text(self) -> str:
        return " ".join(filter(None, (self.stable, self.tail)))


@dataclass(frozen=True)
class Pacing:
    """When words are looked for, shown and settled; seconds of sound."""

    step: float = 0.5  # from one partial to the next while somebody speaks
    ahead: float = 0.16  # a silence this long has the final words made before anybody asks for them
    pause: float = 0.8  # a silence this long settles what was said before it
    longest: float = 10.0  # of sound that is ever recognized at once


class Live:
    """One stream of speech. Holds the sound of at most `pacing.longest` seconds and its words.

    `detector` None takes all sound for speech (then nothing is done ahead, and each `finish` after new
    sound recognizes). `stopwatch` (seconds, such as `time.perf_counter`) lets partials become rarer
    where recognizing is slower than the sound comes; without one, the same sound gives the same
    partials on every machine, however it is cut into pieces.
    """

    rate = 16_000

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
        raise NotImplementedError

    def feed(self, samples: np.ndarray) -> Partial | None:
        """The next (T,) float32 samples at 16 kHz, any number of them → what is new, or None.

        Recognition happens in here, at fixed places of the stream: most calls only take the samples.
        Raises VoiceError as the recognizer does; the stream may go on after that.
        """
        raise NotImplementedError

    def finish(self) -> Transcript:
        """All words since the beginning or the last `forget` or `settled`, in final quality.

        Times count from the start of the stream, and `duration` is how much of it was fed. Nothing
        ends with it: it may be called at a likely end of a turn, and feeding may go on. It costs
        nothing where nobody has spoken since it was last called or done ahead.
        """
        raise NotImplementedError

    def settled(self) -> tuple[Segment, ...]:
        """Hand over what can no longer change; partials and `finish` then begin after it."""
        raise NotImplementedError

    def forget(self) -> None:
        """A new turn: all words so far are dropped, and only sound after the last speech is kept."""
        raise NotImplementedError


def stream(blocks: Iterable[np.ndarray], live: Live) -> Iterator[Partial | Segment]:
    """Blocks of sound at 16 kHz → segments as they are settled, and between them what comes next.

    A Partial tells only of what follows the last Segment. The rest is settled at the end.
    """
    raise NotImplementedError
