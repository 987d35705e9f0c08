"""How a vocoder copies each of some recordings, and the parts of a report that show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recipes.reporting import report
from recipes.reporting.intervals import Mean, mean_interval
from recipes.reporting.pictures import spectrogram
from recipes.vocoder import scores
from voice import audio, pitch
from voice.features import VOICE_HOP, VOICE_RATE, voice_log_mel
from voice.manifest import Clip, read_manifest
from voice.models.lookup import find_stored
from voice.tts.vocoder import Vocoder
from voice.types import Audio

SHOWN = 10  # copies in a report: the worst
Vocode = Callable[[np.ndarray, np.ndarray], np.ndarray]  # mel (100, F) and F0 (F,) → samples (T,)


@dataclass(frozen=True)
class Copy:
    """Scores of one copied recording by one system; PESQ-WB is NaN where it cannot be had."""

    id: str
    system: str
    pesq: float
    stoi: float
    mel_l1: float


METRICS = {"PESQ-WB": ("pesq", ".2f"), "STOI": ("stoi", ".3f"), "log-mel L1": ("mel_l1", ".3f")}


def read_recording(clip: Clip) -> np.ndarray:
    """Return a recording's samples (T,) at 24 kHz, cut to whole frames."""
    samples = audio.read(clip.audio, VOICE_RATE).samples
    return samples[: len(samples) // VOICE_HOP * VOICE_HOP]


def copy_synthesis(real: np.ndarray, system: Vocode) -> np.ndarray:
    """Return what a vocoder makes of the mel and the pitch of a recording."""
    return system(voice_log_mel(real), pitch.f0(real, VOICE_RATE, VOICE_HOP))


def score(clip: Clip, name: str, system: Vocode) -> Copy:
    """Return the scores of one recording, as a system copies it."""
    real = read_recording(clip)
    made = copy_synthesis(real, system)
    quality = scores.pesq_wideband(real, made), scores.stoi(real, made)
    return Copy(clip.id, name, *quality, scores.mel_distance(real, made))


def table(copies: Sequence[Copy]) -> report.Table:
    """Return the means of each system, with their 95 % intervals."""
    systems = list(dict.fromkeys(copy.system for copy in copies))
    rows = []
    for system in systems:
        found = [(_mean(copies, system, field), form) for field, form in METRICS.values()]
        cells = (report.with_interval(mean.value, mean.low, mean.high, form) for mean, form in found)
        rows.append((system, *cells))
    note = "Mean and 95 % interval over the test recordings, copied from their own mel and pitch."
    return report.Table(("vocoder", *METRICS), rows, note)


def _mean(copies: Sequence[Copy], system: str, field: str) -> Mean:
    return mean_interval([getattr(copy, field) for copy in copies if copy.system == system])


def means(copies: Sequence[Copy], system: str) -> dict[str, float]:
    """Return a system's mean scores as a card has them; what could not be measured is left out."""
    found = {}
    for title, (field, form) in METRICS.items():
        mean = _mean(copies, system, field)
        if np.isfinite(mean.value):
            found[f"own test {title}"] = float(format(mean.value, form))
    return found


def evaluate_again(
    model: str, sets: Mapping[str, str], options: Mapping[str, Any]
) -> Iterator[tuple[str, float]]:
    """Yield the scores of a vocoder's card, measured again on its own test recordings."""
    vocoder = Vocoder.open(find_stored(model).folder)
    for path in sets.values():
        clips = read_manifest(Path(path))[: options.get("clips")]
        yield from means([score(clip, model, vocoder) for clip in clips], model).items()


def worst(
    copies: Sequence[Copy], clips: Mapping[str, Clip], system: str, vocode: Vocode
) -> list[report.Utterance]:
    """Return the recordings that a system copies worst, with their sound and spectrograms."""
    mine = sorted((copy for copy in copies if copy.system == system), key=lambda copy: -copy.mel_l1)
    return [_utterance(copy, clips[copy.id], vocode) for copy in mine[:SHOWN]]


def _utterance(copy: Copy, clip: Clip, vocode: Vocode) -> report.Utterance:
    real = Audio(read_recording(clip), VOICE_RATE)
    made = Audio(copy_synthesis(real.samples, vocode), VOICE_RATE)
    name = f"{clip.id}: log-mel L1 {copy.mel_l1:.3f}, STOI {copy.stoi:.3f}"
    texts = (report.Hypothesis("text", clip.text),) if clip.text else ()
    sounds = report.sound(real, "recording"), report.sound(made, "copy")
    pictures = (
        report.Picture(spectrogram(real), "recording"),
        report.Picture(spectrogram(made), "copy"),
    )
    return report.Utterance(name, texts, sounds, pictures)


def read_split(folder: Path, *splits: str) -> list[Clip]:
    """Return the clips of the first of these splits that has any."""
    path = find_split(folder, *splits)
    return read_manifest(path) if path else []


def find_split(folder: Path, *splits: str) -> Path | None:
    """Return the manifest of the first of these splits that has any clips."""
    paths = (folder / f"{split}.jsonl" for split in splits)
    return next((path for path in paths if path.exists() and read_manifest(path)), None)
