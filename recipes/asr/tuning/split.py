"""Which recordings of a set are held out to choose on: a larger share of a small set, other speakers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from voice.errors import ManifestError
from voice.manifest import Clip
from voice.metrics import normalize

SHARES = ((600.0, 0.25), (3600.0, 0.12), (36_000.0, 0.05))  # of sets of up to so many seconds
LONGEST = 900.0  # seconds that are held out at most
FEWEST = 8  # recordings of a set; with fewer there is nothing to choose on
SPEAKERS = 5  # from so many on, speakers are held out whole


def split_set(clips: Sequence[Clip]) -> tuple[list[Clip], list[Clip]]:
    """Return what to learn from and what to choose on; the same clips are always held out.

    Raises ManifestError where the set is too small to be split.
    """
    if len(clips) < FEWEST:
        raise ManifestError(
            f"{len(clips)} recordings are too few to learn from and to check on; {FEWEST} are the least, "
            "and some minutes are better"
        )
    speakers = {clip.speaker for clip in clips if clip.speaker}
    group: Callable[[Clip], str] = _speaker if len(speakers) >= SPEAKERS else _sentence
    seconds: dict[str, float] = {}
    for clip in clips:
        seconds[group(clip)] = seconds.get(group(clip), 0.0) + clip.duration
    wanted, held_out = _seconds_to_hold_out(sum(seconds.values())), set[str]()
    for name in sorted(seconds, key=_order):
        if seconds[name] <= wanted or not held_out:
            held_out.add(name)
            wanted -= seconds[name]
        if wanted <= 0 or len(held_out) >= len(seconds) // 2:
            break
    dev = [clip for clip in clips if group(clip) in held_out]
    sentences = {_sentence(clip) for clip in dev}
    train = [clip for clip in clips if group(clip) not in held_out]
    others = [clip for clip in train if _sentence(clip) not in sentences]
    if not train or not dev:
        raise ManifestError("all recordings say the same; give --dev a list of others to choose on")
    # Where everybody reads the same sentences, other speakers have to do.
    return (others if len(others) >= len(train) / 2 else train), dev


def _seconds_to_hold_out(total: float) -> float:
    """Return how many seconds are to be held out of so many."""
    share = next((share for most, share in SHARES if total <= most), SHARES[-1][1])
    return min(LONGEST, share * total)


def _speaker(clip: Clip) -> str:
    """Return the speaker of a clip; one that is not known counts as a speaker of its own."""
    return clip.speaker or f"unknown {clip.id}"


def _sentence(clip: Clip) -> str:
    """Return what is said in a clip, normalized."""
    return normalize(clip.text or clip.id, clip.language or "en")


def _order(name: str) -> bytes:
    """Return what sorts names at random, always in the same way."""
    return hashlib.sha256(name.encode()).digest()
