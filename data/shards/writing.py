"""Writes the recordings of a manifest into shards: each whole or not at all, several at once."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.batching import rng_for
from data.parallel import in_order
from data.shards.index import ClipIndex
from data.shards.reading import BYTES, OFFSET, read_bytes, read_sound
from voice import audio
from voice.errors import AudioError, ManifestError, VoiceError
from voice.manifest import Clip
from voice.models.card import sha256

MANIFEST = "manifest.jsonl"
PLAN = "plan.json"  # what the shards of a folder were made of
MINUTES = 120.0  # of sound in a shard: 120 MB at 16 kHz in FLAC


@dataclass(frozen=True)
class Made:
    """How many shards, recordings and seconds there are, and what was left out: (id, why)."""

    shards: int
    clips: int
    seconds: float
    left_out: tuple[tuple[str, str], ...]


def write_shards(
    manifest: Path, out: Path, *, rate: int | None = None, minutes: float = MINUTES, processes: int = 1
) -> Made:
    """Write the recordings of `manifest` into shards of about `minutes` in the folder `out`.

    Raises ManifestError where nothing can be read, VoiceError where `out` holds the shards of something else.
    """
    clips = ClipIndex.read(manifest)
    if not len(clips):
        raise ManifestError(f"{manifest} is empty; there is nothing to put into shards")
    _claim(out, {"manifest": sha256(manifest), "rate": rate, "minutes": minutes})
    parts = _divide(clips.durations, minutes * 60)
    left_out: list[tuple[str, str]] = []
    written = in_order(
        enumerate(parts), _write_shard, processes, few=2, begin=_begin_writing, given=(clips, out, rate)
    )
    for number, missing in enumerate(written):
        left_out += missing
        print(f"shard {number + 1} of {len(parts)}", flush=True)
    return _write_manifest(out, len(parts), left_out)


def _claim(out: Path, plan: dict[str, Any]) -> None:
    """Note what the shards of a folder are made of. Raises VoiceError where they are of something else."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / PLAN
    if path.exists() and json.loads(path.read_text("utf-8")) != plan:
        raise VoiceError(f"{out} holds shards of another manifest, rate or length: name another folder")
    path.write_text(json.dumps(plan), "utf-8")


def _divide(durations: np.ndarray, seconds: float) -> list[np.ndarray]:
    """Return the numbers of the clips of each shard: all clips in random order, always the same."""
    order = rng_for(0).permutation(len(durations))
    shard = (np.cumsum(durations[order]) // seconds).astype(int)
    return np.split(order, np.flatnonzero(np.diff(shard)) + 1)


def _stem(number: int) -> str:
    return f"shard-{number:06d}"


_work: dict[str, Any] = {}  # what a process writes shards of: handed over once and not with each shard


def _begin_writing(clips: ClipIndex, out: Path, rate: int | None) -> None:
    """Note in a process what it writes shards of."""
    _work.update(clips=clips, out=out, rate=rate)


def _write_shard(item: tuple[int, np.ndarray]) -> Sequence[tuple[str, str]]:
    """Write a shard, by its number and its clips', and its rows, each whole or not at all.

    Returns what was left out: (id, why).
    """
    (number, members), (clips, out, rate) = item, (_work[name] for name in ("clips", "out", "rate"))
    path, rows = out / f"{_stem(number)}.tar", out / f"{_stem(number)}.jsonl"
    faults = rows.with_suffix(".faults.json")
    if rows.exists() and path.exists():
        return [(name, why) for name, why in json.loads(faults.read_text("utf-8"))]
    left_out: list[tuple[str, str]] = []
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with tarfile.open(beside, "w", format=tarfile.USTAR_FORMAT) as archive:
            lines = list(_members(archive, path.name, clips, members, rate, left_out))
        _replace(faults, json.dumps(left_out))
        os.replace(beside, path)
        _replace(rows, "".join(lines))
    finally:
        beside.unlink(missing_ok=True)
    return left_out


def _members(
    archive: tarfile.TarFile, shard: str, clips: ClipIndex, members: np.ndarray, rate: int | None,
    left_out: list[tuple[str, str]],
) -> Iterator[str]:  # fmt: skip
    """Add recordings to a shard; yields the line of each for the manifest."""
    for place in members.tolist():
        clip = clips[place]
        try:
            encoded, suffix, clip_rate = _encode_clip(clip, rate)
        except AudioError as error:
            left_out.append((clip.id, str(error)))
            continue
        key = f"{place:09d}"  # an id may hold dots and slashes, which mean something to WebDataset
        offset = _add(archive, f"{key}{suffix}", encoded)
        row = {
            "audio": f"{shard}/{key}{suffix}", "text": clip.text, "duration": clip.duration,
            "speaker": clip.speaker, "id": clip.id, "sample_rate": clip_rate, "language": clip.language,
            **clip.extra, OFFSET: offset, BYTES: len(encoded),
        }  # fmt: skip
        line = json.dumps(row, ensure_ascii=False)
        _add(archive, f"{key}.json", line.encode())
        yield line + "\n"


def _encode_clip(clip: Clip, rate: int | None) -> tuple[bytes, str, int | None]:
    """Return a recording as a shard holds it: bytes, suffix of its name, rate. Raises AudioError."""
    if rate is None:
        encoded, suffix = read_bytes(clip), clip.audio.suffix.lower()
        audio.read(io.BytesIO(encoded), longest=clip.duration + 60)  # now, not in the middle of a training
        return encoded, suffix, clip.sample_rate
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, read_sound(clip, rate).samples, rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue(), ".flac", rate


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> int:
    """Add a file to an archive; returns at which byte its content begins."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    offset = archive.offset + tarfile.BLOCKSIZE  # of one header, which USTAR always has
    archive.addfile(member, io.BytesIO(content))
    return offset


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, "utf-8")
    os.replace(beside, path)


def _write_manifest(out: Path, count: int, left_out: Sequence[tuple[str, str]]) -> Made:
    """Join the rows of all shards into one manifest. Raises ManifestError where there are none."""
    beside, clips, seconds = out / f".{MANIFEST}.{os.getpid()}", 0, 0.0
    try:
        with beside.open("w", encoding="utf-8") as file:
            for number in range(count):
                with (out / f"{_stem(number)}.jsonl").open(encoding="utf-8", newline="\n") as rows:
                    for row in rows:
                        file.write(row)
                        clips, seconds = clips + 1, seconds + json.loads(row)["duration"]
        if not clips:
            raise ManifestError(f"none of {len(left_out)} recordings can be read: {left_out[0][1]}")
        os.replace(beside, out / MANIFEST)
    finally:
        beside.unlink(missing_ok=True)
    return Made(count, clips, seconds, tuple(left_out))
