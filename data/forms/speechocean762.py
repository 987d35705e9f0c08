"""speechocean762: 5,000 English sentences by 250 Mandarin speakers, half of them children, scored.

16 kHz, five experts' scores of accuracy, fluency and prosody (0 to 10) for each sentence; by
Junbo Zhang and others (2021); https://www.openslr.org/101. Rights: CC BY 4.0 (name the authors).
The text is the prompt, in capitals; what was said may differ from it where accuracy is low.

The splits are the published ones, train and test; no speaker is in both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from data.forms.kaldi import LIST, read_pairs, utterances
from data.reading import read_lines
from data.rows import Found, Row
from voice.errors import ManifestError

NAME = "speechocean762"
SPLITS = ("train", "test")
SCORES = ("accuracy", "fluency", "prosodic", "completeness", "total")


def recognizes(source: Path) -> bool:
    """Tell whether there are Kaldi directories beside WAVE/ or the scores."""
    listed = any((source / split / LIST).exists() for split in SPLITS)
    return listed and ((source / "WAVE").is_dir() or (source / "resource" / "scores.json").exists())


def rows(source: Path) -> Iterator[Found]:
    """Yield the utterances of both splits, scores included."""
    scores = _scores(source)
    for split in SPLITS:
        if (source / split / LIST).exists():
            ages, genders = (read_pairs(source / split / name) for name in ("spk2age", "spk2gender"))
            for found in utterances(source / split, split, audio_root=source):
                yield _with_scores(found, scores, ages, genders) if isinstance(found, Row) else found


def _with_scores(
    row: Row, scores: Mapping[str, Any], ages: Mapping[str, str], genders: Mapping[str, str]
) -> Row:
    """Return a row with its speaker's age and gender and its scores."""
    speaker = row.speaker
    extra: dict[str, Any] = {"gender": genders[speaker]} if speaker and speaker in genders else {}
    if speaker and ages.get(speaker, "").isdigit():
        extra["age"] = int(ages[speaker])
    extra |= {key: scores[row.id][key] for key in SCORES if key in scores.get(row.id, {})}
    label = f"so{speaker}" if speaker else None
    return replace(row, id=f"speechocean762-{row.id}", speaker=label, language="en", extra=extra)


def _scores(source: Path) -> Mapping[str, Any]:
    places = (source / "resource" / "scores.json", source / "scores.json")
    path = next((place for place in places if place.exists()), None)
    try:
        return json.loads("\n".join(read_lines(path))) if path else {}
    except json.JSONDecodeError as error:
        raise ManifestError(f"{path} is not JSON ({error}): unpack the corpus again") from error
