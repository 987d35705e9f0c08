"""`voice transcribe`: recordings to text, subtitles or JSON."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voice.cli import batch, cluster, interrupts, table
from voice.cli.cluster import Ray, Workers
from voice.cli.console import (
    Threads,
    encodable,
    escape_unprintable,
    is_terminal,
    plainly,
    prints_to_terminal,
    progress,
    put,
)
from voice.cli.jobs import Job, check_recording, plan, remaining
from voice.cli.speaker_count import SpeakerCount, parse_speaker_count
from voice.cli.targets import check_text, write_text
from voice.errors import VoiceError
from voice.places import check_place, remove_leftovers

if TYPE_CHECKING:
    from voice.asr.diarization.speakers import Diarizer
    from voice.cli.results import Result
    from voice.transcription import TranscriptionRequest
    from voice.types import Recognizer, SpeechDetector

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
class Recognition:
    """The models of a run, and what is asked of every recording. With `speakers` people are told apart."""

    recognizer: Recognizer
    detector: SpeechDetector
    speakers: Diarizer | None
    request: TranscriptionRequest


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
    ray: Ray = None,
    workers: Workers = 0,
    threads: Threads = None,
) -> None:
    """Write down what is said in recordings, as it is heard; one that fails loses none of the others.

    Ctrl-C ends it and keeps what was heard of the recording at hand, in PATH as NAME.partial.srt.
    """
    from voice.asr.ctc.hotwords import read_hotwords
    from voice.cli.results import Result
    from voice.text.languages import parse_language
    from voice.transcription import TranscriptionRequest

    _check_live(live, translate, speakers)
    if ray and (live or output in (None, "-")):
        raise VoiceError("--ray writes files: name a folder with --output, and leave out --live")
    _check_skipping(skip_existing, output)
    speaker_count, language = parse_speaker_count(speakers), parse_language(language)
    place = table.place_of_parts(output, form, shared=bool(ray)) if table.is_table(output) else output
    form = _format("json" if place != output else form, place)
    terms = read_hotwords(encodable(hotwords, "--hotwords"))
    request = TranscriptionRequest(language, terms, "translate" if translate else "transcribe", speaker_count)
    every = plan(files, form, place, recursive=recursive)
    several = len(every) > 1
    jobs = remaining(every) if skip_existing or place != output else every
    if not jobs and place == output:
        return
    inputs = [*files, hotwords]
    _prepare(jobs, place, inputs)
    model = model or ("quick" if live else "whisper-base")
    if ray:
        ask = Asked(model, request, form, speakers is not None, threads or 1)
        with table.gathering(output, every) if table.is_table(output) else nullcontext():
            cluster.each(jobs, partial(open_transcription, ask), cluster.Cluster(ray, workers, threads or 1))
        return
    recognition = _recognition(model, request, speakers is not None, threads)

    def write_down(job: Job, label: str) -> None:
        check_recording(job.source)
        if job.target and several:
            check_text(job.target, inputs)
        result = Result(job, form, at_once=live or not recognition.speakers, titled=several)
        with interrupts.keeping(result.keep):
            if live:
                _caption(result, recognition, real_time)
            else:
                _transcribe(result, recognition, label)

    batch.each(jobs, write_down)


@dataclass(frozen=True)
class Asked:
    """What every worker of a cluster is asked for: its models, and what to do with each recording."""

    model: str
    request: TranscriptionRequest
    form: str
    diarize: bool
    threads: int


def open_transcription(asked: Asked) -> cluster.Work:
    """Return what transcribes a job in a worker of a cluster, with models that are loaded now."""
    from voice import audio
    from voice.text.subtitles import render
    from voice.transcription import Transcriber

    recognition = _recognition(asked.model, asked.request, asked.diarize, asked.threads)
    transcriber = Transcriber(recognition.recognizer, recognition.detector, recognition.speakers)

    def transcribe(job: Job) -> float:
        check_recording(job.source)
        assert job.target is not None  # a cluster writes files
        check_text(job.target, [job.source])
        transcript = transcriber.transcribe(audio.blocks(job.source, transcriber.rate), recognition.request)
        write_text(job.target, render(transcript, asked.form))
        return transcript.duration

    return transcribe


def _check_live(live: bool, translate: bool, speakers: str | None) -> None:
    """Raise VoiceError for an option that does not go with --live."""
    if translate and live:
        raise VoiceError("--live writes down what is said as it is said; leave out --translate")
    if speakers is not None and live:
        raise VoiceError("--speakers compares all that is said in a recording; leave out --live")


def _check_skipping(skip_existing: bool, output: str | None) -> None:
    """Raise VoiceError for --skip-existing without a file or a folder to look at."""
    if skip_existing and output in (None, "-"):
        raise VoiceError("--skip-existing looks at what is there; name a folder or a file with --output")


def _prepare(jobs: Sequence[Job], output: str | None, inputs: Sequence[str]) -> None:
    """Make the folders below `output` and remove partial files that killed processes have left in them.

    Raises VoiceError if nothing can be written. With several targets each is checked again when its turn
    comes (see check_text).
    """
    targets = [job.target for job in jobs if job.target]
    for folder in sorted({target.parent for target in targets if target != Path(output or "")}):
        folder.mkdir(parents=True, exist_ok=True)
        check_place(folder / "any")
    if len(targets) == 1:
        check_text(targets[0], inputs)
    remove_leftovers(targets)


def _recognition(
    model: str, request: TranscriptionRequest, diarize: bool, threads: int | None
) -> Recognition:
    """Load the models; a recognizer that is not on this machine is fetched first."""
    from voice.loading import load_recognizer, load_speakers
    from voice.simple import detector
    from voice.text.languages import language_for

    with progress(f"fetching {model}", "bytes") as bar:
        recognizer = load_recognizer(model, threads=threads, progress=bar)
    request = replace(request, language=language_for(recognizer, request.language))
    return Recognition(recognizer, detector(), load_speakers(threads=threads) if diarize else None, request)


def _caption(result: Result, recognition: Recognition, real_time: bool) -> None:
    """Transcribe one recording live: print text as it comes; write a file or another format at the end."""
    from voice.cli import captions

    whole = result.job.target is not None or result.form != "txt"
    if not whole:
        if result.titled:
            put(f"{escape_unprintable(result.job.source)}:\n")
        result.print = _is_shown
    transcript = captions.transcribe(
        result.job.source,
        recognition.recognizer,
        recognition.detector,
        language=recognition.request.language,
        hotwords=recognition.request.hotwords,
        real_time=real_time,
        quiet=whole and not prints_to_terminal(),
        heard=result.add,
    )
    result.complete(transcript)


def _is_shown(text: str) -> None:
    """Print nothing: captions are on the screen already."""


def _transcribe(result: Result, recognition: Recognition, label: str) -> None:
    """Transcribe one recording: print text as it is recognized; write everything else at the end."""
    from voice import audio
    from voice.transcription import Transcriber

    source = result.job.source
    length = audio.length(source) if is_terminal() else 0.0
    transcriber = Transcriber(recognition.recognizer, recognition.detector, recognition.speakers)
    with progress(label) as bar:
        result.print = bar.put
        blocks = audio.blocks(source, transcriber.rate)
        transcription = transcriber.stream(blocks, recognition.request, lambda seconds: bar(seconds, length))
        for part in transcription:
            result.add(part)
        transcript = transcription.whole()
    result.print = put
    result.complete(transcript)


def _format(form: str | None, output: str | None) -> str:
    """Return the format to write, by --format or else the suffix of --output. Raises VoiceError."""
    from voice.text.subtitles import FORMATS

    suffix = Path(output).suffix.lstrip(".").lower() if output else ""
    if form in FORMATS and suffix in FORMATS and form != suffix and not os.path.isdir(output or ""):
        raise VoiceError(f"--format {form} and --output {output} name two formats; leave one of them out")
    chosen = form or (suffix if suffix in FORMATS else "txt")
    if chosen not in FORMATS:
        raise VoiceError(f'there is no format "{chosen}"; choose one of {", ".join(FORMATS)}')
    return chosen
