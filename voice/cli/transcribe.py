"""`voice transcribe`: recordings to text, subtitles or JSON."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperCommand

from voice.cli.console import Threads, explained, is_terminal, note, plainly, progress
from voice.cli.targets import check_text, write_text
from voice.errors import AudioError, VoiceError

if TYPE_CHECKING:
    from voice.asr.speakers import Speakers
    from voice.types import Transcript


# Two of these, one after the other, are no valid file; JSON documents are read one after the other.
APART = ("srt", "vtt", "tsv")
ALL, MOST_SPEAKERS = "all", 64  # what --speakers may be: as many people as there are, or so many at most

Terms = Annotated[
    str, typer.Option(metavar="FILE|TERMS", help='Terms to expect: "Ada, Kubernetes" or a file of them.')
]
LiveWords = Annotated[
    bool,
    typer.Option("--live", help="Show words as they are said; - is then raw 16-bit sound at 16 kHz, mono."),
]


@dataclass(frozen=True)
class Job:
    """A recording, and where its transcript goes; None is standard output."""

    source: str
    target: Path | None


@dataclass(frozen=True)
class Named:
    """People are told apart by `speakers`; `count` is how many there are, None if that is to be found out."""

    speakers: Speakers
    count: int | None


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
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Sound or video; - is standard input.")],
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="txt|json|srt|vtt|tsv",
            help="What to write or print; as PATH ends, else txt.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="PATH", help="A file or, for several, a folder; printed if not given."
        ),
    ] = None,
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
    speakers: Annotated[str | None, typer.Option(metavar="[N]", help="Name who speaks, of N people.")] = None,
    live: LiveWords = False,
    real_time: Annotated[
        bool, typer.Option("--real-time", help="With --live: a recording takes as long as it lasts.")
    ] = False,
    threads: Threads = None,
) -> None:
    """Write down what is said in recordings; one that fails loses none of the others."""
    from voice import loading
    from voice.asr.hotwords import read_hotwords
    from voice.simple import detector
    from voice.text.languages import language_for, parse_language

    _check_live(live, translate, speakers)
    people, language = _people(speakers), parse_language(language)
    model = model or ("quick" if live else "whisper-base")
    form = _format(form, output)
    terms = read_hotwords(hotwords)
    jobs = plan(files, form, output)
    _check_targets(jobs, [*files, hotwords])
    with progress(f"fetching {model}", "bytes") as moved:
        recognizer = loading.load(model, kind="recognizer", threads=threads, progress=moved)
    language = language_for(recognizer, language)
    heard = {
        "language": language,
        "hotwords": terms,
        "task": "translate" if translate else "transcribe",
        "named": _named(people, threads),
    }
    several = len(jobs) > 1

    def write_down(job: Job, label: str) -> None:
        if live:
            _caption(job, recognizer, detector(), form, several, real_time, language, heard["hotwords"])
        else:
            transcript = _transcript(job.source, recognizer, detector(), label, **heard)
            _deliver(job, transcript, form, several)

    _each(jobs, write_down)


def _check_live(live: bool, translate: bool, speakers: str | None) -> None:
    """Raises VoiceError for what cannot be had while somebody still speaks."""
    if translate and live:
        raise VoiceError("--live writes down what is said as it is said; leave out --translate")
    if speakers is not None and live:
        raise VoiceError("--speakers compares all that is said in a recording; leave out --live")


def _check_targets(jobs: Sequence[Job], inputs: Sequence[str]) -> None:
    """Raises VoiceError where a transcript cannot go to its place (see check_text)."""
    for job in jobs:
        if job.target:
            check_text(job.target, inputs)


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


def _each(jobs: Sequence[Job], write_down: Callable[[Job, str], None]) -> None:
    """All recordings, one after the other; exit status 1 if one of them failed."""
    failed = 0
    for number, job in enumerate(jobs, 1):
        name = Path(job.source).name
        try:
            write_down(job, f"{name} ({number}/{len(jobs)})" if len(jobs) > 1 else name)
        except (AudioError, OSError) as error:
            if isinstance(error, BrokenPipeError):
                raise
            failed += 1
            note(f"error: {explained(error)}")
    if failed and len(jobs) > 1:
        note(f"{failed} of {len(jobs)} recordings failed; the others are done")
    if failed:
        raise typer.Exit(1)


def _caption(
    job: Job,
    recognizer,
    detector,
    form: str,
    several: bool,
    real_time: bool,
    language: str | None,
    hotwords: Sequence[str],
) -> None:
    """One recording live: text as it comes, or a file of it and other formats at the end."""
    from voice.cli import captions

    whole = job.target is not None or form != "txt"
    if several and not whole:
        sys.stdout.write(f"{job.source}:\n")
    transcript = captions.transcribe(
        job.source,
        recognizer,
        detector,
        language=language,
        hotwords=hotwords,
        real_time=real_time,
        quiet=whole and not sys.stdout.isatty(),
    )
    if whole:
        _deliver(job, transcript, form, several)


def _transcript(
    source: str,
    recognizer,
    detector,
    label: str,
    *,
    language: str | None,
    hotwords: Sequence[str],
    task: str,
    named: Named | None = None,
) -> Transcript:
    from voice import audio
    from voice.asr import attribution, longform

    length = audio.length(source) if is_terminal() else 0.0
    blocks = audio.blocks(source, recognizer.rate)
    listening = named.speakers.listen() if named else None
    with progress(label) as moved:
        transcript = longform.whole(
            listening.through(blocks) if listening else blocks,
            recognizer,
            detector,
            language=language,
            hotwords=hotwords,
            task=task,
            progress=lambda seconds: moved(seconds, length),
        )
    return attribution.attributed(transcript, listening.turns(named.count)) if named else transcript


def _format(form: str | None, output: str | None) -> str:
    from voice.text.subtitles import FORMATS

    suffix = Path(output).suffix.lstrip(".").lower() if output else ""
    chosen = form or (suffix if suffix in FORMATS else "txt")
    if chosen not in FORMATS:
        raise VoiceError(f'there is no format "{chosen}"; choose one of {", ".join(FORMATS)}')
    return chosen


def plan(files: Sequence[str], form: str, output: str | None) -> list[Job]:
    """Where each transcript goes. Raises VoiceError where several would go to one file,
    or subtitles of several to standard output."""
    if output is None or output == "-":
        if len(files) > 1 and form in APART:
            raise VoiceError(f"several recordings as {form} would run together; name a folder with --output")
        return [Job(file, None) for file in files]
    from voice.text.subtitles import FORMATS

    folder = Path(output)
    if len(files) == 1 and not folder.is_dir() and not output.endswith(("/", os.sep)):
        return [Job(files[0], folder)]
    if folder.exists() and not folder.is_dir():
        raise VoiceError(f"{output} is a file, and there are {len(files)} recordings; name a folder")
    if folder.suffix[1:] in FORMATS and not folder.exists():
        raise VoiceError(f"{output} is a name for one file, and there are {len(files)}; name a folder")
    folder.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    return [Job(file, folder / f"{_free_stem(file, taken)}.{form}") for file in files]


def _free_stem(file: str, taken: set[str]) -> str:
    """The file's stem, with a number if another recording of this run has the same."""
    stem = "stdin" if file == "-" else Path(file).stem
    name, count = stem, 1
    while name.lower() in taken:  # some file systems know no case
        count += 1
        name = f"{stem}-{count}"
    if count > 1:
        note(f"{file} goes to {name}, as {stem} is taken")
    taken.add(name.lower())
    return name


def _deliver(job: Job, transcript: Transcript, form: str, several: bool) -> None:
    from voice.text.languages import name_of
    from voice.text.subtitles import render

    text = render(transcript, form)
    if job.target:
        write_text(job.target, text)
        note(f"{job.target}: {transcript.duration:.1f} s of {name_of(transcript.language)}")
        return
    if several and form == "txt":
        text = f"{job.source}:\n{text}"
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()
