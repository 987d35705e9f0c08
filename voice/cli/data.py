"""`voice data`: recordings with transcripts to lists of them, looked after and looked at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voice.cli.console import escape_unprintable, note, plainly, progress, put
from voice.errors import ManifestError, VoiceError

if TYPE_CHECKING:
    from data.checks.check import CheckReport
    from data.checks.findings import Finding
    from data.listening import Listener
    from data.prepare import Prepared

app = typer.Typer(help="Make lists of recordings, check them, look at them.", no_args_is_help=True)


class Apart(StrEnum):
    """What train, dev and test must not share."""

    auto = "auto"
    both = "both"
    speakers = "speakers"
    sentences = "sentences"


Manifests = Annotated[
    list[Path], typer.Argument(metavar="MANIFEST", help="Lists of recordings (.jsonl), or folders.")
]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes; as many as cores if not given.")]
Language = Annotated[str | None, typer.Option(help="Of what does not tell its own: en, de, …")]
Model = Annotated[
    str | None, typer.Option(metavar="NAME|FOLDER", help="The recognizer that listens; quick for English.")
]
ApartOption = Annotated[
    Apart, typer.Option(help="What splits must not share; auto: both where it is possible.")
]
Share = Annotated[float, typer.Option(min=0.0, max=0.4, help="How much goes to dev, and as much to test.")]


@app.command()
@plainly
def prepare(
    source: Annotated[Path, typer.Argument(help="A folder, a table, a recording: forms are recognized.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A folder for train, dev and test, or one .jsonl file.")
    ],
    form: Annotated[
        str | None, typer.Option(help="The form of the source, where it is not to be guessed.")
    ] = None,
    language: Language = None,
    listen: Annotated[
        bool, typer.Option(help="Transcribe what has no text, align and cut what is long.")
    ] = True,
    model: Model = None,
    longest: Annotated[float, typer.Option(min=1.0, help="Seconds that a recording may last uncut.")] = 30.0,
    apart: ApartOption = Apart.auto,
    share: Share = 0.05,
    workers: Workers = None,
) -> None:
    """Turn recordings with transcripts of any form into manifests that everything here trains on.

    What cannot be used is written to dropped.jsonl with its reason. Called again after an interruption, it
    goes on.
    """
    from data.prepare import PrepareOptions
    from data.prepare import prepare as prepare_source

    options = PrepareOptions(form, _code(language), listen, model, longest, apart.value, share, workers)
    with progress(f"{source.name}") as bar:
        done = prepare_source(source, output, options, progress=lambda count, seconds: bar(count, 0))
    _tell_prepared(done, output)


def _code(language: str | None) -> str | None:
    """Return the code of a language; recordings may be in one that no recognizer knows, if it has a code.

    Raises VoiceError for what is neither.
    """
    from voice.text.languages import parse_language

    try:
        return parse_language(language)
    except VoiceError:
        if language is not None and re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", language):
            return language
        raise


def _tell_prepared(done: Prepared, output: Path) -> None:
    """Print what became of a source: the manifests, and what was dropped, by reason."""
    for name, path in done.manifests.items():
        put(f"{path}: {_count(done.clips[name], 'recording')}\n")
    hours = f"{done.seconds / 3600:.2f} hours" if done.seconds >= 360 else f"{done.seconds / 60:.1f} minutes"
    note(f"{done.form}: {hours}, {_count(done.speakers, 'speaker')}")
    for remark in done.remarks:
        note(escape_unprintable(remark))
    if done.dropped:
        reasons = ", ".join(f"{count} × {kind}" for kind, count in done.dropped.items())
        note(f"dropped {sum(done.dropped.values())}: {reasons}; each with its reason is in {done.report}")


@app.command()
@plainly
def check(
    manifests: Manifests,
    fix: Annotated[
        bool,
        typer.Option("--fix", help="Mend what is safe; the old list and what is rejected stay beside it."),
    ] = False,
    listen: Annotated[
        bool, typer.Option("--listen", help="Let a recognizer hear whether each text is what is said.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Show notes too, not only their number.")] = False,
    language: Language = None,
    model: Model = None,
    workers: Workers = None,
) -> None:
    """Open every recording and say what is wrong, why, and what mends it; status 1 if there are errors."""
    from data.checks.check import CheckOptions
    from data.checks.check import check as check_manifest
    from data.checks.lists import leaks

    paths = _manifest_paths(manifests)
    errors = 0
    for path in paths:
        listener = _listener(model, _code(language)) if listen else None
        with progress(path.name) as bar:
            report = check_manifest(
                path,
                CheckOptions(fix, listener, workers),
                tell=partial(_tell, path, everything=everything, several=len(paths) > 1),
                progress=bar,
            )
        if not report.rows:
            raise ManifestError(f"{path} is empty; list recordings in it, one JSON object a line")
        errors += report.of("error")
        _sum_up(path, report)
    for split, finding in leaks({str(path): path for path in paths}) if len(paths) > 1 else ():
        errors += finding.severity == "error"
        _tell(Path(split), finding, everything=everything, several=True)
    if errors and not fix:
        raise typer.Exit(1)


def _listener(model: str | None, language: str | None) -> Listener:
    from data.listening import open_listener

    return open_listener(model, language)


def _tell(path: Path, finding: Finding, *, everything: bool, several: bool) -> None:
    """Print one problem: where, whose, why, and the mend."""
    if finding.severity == "note" and not everything:
        return
    where = f"{path}:{finding.line}" if several else f"line {finding.line}"
    name = f"{finding.id}: " if finding.id else ""
    mend = "" if finding.mend in finding.message else f"; {finding.mend}"
    put(f"{escape_unprintable(f'{where}: {name}{finding.message}{mend}')}\n")


def _sum_up(path: Path, report: CheckReport) -> None:
    """Print how many rows a manifest has and how many problems of which kind."""
    size = f"{_count(report.rows, 'recording')}, {report.seconds / 60:.1f} minutes"
    found = ", ".join(
        _count(report.of(each), each) for each in ("error", "warning", "note") if report.of(each)
    )
    note(f"{path}: {size}, {found or 'no problems'}")
    if report.counts:
        note("  " + ", ".join(f"{kind}: {count}" for kind, count in report.counts.items()))
    for remark in report.remarks:
        note(f"  {remark}")
    if report.mended or report.rejected:
        kept = f"the old list is {report.kept}"
        note(f"  {_count(report.mended, 'row')} mended, {report.rejected} rejected; {kept}")


@app.command()
@plainly
def stats(
    manifests: Manifests,
    picture: Annotated[Path | None, typer.Option(help="Draw it too: a .png, .svg or .pdf file.")] = None,
    sample: Annotated[int, typer.Option(min=0, help="Recordings that are opened; 0 are all.")] = 2000,
    workers: Workers = None,
) -> None:
    """Show what is in lists: hours, speakers, levels, noise, bandwidth, phonemes, how texts are written."""
    from rich.console import Console
    from rich.table import Table

    from data.picture import draw
    from data.statistics import statistics, table

    paths = _manifest_paths(manifests)
    with progress("measuring") as bar:
        found = statistics(paths, sample=sample, workers=workers, progress=bar)
    if not found.rows:
        raise ManifestError(f"{paths[0]} is empty; list recordings in it, one JSON object a line")
    lines = Table(show_header=False, box=None)
    for name, value in table(found):
        lines.add_row(name, escape_unprintable(value).replace("[", r"\["))
    Console(width=110).print(lines)
    if picture is not None:
        draw(found, picture, ", ".join(path.stem for path in paths))
        note(f"drawn to {picture}")


@app.command()
@plainly
def split(
    manifests: Manifests,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A folder for train.jsonl, dev.jsonl, test.jsonl.")
    ],
    apart: ApartOption = Apart.auto,
    share: Share = 0.05,
) -> None:
    """Divide lists into train, dev and test that share no speaker and no sentence; the recordings stay."""
    from data.resplit import split_manifests

    plan, counts = split_manifests(_manifest_paths(manifests), output, apart.value, share)
    for name, count in counts.items():
        put(f"{output / name}.jsonl: {_count(count, 'recording')}\n")
    for remark in plan.remarks:
        note(remark)


def _manifest_paths(paths: Sequence[Path]) -> list[Path]:
    """Return the manifests that are named, those of a folder in the order train, dev, test."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = [path / f"{name}.jsonl" for name in ("train", "dev", "test")]
            inside = [each for each in inside if each.exists()]
            if not inside:
                raise ManifestError(
                    f"{path} holds no train.jsonl; make it with `voice data prepare`, or name a list"
                )
            found += inside
        else:
            found.append(path)
    return found


def _count(number: int, thing: str) -> str:
    return f"{number or 'no'} {thing}{'' if number == 1 else 's'}"
