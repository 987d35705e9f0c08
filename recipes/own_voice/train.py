"""A voice from a folder of one person's recordings, one command from the recordings to the report.

    python -m recipes.own_voice.train --source my-recordings --name anna --consent statement.toml
    voice speak "Hello." --voice anna

`name.wav` beside `name.txt`, a table, or a manifest. Stages are carried out one after the other in the run's
folder (`making.py`); the same command again goes on where it was stopped. `voice train voice` is the same.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from recipes.options import parse
from recipes.own_voice.making import Making
from recipes.own_voice.options import RUNS, Options, check_options
from recipes.planning import Tell
from recipes.publishing import Outcome
from recipes.stages import carry_out

TINY = Path(__file__).parents[2] / "data" / "tiny"
SMOKE_CONSENT = "heart, 2026-01-01: a synthetic voice under a license that allows it"


def train_voice(options: Options, tell: Tell = print) -> Outcome:
    """Carry out all stages; `tell` gets the plan and the progress.

    Raises VoiceError, and KeyboardInterrupt where a signal stopped it.
    """
    if options.smoke:
        options = shrink(options)
    check_options(options)
    making = Making(options, (options.run or RUNS / options.name).absolute())
    made = carry_out(making.root, making.stages(), tell)["publish"].facts
    model = Path(made["model"])
    example = f'voice speak "Hello." --voice {options.name if options.out is None else model}'
    return Outcome(model, making.report, made["summary"], example)


def shrink(options: Options) -> Options:
    """Make everything small, on data/tiny, a voice that nobody would listen to."""
    return replace(
        options, source=TINY / "train.jsonl", name=options.name or "tiny", consent=SMOKE_CONSENT,
        speaker=None, beside=0.2, sounds_steps=6, prosody_steps=6, threads=1,
    )  # fmt: skip


def main(options: Options) -> None:
    made = train_voice(options)
    print(f"{made.summary}\nreport: {made.report}\nmodel: {made.model}\ntry it: {made.example}", flush=True)


if __name__ == "__main__":
    main(parse(Options, description=__doc__))
