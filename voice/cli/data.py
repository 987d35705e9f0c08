"""`voice data`: looking after data for training and evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voice.cli.console import note, plainly
from voice.errors import ManifestError

app = typer.Typer(help="Look after lists of recordings.")


@app.callback()
def _data() -> None:
    pass


@app.command()
@plainly
def check(
    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST", help="A list of recordings (JSON lines).")],
) -> None:
    """Open every recording of a manifest and say what is wrong; status 1 if anything is or it is empty."""
    from voice.manifest import check as check_manifest

    report = check_manifest(manifest)
    for problem in report.problems:
        typer.echo(f"{problem.id}: {problem.message}")
    if not report.clips:
        raise ManifestError(f"{manifest} is empty; list recordings in it, one JSON object a line")
    found = len(report.problems)
    size = f"{_count(report.clips, 'recording')}, {report.seconds / 60:.1f} minutes"
    note(f"{manifest}: {size}, {_count(found, 'problem')}")
    if found:
        raise typer.Exit(1)


def _count(number: int, thing: str) -> str:
    return f"{number or 'no'} {thing}{'' if number == 1 else 's'}"
