"""`voice serve`: OpenAI's speech interface on this machine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voice.cli import interrupts
from voice.cli.console import note, plainly
from voice.errors import VoiceError

if TYPE_CHECKING:
    from voice.serve.settings import Settings


@plainly
def command(
    host: Annotated[
        str | None, typer.Option(help="Where to listen: 127.0.0.1 is this machine alone, 0.0.0.0 all.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="8000 if not given.")] = None,
    token: Annotated[
        str | None, typer.Option(help="What every client has to send; better given as VOICE_TOKEN.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME|FOLDER", help="Transcribes files: whisper-base if not given.")
    ] = None,
    live_model: Annotated[
        str | None, typer.Option(metavar="NAME|FOLDER", help="Hears live sessions; the quickest in place.")
    ] = None,
    voice: Annotated[
        str | None, typer.Option(metavar="NAME|FOLDER", help="Whose voice; heart if not given.")
    ] = None,
    commands: Annotated[
        str | None, typer.Option(metavar="YAML", help="Spoken intents that call skills in live sessions.")
    ] = None,
    requests: Annotated[
        int | None, typer.Option(help="Recordings, and texts, worked on at a time; others wait.", min=1)
    ] = None,
    sessions: Annotated[int | None, typer.Option(help="Live sessions at a time.", min=1)] = None,
    threads: Annotated[int | None, typer.Option(help="Processor cores to use.", min=1)] = None,
) -> None:
    """Serve transcriptions, speech and live sessions as OpenAI's clients expect them.

    Each option can be a variable, VOICE_PORT and so on; so can the other limits: VOICE_QUEUE, VOICE_WAIT,
    VOICE_CONNECTIONS, VOICE_UPLOAD_MB, VOICE_MINUTES, VOICE_CHARACTERS, VOICE_IDLE, VOICE_ORIGINS; and
    VOICE_ALIASES, further names of models and voices.
    """
    given: dict[str, Any] = {
        "host": host,
        "port": port,
        "token": token,
        "model": model,
        "live_model": live_model,
        "voice": voice,
        "commands": commands,
        "requests": requests,
        "sessions": sessions,
        "threads": threads,
    }
    _needs_the_server()
    from voice.serve.settings import from_environment

    settings = from_environment()
    settings = replace(settings, **{name: value for name, value in given.items() if value is not None})
    run(settings)


def run(settings: Settings) -> None:
    """Load the models and serve until told to stop. Raises VoiceError where the address cannot be had."""
    from voice.serve import Services, build, running

    listening = running.listen(settings)
    running.spare_memory()
    note("loading models")
    services = Services(settings)
    services.preload()
    if settings.warning:
        note(settings.warning)
    note(f"serving on http://{settings.host}:{listening.getsockname()[1]}/v1")
    interrupts.release()  # a server ends in its own way
    running.run(build(services), listening)


def _needs_the_server() -> None:
    """Raise VoiceError if the packages of the server are not installed."""
    from importlib.util import find_spec

    if not all(find_spec(name) for name in ("fastapi", "uvicorn", "prometheus_client")):
        raise VoiceError("the server is not installed; run: pip install '.[serve]'")
