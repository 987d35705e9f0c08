"""LibriSpeech: 1,000 hours of English audiobooks at 16 kHz, 2,484 readers, transcripts in capitals.

From LibriVox recordings, aligned and cut by Vassil Panayotov, Guoguo Chen, Daniel Povey and
Sanjeev Khudanpur (2015); https://www.openslr.org/12. Rights: CC BY 4.0 (name the authors).

The source is the unpacked folder, with any of its subsets (train-clean-100, test-other, …), or one
subset. Multilingual LibriSpeech (transcripts.txt beside audio/) is read too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from data.forms.form import split_of
from data.locating import walk
from data.reading import read_lines
from data.rows import Fault, Found, Row

NAME = "LibriSpeech"
_MULTILINGUAL = "transcripts.txt"


def recognizes(source: Path) -> bool:
    """Tell whether there are transcripts of chapters, or those of the multilingual corpus."""
    return source.is_dir() and next(_transcripts(source), None) is not None


def rows(source: Path) -> Iterator[Found]:
    """Yield the utterances of all subsets; the subset stays in the row."""
    genders = _genders(source)
    for transcript in _transcripts(source):
        if transcript.name == _MULTILINGUAL:
            yield from _multilingual(transcript)
            continue
        subset = transcript.absolute().parent.parent.parent.name  # subset/speaker/chapter/*.trans.txt
        for line in read_lines(transcript):
            yield _row(transcript.parent, line, subset, genders)


def _transcripts(source: Path) -> Iterator[Path]:
    for path in walk(source):
        if path.name.endswith(".trans.txt") or (
            path.name == _MULTILINGUAL and (path.parent / "audio").is_dir()
        ):
            yield path


def _row(folder: Path, line: str, subset: str, genders: dict[str, str]) -> Row | Fault:
    name, _, text = line.strip().partition(" ")
    speaker = name.split("-")[0]
    if not text or name.count("-") != 2:
        return Fault(f"{folder}: {line!r}", "not an id and its text")
    extra = {"subset": subset} | ({"gender": genders[speaker]} if speaker in genders else {})
    audio = folder / f"{name}.flac"
    return Row(f"librispeech-{name}", audio, text, speaker, "en", split_of(subset), extra=extra)


def _multilingual(transcripts: Path) -> Iterator[Found]:
    """Yield the rows of a split of Multilingual LibriSpeech: `speaker_book_number<tab>text`."""
    for line in read_lines(transcripts):
        name, _, text = line.strip().partition("\t")
        parts = name.split("_")
        if not text or len(parts) != 3:
            yield Fault(f"{transcripts}: {line!r}", "not an id and its text")
            continue
        folder = transcripts.parent / "audio" / parts[0] / parts[1]
        audio = next((path for path in folder.glob(f"{name}.*")), folder / f"{name}.flac")
        yield Row(f"mls-{name}", audio, text, parts[0], None, split_of(transcripts.parent.name))


def _genders(source: Path) -> dict[str, str]:
    """Return {speaker: m or f} from SPEAKERS.TXT: `14 | F | train-clean-360 | 25.03 | name`."""
    table = next((p for p in (source / "SPEAKERS.TXT", source.parent / "SPEAKERS.TXT") if p.exists()), None)
    found = (line.split("|") for line in read_lines(table) if not line.startswith(";")) if table else ()
    return {row[0].strip(): row[1].strip().lower() for row in found if len(row) > 1}
