"""Common Voice: sentences read by volunteers in over a hundred languages, MP3 from their own devices.

By the Mozilla Foundation and its contributors; https://commonvoice.mozilla.org/datasets, a release
for each language. Rights: CC0 1.0; Mozilla asks that nobody tries to find out who the speakers are.

    python -m data.common_voice cv-corpus-17.0/en OUT

The splits are the published train, dev and test; where a release has none, what was validated is
split by sentence. SOURCE may also be a single .tsv beside clips/.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from data.preparing import Fault, Row, command, finish, lines
from voice.errors import ManifestError
from voice.manifest import Clip

SPLITS = ("train", "dev", "test")
WHOLE = "validated"
ABOUT_THE_SPEAKER = ("gender", "age", "accents", "accent")


def prepare_common_voice(source: Path, out: Path) -> list[Clip]:
    """Write the manifests of the tables in `source`. Raises ManifestError."""
    return finish((row for table in _tables(source) for row in _rows(table)), out)


def _tables(source: Path) -> list[Path]:
    """Return the tables of a corpus: one for each split, or that of all validated clips."""
    if source.is_file():
        return [source]
    named = [source / f"{split}.tsv" for split in SPLITS]
    tables = [path for path in named if path.exists()] or [source / f"{WHOLE}.tsv"]
    if not tables[0].exists():
        raise ManifestError(f"{source} holds no train.tsv or {WHOLE}.tsv: give the folder of one language")
    return tables


def _rows(table: Path) -> Iterator[Row | Fault]:
    """Yield a row for each line of a table, or the fault of that line."""
    header, *rest = (line.rstrip("\r").split("\t") for line in lines(table))  # never quoted
    if not {"path", "sentence"} <= set(header):
        raise ManifestError(f'{table} has no columns "path" and "sentence": is it of Common Voice?')
    for number, values in enumerate(rest, 2):
        if len(values) != len(header):
            yield Fault(f"{table}, line {number}", f"{len(values)} fields where {len(header)} belong")
        else:
            yield _row(table, dict(zip(header, values, strict=True)))


def _row(table: Path, row: dict[str, str]) -> Row:
    """Make a row of a line's columns."""
    audio = table.parent / "clips" / row["path"]
    audio = audio if audio.suffix else audio.with_suffix(".mp3")
    return Row(
        id=f"common_voice-{audio.stem}",
        audio=audio,
        text=row["sentence"],
        speaker=row.get("client_id") or None,
        language=row.get("locale") or None,
        split=table.stem if table.stem in SPLITS else None,
        extra={name: row[name] for name in ABOUT_THE_SPEAKER if row.get(name)},
    )


if __name__ == "__main__":
    command(prepare_common_voice, __doc__)
