"""`voice transcribe`: recordings to text, subtitles or JSON."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperCommand

from voice.cli import batch, interrupts
from voice.cli.console import (
    Threads,
    encodable,
    is_terminal,
    plainly,
    prints_to_terminal,
    progress,
    put,
    shown,
)
from voice.cli.jobs import Job, check_recording, plan, remaining
from voice.cli.targets import check_text
from voice.errors import VoiceError
from voice.places import check_place, remove_leftovers

if TYPE_CHECKING:
    from voice.asr.diarization.speakers import Speakers
    from voice.cli.results import Result
    from voice.types import Recognizer, SpeechDetector


ALL, MOST_SPEAKERS = "all", 64  # what --speakers may be: as many people as there are, or so many at most

Files = Annotated[
    list[str], typer.Argument(metavar="FILE…", help="Sound or video, folders of it; - is standard input.")
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        "-f",
        metavar="txt|json|srt|vtt|tsv",
        help="What to write or print; as PATH ends, else txt.",
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="PATH", help="A file or, for several, a folder; printed if not given."
    ),
]
SpeakerCount = Annotated[
    str | None,
    typer.Option(metavar="[N]", help="Name who speaks, of N people; the text then comes at the end."),
]
Recursive = Annotated[
    bool, typer.Option("--recursive", "-r", help="Take the subfolders of a folder as well.")
]
SkipExisting = Annotated[
    bool,
    typer.Option(
        "--skip-existing", help="Leave out what is in PATH already, whatever options it was made with."
    ),
]
Terms = Annotated[
    str, typer.Option(metavar="FILE|TERMS", help='Terms to expect: "Ada, Kubernetes" or a file of them.')
]
LiveWords = Annotated[
    bool,
    typer.Option(
        "--live", help="Show words as they are said; - is then WAV, or raw 16-bit sound at 16 kHz, mono."
    ),
]


@dataclass(frozen=True)
class Named:
    """People are told apart by `speakers`; `count` is how many there are, None if that is to be found out."""

    speakers: Speakers
    count: int | None


@dataclass(frozen=True)
class Recognition:
    """What recognizes all recordings of a run, and what is asked of it."""

    recognizer: Recognizer
    detector: SpeechDetector
    language: str | None
    hotwords: Sequence[str]
    task: str
    named: Named | None


class Command(TyperCommand):
    """Takes `--speakers` with a number after it and without: click would take any word for the number."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, counted(args))


def counted(args: Sequence[str]) -> list[str]:
    """`--speakers 2` → `--speakers=2`; alone → `--speakers=all`, as many as there are.

    A word that no file is called ("two") is taken for a number too, so that it can be refused as one.
    """
    result: list[str] = []
    rest = list(args)
    while rest:
        arg = rest.pop(0)
        if arg == "--":
            return [*result, arg, *rest]
        if arg == "--speakers":
            arg = f"--speakers={rest.pop(0) if rest and _may_be_number(rest[0]) else ALL}"
        result.append(arg)
    return result


def _may_be_number(arg: str) -> bool:
    if arg.isdecimal():
        return True
    return bool(re.fullmatch(r"[-+]?\d[\d.,]*|\w+", arg)) and not os.path.exists(arg)


@plainly
def command(
    files: Files,
    form: Format = None,
    output: Output = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME|FOLDER", help="Which recognizer: whisper-base, with --live quick."),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option("--language", "-l", metavar="NAME|CODE", help="Such as Spanish or es; auto detects it."),
    ] = None,
    translate: Annotated[bool, typer.Option("--translate", help="Answer in English.")] = False,
    hotwords: Terms = "",
    speakers: SpeakerCount = None,
    recursive: Recursive = False,
    skip_existing: SkipExisting = False,
    live: LiveWords = False,
    real_time: Annotated[
        bool, typer.Option("--real-time", help="With --live: a recording takes as long as it lasts.")
    ] = False,
    threads: Threads = None,
) -> None:
    """Write down what is said in recordings, as it is heard; one that fails loses none of the others.

    Ctrl-C ends it and keeps what was heard of the recording at hand, in PATH as NAME.partial.srt.
    """
    from voice.asr.ctc.hotwords import read_hotwords
    from voice.cli.results import Result
    from voice.text.languages import parse_language

    _check_live(live, translate, speakers)
    _check_skipping(skip_existing, output)
    people, language = _people(speakers), parse_language(language)
    form = _format(form, output)
    terms = read_hotwords(encodable(hotwords, "--hotwords"))
    jobs = plan(files, form, output, recursive=recursive)
    several = len(jobs) > 1
    jobs = remaining(jobs) if skip_existing else jobs
    if not jobs:
        return
    inputs = [*files, hotwords]
    _prepare(jobs, output, inputs)
    model = model or ("quick" if live else "whisper-base")
    recognition = _recognition(
        model, people, language, terms, "translate" if translate else "transcribe", threads
    )

    def write_down(job: Job, label: str) -> None:
        check_recording(job.source)
        if job.target and several:
            check_text(job.target, inputs)
        result = Result(job, form, at_once=live or not recognition.named, titled=several)
        with interrupts.keeping(result.keep):
            if live:
                _caption(result, recognition, real_time)
            else:
                _transcribe(result, recognition, label)

    batch.each(jobs, write_down)


