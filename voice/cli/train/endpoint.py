"""`voice train endpoint`: recordings of sentences to a recognizer that knows when this person has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voice.cli.console import plainly
from voice.cli.train.running import (
    ModelName,
    Out,
    Recordings,
    RunFolder,
    carry_out,
    require_training,
    this_command,
)


@plainly
def command(
    recordings: Recordings,
    name: ModelName,
    base: Annotated[
        str, typer.Option(metavar="NAME|FOLDER", help="The recognizer whose judgment of ends is adapted.")
    ] = "quick",
    run: RunFolder = None,
    out: Out = None,
) -> None:
    """Fit the end-of-turn judgment of a recognizer to how one person pauses and ends.

    Each recording is one sentence, spoken as in a conversation. The words that are recognized stay the same.
    """
    require_training()
    from recipes.endpoint.from_recordings import Options, train_endpoint

    folder = run or Path("runs") / name
    options = Options(recordings, name, folder, base, out, this_command())
    carry_out(folder, lambda tell: train_endpoint(options, tell))
