"""Homographs by a small model: which reading of a word its sentence asks for.

A linear classifier scores each reading of a word on features of the words and parts of speech around it.
Every feature counts once for the reading itself and once for its kind (verb or not, adjective), whose weights
all words share: what stands before a verb is the same for "record" and "permit". The weights lie in one
hashed table of 8-bit numbers, `homographs.npz`, which recipes/homographs trains; its card lies beside it.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

TABLE_BITS = 19  # of the hashed table
WINDOW = 4  # words on each side
SHARED, OWN, TOPIC = 1.0, 0.7, 0.25  # how much a feature counts for a kind, for a reading, and as its topic
NOT_A_VERB, VERB, ADJECTIVE = "not a verb", "verb", "adjective"
_HASH = np.uint32(2654435761)
_EDGE = ("<s>", "</s>")
_DETERMINERS = ("DT", "PRP$", "POS")
_SUBJECTS = ("PRP", "WDT", "WP", "NNS", "NNPS")
_STOPPING = (",", ".", ":", "CC", "IN", "-LRB-", "-RRB-")
_MODALS = frozenset("to will would can could shall should may might must not n't 'll 'd ca wo".split())


@dataclass(frozen=True)
class HomographReading:
    """A reading of a word: its name in the training data, its phonemes, the kinds whose weights it shares."""

    name: str
    phonemes: str
    kinds: tuple[str, ...]


_ANY_VERB, _ANY_OTHER = HomographReading("", "", (VERB,)), HomographReading("", "", (NOT_A_VERB,))


@dataclass(frozen=True)
class FeatureSet:
    """Hashes of features: `context` of the words near a word, `topic` of all words of its sentence."""

    context: np.ndarray
    topic: np.ndarray


@dataclass(frozen=True, eq=False)
class HomographModel:
    """`readings` by word, in small letters, and the table of weights (2 ** TABLE_BITS,) with its `scale`."""

    readings: dict[str, tuple[HomographReading, ...]]
    table: np.ndarray
    scale: float

    def choose(self, words: Sequence[str], tags: Sequence[str], at: int) -> HomographReading | None:
        """Return the likeliest reading of `words[at]`, None for a word that the model does not know."""
        readings = self.readings.get(words[at].lower())
        if readings is None:
            return None
        features = extract_features(words, tags, at)
        return max(readings, key=lambda reading: self._score(reading, features))

    def is_verb(self, words: Sequence[str], tags: Sequence[str], at: int) -> bool:
        """Tell whether `words[at]`, of any word that is a noun and a verb, is the verb here."""
        features = extract_features(words, tags, at)
        return self._score(_ANY_VERB, features) > self._score(_ANY_OTHER, features)

    def _score(self, reading: HomographReading, features: FeatureSet) -> float:
        return sum(
            share * float(self.table[places].sum(dtype=np.int32))
            for places, share in places_of(reading, features)
        )


def places_of(reading: HomographReading, features: FeatureSet) -> list[tuple[np.ndarray, float]]:
    """Return the places in the table of a reading's features, and how much those of each group count."""
    groups = [(_places(features.context, kind), SHARED) for kind in reading.kinds]
    if reading.name:
        groups += [
            (_places(features.context, reading.name), OWN),
            (_places(features.topic, reading.name), TOPIC),
        ]
    return groups


def _places(hashes: np.ndarray, name: str) -> np.ndarray:
    mixed = (hashes ^ np.uint32(zlib.crc32(name.encode()))) * _HASH
    return mixed >> np.uint32(32 - TABLE_BITS)


@lru_cache(maxsize=1)
def open_model() -> HomographModel:
    """Load the model that comes with the package."""
    return read_model(Path(__file__).parent / "homographs.npz")


