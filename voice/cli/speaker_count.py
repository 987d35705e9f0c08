"""The option `--speakers [N]`: with a number, how many people speak; alone, it leaves the number open."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperCommand

from voice.errors import VoiceError

if TYPE_CHECKING:
    from typer._click.core import Context  # which typer itself passes

UNKNOWN_COUNT = "all"  # the value of --speakers without a number
MOST_SPEAKERS = 64

SpeakerCount = Annotated[
    str | None,
    typer.Option(metavar="[N]", help="Name who speaks, of N people; the text then comes at the end."),
]


class SpeakersCommand(TyperCommand):
    """A command whose `--speakers` takes a number or none; click would take any next word for the number."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Parse the arguments, `--speakers` and its number made one word."""
        return super().parse_args(ctx, join_speaker_count(args))


def join_speaker_count(args: Sequence[str]) -> list[str]:
    """Return the arguments with `--speakers 2` as `--speakers=2`, and with it alone as `--speakers=all`.

    A next word that is no file's name ("two") is joined too, so that it can be refused as a number.
    """
    result: list[str] = []
    rest = list(args)
    while rest:
        arg = rest.pop(0)
        if arg == "--":
            return [*result, arg, *rest]
        if arg == "--speakers":
            arg = f"--speakers={rest.pop(0) if rest and _may_be_number(rest[0]) else UNKNOWN_COUNT}"
        result.append(arg)
    return result


def _may_be_number(arg: str) -> bool:
    """Tell whether a word after `--speakers` is meant as its number."""
    if arg.isdecimal():
        return True
    return bool(re.fullmatch(r"[-+]?\d[\d.,]*|\w+", arg)) and not os.path.exists(arg)


def parse_speaker_count(speakers: str | None) -> int | None:
    """Return how many people speak, None without `--speakers` or without its number. Raises VoiceError."""
    if speakers in (None, UNKNOWN_COUNT):
        return None
    hint = "give how many people speak, such as --speakers 2, or --speakers alone to have them counted"
    if not speakers.isdecimal():
        raise VoiceError(f'"{speakers}" after --speakers is neither a number nor a file; {hint}')
    if not 1 <= int(speakers) <= MOST_SPEAKERS:
        raise VoiceError(f"--speakers is {speakers}, and can be 1 to {MOST_SPEAKERS}; {hint}")
    return int(speakers)
