"""`voice train recognizer`: recordings with transcripts, or terms, to a recognizer that knows them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voice.cli.console import Threads, plainly
from voice.cli.train.running import (
    Minutes,
    ModelName,
    Out,
    RunFolder,
    Smoke,
    carry_out,
    require_training,
    this_command,
)


@plainly
def command(
    name: ModelName,
    recordings: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER|MANIFEST",
            help="Your recordings: audio with a .txt of the same name each, a table or a manifest of them.",
        ),
    ] = None,
    words: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Terms, one a line, which voices read aloud; recordings may be added."
        ),
    ] = None,
    base: Annotated[str, typer.Option(metavar="NAME|FOLDER", help="The recognizer to start from.")] = "quick",
    language: Annotated[str, typer.Option(help="The language of all recordings, as a code.")] = "en",
    dev: Annotated[
        list[str] | None,
        typer.Option(metavar="MANIFEST", help="Choose on these instead of a part held out; repeatable."),
    ] = None,
    general: Annotated[
        list[str] | None,
        typer.Option(metavar="MANIFEST", help="Other speech that it has to stay good at; repeatable."),
    ] = None,
    general_dev: Annotated[
        list[str] | None,
        typer.Option(metavar="MANIFEST", help="Other speech to check that on; repeatable."),
    ] = None,
    test: Annotated[
        list[str] | None,
        typer.Option(metavar="MANIFEST", help="Measure before and after on these, at the end; repeatable."),
    ] = None,
    voices: Annotated[
        list[str] | None, typer.Option("--voice", metavar="NAME", help="Who reads the terms; repeatable.")
    ] = None,
    minutes: Minutes = None,
    threads: Threads = None,
    run: RunFolder = None,
    out: Out = None,
    smoke: Smoke = False,
) -> None:
    """Tune a recognizer to your recordings or terms, if that makes it better and costs nothing elsewhere.

    Transcripts may be in capitals and without marks: they are written as the recognizer writes first. If your
    recordings held out, or other speech, come out worse, no model is made and the reason is said. Stopped at
    any time, the same command goes on.
    """
    require_training()
    from recipes.asr.tuning.from_recordings import Options, train_recognizer
    from voice.models.sessions import cores

    folder = run or Path("runs") / name
    lists = {"dev": dev, "general": general, "general_dev": general_dev, "test": test, "voices": voices}
    given = {key: tuple(values or ()) for key, values in lists.items()}
    options = Options(
        recordings, name, folder, words, base, out, **given, language=language, minutes=minutes,
        threads=threads or cores(), command=this_command(), smoke=smoke,
    )  # fmt: skip
    carry_out(folder, lambda tell: train_recognizer(options, tell))
