"""Recordings in a folder, with what is said beside each, or alone.

Beside name.wav may lie name.txt or name.lab (its text), name.srt, .vtt, .ass or .ssa (subtitles),
name.TextGrid, or name.txt with Audacity's labels; they may also be called name.wav.txt, be written in other
case, or lie in a folder of their own (txt/s1/name.txt for wav/s1/name.wav). Whatever FFmpeg reads will do,
films too. A recording's speaker is the outermost folder in the source that it is in, those called wav, train
and the like passed over; train, dev and test are its splits. Without anything beside it a recording has no
transcript. The rights are yours to know: record consent, and keep what you may not pass on out of what you
publish.

The source is the folder, or one recording, or one file of subtitles beside its film.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from data.alike import SOUND_FOLDERS, Listings, alike, folders_of_texts
from data.forms.timed import captions, labels, textgrid
from data.forms.timed.stretches import Beside
from data.locating import is_recording, walk
from data.reading import read_text
from data.rows import Fault, Found, Remark, Row
from voice.errors import ManifestError

NAME = "folder"
TEXTS = (".txt", ".lab", ".original.txt", ".normalized.txt", ".transcript")
_TIMED = (*captions.ENDINGS, textgrid.ENDING)
_SPLITS = {
    "train": "train", "training": "train", "dev": "dev", "val": "dev", "valid": "dev", "validation": "dev",
    "test": "test", "testing": "test", "eval": "test",
}  # fmt: skip
_LISTS = frozenset(
    ".csv .tsv .psv .lst .list .json .jsonl .ndjson .xlsx .xls .ods .xml .eaf .stm .ctm .mlf "
    ".transcription .trans .transcripts .prompts .data .scp .parquet .arrow .db .sqlite".split()
)
_BARE_LISTS = frozenset(
    "prompts prompts-original transcription transcriptions transcript transcripts text".split()
)
_SHOWN = 3  # names in a remark
_ABOUT = {"readme", "license", "licence", "copying", "changelog", "notice", "requirements"}


def recognizes(source: Path) -> bool:
    """Tell whether the source is a recording, subtitles of one, or a folder with recordings."""
    if source.is_file():
        return is_recording(source) or (source.suffix.lower() in _TIMED and _recording_of(source) is not None)
    return any(is_recording(path) for path in walk(source))


def rows(source: Path) -> Iterator[Found]:
    """Yield each recording, or each stretch of it that something beside it gives times to."""
    if source.is_file():
        audio = source if is_recording(source) else _recording_of(source)
        if audio is not None:
            yield from _Folder(audio.parent).recording(audio, audio.name)
        return
    taken: dict[Path, Path] = {}  # name without its ending → the recording
    texts: list[Path] = []
    lists: list[Path] = []
    inside = _Folder(source)
    for path in walk(source):
        if not is_recording(path):
            texts += [path] * path.name.lower().endswith((*TEXTS, *_TIMED))
            lists += [path] * _may_list(path)
        elif (stem := path.with_suffix("")) in taken:
            other = taken[stem].name
            yield Fault(str(path.relative_to(source)), f"{other} beside it has the same name", "second copy")
        else:
            taken[stem] = path
            place = path.relative_to(source)
            yield from inside.recording(path, place.as_posix(), *_speaker_and_split(place.parts[:-1]))
    yield from _without_recording(source, texts, inside.looked_for)
    if lists and not inside.has_texts:
        names = ", ".join(path.relative_to(source).as_posix() for path in lists[:_SHOWN])
        yield Remark(
            f"no recording has a transcript beside it, and {names} could not be read as a list of them; "
            'if it is one, make it a table with "audio" and "text" in its first line'
        )


def _may_list(path: Path) -> bool:
    """Tell whether a file may be a list of transcripts in a form that nobody here knows."""
    ending, stem = path.suffix.lower(), path.stem.lower()
    known = ending in _LISTS or (not ending and stem in _BARE_LISTS)
    return known and stem not in _ABOUT


def _speaker_and_split(folders: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the speaker and the split that folders tell, the outermost first: train/anna/wav/a.wav."""
    names = [name for name in folders if alike(name) not in SOUND_FOLDERS]
    split = _SPLITS.get(alike(names[0])) if names else None
    names = names[1:] if split else names
    return (names[0] if names else None), split


def _without_recording(source: Path, texts: list[Path], looked_for: set[tuple[Path, str]]) -> Iterator[Fault]:
    """Yield the texts that lie beside no recording, if they look like transcripts."""
    for path in texts:
        name = alike(path.name)
        known = any((path.parent, name[:at]) in looked_for for at, letter in enumerate(name) if letter == ".")
        if not known and name.split(".")[0] not in _ABOUT:
            where = str(path.relative_to(source))
            yield Fault(where, "there is no recording of that name beside it", "recording cannot be found")


def _recording_of(timed: Path) -> Path | None:
    """Return the recording that lies beside a file of times: film.mkv beside film.srt and film.en.srt."""
    stems = {alike(timed.stem), alike(timed.stem.rpartition(".")[0])}
    found = (path for path in sorted(timed.parent.iterdir()) if is_recording(path))
    return next((path for path in found if alike(path.stem) in stems), None)


class _Folder:
    """The recordings in a folder, and what lies beside them: in the same folder, or in one for texts."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._listings = Listings()
        self.has_texts = False
        self.looked_for: set[tuple[Path, str]] = set()  # (folder, name without an ending)

    def recording(
        self, audio: Path, name: str, speaker: str | None = None, split: str | None = None
    ) -> Iterator[Found]:
        """Yield a recording, or its stretches."""
        try:
            beside = self._beside(audio)
        except ManifestError as error:
            yield Fault(name, str(error), "transcript cannot be read")
            return
        self.has_texts = self.has_texts or beside is not None
        if not isinstance(beside, Beside):
            yield Row(name, audio, beside, speaker, split=split)
            return
        yield from beside.faults
        for each in beside.stretches:
            own = each.speaker or speaker
            place = f"{name}@{each.start:.2f}"
            yield Row(place, audio, each.text, own, split=split, start=each.start, end=each.end)

    def _beside(self, audio: Path) -> Beside | str | None:
        """Return what belongs to a recording: stretches with times, one text, or nothing."""
        folders = list(folders_of_texts(audio.parent, self._source, self._listings))
        self.looked_for.update((folder, alike(audio.stem)) for folder in folders)
        for ending in captions.ENDINGS:
            if path := self._find(folders, audio, [ending], infixed=True):
                return captions.read(path)
        if path := self._find(folders, audio, [textgrid.ENDING]):
            return textgrid.read(path)
        path = self._find(folders, audio, TEXTS)
        if path is None:
            return None
        return labels.read(path) if labels.are_labels(path) else read_text(path)

    def _find(
        self, folders: Sequence[Path], audio: Path, endings: Sequence[str], *, infixed: bool = False
    ) -> Path | None:
        """Return the first file called as a recording: name.txt or name.wav.txt."""
        lists = [self._listings.of(folder) for folder in folders]
        found = (
            each.find(name, endings, infixed=infixed) for each in lists for name in (audio.stem, audio.name)
        )
        return next(filter(None, found), None)
