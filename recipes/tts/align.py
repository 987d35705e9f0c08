"""When each phoneme of a recording is spoken, found without a trained aligner.

A teacher speaks the same phonemes with durations that it knows (heart's to a frame or two). Dynamic time
warping carries its boundaries over to the recording; Gaussian phone models, estimated from that first
guess, then refine it by Viterbi alignment, a few rounds, all recordings of a speaker together
(the classical monophone training of Young et al., The HTK Book, but without a flat start).

Stress and length marks have no time of their own. Spaces and punctuation between two words are
one pause, which may have no frames; its frames belong to the first mark that makes a pause.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numba
import numpy as np

from voice.text.alphabet import BOUNDARY

STRESS = "ˈˌ"
LENGTH = "ː"
PAUSES = ";:,.!?—…"
QUOTES = '"()“”'
SILENT = PAUSES + QUOTES + " " + BOUNDARY
PAUSE = " "  # the phone model of every pause
# A pause between words without punctuation: scored as one, but most are none, so no model learns from it.
GAP = "␣"
CEPSTRA = 14  # with the zeroth
PHONE_STATES = 2  # so that a phone lasts at least 25 ms
PAUSE_STATES = 3  # and a pause 37 ms
ROUNDS = 4
PRIOR_FRAMES = 12.0  # how many frames of the average sound each phone model is mixed with
DYNAMICS = 7.0  # nats below the loudest point, 60 dB, that are heard: a teacher's silence is digital
VARIANCE_FLOOR = 0.05  # of features scaled to variance 1


@dataclass(frozen=True)
class Unit:
    """Tokens that are aligned as one: `phone` names its model, `token` receives its frames."""

    phone: str
    token: int
    optional: bool  # may have no frames


@dataclass(frozen=True, eq=False)
class Spoken:
    """One recording to align, and a first guess."""

    phonemes: str  # with a BOUNDARY at both ends, one token a character
    mel: np.ndarray  # (100, F)
    guess: np.ndarray  # (U,) frames of each unit, together F


@dataclass(frozen=True, eq=False)
class Alignment:
    """`durations` (L,) frames of each token; `score`: mean log-likelihood of a frame."""

    durations: np.ndarray
    score: float


def units(phonemes: str) -> list[Unit]:
    """Return the units of a token string that has a BOUNDARY at both ends."""
    found: list[Unit] = []
    start = 0
    while start < len(phonemes):
        if phonemes[start] in SILENT:
            end = start
            while end < len(phonemes) and phonemes[end] in SILENT:
                end += 1
            found.append(_pause(phonemes, start, end))
            start = end
            continue
        if phonemes[start] not in STRESS + LENGTH:
            found.append(Unit(phonemes[start], start, False))
        start += 1
    return found


def _pause(phonemes: str, start: int, end: int) -> Unit:
    """Tokens start … end, all silent, as one pause."""
    marks = [i for i in range(start, end) if phonemes[i] == BOUNDARY]
    marks += [i for i in range(start, end) if phonemes[i] in PAUSES]
    return Unit(PAUSE, marks[0], True) if marks else Unit(GAP, start, True)


def unit_frames(phonemes: str, durations: np.ndarray) -> np.ndarray:
    """Turn the frames of each token (L,) into those of each unit (U,), none lost.

    Stress goes to the phone after it, length to the one before. The teacher's spaces always take
    a frame or two: without punctuation, that much is shared out to the neighbors, for it is no pause.
    """
    owners = _owners(phonemes)
    frames = np.bincount(owners, weights=durations, minlength=owners[-1] + 1).astype(np.int64)
    for index, unit in enumerate(units(phonemes)):
        if unit.phone == GAP and frames[index] < PAUSE_STATES:
            before = frames[index] // 2
            frames[index - 1] += before
            frames[index + 1] += frames[index] - before
            frames[index] = 0
    return frames


def _owners(phonemes: str) -> np.ndarray:
    """(L,) index of the unit that each token's frames belong to."""
    owners = np.empty(len(phonemes), np.int64)
    unit = -1
    for i, symbol in enumerate(phonemes):
        silent = symbol in SILENT
        if symbol in LENGTH:
            owners[i] = max(unit, 0)
            continue
        starts = not silent or i == 0 or phonemes[i - 1] not in SILENT
        stressed = i > 0 and phonemes[i - 1] in STRESS and not silent
        unit += starts and not stressed
        owners[i] = unit
    return owners


