"""`voice train`: from a folder of recordings to a model, each in one command that can be gone on with."""

from __future__ import annotations

import typer

from voice.cli.train import endpoint, recognizer, vocoder, voice

app = typer.Typer(help="Train models on your own recordings.", no_args_is_help=True)


@app.callback()
def _train() -> None:
    pass


app.command("endpoint")(endpoint.command)
app.command("recognizer")(recognizer.command)
app.command("vocoder")(vocoder.command)
app.command("voice")(voice.command)
