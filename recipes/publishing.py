"""The end of a training: the card that says how the model came about, and the place where it is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from recipes.evaluations import Evaluation
from recipes.runs import code_version
from voice.errors import VoiceError
from voice.models import own
from voice.models.card import NAME, read_card, write_card
from voice.models.catalog import check_new_name


@dataclass(frozen=True)
class Outcome:
    """What a training came to. `model` is the model's folder, None where it would have been no gain."""

    model: Path | None
    report: Path
    summary: str
    example: str = ""  # a command that uses the model


@dataclass(frozen=True)
class Training:
    """How a model came about, for its card: `command` as it was typed.

    Of `data` and `run` the card has the names alone, because paths tell strangers about a person's machine.
    """

    data: Path
    recordings: int
    hours: float
    command: str
    run: Path
    more: Mapping[str, Any] | None = None

    def table(self) -> dict[str, Any]:
        """Return it as the card's table `training`."""
        said = {
            "data": self.data.name, "recordings": self.recordings, "hours": round(self.hours, 3),
            "command": self.command, "run": self.run.name, "date": date.today().isoformat(),
            "code": code_version(),
        }  # fmt: skip
        return said | dict(self.more or {})


def check_target(name: str, out: Path | None) -> None:
    """Raise VoiceError unless a model can be published as `name`, or to `out`; ask before computing."""
    check_new_name(name)
    if out is not None and out.exists() and not (out / NAME).is_file() and any(out.iterdir()):
        raise VoiceError(f"{out} holds something else than a model; name another folder with --out")


def publish(
    made: Path, name: str, out: Path | None, training: Training, scores: Mapping[str, Any],
    evaluation: Evaluation | None = None,
) -> Path:  # fmt: skip
    """Complete the card of the model folder `made`, and put the model where `name` finds it, or to `out`.

    `evaluation`: how its scores were measured. Returns its folder. Raises ModelError where nothing can be
    written there.
    """
    card = read_card(made)
    how = evaluation.table() if evaluation else card.evaluation
    scored = {**card.scores, **scores}
    write_card(made, replace(card, scores=scored, training=training.table(), evaluation=how))
    return own.install(made, name, out)
