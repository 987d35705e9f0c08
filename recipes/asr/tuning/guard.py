"""Whether a tuned recognizer is better on its set and no worse on general speech, and how much of it to take.

The learned additions are scaled between nothing (the base) and all of them (Wortsman et al. 2022, "Robust
fine-tuning of zero-shot models"); what is best on dev while general speech holds is taken, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from voice.metrics import Score, interval, total, word_errors

SCALES = (1.0, 0.75, 0.5, 0.25)  # of what was learned
ALLOWED = 0.003  # of the words of general speech: errors that may be added, as so few are chance
LIKELY = 0.8  # probability that dev utterances drawn anew show a gain; below it there is none
DRAWS = 2000


@dataclass(frozen=True)
class Reading:
    """What a recognizer says of dev utterances: references, hypotheses, and errors utterance by utterance."""

    references: tuple[str, ...]
    hypotheses: tuple[str, ...]
    scores: tuple[Score, ...]

    @classmethod
    def of(cls, references: Sequence[str], hypotheses: Sequence[str], language: str) -> Reading:
        """Score hypotheses against references as their language wants it."""
        pairs = zip(references, hypotheses, strict=True)
        scores = tuple(word_errors(reference, text, language) for reference, text in pairs)
        return cls(tuple(references), tuple(hypotheses), scores)

    @property
    def rate(self) -> float:
        """Return the errors per word."""
        return total(self.scores).rate

    def describe(self) -> str:
        """Return the word error rate with its 95 % interval."""
        low, high = interval(self.scores)
        return f"{100 * self.rate:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


@dataclass(frozen=True)
class Candidate:
    """A share of what was learned, read on the set's dev utterances and on general speech (None: none)."""

    scale: float
    own: Reading
    general: Reading | None


@dataclass(frozen=True)
class Verdict:
    """The `base`, all candidates, those that may be taken, best first, and why they or why none."""

    base: Candidate
    candidates: tuple[Candidate, ...]
    eligible: tuple[Candidate, ...]
    reason: str

    @property
    def best(self) -> Candidate | None:
        """Return the best one; None where nothing was gained."""
        return self.eligible[0] if self.eligible else None


def judge(base: Candidate, read: Callable[[float], Candidate], scales: Sequence[float] = SCALES) -> Verdict:
    """Return which shares of what was learned may be taken; `read` scores the recognizer with one of them."""
    candidates = tuple(read(scale) for scale in scales)
    safe = [each for each in candidates if is_safe(base, each)]
    better = [each for each in safe if each.own.rate < base.own.rate]
    if not better:
        return Verdict(base, candidates, (), _why_not(base, candidates, safe))
    better.sort(key=lambda each: (each.own.rate, each.scale))
    likely = [probability_of_gain(base.own.scores, each.own.scores) for each in better]
    eligible = tuple(each for each, chance in zip(better, likely, strict=True) if chance >= LIKELY)
    if not eligible:
        reason = (
            f"{better[0].own.describe()} after {base.own.describe()} on {len(base.own.scores)} dev "
            f"utterances is within chance ({100 * likely[0]:.0f} % likely to be a gain); more dev recordings "
            "would tell"
        )
        return Verdict(base, candidates, (), reason)
    sure = likely[better.index(eligible[0])]
    return Verdict(base, candidates, eligible, f"{100 * sure:.0f} % likely to be a gain on such recordings")


def is_safe(base: Candidate, other: Candidate) -> bool:
    """Tell whether general speech is recognized as well as before, but for chance.

    An utterance counts as wrong once at most: the 200 words of one loop would hide all others.
    """
    if base.general is None or other.general is None:
        return True
    before, after = (_bounded_errors(each.scores) for each in (base.general, other.general))
    words = total(base.general.scores).words
    return after <= before + max(1, round(ALLOWED * words))


def _bounded_errors(scores: Sequence[Score]) -> int:
    """Return the errors of utterances, at most as many in each as it has words."""
    return sum(min(score.errors, score.words) for score in scores)


def probability_of_gain(before: Sequence[Score], after: Sequence[Score], *, seed: int = 0) -> float:
    """Return how often utterances drawn anew have fewer errors after than before (Bisani and Ney 2004)."""
    gains = np.array([b.errors - a.errors for b, a in zip(before, after, strict=True)])
    picks = np.random.default_rng(seed).integers(len(gains), size=(DRAWS, len(gains)))
    return float((gains[picks].sum(1) > 0).mean())


def differences(reading: Reading, count: int = 10) -> list[tuple[str, str]]:
    """Return references and hypotheses of the utterances with the most errors per word, worst first."""
    order = sorted(range(len(reading.scores)), key=lambda i: -reading.scores[i].rate)
    wrong = [index for index in order if reading.scores[index].errors]
    return [(reading.references[index], reading.hypotheses[index]) for index in wrong[:count]]


def _why_not(base: Candidate, candidates: Sequence[Candidate], safe: Sequence[Candidate]) -> str:
    """Return why no candidate is taken."""
    if not safe and base.general is not None:
        mildest = min(candidates, key=lambda each: each.scale)
        after = mildest.general.describe() if mildest.general else ""
        return f"general speech got worse, from {base.general.describe()} to {after}"
    best = min(safe, key=lambda each: each.own.rate)
    return f"dev has {best.own.describe()} word errors, {base.own.describe()} before"
