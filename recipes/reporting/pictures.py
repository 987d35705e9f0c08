"""Small pictures for a report: the curves of a run, spectrograms, alignments; readable on light and dark.

Axes and texts are of a middle gray and the background is transparent; colors are few, so that a file
is some ten kilobytes.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from voice.audio import resample
from voice.features import VOICE_BANDS, VOICE_HOP, VOICE_RATE, voice_log_mel
from voice.types import Audio

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = 64  # of a file
GRAY = "#808890"
LINES = ("#2f7fd6", "#d9730d", "#2e9e5b", "#a855c8", "#c0392b", "#8a7a00")
DYNAMICS = 8.0  # nats below the loudest point that are drawn
SMOOTHED = 0.02  # of a curve's points: the width of the average that is drawn over them

Curve = Sequence[tuple[int, float]]  # (step, value)
Span = tuple[float, float, str]  # begin and end in seconds, and what is said there


def curves(named: Mapping[str, Curve], title: str = "") -> bytes:
    """Draw curves over the same steps as PNG: each as it is, faintly, and its running average."""
    figure, axes = _figure(7.0, 2.4)
    for (name, points), color in zip(named.items(), _colors(len(named)), strict=True):
        steps, values = _finite(points)
        few = len(steps) < 30
        axes.plot(steps, values, color=color, linewidth=1.6 if few else 0.6, alpha=1.0 if few else 0.35,
                  marker="o" if few else None, markersize=3, label=name if few else None)  # fmt: skip
        if not few:
            axes.plot(steps, _running_mean(values), color=color, linewidth=1.6, label=name)
    axes.set_title(title, fontsize=9, color=GRAY, parse_math=False)
    axes.set_xlabel("step", fontsize=8, color=GRAY)
    axes.grid(color=GRAY, alpha=0.25, linewidth=0.5)
    legend = axes.legend(fontsize=7, frameon=False, labelcolor=GRAY)
    legend.set_in_layout(True)
    return _png(figure)


def spectrogram(heard: Audio, spans: Sequence[Span] = (), title: str = "") -> bytes:
    """Draw a sound's log-mel spectrogram as PNG, with what is said when, words or phonemes, below it."""
    sound = resample(heard, VOICE_RATE)
    mel = voice_log_mel(sound.samples)
    figure, axes = _figure(7.0, 2.0 if spans else 1.7)
    seconds = mel.shape[1] * VOICE_HOP / VOICE_RATE
    axes.imshow(
        mel, origin="lower", aspect="auto", extent=(0, seconds, 0, VOICE_BANDS), vmin=mel.max() - DYNAMICS,
        cmap="magma",
    )  # fmt: skip
    axes.set(yticks=[], xlim=(0, max(seconds, 0.01)), ylim=(0, VOICE_BANDS))
    axes.set_title(title, fontsize=9, color=GRAY, parse_math=False)
    _draw_spans(axes, spans)
    return _png(figure)


def _draw_spans(axes: Axes, spans: Sequence[Span]) -> None:
    """Draw borders over the spectrogram and the texts below it, in two rows that alternate."""
    for number, (begin, end, text) in enumerate(spans):
        axes.axvline(begin, color="white", linewidth=0.6, alpha=0.7)
        axes.axvline(end, color="white", linewidth=0.6, alpha=0.7)
        axes.text(
            (begin + end) / 2, -0.1 - 0.09 * (number % 2), text[:30], fontsize=7, color=GRAY, ha="center",
            va="top", transform=axes.get_xaxis_transform(), clip_on=False, parse_math=False,
        )  # fmt: skip
    if spans:
        axes.tick_params(axis="x", bottom=False, labelbottom=False, top=True, labeltop=True)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.subplots()
    axes.patch.set_alpha(0)
    axes.tick_params(labelsize=7, colors=GRAY)
    for spine in axes.spines.values():
        spine.set_color(GRAY)
    return figure, axes


def _png(figure: Figure) -> bytes:
    """Return the figure with few colors and a background that lets the page's own through."""
    from PIL import Image

    drawn, packed = io.BytesIO(), io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*[Gg]lyph")  # a script that the font lacks
        figure.savefig(drawn, format="png", transparent=True)
    whole = Image.open(drawn).convert("RGBA")
    whole.quantize(COLORS, method=Image.Quantize.FASTOCTREE).save(packed, format="png", optimize=True)
    return packed.getvalue()


def _colors(count: int) -> list[str]:
    return [LINES[number % len(LINES)] for number in range(count)]


def _finite(points: Curve) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps and values (N,) of the points that are numbers."""
    array = np.array(points, float).reshape(-1, 2)
    array = array[np.isfinite(array[:, 1])]
    return array[:, 0], array[:, 1]


def _running_mean(values: np.ndarray) -> np.ndarray:
    """Return the average (N,) of each value with its neighbors."""
    width = max(1, round(len(values) * SMOOTHED))
    padded = np.pad(values, (width, width), mode="edge")
    return np.convolve(padded, np.ones(2 * width + 1) / (2 * width + 1), "valid")
