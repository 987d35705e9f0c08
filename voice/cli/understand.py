"""`voice understand`: spoken commands to intents and slots."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from voice.cli.console import Threads, explained, note, plainly, progress
from voice.errors import AudioError

if TYPE_CHECKING:
    from voice.commands import Understanding


@plainly
def command(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Sound of one command each.")],
    commands: Annotated[
        str, typer.Option("--commands", "-c", metavar="YAML", help="Intents and their expressions.")
    ],
    model: Annotated[str, typer.Option(metavar="NAME|FOLDER", help="Which recognizer.")] = "quick",
    threads: Threads = None,
) -> None:
    """Print the intent and slots of spoken commands, one JSON object a line."""
    from voice import audio, loading
    from voice.commands import Commands

    known = Commands.open(commands)
    with progress(f"fetching {model}", "bytes") as moved:
        recognizer = loading.load(model, kind="recognizer", threads=threads, progress=moved)
    failed = 0
    for file in files:
        try:
            heard = known.understand(recognizer.posteriors(audio.read(file)))
        except (AudioError, OSError) as error:
            if isinstance(error, BrokenPipeError):
                raise
            failed += 1
            note(f"error: {explained(error)}")
            continue
        typer.echo(json.dumps(_row(file, heard, len(files) > 1), ensure_ascii=False))
    if failed:
        raise typer.Exit(1)


def _row(file: str, heard: Understanding, several: bool) -> Mapping[str, object]:
    """What is printed; the file's name only where there are several."""
    row = {"intent": heard.intent, "slots": dict(heard.slots), "is_understood": heard.is_understood}
    return {"file": file, **row} if several else row
