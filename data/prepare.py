"""Whatever people have → manifests: `prepare(source, out)`.

The form of the source is recognized, every recording is measured, stretches are cut, long recordings are
aligned to their texts, recordings without a text are transcribed, and what cannot be used is written down
with its reason. Rows pass through one at a time; an interrupted run goes on where it was.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

from data.forms import form_called, recognize
from data.listening import Listener, open_listener
from data.parallel import in_order
from data.preparing.hearing import TRANSCRIBED, hear
from data.preparing.journal import Journal
from data.preparing.seen import SeenIds
from data.preparing.settling import Ready, Settled, Settler, Unheard, Unit, units
from data.resplit import set_aside_others
from data.rows import Fault, Found, Remark, Row
from data.splitting import SHARE, SPLITS, Apart, Key, Keys, Plan, plan_splits, sentence_key
from voice.errors import ManifestError, VoiceError
from voice.manifest import Clip, write_manifest
from voice.text.languages import parse_language

LONGEST = 30.0  # seconds that recognizers take at once
DROPPED = "dropped.jsonl"
LISTED_AGAIN = "the recording is listed more than once; the first row is kept"

Tell = Callable[[int, float], None]  # recordings done, seconds of sound in them


@dataclass(frozen=True)
class PrepareOptions:
    """How a source becomes manifests.

    `form` names the form of the source where it is not to be guessed. `language` is that of rows that do not
    tell theirs. With `listen` a recognizer (`model`; None is quick, or whisper-base for other languages than
    English) transcribes what has no text and aligns what is longer than `longest` seconds. `apart` says what
    splits must not share and `share` how much is held out for dev, and as much for test. `workers` are
    processes.
    """

    form: str | None = None
    language: str | None = None
    listen: bool = True
    model: str | None = None
    longest: float = LONGEST
    apart: Apart = "auto"
    share: float = SHARE
    workers: int | None = None


AS_THEY_ARE = PrepareOptions(listen=False, longest=math.inf)  # nobody listens, nothing long is cut or dropped


@dataclass(frozen=True)
class Prepared:
    """What became of a source: the manifest of each split ("all" where there is one file), and what was lost.

    `dropped` counts by the kind of reason what is in `report`, a file of JSON lines (None where there is
    nothing to report).
    """

    form: str
    manifests: Mapping[str, Path]
    clips: Mapping[str, int]
    seconds: float
    speakers: int
    dropped: Mapping[str, int]
    remarks: tuple[str, ...]
    report: Path | None


def prepare(
    source: Path,
    out: Path,
    options: PrepareOptions = PrepareOptions(),
    *,
    listener: Callable[[], Listener] | None = None,
    progress: Tell = lambda done, seconds: None,
) -> Prepared:
    """Write the manifests of a source: train, dev and test into the folder `out`, or one file `out` (.jsonl).

    `listener` opens the recognizer when the first recording needs one. Raises ManifestError where nothing can
    be used, or the source is of no known form.
    """
    source, out = Path(source), Path(out)
    form = form_called(options.form) if options.form else recognize(source)
    if source.is_dir() and out.absolute().is_relative_to(source.absolute()) and _walks(form.NAME):
        raise ManifestError(f"{out} lies in {source}, and would be read as a part of it; name another folder")
    single = out.suffix == ".jsonl"
    sounds = out.with_name(f"{out.stem}-audio") if single else out / "audio"
    journal = Journal(
        out.parent / f".{out.name}.prepare" if single else out / ".prepare",
        [str(source.absolute()), str(out.absolute()), form.NAME, asdict(replace(options, workers=None))],
    )
    opened = lru_cache(listener or (lambda: open_listener(options.model, options.language)))
    rest = journal.remaining(units(_once_each(_in_language(form.rows(source), options.language))))
    settler = Settler(sounds, options.longest, options.listen)
    done, seconds = 0, 0.0
    with journal.open() as file:
        for unit, settled in _settle_units(rest, settler, options.workers):
            settled = [
                each for one in settled for each in _hear_if_needed(one, opened, sounds, options.longest)
            ]
            journal.add(file, unit, settled)
            done += 1
            seconds += sum(each.clip.duration for each in settled if isinstance(each, Ready))
            progress(done, seconds)
    prepared = _write(source, form.NAME, out, journal, options, single)
    journal.remove()
    return prepared


def _walks(form: str) -> bool:
    """Tell whether a form looks for recordings in all folders below its source."""
    return form in ("folder", "Parquet")


def _settle_units(
    rest: Iterator[Unit], settler: Settler, workers: int | None
) -> Iterator[tuple[Unit, list[Settled]]]:
    """Yield each unit with what became of it; several processes work on the next ones."""
    return in_order(rest, _Pair(settler), workers)


@dataclass(frozen=True)
class _Pair:
    """A function that processes can be told of.

    From a unit to the unit, without bytes, and what became of it.
    """

    settler: Settler

    def __call__(self, unit: Unit) -> tuple[Unit, list[Settled]]:
        bare = tuple(replace(row, content=None) for row in unit) if isinstance(unit, tuple) else unit
        return bare, self.settler(unit)


def _once_each(found: Iterator[Found]) -> Iterator[Found]:
    """Yield what is found; a recording listed again is a fault, another with the same id gets a new one."""
    renamed = 0
    with SeenIds() as seen:
        for each in found:
            if not isinstance(each, Row):
                yield each
                continue
            what = hash((each.audio, each.start, each.end, each.content))
            if seen.get(hash(each.id)) == what:
                yield Fault(each.id, LISTED_AGAIN, "listed again")
                continue
            number = 1
            while seen.add(hash(_with_number(each.id, number)), what) != what:
                number += 1
            renamed += number > 1
            yield replace(each, id=_with_number(each.id, number))
    if renamed:
        yield Remark(f"{renamed} rows had the id of another row and got a new one")


def _with_number(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def _in_language(found: Iterator[Found], language: str | None) -> Iterator[Found]:
    """Yield what is found with codes of languages; rows that do not tell theirs get one."""
    for each in found:
        yield replace(each, language=_code(each.language) or language) if isinstance(each, Row) else each


@lru_cache
def _code(language: str | None) -> str | None:
    """Return the code of a language that a row calls EN, English or en-US; as it is where it is unknown."""
    try:
        return parse_language(language)
    except VoiceError:
        return language


def _hear_if_needed(
    settled: Settled, opened: Callable[[], Listener], sounds: Path, longest: float
) -> list[Ready | Fault | Remark]:
    if isinstance(settled, Unheard):
        return list(hear(settled, opened(), sounds, longest))
    return [settled]


def _write(
    source: Path, form: str, out: Path, journal: Journal, options: PrepareOptions, single: bool
) -> Prepared:
    """Write the manifests and the report of what a journal holds.

    Raises ManifestError where it holds no clip.
    """
    plan, faults, remarks = _plan(journal, options, single)
    report = _write_report(out.with_suffix(f".{DROPPED}") if single else out / DROPPED, journal, plan)
    if not any(split for split in plan.splits):
        why = "; ".join(f"{count} × {kind}" for kind, count in faults.most_common(5))
        if not why:
            hint = "leave out the form" if options.form else "is it empty?"
            raise ManifestError(f"{source}, read as {form}, names no recording; {hint}")
        raise ManifestError(f"no recording can be used ({why}); see {report}")
    names = ("all",) if single else tuple(split for split in SPLITS if split in plan.splits)
    manifests = {name: out if single else out / f"{name}.jsonl" for name in names}
    remarks += () if single else set_aside_others(out, names)
    seconds, speakers = 0.0, set()
    for name, path in manifests.items():
        write_manifest(path, _clips_of(journal, plan, name))
    for ready in _ready(journal):
        seconds += ready.clip.duration
        speakers.add(ready.clip.speaker)
    counts = Counter(split for split in plan.splits if split)
    if plan.left_out:
        faults["sentence in another split"] += plan.left_out
    return Prepared(
        form, manifests, {name: counts[name] for name in names}, seconds, len(speakers - {None}),
        dict(faults.most_common()), tuple(dict.fromkeys([*remarks, *plan.remarks])), report,
    )  # fmt: skip


def _plan(journal: Journal, options: PrepareOptions, single: bool) -> tuple[Plan, Counter[str], list[str]]:
    """Return the splits of all clips of a journal, its faults by kind, and its remarks."""
    keys = Keys()
    faults: Counter[str] = Counter()
    remarks: list[str] = []
    transcribed = 0
    for each in journal.read_settled():
        if isinstance(each, Ready):
            clip = each.clip
            transcribed += TRANSCRIBED in clip.extra
            keys.append(Key(clip.speaker, sentence_key(clip.text, clip.id), clip.duration, each.split))
        elif isinstance(each, Fault):
            faults[each.kind] += 1
        else:
            remarks.append(each.text)
    if transcribed:
        remarks.append(f'{transcribed} texts were written by a recognizer ("{TRANSCRIBED}"); correct them')
    if single:
        return Plan(tuple("all" for _ in keys), "published"), faults, remarks
    return plan_splits(keys, options.apart, options.share), faults, remarks


def _ready(journal: Journal) -> Iterator[Ready]:
    return (each for each in journal.read_settled() if isinstance(each, Ready))


def _clips_of(journal: Journal, plan: Plan, split: str) -> Iterator[Clip]:
    for ready, own in zip(_ready(journal), plan.splits, strict=True):
        if own == split:
            yield ready.clip


def _write_report(path: Path, journal: Journal, plan: Plan) -> Path | None:
    """Write each row that was dropped, where it is and why.

    Return the file, None where nothing was dropped.
    """
    beside, count, place = path.with_name(f".{path.name}.partial"), 0, 0
    with beside.open("w", encoding="utf-8", errors="backslashreplace") as file:  # names may be no UTF-8
        for each in journal.read_settled():
            fault = each if isinstance(each, Fault) else None
            if isinstance(each, Ready):
                if plan.splits[place] is None:
                    reason = "its sentence is in another split"
                    fault = Fault(each.clip.id, reason, "sentence in another split")
                place += 1
            if fault:
                file.write(json.dumps(asdict(fault), ensure_ascii=False) + "\n")
                count += 1
    if not count:
        beside.unlink()
        path.unlink(missing_ok=True)
        return None
    return beside.replace(path)
