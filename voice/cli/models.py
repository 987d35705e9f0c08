"""`voice models`: what there is, fetching, facts, removal; `voice voices`: the voices among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voice.cli.console import escape_unprintable, note, plainly, progress

if TYPE_CHECKING:
    from voice.models.catalog import Entry

CARD_ALONE = 50_000  # bytes: less is no model

app = typer.Typer(help="List, fetch, describe and remove models.", invoke_without_command=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A name of `voice models`, or hf:ORG/NAME.")]


@app.callback()
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_models()


@app.command("list")
@plainly
def list_models() -> None:
    """List all models that can be had by name, and what the cache has made of them (the default)."""
    from voice.models import entries, own

    print_entries(entry for entry in entries().values() if not entry.voice_of)
    _print_derived()
    for line in own.unusable_folders():
        note(f"warning: {line}")


def print_entries(found: Iterable[Entry]) -> None:
    """Print a line for each model, under a heading."""
    rows = [("name", "kind", "language", "licence", "size", "", "")]
    for entry in found:
        state = _state(entry)
        card = entry.card
        rows.append(
            (card.name, card.kind, card.language, card.license, _size_note(entry), state, card.description)
        )
    _print_columns(rows)


def _print_columns(rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows of equally many cells below each other."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [escape_unprintable(cell).ljust(width) for cell, width in zip(row, widths, strict=False)]
        typer.echo("  ".join([*cells, escape_unprintable(row[-1])]).rstrip())


def _print_derived() -> None:
    """Print the folders of the cache that were made of other models, if there are any."""
    from voice.models.cache import derived_folders

    found = sorted(derived_folders(None, None))
    if found:
        typer.echo(
            "\nmade from these, in the cache; made again when needed, removed by: voice models remove NAME"
        )
        _print_columns([(folder.name, _size(_bytes(folder)), str(folder)) for folder in found])


def _bytes(folder: Path) -> int:
    """Return how much the files of a folder take."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@app.command()
@plainly
def get(name: Name) -> None:
    """Fetch a model, or check the files of one that is here."""
    from voice.models import lookup

    with progress(f"fetching {name}", "bytes") as report:
        model = lookup.get(name, progress=report)
    note(f"{name} is in place, its files checked: {model.folder}")


@app.command()
@plainly
def info(name: Name) -> None:
    """Print what is known of a model; nothing is fetched."""
    from dataclasses import asdict

    from voice.models import catalog, lookup

    entry, model = catalog.entries().get(name), lookup.find_stored(name)
    for key, value in asdict(model.card).items():
        if isinstance(value, Mapping):
            _print_table(key, value)
        elif value != "":
            typer.echo(f"{key}: {value}")
    if entry:
        typer.echo(f"size: {_size_note(entry)}")
    here = entry is None or entry.in_place
    typer.echo(f"folder: {model.folder}" if here else f"not here; to fetch it: voice models get {name}")


def _print_table(name: str, table: Mapping[str, Any]) -> None:
    """Print a table of a card, indented below its name."""
    if table:
        typer.echo(f"{name}:")
    for key, value in table.items():
        typer.echo(f"  {key}: {value}")


@app.command()
@plainly
def remove(
    name: Name,
    own: Annotated[
        bool, typer.Option("--own", help="Delete the model itself, which you have trained; it is lost.")
    ] = False,
) -> None:
    """Delete the files that were fetched for a model, or made of it in the cache."""
    from voice.models import lookup

    note(f"removed {name}: {_size(lookup.remove(name, own=own))}")


@plainly
def voices(
    sample: Annotated[
        list[str] | None,
        typer.Option("--sample", metavar="NAME", help="Make a sample of a voice or a mixture (repeatable)."),
    ] = None,
) -> None:
    """List the voices that can be had by name, your own ones too, or make samples of some.

    A mixture is written as af_heart+bf_emma:0.3. A sample is made once and kept in the cache; the list has
    its path, and how many times faster than real time it was made here.
    """
    from voice.models import entries

    for name in sample or ():
        _make_sample(name)
    if not sample:
        _print_columns(
            [
                ("name", "language", "accent", "sex", "license", "", "speed", "description"),
                *(_voice_row(entry) for entry in entries().values() if entry.card.kind == "voice"),
            ]
        )


def _voice_row(entry: Entry) -> tuple[str, ...]:
    """Return the cells of a voice in the list."""
    from voice.tts.samples import kept_sample

    card, made = entry.card, kept_sample(entry.card)
    accent, sex = (str(card.options.get(name, "")) for name in ("accent", "sex"))
    speed, heard = (f"{made.speed:.0f} x", f"; sample: {made.path}") if made else ("", "")
    return (
        card.name,
        card.language,
        accent,
        sex,
        card.license,
        _state(entry),
        speed,
        card.description + heard,
    )


def _make_sample(name: str) -> None:
    """Print where the sample of a voice is, made first if there is none."""
    from voice.loading import load_voice
    from voice.models import lookup
    from voice.tts.samples import make_sample

    card = lookup.find_stored(name).card
    with progress(f"fetching {name}", "bytes") as report:
        made = make_sample(card, lambda: load_voice(name, progress=report))
    typer.echo(f"{name}: {made.path}, made {made.speed:.1f} times faster than real time")


def _state(entry: Entry) -> str:
    """Return whether a model is here, and whose it is."""
    if not entry.in_place:
        return _to_come(entry)
    return "yours" if entry.own else "in place"


def _to_come(entry: Entry) -> str:
    """Return a note that it has to be fetched, and how much an interrupted fetch has left."""
    return f"to be fetched; {_size(entry.partial_bytes)} are here" if entry.partial_bytes else "to be fetched"


def _size_note(entry: Entry) -> str:
    """Return a note on what it takes on the disk, and whose files it shares."""
    shared = ", ".join(entry.lenders)
    if shared and entry.size < CARD_ALONE:
        return f"in {shared}"
    return f"{_size(entry.size)} + {shared}" if shared else _size(entry.size)


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
