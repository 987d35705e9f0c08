"""The command line `voice`, whose commands are in the modules and packages beside this one."""

from __future__ import annotations

from typing import Annotated

import typer

from voice import __version__
from voice.cli import (
    data,
    interrupts,
    models,
    serve,
    speak,
    speaker_count,
    talk,
    train,
    transcribe,
    understand,
)

app = typer.Typer(
    help="Speech to text, text to speech and a voice agent, offline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("transcribe", cls=speaker_count.SpeakersCommand)(transcribe.command)
app.command("understand")(understand.command)
app.command("speak")(speak.command)
app.command("talk")(talk.command)
app.command("serve")(serve.command)
app.command("voices")(models.voices)
app.add_typer(models.app, name="models")
app.add_typer(data.app, name="data")
app.add_typer(train.app, name="train")


def main() -> None:
    """Run the program `voice`.

    After a signal it ends without waiting for the threads that compute, which Python would do.
    """
    interrupts.watch()
    try:
        app()
    except SystemExit as end:
        if came := interrupts.came():
            interrupts.leave(came.status)
        if end.code == interrupts.ProgramInterrupted().status:
            interrupts.leave(end.code)
        raise


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit()


@app.callback()
def _voice(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass
