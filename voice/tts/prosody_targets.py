"""What styles and controls ask of durations, pitch and level; all engines share it.

Markup styles stretches of a text, controls style all of it. Both end in one `ProsodyTargets`, plain arrays
over the phonemes of a sentence; the functions below apply them to frames and samples.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from voice.text.alphabet import (
    CLAUSE_MARKS,
    MODIFIERS,
    PRIMARY_STRESS,
    PUNCTUATION,
    SECONDARY_STRESS,
    without_final_marks,
)
from voice.text.reading import PLAIN, SpokenSentence
from voice.types import LOUDNESS, Controls

SLOWEST, FASTEST = 0.25, 4.0  # pace that markup and controls may reach together
WIDEST = 24.0  # semitones, likewise
LOUDEST, QUIETEST = 18.0, -96.0  # dB, likewise
QUESTION_RISE = 5.0  # semitones over the median of a sentence at the end of a question for yes or no
RISE_DONE = 0.9  # of the way to the end a rise is over: the last sound is often too short or soft to be heard
SMOOTHING = 3  # frames (38 ms) over which pitch and level pass from one phoneme's to the next one's
KNEE = 0.85  # of full scale: what is louder is rounded off rather than cut


@dataclass(frozen=True, eq=False)
class ProsodyTargets:
    """(L,) float64 arrays over phonemes: factors on `pace`, `pitch` in semitones, `energy` in dB.

    `hold` is the seconds that each lasts, NaN where `pace` decides. `rise`, for a question that rises, is the
    share of the rise that is done at the end of each phoneme, 0 to 1.
    """

    pace: np.ndarray
    pitch: np.ndarray
    energy: np.ndarray
    hold: np.ndarray
    rise: np.ndarray | None = None

    @property
    def moves_pitch(self) -> bool:
        return bool(self.pitch.any()) or self.rise is not None

    def with_edges(self) -> ProsodyTargets:
        """Return (L + 2,) targets: the same with the silence before and after, whose length stays."""
        one, none = np.ones(1), np.full(1, np.nan)
        edges = [self.pitch[:1], self.pitch[-1:], self.energy[:1], self.energy[-1:]]
        first, last, soft, loud = (edge if len(edge) else np.zeros(1) for edge in edges)
        return ProsodyTargets(
            np.concatenate([one, self.pace, one]), np.concatenate([first, self.pitch, last]),
            np.concatenate([soft, self.energy, loud]), np.concatenate([none, self.hold, none]),
            None if self.rise is None else np.concatenate([[0.0], self.rise, [1.0]]),
        )  # fmt: skip

    def of(self, places: np.ndarray | list[int]) -> ProsodyTargets:
        """Return the targets of the phonemes at `places` alone."""
        rise = None if self.rise is None else self.rise[places]
        return ProsodyTargets(
            self.pace[places], self.pitch[places], self.energy[places], self.hold[places], rise
        )


def prosody_targets(reading: SpokenSentence, controls: Controls) -> ProsodyTargets | None:
    """Return what the styles of `reading`, its rise and `controls` ask for, None for plain speech."""
    rise = question_rise(reading.phonemes) if reading.rises else None
    if _inside_sentences(controls) == Controls() and not reading.styles and rise is None:
        return None
    styles = reading.styles or (PLAIN,) * len(reading.phonemes)
    columns = np.array([(s.pace, s.pitch, s.energy) for s in styles]).reshape(-1, 3).T
    marks = np.array([p in CLAUSE_MARKS for p in reading.phonemes], bool)
    after = np.append(False, marks[:-1]) & np.array([p == " " for p in reading.phonemes], bool)
    pauses = marks | after
    pace = np.clip(columns[0] * controls.speed, SLOWEST, FASTEST)
    pace = np.where(pauses, pace / max(controls.pause, 1e-3), pace)
    hold = np.full(len(pace), np.nan)
    if controls.clause_pause is not None:
        hold[after], hold[marks] = 0.0, controls.clause_pause * controls.pause
    pitch = np.clip(columns[1] + controls.pitch, -WIDEST, WIDEST)
    energy = np.clip(columns[2] + controls.energy, QUIETEST, LOUDEST)
    return ProsodyTargets(pace, pitch, energy, hold, rise)


def _inside_sentences(controls: Controls) -> Controls:
    """Return `controls` without what acts between sentences and on the text alone."""
    return replace(controls, sentence_pause=None, paragraph_pause=None, lexicon=None, loudness=LOUDNESS)


def question_rise(phonemes: str) -> np.ndarray:
    """Return (L,) how much of a question's rise, from 0 to 1, is done at the end of each phoneme.

    The rise begins at the last stress.
    """
    stress = PRIMARY_STRESS if PRIMARY_STRESS in phonemes else SECONDARY_STRESS
    begin = max(0, phonemes.rfind(stress))
    climb = RISE_DONE * (len(without_final_marks(phonemes)) - begin)
    return np.clip((np.arange(len(phonemes)) + 1 - begin) / max(climb, 1), 0.0, 1.0)


def target_lengths(lengths: np.ndarray, targets: ProsodyTargets, frame: float) -> np.ndarray:
    """Return (L,) lengths in frames of `frame` seconds, as long as `targets` ask for."""
    return np.where(np.isnan(targets.hold), lengths / targets.pace, targets.hold / frame)


def target_durations(
    phonemes: str, durations: np.ndarray, lengths: np.ndarray, targets: ProsodyTargets, frame: float
) -> np.ndarray:
    """Return (L + 2,) whole frames of `frame` seconds a phoneme and pad: those that `targets` ask for.

    Where they ask for nothing these are the network's own `durations`, rounded from its `lengths`. Each
    rounding is made good by the next. Only marks and pauses may take no time at all.
    """
    changed = (targets.pace != 1.0) | ~np.isnan(targets.hold)
    wanted = target_lengths(lengths, targets, frame)
    least = np.array([1, *(p not in PUNCTUATION and p not in MODIFIERS for p in phonemes), 1], np.int64)
    found, owed = durations.copy(), 0.0
    for i in np.flatnonzero(changed):
        found[i] = max(least[i], round(wanted[i] + owed))
        owed += wanted[i] - found[i]
    return found


def per_frame(values: np.ndarray, durations: np.ndarray) -> np.ndarray:
    """Spread (L,) values of phonemes over (L,) whole frames, together F → (F,) float32 without steps."""
    steps = np.repeat(values, durations).astype(np.float32)
    if not len(steps) or np.all(steps == steps[0]):
        return steps
    window = np.hanning(2 * SMOOTHING + 3)[1:-1].astype(np.float32)
    return np.convolve(np.pad(steps, SMOOTHING, mode="edge"), window / window.sum(), mode="valid")


def pitch_shift(targets: ProsodyTargets, durations: np.ndarray, melody: np.ndarray) -> np.ndarray | None:
    """Return (F,) float32 semitones to move F0 by, None where it stays.

    `melody` (F,) is the voice's own in semitones, which a question leaves on its way to QUESTION_RISE above
    the median.
    """
    if not targets.moves_pitch:
        return None
    shift = per_frame(targets.pitch, durations)
    if targets.rise is None or not len(shift):
        return shift
    spoken, has_frames = melody[durations[0] : len(melody) - durations[-1]], durations > 0
    median = np.median(spoken if len(spoken) else melody)
    ends = np.cumsum(durations)[has_frames]
    done = np.interp(np.arange(len(shift)) + 0.5, ends, targets.rise[has_frames])
    raised: np.ndarray = shift + done * np.maximum(median + QUESTION_RISE - melody, 0.0)
    return raised.astype(np.float32)


def apply_level(samples: np.ndarray, energy: np.ndarray, hop: int, first: int = 0) -> np.ndarray:
    """Return samples from the `first` one of a sentence on, louder by (F,) `energy` in dB per frame of `hop`.

    What would be cut off at full scale is rounded.
    """
    if not energy.any():
        return samples
    places = (np.arange(first, first + len(samples)) + 0.5) / hop - 0.5
    gain = np.interp(places, np.arange(len(energy)), 10 ** (energy / 20))
    return soft_clip(samples * gain.astype(np.float32))


def soft_clip(samples: np.ndarray) -> np.ndarray:
    """Return samples within ±1: those beyond KNEE approach it smoothly, all others stay as they are."""
    size = np.abs(samples)
    if size.max(initial=0.0) <= KNEE:
        return samples
    rounded = KNEE + (1 - KNEE) * np.tanh((size - KNEE) / (1 - KNEE))
    return np.where(size <= KNEE, samples, np.copysign(rounded, samples)).astype(np.float32)
