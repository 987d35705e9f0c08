"""Train, dev and test that share no speaker and no sentence, or as little as the data allow.

The choice follows from hashes of speakers and sentences alone, so that neither the order of the rows nor new
rows of other speakers change it. Rows are seen twice and never held: what is kept of each is a few numbers.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Apart = Literal["auto", "both", "speakers", "sentences"]
SPLITS = ("train", "dev", "test")
SHARE = 0.05  # of the sentences or seconds for dev, and as much for test
FEWEST, MOST = 20, 100  # sentences held out, where that is no more than …
SMALL = 0.1  # … this share of a small corpus
SPEAKERS = 10  # from which on whole speakers can be held out
LOSS = 0.1  # share of the rows that may be left out to keep both apart
_MARKS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Key:
    """What decides the split of a row: who speaks (None is unknown), a hash of the sentence, its seconds."""

    speaker: str | None
    sentence: int
    seconds: float
    split: str | None = None  # published


@dataclass(frozen=True)
class Plan:
    """The split of each row by its number, None for one that is left out, and what the person should know."""

    splits: tuple[str | None, ...]
    apart: Literal["both", "speakers", "sentences", "published"]
    remarks: tuple[str, ...] = field(default=())

    @property
    def left_out(self) -> int:
        """Return how many rows are in no split."""
        return sum(split is None for split in self.splits)


def sentence_key(text: str | None, name: str) -> int:
    """Return the hash of a sentence, case and punctuation ignored; of a row's name if it has no text."""
    plain = " ".join(_MARKS.sub(" ", (text or "").casefold()).split()) or f"\0{name}"
    return _hash(plain)


def plan_splits(keys: Sequence[Key], apart: Apart = "auto", share: float = SHARE) -> Plan:
    """Decide the split of each row.

    Published splits are kept; what they lack is held out from their train.
    """
    published = {key.split for key in keys} - {None}
    free = [index for index, key in enumerate(keys) if key.split in (None, "train")]
    wanted = [split for split in ("dev", "test") if split not in published]
    if published - {"train"} == published and published and not any(key.split is None for key in keys):
        wanted = []  # only dev or test: nothing to take from
    splits: list[str | None] = [key.split or "train" for key in keys]
    if not wanted or len(free) < 2:
        return Plan(tuple(splits), "published")
    chosen = _hold_out([keys[index] for index in free], wanted, apart, share)
    for index, split in zip(free, chosen.splits, strict=True):
        splits[index] = split
    return Plan(tuple(splits), chosen.apart, chosen.remarks)


def _hold_out(keys: Sequence[Key], wanted: Sequence[str], apart: Apart, share: float) -> Plan:
    """Return the splits of rows without any: by speakers if there are enough, else by sentences."""
    speakers = {key.speaker for key in keys if key.speaker is not None}
    unknown = sum(key.speaker is None for key in keys)
    few = f"of {len(speakers)} too few can be held out" if speakers else "nobody tells who speaks"
    if apart == "sentences":
        return _by_sentence(keys, wanted, share, ())
    if apart == "auto" and (len(speakers) < SPEAKERS or unknown > LOSS * len(keys)):
        if unknown and speakers:
            few = f"{unknown} rows do not tell who speaks"
        remark = f"splits share no sentence, but speakers: {few}"
        return _by_sentence(keys, wanted, share, (remark,))
    held = _held_out_speakers(keys, wanted, share)
    splits = [held.get(key.speaker or "", "train") for key in keys]
    if apart == "speakers":
        return Plan(tuple(splits), "speakers", ("splits share no speaker, as was asked for",))
    return _without_shared_sentences(keys, splits, wanted, apart, share)


def _without_shared_sentences(
    keys: Sequence[Key], splits: Sequence[str], wanted: Sequence[str], apart: Apart, share: float
) -> Plan:
    """Leave out the rows of train whose sentence is held out, unless that would cost too many."""
    where: dict[int, set[str]] = defaultdict(set)
    for key, split in zip(keys, splits, strict=True):
        where[key.sentence].add(split)
    kept: list[str | None] = [
        split if split == _owner(where[key.sentence]) else None
        for key, split in zip(keys, splits, strict=True)
    ]
    lost = sum(split is None for split in kept)
    if apart == "auto" and lost > LOSS * len(keys):
        remark = (
            f"splits share no sentence, but speakers: {lost} of {len(keys)} rows would have to be left out "
            "to keep both apart, because many speakers say the same; --apart decides otherwise"
        )
        return _by_sentence(keys, wanted, share, (remark,))
    remarks = (f"{lost} rows are left out, because their sentence is in another split",) * bool(lost)
    return Plan(tuple(kept), "both", remarks)


def _owner(splits: set[str]) -> str:
    """Return the split that keeps a sentence which is in several: test before dev before train."""
    return next(split for split in reversed(SPLITS) if split in splits)


def _held_out_speakers(keys: Sequence[Key], wanted: Sequence[str], share: float) -> dict[str, str]:
    """Return {speaker: split} of speakers in the order of their hashes, until enough is held out."""
    seconds: dict[str, float] = defaultdict(float)
    for key in keys:
        seconds[key.speaker or ""] += max(key.seconds, 1e-3)
    order = sorted((name for name in seconds if name), key=lambda name: (_hash(name), name))
    held: dict[str, str] = {}
    goal, place = share * sum(seconds.values()), 0
    for split in wanted:
        got = 0.0
        while got < goal and place < len(order) - 1:
            if got == 0.0 or got + seconds[order[place]] <= 2 * goal:
                held[order[place]] = split
                got += seconds[order[place]]
            place += 1
    return held


def _by_sentence(keys: Sequence[Key], wanted: Sequence[str], share: float, remarks: tuple[str, ...]) -> Plan:
    """Hold out sentences, whoever says them."""
    order = sorted({key.sentence for key in keys})
    least = min(FEWEST, round(SMALL * len(order)) or int(len(order) > 2))
    count = min(MOST, max(round(share * len(order)), least))
    held = {
        sentence: split
        for number, split in enumerate(wanted)
        for sentence in order[number * count : (number + 1) * count]
    }
    return Plan(tuple(held.get(key.sentence, "train") for key in keys), "sentences", remarks)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode(errors="replace")).digest()[:8], "big")
