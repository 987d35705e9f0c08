"""How the scores on a model's card were measured: by what, on which sets, so that they can be measured again.

[evaluation]
by = "recipes.asr.evaluate"
sets = { "librispeech test" = "e3b0…" }   # sha256 of the manifest; ":20" after it takes 20 of its clips
limit = 12                                # and whatever else decides the scores

A card goes to strangers, so that sets are known by what is in them and never by a path of this machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voice.errors import VoiceError
from voice.models.card import Card, sha256

SUFFIXES = (".jsonl", ".txt")  # of manifests, and of files with a sentence a line
DEEPEST = 3  # folders below a place where sets are looked for


@dataclass(frozen=True)
class Evaluation:
    """By which module a model was evaluated, on which sets (title → fingerprint), with which options."""

    by: str
    sets: Mapping[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def on(
        cls, by: str, sets: Mapping[str, str | Path], options: Mapping[str, Any] | None = None
    ) -> Evaluation:
        """Return an evaluation on files: title → manifest, `PATH:N`, or text file."""
        return cls(by, {title: fingerprint(str(path)) for title, path in sets.items()}, options or {})

    @classmethod
    def read(cls, card: Card) -> Evaluation:
        """Return what a card says. Raises VoiceError where it does not say how its scores were measured."""
        row = dict(card.evaluation)
        by, sets = row.pop("by", None), row.pop("sets", None)
        if not isinstance(by, str) or not isinstance(sets, Mapping) or not sets:
            raise VoiceError(
                f"the card of {card.name} does not say how its scores were measured: it has no table "
                "[evaluation] with `by` and `sets`, as exports write it"
            )
        return cls(by, {title: str(given) for title, given in sets.items()}, row)

    def table(self) -> dict[str, Any]:
        """Return it as the card's table `evaluation`."""
        return {"by": self.by, "sets": dict(self.sets), **self.options}


@dataclass(frozen=True)
class Measured:
    """What a card has of an evaluation: the tables `scores` and `evaluation`, both empty without one."""

    scores: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)


def measured_in(
    by: str, rows: Sequence[Mapping[str, Any]], title: str, scores: Mapping[str, Any],
    options: Mapping[str, Any] | None = None,
) -> Measured:  # fmt: skip
    """Return what a card has of rows of an evaluate.py's table; `by` is the module, `scores` what they say.

    `title` is the column of the sets' names; the column "data" has their fingerprints.
    """
    if not rows:
        return Measured()
    sets = {row[title]: row["data"] for row in rows if row.get("data")}
    return Measured(scores, Evaluation(by, sets, options or {}).table() if sets else {})


def split_selection(given: str) -> tuple[str, str]:
    """Return the path and the number of `PATH:N`; "" for the number of a path alone."""
    path, _, count = given.rpartition(":")
    return (path, count) if path and count.lstrip("-").isdigit() else (given, "")


def fingerprint(given: str) -> str:
    """Return what tells a set from all others: the sha256 of its file, with the `:N` of `PATH:N`."""
    path, count = split_selection(given)
    return sha256(Path(path)) + (f":{count}" if count else "")


def find_sets(wanted: Mapping[str, str], places: Iterable[Path]) -> dict[str, str]:
    """Return title → `PATH[:N]` of those sets whose files lie in `places`, which are files or folders."""
    missing = {title: split_selection(given) for title, given in wanted.items()}
    found: dict[str, str] = {}
    for path in _files(places):
        if not missing:
            break
        digest = sha256(path)
        for title in [title for title, (given, _) in missing.items() if given == digest]:
            count = missing.pop(title)[1]
            found[title] = f"{path}:{count}" if count else str(path)
    return {title: found[title] for title in wanted if title in found}


def _files(places: Iterable[Path]) -> Iterator[Path]:
    """Yield the files that may be sets, nearest first."""
    for place in places:
        if place.is_file():
            yield place
        for depth in range(1, DEEPEST + 1):
            for path in sorted(place.glob("/".join("*" * depth))) if place.is_dir() else ():
                if path.suffix in SUFFIXES and path.is_file():
                    yield path
