"""Which recordings of a manifest a voice can be made of; every other one is named with the reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from recipes.recordings import missing_treble
from voice.errors import VoiceError
from voice.manifest import Clip, read_manifest
from voice.text.detection import foreign_language
from voice.text.english.coverage import unspeakable
from voice.text.languages import name_of, parse_language

LONGEST_RECORDING = 60.0  # seconds that are aligned at once
NAMED = 5  # recordings that a line names
JUDGED = 20_000  # characters of transcripts that tell their language


def select_clips(path: str | Path) -> list[Clip]:
    """Return the clips of a manifest that can be learned from; tell of the others.

    Raises VoiceError where the speech is not English, which is the one language with phonemes here, or where
    nothing is left.
    """
    clips = read_manifest(path)
    check_language(clips, str(path))
    left_out: dict[str, list[str]] = defaultdict(list)
    kept = []
    for clip in clips:
        if reason := next(_reasons(clip), None):
            left_out[reason].append(clip.id)
        else:
            kept.append(clip)
    for reason, names in left_out.items():
        print(f"left out, {reason}: {_name_some(names)}", flush=True)
    if not kept:
        raise VoiceError(f"{path} has no recording that a voice can be made of: give each a transcript")
    if told := missing_treble(kept):
        print(f"{path}: {told}", flush=True)
    return kept


def check_language(clips: Sequence[Clip], where: str) -> None:
    """Raise VoiceError where the recordings say, or their transcripts show, that they are not in English."""
    languages = {parse_language(clip.language) for clip in clips if clip.language}
    other = next(iter(sorted(filter(None, languages - {"en"}))), None)
    some = " ".join(clip.text or "" for clip in clips)[:JUDGED]
    if not other and (other := foreign_language(some)):
        where = f"{where} by its words"
    if other:
        raise VoiceError(
            f"{where} is in {name_of(other)}; voices can be trained in English alone, for there are no "
            "phonemes of other languages here yet: leave this manifest out"
        )


def _reasons(clip: Clip) -> Iterator[str]:
    """Yield why a clip cannot be learned from."""
    if not (clip.text or "").strip():
        yield "no transcript"
    elif clip.duration > LONGEST_RECORDING:
        yield f"longer than {LONGEST_RECORDING:.0f} s (voice data prepare cuts it)"
    elif "phonemes" not in clip.extra and (parts := unspeakable(clip.text or "")):
        yield f"no English reading of {', '.join(parts[:NAMED])[:60]}"


def _name_some(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
