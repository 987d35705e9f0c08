"""Train, dev and test that share no speaker and no sentence, or as little as the data allow.

The choice follows from hashes of speakers and sentences alone, so that neither the order of the rows nor new
rows of other speakers change it. Rows are seen twice and never held: what is kept of each is a few numbers.
"""

from __future__ import annotations

import hashlib
import re
from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, overload

import numpy as np

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


class Keys(Sequence[Key]):
    """Keys in columns, 25 bytes each and every speaker's name once; a key is made when it is asked for."""

    def __init__(self) -> None:
        self._sentences, self._seconds = array("Q"), array("d")
        self._speakers, self._splits = array("q"), array("b")
        self._names: dict[str | None, int] = {}
        self._published: dict[str | None, int] = {}

    def append(self, key: Key) -> None:
        """Add a key at the end."""
        self._sentences.append(key.sentence)
        self._seconds.append(key.seconds)
        self._speakers.append(self._names.setdefault(key.speaker, len(self._names)))
        self._splits.append(self._published.setdefault(key.split, len(self._published)))

    def __len__(self) -> int:
        return len(self._sentences)

    @overload
    def __getitem__(self, number: int) -> Key: ...
    @overload
    def __getitem__(self, number: slice) -> list[Key]: ...
    def __getitem__(self, number: int | slice) -> Key | list[Key]:
        if isinstance(number, slice):
            return [self[each] for each in range(len(self))[number]]
        return self._key(number, list(self._names), list(self._published))

    def __iter__(self) -> Iterator[Key]:
        names, splits = list(self._names), list(self._published)
        return (self._key(number, names, splits) for number in range(len(self)))

    def select(self, numbers: Sequence[int]) -> Keys:
        """Return some of the keys, by their numbers."""
        found, names, splits = Keys(), list(self._names), list(self._published)
        for number in numbers:
            found.append(self._key(number, names, splits))
        return found

    def _key(self, number: int, names: Sequence[str | None], splits: Sequence[str | None]) -> Key:
        speaker, split = names[self._speakers[number]], splits[self._splits[number]]
        return Key(speaker, self._sentences[number], self._seconds[number], split)


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
    free = array("q", (index for index, key in enumerate(keys) if key.split in (None, "train")))
    wanted = [split for split in ("dev", "test") if split not in published]
    if published - {"train"} == published and published and not any(key.split is None for key in keys):
        wanted = []  # only dev or test: nothing to take from
    splits: list[str | None] = [key.split or "train" for key in keys]
    if not wanted or len(free) < 2 or share <= 0:
        return Plan(tuple(splits), "published")
    some = keys.select(free) if isinstance(keys, Keys) else [keys[index] for index in free]
    chosen = _hold_out(some, wanted, apart, share)
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
    owner: dict[int, str] = {}  # of the sentences that are held out: those of train alone need no place
    for key, split in zip(keys, splits, strict=True):
        if split != "train":
            owner[key.sentence] = max(split, owner.get(key.sentence, split), key=SPLITS.index)
    kept: list[str | None] = [
        split if split == owner.get(key.sentence, "train") else None
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
    order = np.unique(np.fromiter((key.sentence for key in keys), np.uint64, len(keys)))
    least = min(FEWEST, round(SMALL * len(order)) or int(len(order) > 2))
    count = min(MOST, max(round(share * len(order)), least))
    held = {
        sentence: split
        for number, split in enumerate(wanted)
        for sentence in order[number * count : (number + 1) * count].tolist()
    }
    return Plan(tuple(held.get(key.sentence, "train") for key in keys), "sentences", remarks)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode(errors="replace")).digest()[:8], "big")