def spread(phonemes: str, frames: np.ndarray) -> np.ndarray:
    """(U,) frames of each unit → (L,) frames of each token."""
    durations = np.zeros(len(phonemes), np.int64)
    for unit, count in zip(units(phonemes), frames, strict=True):
        durations[unit.token] = count
    return durations


def cepstra(mel: np.ndarray) -> np.ndarray:
    """(100, F) log-mel → (F, 28) mel cepstra and their slopes, mean 0 and variance 1 over the clip."""
    import librosa
    from scipy.fft import dct

    audible = np.maximum(mel, mel.max() - DYNAMICS).T
    base = dct(audible, norm="ortho")[:, :CEPSTRA]
    slopes = librosa.feature.delta(base, width=5, axis=0, mode="nearest")
    both = np.concatenate([base, slopes], axis=1)
    return ((both - both.mean(0)) / (both.std(0) + 1e-3)).astype(np.float32)


def first_guess(
    phonemes: str, mel: np.ndarray, teacher_durations: np.ndarray, teacher_mel: np.ndarray
) -> np.ndarray:
    """Frames (U,) of the units in `mel` (100, F), warped from a teacher's (L,) durations of the tokens."""
    import librosa

    frames = unit_frames(phonemes, teacher_durations)
    _, path = librosa.sequence.dtw(cepstra(teacher_mel).T, cepstra(mel).T, metric="euclidean")
    path = path[::-1]  # (steps, 2): frame of the teacher, frame of the recording
    where = np.searchsorted(path[:, 0], np.cumsum(frames)[:-1])
    inner = path[np.minimum(where, len(path) - 1), 1]
    return np.diff(np.concatenate([[0], inner, [mel.shape[1]]]))


@dataclass(frozen=True, eq=False)
class PhoneModels:
    """A diagonal Gaussian for each state of each phone."""

    rows: dict[tuple[str, int], int]  # (phone, state) → row
    means: np.ndarray  # (S, D)
    variances: np.ndarray  # (S, D)

    def scores(self, features: np.ndarray, states: Sequence[tuple[str, int]]) -> np.ndarray:
        """(F, D) → (F, len(states)) log-likelihoods."""
        rows = [self.rows[state] for state in states]
        means, weights = self.means[rows], 1.0 / self.variances[rows]
        constant = -0.5 * (np.log(2 * np.pi * self.variances[rows]).sum(1) + (means**2 * weights).sum(1))
        return constant - 0.5 * (features**2 @ weights.T) + features @ (means * weights).T


def estimate(features: Sequence[np.ndarray], labels: Sequence[list[tuple[str, int]]]) -> PhoneModels:
    """Models from features (F, D) and the state of each of their frames."""
    names = sorted({state for clip in labels for state in clip})
    rows = {name: row for row, name in enumerate(names)}
    index = np.array([rows[state] for clip in labels for state in clip])
    every = np.concatenate(features).astype(np.float64)
    counts = np.bincount(index, minlength=len(names))[:, None] + PRIOR_FRAMES
    first = np.zeros((len(names), every.shape[1]))
    second = np.zeros_like(first)
    np.add.at(first, index, every)
    np.add.at(second, index, every**2)
    means = (first + PRIOR_FRAMES * every.mean(0)) / counts
    variances = (second + PRIOR_FRAMES * (every**2).mean(0)) / counts - means**2
    return PhoneModels(rows, means, np.maximum(variances, VARIANCE_FLOOR))


def states_of(unit: Unit) -> list[tuple[str, int]]:
    """Return a unit's states: a phone's beginning and end have models of their own, a pause has one."""
    if unit.phone in (PAUSE, GAP):
        return [(unit.phone, 0)] * PAUSE_STATES
    return [(unit.phone, state) for state in range(PHONE_STATES)]


