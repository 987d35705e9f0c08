"""How phonemes are to be spoken: faster or slower, higher, louder, and what pauses last.

Markup styles stretches of a text, controls style all of it; both end in one `Delivery`, plain arrays
over the phonemes of a sentence, which the engines turn into durations, F0 and level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from voice.text.english.questions import rise
from voice.types import Controls

if TYPE_CHECKING:
    from voice.text.frontend import Reading

PAUSING = frozenset(",;:—…")  # phoneme characters at which a reader pauses inside a sentence
SLOWEST, FASTEST = 0.25, 4.0  # that markup and controls may reach together
WIDEST = 24.0  # semitones, likewise
LOUDEST = 18.0  # dB, likewise
QUIETEST = -96.0


@dataclass(frozen=True)
class Style:
    """Of a stretch of text: `pace` is a factor on speed, `pitch` in semitones, `energy` in dB."""

    pace: float = 1.0
    pitch: float = 0.0
    energy: float = 0.0

    def around(self, inner: Style) -> Style:
        """The style of what is `inner` within what is so."""
        return Style(self.pace * inner.pace, self.pitch + inner.pitch, self.energy + inner.energy)


PLAIN = Style()


@dataclass(frozen=True, eq=False)
class Delivery:
    """(L,) float64 arrays over phonemes; `hold` is the seconds that each lasts, NaN where `pace` decides;
    `rise`, where there is one, how much of a question's rise is done at the end of each, 0 to 1."""

    pace: np.ndarray
    pitch: np.ndarray
    energy: np.ndarray
    hold: np.ndarray
    rise: np.ndarray | None = None

    @property
    def moves_pitch(self) -> bool:
        return bool(self.pitch.any()) or self.rise is not None

    def with_edges(self) -> Delivery:
        """(L + 2,): the same with the silence before and after, which is as long as ever."""
        one, none = np.ones(1), np.full(1, np.nan)
        edges = [self.pitch[:1], self.pitch[-1:], self.energy[:1], self.energy[-1:]]
        first, last, soft, loud = (edge if len(edge) else np.zeros(1) for edge in edges)
        return Delivery(
            np.concatenate([one, self.pace, one]), np.concatenate([first, self.pitch, last]),
            np.concatenate([soft, self.energy, loud]), np.concatenate([none, self.hold, none]),
            None if self.rise is None else np.concatenate([[0.0], self.rise, [1.0]]),
        )  # fmt: skip

    def of(self, places: np.ndarray | list[int]) -> Delivery:
        """The delivery of the phonemes at `places` alone."""
        rise = None if self.rise is None else self.rise[places]
        return Delivery(self.pace[places], self.pitch[places], self.energy[places], self.hold[places], rise)


def delivery(reading: Reading, controls: Controls) -> Delivery | None:
    """What the styles of `reading` and `controls` ask for together, and its being a question that rises; None
    where that is plain speech."""
    plain = (controls.speed, controls.pitch, controls.energy, controls.pause, controls.clause_pause) == (
        1.0, 0.0, 0.0, 1.0, None,
    )  # fmt: skip
    rising = rise(reading.phonemes) if reading.rises else None
    if plain and not reading.styles and rising is None:
        return None
    styles = reading.styles or (PLAIN,) * len(reading.phonemes)
    columns = np.array([(s.pace, s.pitch, s.energy) for s in styles]).reshape(-1, 3).T
    marks = np.array([p in PAUSING for p in reading.phonemes], bool)
    after = np.append(False, marks[:-1]) & np.array([p == " " for p in reading.phonemes], bool)
    pauses = marks | after
    pace = np.clip(columns[0] * controls.speed, SLOWEST, FASTEST)
    pace = np.where(pauses, pace / max(controls.pause, 1e-3), pace)
    hold = np.full(len(pace), np.nan)
    if controls.clause_pause is not None:
        hold[after], hold[marks] = 0.0, controls.clause_pause * controls.pause
    pitch = np.clip(columns[1] + controls.pitch, -WIDEST, WIDEST)
    return Delivery(pace, pitch, np.clip(columns[2] + controls.energy, QUIETEST, LOUDEST), hold, rising)
