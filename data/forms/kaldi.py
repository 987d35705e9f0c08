"""Kaldi's data directories: wav.scp and text, with utt2spk and segments where there are some.

https://kaldi-asr.org/doc/data_prep.html; ESPnet, icefall and k2 use the same files. A line of wav.scp that is
a command (it ends with |) is never executed: the row is refused and the message says what to do.

The source is one directory, or a folder whose subdirectories (train, dev, test) are some.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from data.forms.form import split_of
from data.locating import Locator
from data.reading import read_lines
from data.rows import Fault, Found, Row
from voice.errors import ManifestError

NAME = "Kaldi"
LIST = "wav.scp"


def recognizes(source: Path) -> bool:
    """Tell whether there is a wav.scp in a folder or in one of those in it."""
    return bool(directories(source))


def rows(source: Path) -> Iterator[Found]:
    """Yield the utterances of each data directory; its name says the split."""
    found = directories(source)
    for directory in found:
        split = split_of(directory.name) if len(found) > 1 else None
        yield from utterances(directory, split)


def directories(source: Path) -> list[Path]:
    """Return the data directories in a folder: itself, or some of those right in it or in its data/."""
    if (source / LIST).is_file():
        return [source]
    return sorted(path.parent for pattern in (f"*/{LIST}", f"data/*/{LIST}") for path in source.glob(pattern))


def utterances(directory: Path, split: str | None, audio_root: Path | None = None) -> Iterator[Found]:
    """Yield the utterances of one data directory.

    Paths count from `audio_root` or wherever they are found.
    """
    texts, speakers = read_pairs(directory / "text"), read_pairs(directory / "utt2spk")
    languages = read_pairs(directory / "utt2lang")
    locate = Locator(audio_root or directory, (audio_root or directory).absolute().parent.parent)
    recordings = read_pairs(directory / LIST)
    listed = _stretches(directory, recordings)
    for name, recording, start, end in listed:
        if texts and name not in texts:
            yield Fault(name, f"it has no line in {directory.name}/text", "no transcript")
            continue
        audio = _audio(recordings.get(recording, ""), recording, locate)
        if isinstance(audio, str):
            yield Fault(name, audio, "recording cannot be found")
            continue
        text, speaker = texts.get(name), speakers.get(name)
        yield Row(name, audio, text, speaker, languages.get(name), split, start, end)


def _stretches(
    directory: Path, recordings: Mapping[str, str]
) -> Iterator[tuple[str, str, float | None, float | None]]:
    """Yield (utterance, recording, start, end) of each line of segments, or of each whole recording."""
    if not (directory / "segments").exists():
        yield from ((name, name, None, None) for name in recordings)
        return
    for number, line in enumerate(read_lines(directory / "segments"), 1):
        parts = line.split()
        try:
            name, recording, start, end = parts[0], parts[1], float(parts[2]), float(parts[3])
        except (IndexError, ValueError) as error:
            raise ManifestError(
                f"{directory / 'segments'}, line {number}: not `utterance recording start end`: {line!r}"
            ) from error
        yield name, recording, start, end if end > 0 else None  # -1 is the end of the recording


def _audio(place: str, recording: str, locate: Locator) -> Path | str:
    """Return the path of a recording, or why there is none."""
    if not place:
        return f"{LIST} does not name the recording {recording}"
    if place.rstrip().endswith("|") or place.lstrip().startswith("|"):
        return (
            f"{LIST} gives a command for it ({place[:60]}), and commands from data are not executed; "
            "run it yourself, write what comes out to a file and name that"
        )
    if place.rpartition(":")[2].isdigit() and ".ark:" in place:
        return f"it lies in an archive of Kaldi's ({place[:60]}); copy it out with wav-copy and name the file"
    try:
        return locate(place)
    except ManifestError as error:
        return str(error)


def read_pairs(path: Path) -> dict[str, str]:
    """Return a table of Kaldi's: `key value…` a line, separated by a tab or spaces; empty without a file."""
    found = (line.split(maxsplit=1) for line in (read_lines(path) if path.exists() else ()))
    return {row[0]: row[1].strip() if len(row) > 1 else "" for row in found}
