"""VCTK: 44 hours by 110 English speakers with various accents, 48 kHz, two microphones.

By Junichi Yamagishi, Christophe Veaux and Kirsten MacDonald, CSTR Edinburgh (0.92: 2019);
https://datashare.ed.ac.uk/handle/10283/3443. Rights: CC BY 4.0 (name the authors).

The source is the unpacked folder (txt/ beside wav48/ or wav48_silence_trimmed/). Of two microphones the first
is taken; the second has the same words by the same person.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from data.reading import read_lines, read_text
from data.rows import Fault, Found, Remark, Row
from voice.errors import ManifestError

NAME = "VCTK"
_SOUNDS = ("wav48_silence_trimmed", "wav48", "wav22", "wav16")


def recognizes(source: Path) -> bool:
    """Tell whether a folder of texts stands beside one of sounds, both by speaker."""
    return (source / "txt").is_dir() and _sounds(source) is not None


def rows(source: Path) -> Iterator[Found]:
    """Yield the utterances of all speakers that have a text. Raises ManifestError for another folder."""
    sounds, accents = _sounds(source), _accents(source / "speaker-info.txt")
    if sounds is None:  # it need not have been recognized: a person may name the form
        raise ManifestError(f"{source} has none of {', '.join(_SOUNDS)}, where {NAME} has its recordings")
    second = 0
    for speaker in sorted(path for path in sounds.iterdir() if path.is_dir()):
        for audio in sorted(speaker.glob("*")):
            stem = audio.stem
            if stem.endswith("_mic2"):
                second += 1
                continue
            name = stem.removesuffix("_mic1")
            yield _row(source, speaker.name, name, audio, accents)
    if second:
        yield Remark(
            f"{second} recordings of the second microphone are left out: the first has the same words"
        )


def _row(source: Path, speaker: str, name: str, audio: Path, accents: dict[str, dict[str, str]]) -> Found:
    transcript = source / "txt" / speaker / f"{name}.txt"
    if not transcript.exists():
        return Fault(name, f"it has no {transcript}", "no transcript")  # all of p315's texts are lost
    try:
        text = read_text(transcript)
    except ManifestError as error:
        return Fault(name, str(error))
    return Row(f"vctk-{name}", audio, text, speaker, "en", extra=accents.get(speaker, {}))


def _sounds(source: Path) -> Path | None:
    return next((source / name for name in _SOUNDS if (source / name).is_dir()), None)


def _accents(table: Path) -> dict[str, dict[str, str]]:
    """Return {speaker: age, gender, accent} of speaker-info.txt: `p225  23  F  English  Southern England`."""
    found = {}
    for line in read_lines(table) if table.exists() else ():
        values = line.split()
        if len(values) >= 4 and values[1].isdigit():
            speaker = values[0] if values[0][:1] in "ps" else f"p{values[0]}"
            found[speaker] = {"age": values[1], "gender": values[2].lower(), "accent": values[3]}
    return found