def _check_live(live: bool, translate: bool, speakers: str | None) -> None:
    """Raises VoiceError for what cannot be had while somebody still speaks."""
    if translate and live:
        raise VoiceError("--live writes down what is said as it is said; leave out --translate")
    if speakers is not None and live:
        raise VoiceError("--speakers compares all that is said in a recording; leave out --live")


def _check_skipping(skip_existing: bool, output: str | None) -> None:
    """Raises VoiceError where nothing could be skipped."""
    if skip_existing and output in (None, "-"):
        raise VoiceError("--skip-existing looks at what is there; name a folder or a file with --output")


def _prepare(jobs: Sequence[Job], output: str | None, inputs: Sequence[str]) -> None:
    """Make the folders below `output` and remove what killed processes have left in them.

    Raises VoiceError where nothing can be written; what is wrong with one place of several (see
    check_text) is said when it is its turn.
    """
    targets = [job.target for job in jobs if job.target]
    for folder in sorted({target.parent for target in targets if target != Path(output)}):
        folder.mkdir(parents=True, exist_ok=True)
        check_place(folder / "any")
    if len(targets) == 1:
        check_text(targets[0], inputs)
    remove_leftovers(targets)


def _people(speakers: str | None) -> int | None:
    """What `--speakers` asks for: None if it is not there, 0 if the number is to be found out."""
    if speakers in (None, ALL):
        return None if speakers is None else 0
    hint = "give how many people speak, such as --speakers 2, or --speakers alone to have them counted"
    if not speakers.isdecimal():
        raise VoiceError(f'"{speakers}" after --speakers is neither a number nor a file; {hint}')
    if not 1 <= int(speakers) <= MOST_SPEAKERS:
        raise VoiceError(f"--speakers is {speakers}, and can be 1 to {MOST_SPEAKERS}; {hint}")
    return int(speakers)


def _named(people: int | None, threads: int | None) -> Named | None:
    from voice import loading

    if people is None:
        return None
    return Named(loading.load("speakers", kind="speakers", threads=threads), people or None)


def _recognition(
    model: str, people: int | None, language: str | None, terms: Sequence[str], task: str, threads: int | None
) -> Recognition:
    """Load what is needed; the model is fetched if it is not there."""
    from voice import loading
    from voice.simple import detector
    from voice.text.languages import language_for

    with progress(f"fetching {model}", "bytes") as bar:
        recognizer = loading.load(model, kind="recognizer", threads=threads, progress=bar)
    language = language_for(recognizer, language)
    return Recognition(recognizer, detector(), language, terms, task, _named(people, threads))


def _caption(result: Result, recognition: Recognition, real_time: bool) -> None:
    """One recording live: text as it comes, or a file of it and other formats at the end."""
    from voice.cli import captions

    whole = result.job.target is not None or result.form != "txt"
    if not whole:
        if result.titled:
            put(f"{shown(result.job.source)}:\n")
        result.print = _is_shown
    transcript = captions.transcribe(
        result.job.source,
        recognition.recognizer,
        recognition.detector,
        language=recognition.language,
        hotwords=recognition.hotwords,
        real_time=real_time,
        quiet=whole and not prints_to_terminal(),
        heard=result.add,
    )
    result.complete(transcript)


def _is_shown(text: str) -> None:
    """Captions are on the screen as they are heard."""


def _transcribe(result: Result, recognition: Recognition, label: str) -> None:
    """One recording as a whole: text as it is heard, everything else at the end."""
    from voice import audio
    from voice.asr import longform
    from voice.asr.diarization import attribution

    source, named = result.job.source, recognition.named
    length = audio.length(source) if is_terminal() else 0.0
    listening = named.speakers.listen() if named else None
    with progress(label) as bar:
        result.print = bar.put
        blocks = audio.blocks(source, recognition.recognizer.rate)
        transcript = longform.whole(
            listening.through(blocks) if listening else blocks,
            recognition.recognizer,
            recognition.detector,
            language=recognition.language,
            hotwords=recognition.hotwords,
            task=recognition.task,
            progress=lambda seconds: bar(seconds, length),
            heard=result.add,
        )
    result.print = put
    result.complete(attribution.attributed(transcript, listening.turns(named.count)) if named else transcript)


def _format(form: str | None, output: str | None) -> str:
    from voice.text.subtitles import FORMATS

    suffix = Path(output).suffix.lstrip(".").lower() if output else ""
    if form in FORMATS and suffix in FORMATS and form != suffix and not os.path.isdir(output):
        raise VoiceError(f"--format {form} and --output {output} name two formats; leave one of them out")
    chosen = form or (suffix if suffix in FORMATS else "txt")
    if chosen not in FORMATS:
        raise VoiceError(f'there is no format "{chosen}"; choose one of {", ".join(FORMATS)}')
    return chosen
