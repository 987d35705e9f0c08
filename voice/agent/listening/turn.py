"""One turn of the user, from its first sound to its end: its words, and the silence that ends it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from voice.agent.listening.recognition import TurnRecognition
from voice.agent.work import Lane, Task
from voice.types import Audio, TurnDetector


class PauseJudgement:
    """How long a silence ends the turn, judged anew in each pause by the turn's sound and its words.

    `endpoint_after` are the seconds, None while they are not known in this pause.
    """

    def __init__(self, lane: Lane) -> None:
        self.endpoint_after: float | None = None
        self._lane = lane
        self._task: Task[float] | None = None  # P(complete) of the sound up to frame `_end`
        self._end = -1

    @property
    def pending(self) -> Task[float] | None:
        """What is being worked on just now."""
        return self._task

    def is_judging(self, end: int) -> bool:
        """Tell whether the sound up to frame `end` is being judged."""
        return self._task is not None and self._end == end

    def judge_sound(self, detector: TurnDetector, turn: Audio, end: int, now: float) -> None:
        """Have the sound of the turn judged, which goes up to frame `end`."""
        self._end, self._task = end, self._lane.start(lambda: detector.probability(turn), now)

    def decide(self, detector: TurnDetector, recognition: TurnRecognition) -> float | None:
        """Set `endpoint_after` once words and sound are known; return when the sound had been judged."""
        if not (recognition.is_final and self._task and self._task.done):
            return None
        task, self._task = self._task, None
        self.endpoint_after = detector.endpoint_after(
            recognition.text, task.result(), recognition.end_of_sentence
        )
        return task.ready

    def forget(self) -> None:
        """Forget this pause: the speech goes on."""
        self.endpoint_after = self._task = None


@dataclass(frozen=True, eq=False)
class LateFrame:
    """(hop,) samples that came after the end of a turn, and the arguments of User.take with them."""

    samples: np.ndarray
    now: float
    echo: bool

    def without_sound(self) -> LateFrame:
        """Return the same time without sound."""
        return replace(self, samples=np.zeros_like(self.samples))


@dataclass
class UserTurn:
    """One turn. `began` is the time of its first sound, `last` the frame after its last one in a pause."""

    began: float
    recognition: TurnRecognition
    pause: PauseJudgement
    last: int = 0
    glanced: int | None = None  # the frame after the last sound for which the words were made ahead
    is_stale: bool = False  # whether it is looked at because no new word has come for long
    is_ending: bool = False  # whether it is over, and only its last words are waited for
    late: list[LateFrame] = field(default_factory=list)  # what has come since then

    @property
    def pending(self) -> list[Task[object]]:
        """What is being worked on just now."""
        judging = self.pause.pending
        return [*self.recognition.pending, *([judging] if judging else [])]
