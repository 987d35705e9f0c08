"""Many transcriptions at once through OpenAI's asynchronous client: how many are answered, and when.

    python -m benchmarks.parallel [--number 24] [--model whisper-base] [RECORDING]

The client has its defaults, retries and timeouts included, and the server its own: more requests than it has
places wait in its line. Without a RECORDING, a sentence is spoken first.
"""

from __future__ import annotations

import asyncio
import io
import statistics
import time
from pathlib import Path
from typing import Annotated

import typer

import voice
from benchmarks.serving import start_server

SENTENCE = "We will meet at the harbor on Thursday, and then take the boat to the island."


def main(
    recording: Annotated[Path | None, typer.Argument(help="Sent by every request.")] = None,
    number: Annotated[int, typer.Option(help="Requests at once.", min=1)] = 24,
    model: Annotated[str, typer.Option(help="Which recognizer.")] = "whisper-base",
    port: Annotated[int, typer.Option(help="Of the server.")] = 8741,
) -> None:
    """Print how many were answered, and when the first, the median and the last answer came."""
    sound = recording.read_bytes() if recording else _speech_bytes()
    start_server(port, "--model", model)
    took = asyncio.run(_response_times(f"http://127.0.0.1:{port}/v1", sound, model, number))
    typer.echo("| model | requests | answered | first, s | median, s | last, s |\n|---|---|---|---|---|---|")
    times = (min(took), statistics.median(took), max(took)) if took else (float("nan"),) * 3
    typer.echo(f"| {model} | {number} | {len(took)} | " + " | ".join(f"{each:.1f}" for each in times) + " |")


def _speech_bytes() -> bytes:
    made = io.BytesIO()
    voice.write(made, voice.speak(SENTENCE).audio)
    return made.getvalue()


async def _response_times(url: str, sound: bytes, model: str, number: int) -> list[float]:
    """Return the seconds until each request that was answered had its text."""
    import openai

    async with openai.AsyncOpenAI(base_url=url, api_key="none") as client:

        async def one() -> float | None:
            begun = time.perf_counter()
            try:
                heard = await client.audio.transcriptions.create(model=model, file=("a.wav", sound))
            except openai.APIError as error:
                typer.echo(f"not answered: {error}", err=True)
                return None
            return time.perf_counter() - begun if heard.text else None

        took = await asyncio.gather(*(one() for _ in range(number)))
    return [each for each in took if each is not None]


if __name__ == "__main__":
    typer.run(main)
