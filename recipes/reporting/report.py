"""Write the report of a training: one HTML file that holds all of it, its sounds and pictures too.

    write_report(path, Report("anna", "A voice from 5.1 minutes.", (Section("Scores", (Table(…), …)), …)))

It has no script and loads nothing, so that it can be opened offline, mailed, and kept. Texts may come from
anybody's transcripts: all are escaped, and a policy inside the page forbids whatever is not in it. It follows
the light or dark scheme of its reader, and its tables scroll on a narrow screen.
"""

from __future__ import annotations

import base64
import html
import os
import string
import tempfile
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from voice import audio
from voice.types import Audio

LONGEST_SOUND = 20.0  # seconds of a sound that the report holds
LONGEST_TEXT = 3_000  # letters of one text
SHORT = 32  # letters of a table's cell that stays on one line
_POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; form-action 'none'"
_SHAPES = {False: "", True: ' class="long"'}  # of a cell, by whether it is long
_EDGES = string.punctuation + "“”‘’«»…–—¿¡"


@dataclass(frozen=True)
class Paragraph:
    """A few sentences."""

    text: str


@dataclass(frozen=True)
class Table:
    """Cells of text; the first column is the row's name, the others are set as numbers are."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """A PNG; see `recipes.reporting.pictures`."""

    png: bytes
    caption: str = ""


@dataclass(frozen=True)
class Sound:
    """An encoded sound of the type `kind`, such as "audio/mpeg"; see `sound`."""

    data: bytes
    kind: str
    caption: str = ""


@dataclass(frozen=True)
class Hypothesis:
    """What a system made of an utterance: words that differ from `reference` are marked."""

    system: str
    text: str
    reference: str | None = None


@dataclass(frozen=True)
class Utterance:
    """One utterance to look at: its name, what was said, what systems made of it, sounds and pictures."""

    name: str
    texts: Sequence[Hypothesis] = ()
    sounds: Sequence[Sound] = ()
    pictures: Sequence[Picture] = ()


Part = Paragraph | Table | Picture | Sound | Utterance


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class Report:
    """The whole: a title, a sentence below it, and its sections."""

    title: str
    lead: str
    sections: Sequence[Section]


def write_report(path: Path, report: Report) -> Path:
    """Write the report to `path`, whole or not at all, and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(page(report), "utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def page(report: Report) -> str:
    """Return the report as HTML."""
    sections = "\n".join(_section(section) for section in report.sections)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(report.title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{escape(report.title)}</h1>
<p class="lead">{escape(report.lead)}</p>
{sections}
</main>
</body>
</html>
"""


def escape(text: str) -> str:
    """Return text that can stand anywhere in HTML: no markup, no control characters, of bounded length."""
    if len(text) > LONGEST_TEXT:
        text = text[:LONGEST_TEXT] + " …"
    shown = "".join(" " if unicodedata.category(each) in ("Cc", "Cs", "Cn") else each for each in text)
    return html.escape(shown, quote=True)


def sound(heard: Audio, caption: str = "") -> Sound:
    """Return a sound as MP3, which every browser plays; what is longer than LONGEST_SOUND is cut."""
    cut = Audio(heard.samples[: round(LONGEST_SOUND * heard.rate)], heard.rate)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound.mp3"
        audio.write(path, cut)
        return Sound(path.read_bytes(), "audio/mpeg", caption)


def with_interval(value: float, low: float, high: float, form: str = ".1%") -> str:
    """Return a figure with its 95 % interval: "6.3 % (4.1–8.8)"."""
    unit = " %" if form.endswith("%") else ""
    numbers = (format(each, form).removesuffix("%") for each in (value, low, high))
    middle, lower, upper = numbers
    return f"{middle}{unit} ({lower}–{upper})"


def facts(table: Mapping[str, object]) -> Table:
    """Return a card's table, or any names with their values, as a table of the report."""
    return Table(("", ""), [(name.replace("_", " "), _fact(value)) for name, value in table.items()])


def _fact(value: object) -> str:
    """Return a value as people read it: "train 53, dev 3" for a table."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_fact(each)}" for name, each in value.items())
    return ", ".join(map(_fact, value)) if isinstance(value, list | tuple) else str(value)


def _section(section: Section) -> str:
    parts = "\n".join(_part(part) for part in section.parts)
    return f"<section>\n<h2>{escape(section.title)}</h2>\n{parts}\n</section>"


def _part(part: Part) -> str:
    match part:
        case Paragraph(text=text):
            return f"<p>{_isolate(text)}</p>"
        case Table():
            return _table(part)
        case Picture():
            return _picture(part)
        case Sound():
            return _sound(part)
        case Utterance():
            return _utterance(part)


def _table(table: Table) -> str:
    head = "".join(f"<th>{_isolate(cell)}</th>" for cell in table.head)
    rows = "\n".join(_row(row) for row in table.rows)
    note = f'<p class="note">{_isolate(table.note)}</p>' if table.note else ""
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>{note}'
    )


def _row(cells: Sequence[str]) -> str:
    first, *others = cells
    numbers = "".join(f"<td{_SHAPES[len(cell) > SHORT]}>{_isolate(cell)}</td>" for cell in others)
    return f'<tr><th scope="row">{_isolate(first)}</th>{numbers}</tr>'


def _picture(picture: Picture) -> str:
    source = f"data:image/png;base64,{base64.b64encode(picture.png).decode()}"
    caption = f"<figcaption>{_isolate(picture.caption)}</figcaption>" if picture.caption else ""
    return f'<figure><img src="{source}" alt="{escape(picture.caption)}">{caption}</figure>'


def _sound(made: Sound) -> str:
    source = f"data:{escape(made.kind)};base64,{base64.b64encode(made.data).decode()}"
    caption = f"<figcaption>{_isolate(made.caption)}</figcaption>" if made.caption else ""
    return f'<figure class="sound">{caption}<audio controls preload="none" src="{source}"></audio></figure>'


def _utterance(utterance: Utterance) -> str:
    texts = "".join(
        f"<dt>{_isolate(each.system)}</dt><dd>{_mark_errors(each)}</dd>" for each in utterance.texts
    )
    shown: list[Part] = [*utterance.sounds, *utterance.pictures]
    parts = "\n".join(_part(part) for part in shown)
    listed = f"<dl>{texts}</dl>" if texts else ""
    return f"<article>\n<h3>{_isolate(utterance.name)}</h3>\n{listed}\n{parts}\n</article>"


def _mark_errors(hypothesis: Hypothesis) -> str:
    """Return the words of a hypothesis: wrong ones marked, missing ones struck out."""
    if hypothesis.reference is None:
        return _isolate(hypothesis.text)
    wanted, said = hypothesis.reference.split(), hypothesis.text.split()
    steps = Levenshtein.opcodes([_plain_word(word) for word in wanted], [_plain_word(word) for word in said])
    shown: list[str] = []
    for step in steps:
        there, missing = said[step.dest_start : step.dest_end], wanted[step.src_start : step.src_end]
        if step.tag == "equal":
            shown += [_isolate(word) for word in there]
        else:
            shown += _tag("del", missing) + _tag("mark", there)
    return " ".join(shown)


def _plain_word(word: str) -> str:
    """Return a word as it is compared: without case and without marks around it."""
    return word.casefold().strip(_EDGES)


def _tag(tag: str, words: Iterable[str]) -> list[str]:
    joined = " ".join(words)
    return [f"<{tag}>{_isolate(joined)}</{tag}>"] if joined else []


def _isolate(text: str) -> str:
    """Return escaped text whose direction changes nothing around it."""
    return f"<bdi>{escape(text)}</bdi>"


_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #5b6570; --paper: #ffffff; --line: #d8dde3;
  --wrong: #ffe1a8; --gone: #c0392b; --raised: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --dim: #9aa5b1; --paper: #14171a;
  --line: #353b42; --wrong: #6b4a00; --gone: #ff8a7a; --raised: #1c2126; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; margin: .5rem 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0 0 .5rem; } .lead, .note, figcaption, dt { color: var(--dim); }
.note, figcaption { font-size: .85rem; } p, dd, h1, h3, figcaption, td.long { overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; min-width: 20rem; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: right; }
th { font-weight: 600; } tbody th, thead th:first-child { text-align: left; font-weight: 400; }
td { font-variant-numeric: tabular-nums; white-space: nowrap; }
td.long { white-space: normal; text-align: left; min-width: 14rem; } tbody th { min-width: 6rem; }
figure { margin: .7rem 0; } img { max-width: 100%; height: auto; display: block; }
audio { width: 100%; max-width: 26rem; height: 2.4rem; }
article { background: var(--raised); border: 1px solid var(--line); border-radius: .5rem;
  padding: .8rem 1rem; margin: .8rem 0; }
dl { display: grid; grid-template-columns: minmax(5rem, auto) 1fr; gap: .2rem 1rem; margin: 0; }
dd { margin: 0; } mark { background: var(--wrong); color: inherit; border-radius: .2rem; }
del { color: var(--gone); }
@media (max-width: 32rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; } }
"""