def frame_states(spoken_units: Sequence[Unit], frames: np.ndarray) -> list[tuple[str, int]]:
    """Return the state of each frame, where each unit's frames are shared out evenly to its states."""
    labels: list[tuple[str, int]] = []
    for unit, count in zip(spoken_units, frames, strict=True):
        states = states_of(unit)
        labels += [states[min(k * len(states) // max(count, 1), len(states) - 1)] for k in range(count)]
    return labels


def viterbi(scores: np.ndarray, owners: np.ndarray, optional: np.ndarray) -> tuple[np.ndarray, float]:
    """Find the best way through the states, each visited at least once except in optional units.

    scores: (F, S) log-likelihoods; owners: (S,) the unit of each state; optional: (U,) of each unit.
    Returns the frames (U,) of each unit, and the mean score of a frame. Where there are fewer
    frames than states the frames are shared out evenly and the score is -inf.
    """
    first = int(np.searchsorted(owners, 1)) if optional[0] else 0
    best, came = _forward(scores.astype(np.float64), _skips(owners, optional), first)
    return _trace_back(best, came, owners, optional)


@numba.njit
def _forward(scores: np.ndarray, skips: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Score (S,) of the best way to each state at the end, and the state (F, S) that each came from.

    A way starts in state 0 or `first`, and stays, goes on by one, or from skips[s] to s.
    """
    count, states = scores.shape
    best = np.full(states, -np.inf)
    best[0], best[first] = scores[0, 0], scores[0, first]
    came = np.zeros((count, states), np.int32)
    for t in range(1, count):
        for s in range(states - 1, -1, -1):  # downwards, so that best[:s] is still that of t - 1
            where, value = s, best[s]
            if s > 0 and best[s - 1] > value:
                where, value = s - 1, best[s - 1]
            if skips[s] >= 0 and best[skips[s]] > value:
                where, value = skips[s], best[skips[s]]
            best[s] = value + scores[t, s]
            came[t, s] = where
    return best, came


def _skips(owners: np.ndarray, optional: np.ndarray) -> np.ndarray:
    """(S,) the state from which each state may be reached past an optional unit, or -1."""
    firsts = np.searchsorted(owners, np.arange(len(optional)))
    skips = np.full(len(owners), -1)
    for unit in range(2, len(optional)):
        if optional[unit - 1]:
            skips[firsts[unit]] = firsts[unit - 1] - 1
    return skips


def _trace_back(
    best: np.ndarray, came: np.ndarray, owners: np.ndarray, optional: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return the frames of each unit (U,) on the best path, and the score of a frame."""
    count, units_ = len(came), len(optional)
    last = [len(owners) - 1]
    if optional[-1]:
        last.append(int(np.searchsorted(owners, units_ - 1)) - 1)
    state = max(last, key=lambda s: best[s])
    score = float(best[state]) / count
    if not np.isfinite(score):
        return np.diff(np.round(np.linspace(0, count, units_ + 1)).astype(np.int64)), -np.inf
    frames = np.zeros(units_, np.int64)
    for t in range(count - 1, -1, -1):
        frames[owners[state]] += 1
        state = came[t, state] if t else state
    return frames, score


def align(clips: Iterable[Spoken], rounds: int = ROUNDS) -> list[Alignment]:
    """Align recordings of one speaker; the more there are, the better the phone models.

    Of their spectra 32 MB an hour are held, so that `clips` may be read from a file one by one.
    """
    *_, last = refinements(clips, rounds)
    return last


def refinements(clips: Iterable[Spoken], rounds: int = ROUNDS) -> Iterator[list[Alignment]]:
    """Yield the first guess (score 0), then the alignments of each round."""
    features, texts, frames = [], [], []
    for clip in clips:
        features.append(cepstra(clip.mel))
        texts.append(clip.phonemes)
        frames.append(clip.guess)
    plans = [units(text) for text in texts]
    yield [Alignment(spread(text, f), 0.0) for text, f in zip(texts, frames, strict=True)]
    for _ in range(rounds):
        models = estimate(features, [frame_states(p, f) for p, f in zip(plans, frames, strict=True)])
        found = [_best(models, plan, own) for plan, own in zip(plans, features, strict=True)]
        frames = [f for f, _ in found]
        yield [Alignment(spread(text, f), score) for text, (f, score) in zip(texts, found, strict=True)]


def _best(models: PhoneModels, plan: list[Unit], features: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the frames of each unit of `plan` (U,) by Viterbi's algorithm, and the score of a frame."""
    states = [state for unit in plan for state in states_of(unit)]
    known = [state if state in models.rows and state[0] != GAP else (PAUSE, 0) for state in states]
    owners = np.repeat(np.arange(len(plan)), [len(states_of(unit)) for unit in plan])
    optional = np.array([unit.optional for unit in plan])
    return viterbi(models.scores(features, known), owners, optional)
