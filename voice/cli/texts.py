"""`voice speak` of many texts: a folder of .txt or the lines of a file, here or on a cluster.

Every text has a sound file of its own, which appears when it is complete; --skip-existing leaves out those
that are there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from voice.cli import batch, cluster
from voice.cli.jobs import Job, remaining
from voice.cli.targets import check_sound
from voice.errors import TextError, VoiceError
from voice.media.formats import ENDINGS, Encoding
from voice.places import check_place, remove_leftovers

if TYPE_CHECKING:
    from voice.types import Controls, Speech

WHAT = "texts"
TEXT = ".txt"


@dataclass(frozen=True)
class SpeakingRequest:
    """How each text is spoken and written: the `voice`, what was asked of it, whether a line is a text."""

    voice: str
    controls: Controls
    ssml: bool
    watermark: bool
    lines: bool
    threads: int | None
    encoding: Encoding = Encoding()


def read_text(path: str, ssml: bool) -> str:
    """Return the text in a file. Raises TextError where there is none."""
    try:
        found = Path(path).read_text("utf-8-sig")
    except OSError as error:
        raise TextError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TextError(f"{path} is not text in UTF-8; save it as such") from error
    return as_asked(found, ssml)


def as_asked(text: str, ssml: bool) -> str:
    """Return a text to speak, marked as SSML if it is. Raises TextError where there is none."""
    if not text.strip():
        raise TextError("there is no text to speak")
    if not ssml:
        return text
    from voice.text.markup import as_ssml

    return as_ssml(text)


def plan(source: Path, output: str, form: str, *, lines: bool) -> list[Job]:
    """Return a job for every text: those of a folder, or with `lines` the lines of a file that hold text.

    Raises TextError where there is none, VoiceError where results cannot be told apart.
    """
    folder = Path(output)
    if f".{form}" not in ENDINGS:
        raise VoiceError(f'there is no format "{form}"; choose one of {", ".join(e[1:] for e in ENDINGS)}')
    if folder.exists() and not folder.is_dir() or (folder.suffix in ENDINGS and not folder.exists()):
        raise VoiceError(f"{output} is a name for one file, and there are several texts; name a folder")
    if lines:
        numbers = [number for number, line in enumerate(_lines(source), 1) if line.strip()]
        width = max(4, len(str(numbers[-1]))) if numbers else 4
        jobs = [Job(f"{source}:{number}", folder / f"{number:0{width}}.{form}") for number in numbers]
    else:
        paths = sorted(path for path in source.iterdir() if _is_text(path))
        jobs = [Job(str(path), folder / f"{path.stem}.{form}") for path in paths]
    if not jobs:
        raise TextError(f"{source} holds no {'line' if lines else TEXT + ' file'} to speak")
    return jobs


def _is_text(path: Path) -> bool:
    return path.suffix.lower() == TEXT and not path.name.startswith(".") and path.is_file()


def _lines(path: Path) -> list[str]:
    """Return the lines of a file. Raises TextError where it holds no text."""
    return read_text(str(path), ssml=False).splitlines()


def open_speaking(asked: SpeakingRequest) -> cluster.Work:
    """Return what speaks a job, with a voice that is loaded now; it returns the seconds of speech."""
    from voice import audio
    from voice.loading import load_voice, load_watermark
    from voice.tts.provenance import synthesis_tags

    voice, tags = load_voice(asked.voice, threads=asked.threads), synthesis_tags(asked.voice)
    mark = load_watermark().mark if asked.watermark else None
    read = _reader(asked)

    def speak(job: Job) -> float:
        assert job.target is not None  # see plan
        check_sound(str(job.target), [job.source])
        samples = 0
        with audio.Writer(job.target, voice.rate, tags, asked.encoding) as writer:
            for piece in voice.speak(read(job.source), asked.controls):
                made: Speech = replace(piece, audio=mark(piece.audio)) if mark else piece
                writer.write(made.audio.samples)
                samples += len(made.audio.samples)
            if not samples:
                raise TextError("nothing in this text can be spoken")
        return samples / voice.rate

    return speak


def _reader(asked: SpeakingRequest) -> Callable[[str], str]:
    """Return what reads the text of a job's source; a file of lines is read once."""
    if not asked.lines:
        return lambda source: read_text(source, asked.ssml)
    held: dict[Path, list[str]] = {}

    def read(source: str) -> str:
        name, _, number = source.rpartition(":")
        path = Path(name)
        if path not in held:
            held[path] = _lines(path)
        return as_asked(held[path][int(number) - 1], asked.ssml)

    return read


def speak_all(
    jobs: Sequence[Job], asked: SpeakingRequest, where: cluster.Cluster | None, skips: bool
) -> None:
    """Speak every job, on a cluster if there is one; exit status 1 if one of them failed."""
    jobs = remaining(jobs) if skips else jobs
    if not jobs:
        return
    targets = [job.target for job in jobs if job.target]
    for folder in sorted({target.parent for target in targets}):
        folder.mkdir(parents=True, exist_ok=True)
        check_place(folder / "any")
    remove_leftovers(targets)
    if where:
        cluster.each(jobs, partial(open_speaking, asked), where)
        return
    speak = open_speaking(asked)
    pace = cluster.Pace(len(jobs), WHAT, "speech")

    def work(job: Job, label: str) -> None:
        pace.add(speak(job))

    batch.each(jobs, work, WHAT)
