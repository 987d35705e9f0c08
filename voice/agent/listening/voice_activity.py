"""Voice activity detection of one conversation: each frame of sound is judged once, here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from voice.agent.listening.onset import OnsetDetector
from voice.agent.listening.options import ListeningOptions
from voice.types import Audio, SpeechDetector
from voice.vad import Hysteresis, Region


@dataclass(frozen=True, eq=False)
class JudgedFrame:
    """(hop,) samples and P(speech) in them."""

    samples: np.ndarray
    probability: float


class VoiceActivity:
    """Judges a stream frame by frame, and keeps its last frames.

    `count` frames have been judged; the last of them ended at `now`, in the conversation's time. `suspected`
    says whether somebody may be about to speak.
    """

    def __init__(self, detector: SpeechDetector, options: ListeningOptions) -> None:
        self.rate, self.hop = detector.rate, detector.hop
        self.count, self.now = 0, 0.0
        self.suspected = False
        self._probability = detector.stream()
        self._options = options
        self._hysteresis = Hysteresis(options.thresholds, self.seconds(1))
        self._agent_speaks = self._agent_echoes = False
        self._onset = OnsetDetector()
        self._held: list[JudgedFrame] = []
        self._sum, self._number = 0.0, 0  # of the probabilities since the last pause

    @property
    def speaking(self) -> bool:
        """Whether somebody speaks at this moment, rather than pauses."""
        return self._hysteresis.speaking

    @property
    def began(self) -> int:
        """First frame of the speech under way."""
        return self._hysteresis.since or 0

    @property
    def voiced_seconds(self) -> float:
        """Seconds of speech without a pause up to now."""
        return self.seconds(self.count - self.began - self.quiet) if self.speaking else 0.0

    @property
    def quiet(self) -> int:
        """How many frames the silence within the speech under way has lasted."""
        return self._hysteresis.quiet

    @property
    def certainty(self) -> float:
        """Mean P(speech) since the last pause."""
        return self._sum / max(1, self._number)

    @property
    def held_frames(self) -> Sequence[JudgedFrame]:
        """The last frames, as many as `keep` and `keep_pre_roll` have left."""
        return tuple(self._held)

    @property
    def last(self) -> JudgedFrame:
        """The last frame."""
        return self._held[-1]

    def sound_to(self, frame: int) -> Audio:
        """Return the sound that is held up to frame number `frame`, at least one frame."""
        count = max(1, len(self._held) - (self.count - frame))
        return Audio(np.concatenate([each.samples for each in self._held[:count]]), self.rate)

    def take(self, samples: np.ndarray, now: float, echo: bool = False) -> Region | None:
        """Judge the next (hop,) samples, which end at `now`; return the speech that ended with them, if any.

        An `echo` is sound of the agent itself: it begins no speech.
        """
        self.count, self.now = self.count + 1, now
        probability = self._probability(samples)
        self._held.append(JudgedFrame(samples, probability))
        if self._hysteresis.since is None:
            self._sum, self._number = 0.0, 0
        self._sum, self._number = self._sum + probability, self._number + 1
        own = echo or self._agent_echoes  # the agent's voice would be suspected too often
        self.suspected = self._onset(samples, 0.0 if own else probability)
        return self._hysteresis(0.0 if echo else probability)

    def keep(self, frames: int) -> None:
        """Forget all but the last `frames`."""
        del self._held[: max(0, len(self._held) - frames)]

    def keep_pre_roll(self) -> None:
        """Forget all but the pre-roll, counted from before what may become speech."""
        since = self._hysteresis.since
        pending = self.count - since if since is not None else 0
        self.keep(pending + round(self._options.pre_roll / self.seconds(1)))

    def finish(self) -> Region | None:
        """Hear no more for now: return the speech that was under way, if any."""
        self._onset.forget()
        self.suspected = False  # else the last frame would be suspected for as long as no other comes
        return self._hysteresis.finish()

    def overheard(self, agent_speaks: bool, agent_echoes: bool) -> None:
        """Follow whether the agent speaks, and whether it hears itself: then more sound makes a speech."""
        if (agent_speaks, agent_echoes) == (self._agent_speaks, self._agent_echoes):
            return
        self._agent_speaks, self._agent_echoes = agent_speaks, agent_echoes
        options, usual = self._options, self._options.thresholds
        silence = max(usual.shortest_silence, options.min_silence_over_agent if agent_speaks else 0.0)
        speech = max(
            usual.shortest_speech, options.min_speech_over_echo if agent_speaks and agent_echoes else 0.0
        )
        self._hysteresis.use(replace(usual, shortest_speech=speech, shortest_silence=silence))

    def use(self, options: ListeningOptions) -> None:
        """Judge in another way from now on; where somebody speaks, the thresholds stay."""
        if options.thresholds != self._options.thresholds and self._hysteresis.since is None:
            self._hysteresis = Hysteresis(options.thresholds, self.seconds(1), self.count)
            self._agent_speaks = self._agent_echoes = False
        self._options = options

    def seconds(self, frames: int) -> float:
        """Return how long `frames` frames last."""
        return frames * self.hop / self.rate

    def time(self, frame: int) -> float:
        """Return the conversation's time at the beginning of frame number `frame`."""
        return self.now - self.seconds(self.count - frame)
