"""Thousands of mixed requests, a fifth of them cancelled at random: what crashes, how memory grows.

    python -m benchmarks.soak [--requests 2000] [--clients 4] [--model quick]

A server of its own is started with real models. Everything is asked for: speech in all formats,
transcripts in all forms and as streams, live sessions, lists, nonsense. Memory is what the server says
of itself at rest, when it has given back what was free: after the first fifth and after all. Status 1
where it crashed, an answer failed, or memory grew by more than 30 MB in between.
"""

from __future__ import annotations

import base64
import io
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated

import httpx
import numpy as np
import typer

import voice
from benchmarks.serving import WAIT, memory, start_server
from voice import audio

SENTENCES = (
    "What time is it?",
    "What is twelve times seven?",
    "The weather is lovely today, so we are going to the beach. Bring a towel.",
    "Set a timer for ten minutes.",
    "On May 3rd, 21 people saw it at 7:30. Nobody else came. It was late.",
)
FORMATS = ("mp3", "opus", "aac", "flac", "wav", "pcm")
FORMS = ("json", "text", "srt", "vtt", "verbose_json")
CANCELLED = 0.2  # of all requests
WARM = 0.2  # of all requests, after which memory should not grow any more
GROWTH = 30.0  # MB that it may grow all the same
REST = 25.0  # seconds without requests before memory is read
LIVE_RATE = 24_000


@dataclass(frozen=True)
class Case:
    """One request: what it does is drawn from `seed`, and whether the client goes away meanwhile."""

    seed: int
    url: str
    clips: tuple[bytes, ...]
    cancelled: bool

    @property
    def patience(self) -> httpx.Timeout:
        short = random.Random(self.seed).uniform(0.001, 0.3)
        return httpx.Timeout(WAIT, read=short if self.cancelled else WAIT)

    def post(self, path: str, **content) -> str:
        """Tell whether a request is answered; a client that has lost patience takes one piece at most."""
        try:
            with httpx.stream("POST", f"{self.url}{path}", timeout=self.patience, **content) as answer:
                body = b""
                for piece in answer.iter_bytes():
                    if self.cancelled:
                        return "cancelled"
                    body += piece
                events = answer.headers.get("content-type", "").startswith("text/event-stream")
                return outcome_of_events(body) if events else outcome(answer.status_code)
        except httpx.ReadTimeout:
            return "cancelled" if self.cancelled else "timeout"
        except httpx.HTTPError as error:
            return f"failed: {error!r}"


def outcome(status: int) -> str:
    return {200: "answered", 429: "refused"}.get(status, f"status {status}")


def outcome_of_events(body: bytes) -> str:
    """Return the outcome of a stream of events, which has to end with one that says it is done."""
    events = [json.loads(line[6:]) for line in body.splitlines() if line.startswith(b"data: ")]
    for event in events:
        if "error" in event:
            return f"failed: {event['error'].get('message')}"
    is_whole = events and events[-1].get("type", "").endswith(".done")
    return "answered" if is_whole else "failed: the events break off"


def outcome_of_response(event: dict) -> str:
    """Return the outcome of a response in a live session, by the event that says so."""
    if event["type"] == "error":
        return f"failed: {event['error'].get('message')}"
    response = event["response"]
    if response["status"] == "failed":
        return f"failed: {response['status_details']['error']['message']}"
    return {"completed": "answered", "cancelled": "interrupted"}[response["status"]]


def speech(case: Case, chance: random.Random) -> str:
    wish = {"input": chance.choice(SENTENCES), "voice": "alloy", "response_format": chance.choice(FORMATS)}
    wish |= {"speed": chance.choice((0.8, 1.0, 1.3)), "stream_format": chance.choice(("audio", "sse"))}
    return case.post("/v1/audio/speech", json=wish)


def transcription(case: Case, chance: random.Random) -> str:
    fields = {"response_format": chance.choice(FORMS), "stream": chance.choice(("true", "false"))}
    file = {"file": ("clip", chance.choice(case.clips))}
    return case.post("/v1/audio/transcriptions", data=fields, files=file)


def nonsense(case: Case, chance: random.Random) -> str:
    file = {"file": ("clip.mp3", chance.randbytes(chance.randrange(1, 50_000)))}
    path = chance.choice(("/v1/audio/transcriptions", "/v1/audio/speech", "/v1/models"))
    found = case.post(path, files=file)
    return "turned away" if found in ("status 400", "status 405") else found


def lists(case: Case, chance: random.Random) -> str:
    path = chance.choice(("/v1/models", "/health", "/metrics"))
    return outcome(httpx.get(f"{case.url}{path}", timeout=WAIT).status_code)


