"""Open every recording of a manifest and say what is wrong with it: `check(manifest)`.

Recordings are opened by several processes, a piece of each at a time. With `fix` the manifest is written anew
with what can be mended safely; its old form and the rows that cannot be used stay beside it.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from data.checks.findings import KINDS, Finding
from data.checks.lists import Repeats, Style, row_finding, survey
from data.checks.recordings import recording_findings
from data.checks.texts import Surroundings, text_findings
from data.listening import Listener, disagreement
from data.parallel import in_order
from voice.errors import ManifestError, VoiceError
from voice.manifest import Clip, RowError, read_rows, set_aside, write_manifest

WRONG = 0.6  # disagreement of a text with what is heard above which it is another one
MANY = 0.2  # share of such rows above which the texts of a list seem to be shuffled
FEWEST = 5  # rows from which on that can be said
UNUSABLE = frozenset(
    {
        "bad json", "no object", "column missing", "wrong type", "missing", "link in a circle",
        "no permission", "not a file", "cannot be decoded", "video without sound", "zero length",
        "not finite", "silent", "empty text", "nothing spoken",
    }
)  # fmt: skip
REJECTED = ".rejected"  # ending of what `fix` takes out of a manifest


@dataclass(frozen=True)
class CheckOptions:
    """With a `listener` every row is heard, to tell whether its text is what is said there."""

    fix: bool = False
    listener: Listener | None = None
    workers: int | None = None


@dataclass(frozen=True)
class CheckReport:
    """What was found in a manifest: `counts` by kind, rows `mended` and `rejected` by `fix`.

    `kept` is where the old list is.
    """

    rows: int
    seconds: float
    counts: Mapping[str, int]
    style: Style
    remarks: tuple[str, ...] = ()
    mended: int = 0
    rejected: int = 0
    kept: Path | None = None

    def of(self, severity: str) -> int:
        """Return how many problems are that grave."""
        return sum(count for kind, count in self.counts.items() if KINDS[kind].severity == severity)


def check(
    manifest: Path,
    options: CheckOptions = CheckOptions(),
    *,
    tell: Callable[[Finding], None] = lambda finding: None,
    progress: Callable[[int, int], None] = lambda done, rows: None,
) -> CheckReport:
    """Check all rows of a manifest; `tell` gets each problem, `progress` how many of the rows are done.

    Raises ManifestError where the file cannot be read as text.
    """
    manifest = Path(manifest)
    overview, tally = survey(manifest), _Tally(tell)
    examined = _examine_rows(manifest, overview.around, options)

    def usable() -> Iterator[Clip]:
        for number, (row, findings) in enumerate(examined, 1):
            tally.take(row, findings)
            progress(number, overview.rows)
            if isinstance(row, Clip) and not _is_unusable(findings):
                yield _mend(row, findings)
            else:
                tally.reject(row, findings)

    if options.fix:
        _fix(manifest, usable(), tally)
    else:
        for _ in usable():
            pass
    remarks = list(overview.style.remarks)
    if (wrong := tally.counts["another text"]) > max(FEWEST - 1, MANY * overview.rows):
        remarks.append(f"{wrong} texts are of other recordings: the transcripts seem to be shuffled")
    return CheckReport(
        overview.rows, tally.seconds, dict(tally.counts.most_common()), overview.style, tuple(remarks),
        tally.mended if options.fix else 0, len(tally.rejected) if options.fix else 0,
        tally.kept,
    )  # fmt: skip


class _Tally:
    """What was found so far."""

    def __init__(self, tell: Callable[[Finding], None]) -> None:
        self._tell = tell
        self.counts: Counter[str] = Counter()
        self.seconds = 0.0
        self.mended = 0
        self.kept: Path | None = None
        self.rejected: list[tuple[Clip | RowError, list[Finding]]] = []

    def take(self, row: Clip | RowError, findings: list[Finding]) -> None:
        for finding in findings:
            self.counts[finding.kind] += 1
            self._tell(finding)
        self.seconds += row.duration if isinstance(row, Clip) else 0.0
        self.mended += any(finding.change for finding in findings)

    def reject(self, row: Clip | RowError, findings: list[Finding]) -> None:
        self.rejected.append((row, findings))


def _is_unusable(findings: list[Finding]) -> bool:
    return any(finding.kind in UNUSABLE for finding in findings)


def _mend(clip: Clip, findings: list[Finding]) -> Clip:
    """Return a clip with all safe mends."""
    for finding in findings:
        clip = replace(clip, **finding.change)
    return clip


def _examine_rows(
    manifest: Path, around: Surroundings, options: CheckOptions
) -> Iterator[tuple[Clip | RowError, list[Finding]]]:
    """Yield each row of a manifest with its problems, in order."""
    repeats = Repeats()
    listener = options.listener
    for line, row, findings in in_order(
        read_rows(manifest), _Examine(manifest.parent, around), options.workers
    ):
        if isinstance(row, Clip):
            findings = [*findings, *repeats.findings(line, row)]
            if listener and row.text and not _is_unusable(findings):
                findings += _heard_findings(line, row, listener)
        yield row, findings


@dataclass(frozen=True)
class _Examine:
    """A function that processes can be told of: from a row to its problems."""

    folder: Path
    around: Surroundings

    def __call__(self, numbered: tuple[int, Clip | RowError]) -> tuple[int, Clip | RowError, list[Finding]]:
        line, row = numbered
        if isinstance(row, RowError):
            return line, row, [row_finding(line, row)]
        texts = text_findings(line, row, self.around)
        return line, row, [*texts, *recording_findings(line, row, self.folder.absolute())]


def _heard_findings(line: int, clip: Clip, listener: Listener) -> list[Finding]:
    """Return whether something else is said in a recording than its text."""
    try:
        heard = listener.hear(clip.audio).text
    except VoiceError:
        return []  # what cannot be decoded is told already
    if disagreement(clip.text or "", heard) <= WRONG:
        return []
    return [
        Finding(
            line,
            clip.id,
            "another text",
            f"{listener.name} hears {heard[:60]!r}, not {(clip.text or '')[:60]!r}",
        )
    ]


def _fix(manifest: Path, usable: Iterator[Clip], tally: _Tally) -> None:
    """Write the usable rows in place of the manifest; keep what it was, and what is rejected, beside it."""
    fresh = manifest.with_name(f".{manifest.name}.fixed")
    try:
        write_manifest(fresh, usable)
        if not fresh.stat().st_size:
            raise ManifestError(
                f"no row of {manifest} can be used, so that nothing would be left; it stays as it is"
            )
        if tally.mended or tally.rejected:
            tally.kept = set_aside(manifest)
            os.replace(fresh, manifest)
            _write_rejected(manifest.with_name(manifest.name + REJECTED), tally)
    finally:
        fresh.unlink(missing_ok=True)


def _write_rejected(path: Path, tally: _Tally) -> None:
    """Write the lines that are in the manifest no more, each with the reason."""
    if not tally.rejected:
        return
    with path.open("w", encoding="utf-8") as file:
        for _, findings in tally.rejected:
            told = [
                {"line": each.line, "id": each.id, "reason": each.message, "mend": each.mend}
                for each in findings
            ]
            file.write(json.dumps(told, ensure_ascii=False) + "\n")
