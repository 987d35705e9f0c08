"""The speakers of a model of several, as its card describes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from voice.errors import ModelDamaged, ModelMissing
from voice.models.card import read_card

LARGEST = 100.0  # of the numbers on a card
Stats = TypeVar("Stats")


def find_speaker(folder: Path, make: Callable[..., Stats], speaker: str | None = None) -> tuple[int, Stats]:
    """Return a speaker's place in the model's table of embeddings, and what the card says, as `make` has it.

    `speaker` is by default the one that the card names, else the first. Raises ModelMissing, ModelDamaged.
    """
    options = read_card(folder).options
    speakers = _read_speakers(folder, options.get("speakers"), make)
    name = speaker or options.get("speaker") or next(iter(speakers))
    if not isinstance(name, str) or name not in speakers:
        raise ModelMissing(f"{folder} has no speaker {name}; it has {', '.join(speakers)}")
    return list(speakers).index(name), speakers[name]


def check_speaker(stats: Any) -> None:
    """Raise ValueError where the fields of `stats`, its `pace` among them, are not numbers of a speaker."""
    usual = all(isinstance(each, int | float) and abs(each) <= LARGEST for each in vars(stats).values())
    if not usual or not 0.1 <= stats.pace <= 10:
        raise ValueError(f"{stats} is out of range")


def _read_speakers(folder: Path, speakers: Any, make: Callable[..., Stats]) -> Mapping[str, Stats]:
    """Return the speakers of the card, in the order of the table."""
    try:
        found = {name: make(**stats) for name, stats in speakers.items()}
        if not found:
            raise ValueError("nobody speaks")
        return found
    except (AttributeError, TypeError, ValueError) as error:
        problem = "its card does not say how its speakers speak; export it again"
        raise ModelDamaged(f"{folder}: {problem}") from error
