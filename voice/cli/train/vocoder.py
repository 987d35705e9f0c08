"""`voice train vocoder`: recordings to a model that turns mel spectra and pitch into speech."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voice.cli.console import plainly
from voice.cli.train.running import (
    License,
    Minutes,
    ModelName,
    Out,
    Recordings,
    RunFolder,
    Smoke,
    carry_out,
    require_training,
    this_command,
)

STEPS = 3_200  # as the vocoder that comes with voice was trained


@plainly
def command(
    recordings: Recordings,
    name: ModelName,
    minutes: Minutes = None,
    steps: Annotated[int, typer.Option(min=1, help="All steps, if --minutes does not cut them.")] = STEPS,
    run: RunFolder = None,
    out: Out = None,
    license: License = "Apache-2.0",
    smoke: Smoke = False,
) -> None:
    """Train a vocoder on recordings of 24 kHz or more, with or without transcripts.

    It is made anew, not tuned. Stopped at any time, the same command goes on.
    """
    require_training()
    from recipes.vocoder.from_recordings import Options, train_vocoder

    folder = run or Path("runs") / name
    options = Options(recordings, name, folder, out, minutes, steps, license, this_command(), smoke)
    carry_out(folder, lambda tell: train_vocoder(options, tell))
