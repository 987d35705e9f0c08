"""`voice talk`: the agent in conversation with a recording."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voice.cli import interrupts
from voice.cli.console import Threads, VoiceName, note, plainly, progress, put
from voice.cli.targets import check_sound
from voice.places import remove_leftovers, unfinished_path

if TYPE_CHECKING:
    from voice.agent.events import Event
    from voice.agent.session import Models


BrainName = Annotated[
    str | None,
    typer.Option(
        metavar="offline|URL|FOLDER",
        help="What answers: skills alone, an OpenAI-compatible server, or a chat model for transformers.",
    ),
]
CommandFile = Annotated[
    str | None,
    typer.Option(metavar="YAML", help="Intents and their expressions; each calls the skill of its name."),
]


@plainly
def command(
    recording: Annotated[
        str, typer.Argument(metavar="IN", help="What the person says; - is standard input.")
    ],
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="PATH", help="Where the agent's side goes, as sound."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME|FOLDER", help="Which recognizer; the quickest in place if not given."),
    ] = None,
    voice: VoiceName = "heart",
    impatient: Annotated[
        bool, typer.Option("--impatient", help="Play on while the agent speaks, and so interrupt it.")
    ] = False,
    brain: BrainName = None,
    brain_model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which of the server's language models.")
    ] = None,
    skills: Annotated[
        str | None, typer.Option(metavar="FILE", help="A Python file of skills of your own.")
    ] = None,
    documents: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Text files that can be asked about.")
    ] = None,
    notes: Annotated[str | None, typer.Option(metavar="FILE", help="Where notes are kept.")] = None,
    commands: CommandFile = None,
    threads: Threads = None,
) -> None:
    """Play a recording to the agent; print what happens and save what it says.

    What is not given here the environment gives: VOICE_BRAIN or VOICE_LLM_URL, VOICE_LLM_MODEL,
    VOICE_SKILLS, VOICE_DOCUMENTS, VOICE_NOTES, VOICE_COMMANDS; and VOICE_LLM_KEY.
    """
    from voice import audio
    from voice.agent import start, talk
    from voice.agent.brains.choice import Brains, Choice

    if output:
        check_sound(output, [recording])
        remove_leftovers([Path(output)])
    said = audio.read(recording)
    chosen = {"brain": brain, "model": brain_model, "skills": skills, "documents": documents, "notes": notes}
    brains = Brains(replace(Choice.of(), **{name: value for name, value in chosen.items() if value}))
    models = _load_models(model, voice, commands, threads)
    happened: list[Event] = []

    def keep() -> None:
        if output and output != "-" and happened:
            _save(happened, str(unfinished_path(Path(output))), models.synthesizer.rate, voice)

    with interrupts.keeping(keep):
        _print(talk(said, start(models, brains=brains), patient=not impatient), happened)
    if output:
        _save(happened, output, models.synthesizer.rate, voice)
        unfinished_path(Path(output)).unlink(missing_ok=True)


def _load_models(model: str | None, voice: str, commands: str | None, threads: int | None) -> Models:
    """Load the models, fetched first if they are not there."""
    from voice.agent.session import Models, open_default
    from voice.models import find

    def fetch(name: str) -> str:
        with progress(f"fetching {name}", "bytes") as report:
            find(name, progress=report)
        return name

    model = fetch(model) if model else open_default(fetch)
    return Models.load(model, voice, commands=commands or os.environ.get("VOICE_COMMANDS"), threads=threads)


def _print(events: Iterable[Event], happened: list[Event]) -> None:
    """Tell what happens as it happens, and how long answers took; `happened` collects it."""
    from voice.agent import events as kinds
    from voice.agent import latencies

    for event in events:
        happened.append(event)
        for line in event_lines(event):
            put(line + "\n")
    if not any(isinstance(event, kinds.Heard) for event in happened):
        note("no speech was found, so nothing was answered")
    took = latencies(happened)
    if took:
        put(f"(answers began {took[0]:.2f} s after you ended at the median, {took[1]:.2f} s at p95)\n")


def _save(events: Sequence[Event], path: str, rate: int, voice: str) -> None:
    """Write the agent's side, which says of itself that `voice` was synthesized."""
    from voice import audio
    from voice.agent import answers
    from voice.tts.provenance import synthesis_tags

    reply = answers(events, rate)
    audio.write(path, reply, synthesis_tags(voice))
    note(f"{path}: {reply.duration:.1f} s")


def event_lines(event: Event) -> Iterator[str]:
    """Yield an event as one line, or no line if it tells a person nothing."""
    from voice.agent import events

    line = None
    match event:
        case events.SpeechStarted():
            line = "you speak"
        case events.Heard(text=text):
            line = f"you: {text}" if text else "you: (no words)"
        case events.Speaking(speech=speech) if speech.text.strip():
            line = f"agent: {speech.text.strip()}"
        case events.Interrupted():
            line = "you interrupt"
        case events.Resumed():
            line = "(a sound over the agent; it goes on)"
        case events.Rang():
            line = "a timer rings"
        case events.Trouble(message=message):
            line = f"trouble: {message}"
        case events.Latency(total=total):
            line = f"(answered {total:.2f} s after you ended)"
    if line:
        yield f"{event.time:7.2f}  {line}"
