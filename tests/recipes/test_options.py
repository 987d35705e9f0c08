from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from recipes.options import option, parse


@dataclass(frozen=True)
class Options:
    manifest: tuple[Path, ...] = option((Path("a"),), "where the data is")
    steps: int = option(10, "how many steps")
    minutes: float | None = option(None, "stop after so long")
    smoke: bool = option(False, "seconds only")
    augment: bool = option(True, "change the sound")


def test_defaults_are_those_of_the_dataclass():
    assert parse(Options, []) == Options()


def test_a_repeated_option_replaces_its_default_and_collects():
    assert parse(Options, ["--manifest", "x", "--manifest", "y"]).manifest == (Path("x"), Path("y"))


def test_an_optional_number_is_read_as_its_type():
    assert parse(Options, ["--minutes", "2.5"]).minutes == 2.5


def test_flags_go_both_ways():
    options = parse(Options, ["--smoke", "--no-augment"])
    assert options.smoke and not options.augment


def test_a_misspelt_option_fails(capsys):
    with pytest.raises(SystemExit):
        parse(Options, ["--step-count", "3"])
    assert "--step-count" in capsys.readouterr().err


def test_help_shows_the_text_of_every_option(capsys):
    with pytest.raises(SystemExit):
        parse(Options, ["--help"])
    assert "stop after so long" in capsys.readouterr().out
