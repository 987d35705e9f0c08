"""`voice understand`: spoken commands to intents and slots."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from voice.cli import batch
from voice.cli.console import Threads, escape_unprintable, plainly, progress, put
from voice.cli.jobs import Job

if TYPE_CHECKING:
    from voice.commands import Understanding

LONGEST = 300.0  # seconds: a command takes a few, and all of it is recognized at once


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
    from voice import audio
    from voice.commands import Commands
    from voice.commands.letters import letters_of
    from voice.loading import load_recognizer

    known = Commands.open(commands)
    with progress(f"fetching {model}", "bytes") as bar:
        recognizer = load_recognizer(model, threads=threads, progress=bar)

    def understand(job: Job, _label: str) -> None:
        heard = known.understand(letters_of(recognizer, audio.read(job.source, longest=LONGEST)))
        put(json.dumps(_row(job.source, heard, len(files) > 1), ensure_ascii=False) + "\n")

    batch.each([Job(file) for file in files], understand)


def _row(file: str, heard: Understanding, several: bool) -> Mapping[str, object]:
    """Return the row to print, with the file's name only if there are several."""
    row = {"intent": heard.intent, "slots": dict(heard.slots), "is_understood": heard.is_understood}
    return {"file": escape_unprintable(file), **row} if several else row
