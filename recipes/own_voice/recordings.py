"""The recordings that a voice is made of: one person's, with transcripts, in three manifests.

Some sentences are held out: `dev` to choose by, `test` to report on. Nothing is trained on either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data.prepare import PrepareOptions, prepare
from recipes.tts.preparation.selection import LONGEST_RECORDING, check_language
from voice.errors import VoiceError
from voice.manifest import Clip, read_manifest, write_manifest

SPLITS = ("train", "dev", "test")
HELD_OUT = 0.05  # share of the sentences for dev, and as many for test
FEWEST, MOST = 5, 20  # sentences that are held out for each, unless a sixth of all are fewer
LEAST_RECORDINGS = 6
WORDS = 4  # that a sentence has at least, to be held out
LONGEST = 15.0  # seconds that it takes at most
LEAST_SECONDS = 20.0  # of speech with transcripts, without which there is no voice
GOOD_SECONDS = 240.0  # from which on a voice is good


@dataclass(frozen=True)
class Recordings:
    """The three manifests in a folder."""

    folder: Path

    @property
    def train(self) -> Path:
        return self.folder / "train.jsonl"

    @property
    def dev(self) -> Path:
        return self.folder / "dev.jsonl"

    @property
    def test(self) -> Path:
        return self.folder / "test.jsonl"

    @property
    def all(self) -> tuple[Path, ...]:
        return self.train, self.dev, self.test


def prepare_recordings(source: Path, out: Path, name: str, speaker: str | None = None) -> Recordings:
    """Write the manifests of the recordings of one `speaker` in `source`, a folder, a table or a manifest.

    The voice is called `name`. Raises ManifestError, and VoiceError where they are several people's and none
    is chosen, in another language, or too short.
    """
    clips = [replace(clip, speaker=name) for clip in choose_speaker(_read(source, out), speaker, source)]
    check_language(clips, str(source))
    spoken = [clip for clip in clips if (clip.text or "").strip()]
    _check_length(spoken, len(clips), source)
    found = Recordings(out)
    for split, own in split_sentences(spoken).items():
        write_manifest(out / f"{split}.jsonl", own)
    return found


def _read(source: Path, out: Path) -> Sequence[Clip]:
    """Return the clips of a manifest, or of whatever else `data.prepare` reads: it hears what has no text."""
    if source.suffix == ".jsonl":
        return read_manifest(source)
    found = prepare(source, out / "found.jsonl", PrepareOptions(longest=LONGEST_RECORDING))
    for reason, count in found.dropped.items():
        print(f"{count} recordings left out, {reason}: see {found.report}", flush=True)
    for remark in found.remarks:
        print(remark, flush=True)
    return read_manifest(out / "found.jsonl")


def choose_speaker(clips: Sequence[Clip], speaker: str | None, source: Path) -> list[Clip]:
    """Return the clips of one person. Raises VoiceError where there are several, or none of that name."""
    names = sorted({clip.speaker or "" for clip in clips})
    shown = ", ".join(name or "(no name)" for name in names[:10])
    if speaker is None and len(names) > 1:
        raise VoiceError(
            f"the recordings of {source} are of {len(names)} speakers ({shown}); a voice is one person's: "
            "name one with --speaker"
        )
    own = [clip for clip in clips if speaker is None or clip.speaker == speaker]
    if not own:
        raise VoiceError(f"{source} has no speaker {speaker}; it has {shown}")
    return own


def _check_length(spoken: Sequence[Clip], count: int, source: Path) -> None:
    seconds = sum(clip.duration for clip in spoken)
    if seconds < LEAST_SECONDS or len(spoken) < LEAST_RECORDINGS:
        raise VoiceError(
            f"{source} has {seconds:.0f} s with transcripts ({len(spoken)} of {count} recordings); a voice "
            f"takes at least {LEAST_SECONDS:.0f} s in {LEAST_RECORDINGS} recordings, a good one five minutes"
        )
    if seconds < GOOD_SECONDS:
        print(
            f"{seconds / 60:.1f} minutes are little for a voice: with five it is a good deal better",
            flush=True,
        )


def split_sentences(clips: Sequence[Clip]) -> dict[str, list[Clip]]:
    """Return the clips of each split; no sentence is in two of them."""
    fit = {_sentence(clip) for clip in clips if _fits(clip)}
    unfit = {_sentence(clip) for clip in clips if not _fits(clip)}
    order = sorted(fit - unfit, key=lambda text: hashlib.sha256(text.encode()).digest())
    count = min(MOST, max(FEWEST, round(HELD_OUT * len(order))), max(1, len(order) // 6))
    held = {text: "dev" if place < count else "test" for place, text in enumerate(order[: 2 * count])}
    splits: dict[str, list[Clip]] = {split: [] for split in SPLITS}
    for clip in clips:
        splits[held.get(_sentence(clip), "train")].append(clip)
    if not (splits["dev"] and splits["test"] and splits["train"]):
        raise VoiceError(
            f"too few recordings have {WORDS} words and at most {LONGEST:.0f} s: give some whole sentences"
        )
    return splits


def _fits(clip: Clip) -> bool:
    return len(_sentence(clip).split()) >= WORDS and clip.duration <= LONGEST


def _sentence(clip: Clip) -> str:
    return " ".join((clip.text or "").lower().split())
