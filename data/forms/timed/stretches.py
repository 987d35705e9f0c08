"""Stretches of a recording that a file beside it gives times to; short ones are joined to utterances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from data.rows import Fault
from voice.text.sentences import ends_sentence

LONGEST = 20.0  # seconds that joined stretches have together at most
GAP = 0.6  # seconds of silence over which stretches are joined
MARGIN = 0.2  # seconds around a cue: those of subtitles begin late and end early as often as not


@dataclass(frozen=True)
class Stretch:
    """From `start` to `end` seconds somebody says `text`."""

    start: float
    end: float
    text: str
    speaker: str | None = None


@dataclass(frozen=True)
class Beside:
    """What a file beside a recording says: `stretches`, and what of it could not be used."""

    stretches: tuple[Stretch, ...]
    faults: tuple[Fault, ...] = ()


def check_stretches(path: Path, found: Iterable[Stretch]) -> Beside:
    """Return the stretches that have a length and a text, in the order of time; faults of the others."""
    good, bad = [], []
    for each in found:
        where = f"{path.name} at {each.start:.2f} s"
        if not each.end > each.start >= 0:
            bad.append(Fault(where, f"it ends at {each.end:.2f} s, before it begins", "times are wrong"))
        elif not each.text.strip():
            bad.append(Fault(where, "nothing is said there", "no speech in a cue"))
        else:
            good.append(each)
    return Beside(tuple(sorted(good, key=lambda each: each.start)), tuple(bad))


def join(stretches: Iterable[Stretch], longest: float = LONGEST, gap: float = GAP) -> Iterator[Stretch]:
    """Yield stretches joined to whole sentences.

    The same speaker, short pauses, `longest` seconds at most.
    """
    held: Stretch | None = None
    for each in stretches:
        if held is None:
            held = each
        elif _belong_together(held, each, longest, gap):
            held = replace(held, end=max(held.end, each.end), text=f"{held.text} {each.text}")
        else:
            yield held
            held = each
    if held is not None:
        yield held


def _belong_together(before: Stretch, after: Stretch, longest: float, gap: float) -> bool:
    fits = after.end - before.start <= longest and after.start - before.end <= gap
    return fits and before.speaker == after.speaker and not ends_sentence(before.text, after.text)


def with_margins(stretches: Iterable[Stretch], margin: float = MARGIN) -> Iterator[Stretch]:
    """Yield stretches that reach `margin` seconds further, at most to the middle of the pause beside them."""
    found = list(stretches)
    for before, each, after in zip([None, *found], found, [*found[1:], None], strict=False):
        left = each.start if before is None else max(0.0, (each.start - before.end) / 2)
        right = margin if after is None else max(0.0, (after.start - each.end) / 2)
        yield replace(each, start=max(0.0, each.start - min(margin, left)), end=each.end + min(margin, right))
