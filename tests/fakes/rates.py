"""Recordings of data/tiny at another rate, for trainings of voices that take any."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import soundfile

from voice import audio
from voice.manifest import read_manifest, write_manifest

TINY = Path(__file__).parents[2] / "data" / "tiny" / "train.jsonl"


def write_corpus(folder: Path, rate: int, count: int = 4) -> Path:
    """Write the manifest of some recordings at `rate` Hz into a folder, beside their sound."""
    folder.mkdir(parents=True, exist_ok=True)
    clips = []
    for clip in read_manifest(TINY)[:count]:
        path = folder / f"{clip.id}.wav"
        soundfile.write(path, audio.resample(audio.read(clip.audio), rate).samples, rate)
        clips.append(replace(clip, audio=path, sample_rate=rate))
    write_manifest(folder / "train.jsonl", clips)
    return folder / "train.jsonl"