def read_model(path: Path) -> HomographModel:
    """Read a model that `write_model` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        found: dict[str, tuple[HomographReading, ...]] = {}
        columns = (stored[name].tolist() for name in ("words", "names", "phonemes", "kinds"))
        for word, name, phonemes, kinds in zip(*columns, strict=True):
            kinds = tuple(kind for kind in kinds.split("|") if kind)
            found[word] = (*found.get(word, ()), HomographReading(name, phonemes, kinds))
        return HomographModel(found, stored["table"], float(stored["scale"]))


def write_model(path: Path, model: HomographModel) -> None:
    """Write a model as one file of NumPy."""
    rows = [(word, each) for word, some in sorted(model.readings.items()) for each in some]
    np.savez_compressed(
        path,
        table=model.table,
        scale=np.float32(model.scale),
        words=np.array([word for word, _ in rows]),
        names=np.array([each.name for _, each in rows]),
        phonemes=np.array([each.phonemes for _, each in rows]),
        kinds=np.array(["|".join(each.kinds) for _, each in rows]),
    )


def extract_features(words: Sequence[str], tags: Sequence[str], at: int) -> FeatureSet:
    """Return the hashed features of `words[at]` in its sentence; `tags` are those of the Penn Treebank."""
    small = [word.lower() for word in words]
    topic = [f"d={word}" for i, word in enumerate(small) if i != at and len(word) > 2 and word.isalpha()]
    context = _name_neighbors(small, tags, at) + _name_shape(words[at], at) + [_name_clause(small, tags, at)]
    verbs_before, verbs_after = _has_verb(tags[max(0, at - 8) : at]), _has_verb(tags[at + 1 : at + 8])
    finite = f"finite={verbs_before},{verbs_after}"
    plural = at > 0 and small[at - 1].endswith("s")
    context += [
        finite,
        f"{finite},{tags[at - 1] if at else 'E'}",
        f"{finite},s={plural},{tags[at + 1 : at + 2]}",
    ]
    return FeatureSet(_hash(context), _hash(topic))


def _hash(names: list[str]) -> np.ndarray:
    return np.array(sorted({zlib.crc32(name.encode()) for name in names}), np.uint32)


def _name_shape(word: str, at: int) -> list[str]:
    shape = "upper" if word.isupper() else "capital" if word[0].isupper() else "lower"
    return ["bias", f"shape={shape}", f"shape={shape},first={at == 0}"]


def _name_neighbors(words: list[str], tags: Sequence[str], at: int) -> list[str]:
    """Name the words and tags on both sides, alone and in pairs."""

    def word(offset: int) -> str:
        return words[at + offset] if 0 <= at + offset < len(words) else _EDGE[offset > 0]

    def tag(offset: int) -> str:
        return tags[at + offset] if 0 <= at + offset < len(tags) else "E"

    near = (-2, -1, 1, 2)
    names = [f"w{k}={word(k)}" for k in near] + [f"s{k}={word(k)[-3:]}" for k in near]
    names += [f"t{k}={tag(k)}" for k in range(-3, 4)]
    names += [
        f"{side}={word(k * sign)}" for side, sign in (("l", -1), ("r", 1)) for k in range(1, WINDOW + 1)
    ]
    pairs = [(-2, -1), (-1, 1), (1, 2)]
    names += [f"tt{i}{j}={tag(i)},{tag(j)}" for i, j in [*pairs, (-1, 0), (0, 1)]]
    names += [f"ww{i}{j}={word(i)},{word(j)}" for i, j in pairs]
    names += [f"ttt={tag(-1)},{tag(0)},{tag(1)}", f"before={tag(-3)},{tag(-2)},{tag(-1)}"]
    return [*names, f"tw={tag(-1)},{word(1)}", f"wt={word(-1)},{tag(1)}"]


def _name_clause(words: list[str], tags: Sequence[str], at: int) -> str:
    """Name the nearest word to the left that says what may follow: an article, a modal, a subject, a verb."""
    for k in range(1, WINDOW + 2):
        i = at - k
        if i < 0:
            return "left=edge"
        if tags[i] in _DETERMINERS:
            return "left=determiner"
        if words[i] in _MODALS:
            return "left=modal"
        if tags[i] in _SUBJECTS:
            return f"left=subject{k}"
        if tags[i].startswith("VB"):
            return "left=verb"
        if tags[i] in _STOPPING:
            return f"left={tags[i]}"
    return "left=none"


def _has_verb(tags: Sequence[str]) -> bool:
    return any(tag == "MD" or (tag.startswith("VB") and tag not in ("VBG", "VBN")) for tag in tags)
