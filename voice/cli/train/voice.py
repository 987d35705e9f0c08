"""`voice train voice`: recordings of one person to a voice that speaks like them."""

from __future__ import annotations

import datetime
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from voice.cli.console import Threads, plainly
from voice.cli.train.running import (
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


@plainly
def command(
    recordings: Recordings,
    name: ModelName,
    consent: Annotated[
        str | None,
        typer.Option(
            metavar="STATEMENT|FILE",
            help="Whose voice it is and that they agreed: a text, a .toml, or a recording that says so.",
        ),
    ] = None,
    speaker: Annotated[
        str | None, typer.Option(help="Whose recordings, where there are several people's.")
    ] = None,
    minutes: Minutes = None,
    base: Annotated[
        str, typer.Option(help="What it begins with: voices (our own), hibari, or a run's last.pt.")
    ] = "voices",
    run: RunFolder = None,
    out: Out = None,
    license: Annotated[str, typer.Option(help="The voice's license, for its card.")] = "",
    description: Annotated[str, typer.Option(help="Who speaks, for its card.")] = "",
    threads: Threads = None,
    smoke: Smoke = False,
) -> None:
    """Make a voice of a person's recordings with transcripts; five minutes are enough.

    It takes about half an hour on two cores. Stopped at any time, the same command goes on. No voice is made
    without the consent of whose it is.
    """
    require_training()
    from recipes.own_voice.options import Options
    from recipes.own_voice.train import train_voice

    folder = run or Path("runs") / name
    if consent is None and not smoke:
        consent = ask_consent()
    options = Options(
        source=recordings, name=name, consent=consent, speaker=speaker, out=out, run=folder, minutes=minutes,
        base=base, license=license, description=description, threads=threads, command=this_command(),
        smoke=smoke,
    )  # fmt: skip
    carry_out(folder, lambda tell: train_voice(options, tell))


def ask_consent() -> str | None:
    """Ask the person at the terminal for a consent, and return it as a statement; None without a terminal."""
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    person = re.sub(r"[,:\s]+", " ", typer.prompt("Whose voice is it? Their name", err=True)).strip()
    question = f"Has {person} agreed that a synthetic voice is made of these recordings?"
    if not typer.confirm(question, err=True):
        return None
    today = datetime.date.today().isoformat()
    return f"{person}, {today}: agreed that a synthetic voice is made of these recordings, as was typed here"