def live(case: Case, chance: random.Random) -> str:
    """Ask a question in a live session, and wait for the answer or do not."""
    from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidStatus
    from websockets.sync.client import connect

    question = audio.read(io.BytesIO(chance.choice(case.clips)), LIVE_RATE)
    samples = np.concatenate([question.samples, np.zeros(2 * LIVE_RATE, np.float32)])
    pcm = np.round(samples * 32767).astype("<i2").tobytes()
    try:
        with connect(
            f"{case.url.replace('http', 'ws', 1)}/v1/realtime?model=default", close_timeout=1
        ) as line:
            for start in range(0, len(pcm), 9600):
                sound = base64.b64encode(pcm[start : start + 9600]).decode()
                line.send(json.dumps({"type": "input_audio_buffer.append", "audio": sound}))
                if case.cancelled and chance.random() < 0.1:
                    return "cancelled"
            while (event := json.loads(line.recv(WAIT)))["type"] not in ("response.done", "error"):
                if case.cancelled and chance.random() < 0.1:
                    return "cancelled"
        return outcome_of_response(event)
    except InvalidStatus as refusal:
        return outcome(refusal.response.status_code)
    except ConnectionClosedOK as goodbye:
        return f"let go: {goodbye.rcvd.reason if goodbye.rcvd else 'no reason'}"
    except (ConnectionClosed, TimeoutError, OSError) as error:
        return f"failed: {error!r}"


KINDS: dict[Callable[[Case, random.Random], str], int] = {
    speech: 8, transcription: 6, live: 1, nonsense: 2, lists: 3
}  # fmt: skip


def run(case: Case) -> tuple[str, str]:
    """Send the request of `case`; return its kind and its outcome."""
    chance = random.Random(case.seed)
    kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
    return kind.__name__, kind(case, chance)


def clips() -> tuple[bytes, ...]:
    """Speak the sentences; return them as recordings of several kinds."""
    made = []
    for sentence, form in zip(SENTENCES, ("wav", "mp3", "flac", "ogg", "m4a"), strict=True):
        sound, held = voice.speak(sentence).audio, io.BytesIO()
        encoder = audio.Encoder(held, form, sound.rate)
        encoder.write(sound.samples)
        encoder.close()
        made.append(held.getvalue())
    return tuple(made)


def main(
    requests: Annotated[int, typer.Option(help="How many.")] = 2000,
    clients: Annotated[int, typer.Option(help="How many at a time.")] = 4,
    model: Annotated[str, typer.Option(help="Which recognizer.")] = "quick",
    port: Annotated[int, typer.Option()] = 8765,
    seed: Annotated[int, typer.Option()] = 1,
) -> None:
    chance, recordings, url = random.Random(seed), clips(), f"http://127.0.0.1:{port}"
    server = start_server(port, "--model", model, environment={"VOICE_IDLE": "30"})
    begun = time.perf_counter()
    cases = [
        Case(chance.randrange(2**32), url, recordings, chance.random() < CANCELLED) for _ in range(requests)
    ]
    found: Counter[tuple[str, str]] = Counter()
    sizes = [memory(url)]
    steps = max(1, round(requests * WARM))
    with ThreadPoolExecutor(clients) as pool:
        for start in range(0, requests, steps):
            found.update(pool.map(run, cases[start : start + steps]))
            time.sleep(REST)
            sizes.append(memory(url))
            typer.echo(f"{start + steps} requests: {sizes[-1]:.0f} MB", err=True)
    crashed = server.poll() is not None
    left = httpx.get(f"{url}/health", timeout=WAIT).json()
    report(found, sizes, time.perf_counter() - begun)
    typer.echo(
        f"places still taken: {left['requests']['open']} requests, {left['sessions']['open']} sessions"
    )
    typer.echo(f"crashed: {'yes' if crashed else 'no'}; failed: {failures(found)}")
    raise typer.Exit(1 if crashed or failures(found) or growth(sizes) > GROWTH else 0)


def failures(found: Counter[tuple[str, str]]) -> int:
    return sum(
        count for (_, what), count in found.items() if what.startswith(("failed", "status", "timeout"))
    )


def growth(sizes: list[float]) -> float:
    """Return the megabytes after the first fifth; `sizes` are those at the start and after each."""
    return sizes[-1] - sizes[1]


def report(found: Counter[tuple[str, str]], sizes: list[float], seconds: float) -> None:
    typer.echo("| request | outcome | times |\n|---|---|---|")
    for (kind, what), count in sorted(found.items()):
        typer.echo(f"| {kind} | {what} | {count} |")
    typer.echo(f"{sum(found.values())} requests in {seconds:.0f} s; memory in MB at the start and after")
    typer.echo(
        f"each fifth: {', '.join(f'{size:.0f}' for size in sizes)}; "
        f"growth after the first {growth(sizes):+.0f}, at most {GROWTH:.0f} is well"
    )


if __name__ == "__main__":
    typer.run(main)
