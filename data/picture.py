"""The statistics of a data set as one picture of six panels, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from data.statistics import ENGLISH_PHONES, Statistics
from voice.errors import VoiceError
from voice.places import check_place

_BINS = 40
_SHOWN = 40  # bars at most


def draw(found: Statistics, path: Path, title: str) -> None:
    """Write the picture to `path` (.png, .svg, .pdf). Raises VoiceError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise VoiceError("a picture wants matplotlib; install it: pip install 'voice[train]'") from error
    check_place(path)
    figure = Figure(figsize=(14, 8), layout="constrained")
    figure.suptitle(f"{title}: {found.rows:,} recordings, {found.hours:.2f} hours")
    panels: list[tuple[str, str, Callable[[Any], None]]] = [
        ("Durations", "seconds", lambda axes: axes.hist(found.durations, _BINS)),
        ("Speakers", "minutes", lambda axes: _bars(axes, _minutes(found))),
        ("Levels (dark) and noise (light)", "dB below full scale", lambda axes: _levels(axes, found)),
        ("Above noise", "dB", lambda axes: axes.hist([each.snr for each in found.facts], _BINS)),
        ("Bandwidth", "kHz", lambda axes: axes.hist([each.bandwidth / 1000 for each in found.facts], _BINS)),
        _sounds(found),
    ]
    for axes, (name, unit, fill) in zip(figure.subplots(2, 3).flat, panels, strict=True):
        fill(axes)
        axes.set_title(name)
        axes.set_xlabel(unit)
    try:
        figure.savefig(path, dpi=110)
    except ValueError as error:
        raise VoiceError(f"{path} cannot be drawn ({error}); name a file that ends in .png") from error


def _sounds(found: Statistics) -> tuple[str, str, Callable[[Any], None]]:
    """Return the panel of phonemes, or of letters where there are none."""
    if found.phones:
        counts = {phone: found.phones.get(phone, 0) for phone in ENGLISH_PHONES}
        return "English phonemes", "in the sample", lambda axes: _bars(axes, counts, upright=True)
    return "Letters", "", lambda axes: _bars(axes, found.letters, upright=True)


def _minutes(found: Statistics) -> Mapping[str, float]:
    return {speaker or "unknown": seconds / 60 for speaker, seconds in found.speakers.items()}


def _bars(axes: Any, counts: Mapping[str, float], *, upright: bool = False) -> None:
    names: Sequence[str] = list(counts)[: _SHOWN + 10 * upright]
    values = [counts[name] for name in names]
    if upright:
        axes.bar(range(len(names)), values)
        axes.set_xticks(range(len(names)), names, fontsize=7)
        axes.set_yscale("symlog")
    else:
        axes.barh(range(len(names)), values)
        axes.set_yticks(range(len(names)), [_printable(name) for name in names], fontsize=6)
        axes.invert_yaxis()


def _printable(name: str) -> str:
    """Return the name of a speaker in which nothing is a formula of matplotlib's."""
    return name[:20].replace("$", r"\$")


def _levels(axes: Any, found: Statistics) -> None:
    axes.hist([each.level for each in found.facts], _BINS, color="#1f4e79")
    axes.hist([each.noise for each in found.facts], _BINS, color="#9dc3e6", alpha=0.7)
