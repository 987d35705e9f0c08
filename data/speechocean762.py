"""speechocean762: 5,000 English sentences by 250 Mandarin speakers, half of them children, scored.

16 kHz, five experts' scores of accuracy, fluency and prosody (0 to 10) for each sentence; by
Junbo Zhang and others (2021); https://www.openslr.org/101. Rights: CC BY 4.0 (name the authors).
The text is the prompt, in capitals; what was said may differ from it where accuracy is low.

    python -m data.speechocean762 speechocean762 OUT

The splits are the published ones, train and test; no speaker is in both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from data.preparing import Fault, Row, command, finish, lines
from voice.errors import ManifestError
from voice.manifest import Clip

SPLITS = ("train", "test")
SCORES = ("accuracy", "fluency", "prosodic", "completeness", "total")


def prepare_speechocean762(source: Path, out: Path) -> list[Clip]:
    """Write the manifests of the splits in `source`, scores included. Raises ManifestError."""
    splits = [split for split in SPLITS if (source / split / "wav.scp").exists()]
    if not splits:
        raise ManifestError(f"{source} has no train/wav.scp and no test/wav.scp: give the unpacked folder")
    scores = _scores(source)
    return finish((row for split in splits for row in _rows(source, split, scores)), out)


def _rows(source: Path, split: str, scores: Mapping[str, Any]) -> Iterator[Row | Fault]:
    """Yield a row for each recording of a split, or the fault of its line."""
    texts, speakers = (_table(source / split / name) for name in ("text", "utt2spk"))
    ages, genders = (_table(source / split / name) for name in ("spk2age", "spk2gender"))
    for name, audio in _table(source / split / "wav.scp").items():
        if name not in texts:
            yield Fault(name, f"it has no line in {split}/text")
            continue
        speaker = speakers.get(name)
        extra: dict[str, Any] = {"gender": genders[speaker]} if speaker and speaker in genders else {}
        if speaker and ages.get(speaker, "").isdigit():
            extra["age"] = int(ages[speaker])
        extra |= {key: scores[name][key] for key in SCORES if key in scores.get(name, {})}
        label = f"so{speaker}" if speaker else None
        yield Row(f"speechocean762-{name}", source / audio, texts[name], label, split=split, extra=extra)


def _table(path: Path) -> dict[str, str]:
    """Return a table of Kaldi's: `key value…` a line, separated by a tab or a space."""
    rows = (line.split(maxsplit=1) for line in (lines(path) if path.exists() else ()))
    return {row[0]: row[1].strip() if len(row) > 1 else "" for row in rows}


def _scores(source: Path) -> Mapping[str, Any]:
    """Return the scores of each recording; empty where the corpus has none. Raises ManifestError."""
    places = (source / "resource" / "scores.json", source / "scores.json")
    path = next((place for place in places if place.exists()), None)
    try:
        return json.loads("\n".join(lines(path))) if path else {}
    except json.JSONDecodeError as error:
        raise ManifestError(f"{path} is not JSON ({error}): unpack the corpus again") from error


if __name__ == "__main__":
    command(prepare_speechocean762, __doc__)
