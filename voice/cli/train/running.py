"""What the commands of `voice train` share: their options, what must be installed, and how they end."""

from __future__ import annotations

import contextlib
import logging
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voice.cli import interrupts
from voice.cli.console import note
from voice.errors import VoiceError

if TYPE_CHECKING:
    from recipes.publishing import Outcome

NEEDED = (  # of the extra [train]: what it brings, and nothing else does
    "torch", "torchaudio", "transformers", "speechbrain", "librosa", "scipy", "sklearn", "numba", "soundfile",
    "onnx", "onnxscript", "tensorboard", "tomli_w", "peft", "pocketsphinx", "pystoi", "distillmos",
    "matplotlib", "PIL",
)  # fmt: skip
NOISY = ("torch", "transformers", "speechbrain", "onnx", "onnxscript", "peft")  # warn of what is our business
INSTALL = "pip install '.[train]'"

Recordings = Annotated[
    Path,
    typer.Argument(
        metavar="FOLDER", help="Your recordings: audio with a .txt of the same name each, or a table of them."
    ),
]
ModelName = Annotated[str, typer.Option("--name", metavar="NAME", help="What the model will be called.")]
RunFolder = Annotated[
    Path | None,
    typer.Option("--run", metavar="FOLDER", help="Where the work lies; runs/NAME if not given."),
]
Minutes = Annotated[
    float | None, typer.Option(min=0, help="What all of it may take; fewer steps make it fit.")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FOLDER", help="A model folder, instead of one among your models."),
]
License = Annotated[str, typer.Option(help="The model's license, for its card.")]
Smoke = Annotated[
    bool, typer.Option("--smoke", help="A tiny model in seconds: to see that everything works.")
]


def require_training() -> None:
    """Raise VoiceError, with the one command that helps, where libraries for training are missing."""
    missing = [name for name in NEEDED if not find_spec(name)]
    if missing:
        raise VoiceError(f"training is not installed ({missing[0]} is missing); run: {INSTALL}")


def this_command() -> str:
    """Return the command line of this process, as it can be typed again."""
    return shlex.join(["voice", *sys.argv[1:]])


def carry_out(run: Path, train: Callable[[Callable[[str], None]], Outcome]) -> None:
    """Call `train` with what prints progress, and say where the model and the report are.

    Ctrl-C and other signals end it; what to type to go on is said then. Exit status 1 where `train` made no
    model, because it would have been worse than what there was.
    """

    def say_how_to_go_on() -> None:
        interrupted = interrupts.came() or isinstance(sys.exc_info()[1], KeyboardInterrupt)
        if interrupted and any(run.glob("*/stage.json")):
            note(f"what is done is kept in {run}; to go on: {this_command()}")

    interrupts.release()  # the loops of recipes catch signals themselves, to save what they have learned
    with _quiet(), interrupts.keeping(say_how_to_go_on):
        outcome = train(note)
    note(outcome.summary)
    note(f"report: {outcome.report}")
    if outcome.model is None:
        raise typer.Exit(1)
    note(f"model: {outcome.model}")
    if outcome.example:
        note(f"try it: {outcome.example}")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Let recipes print to standard error, and keep back libraries' warnings about their own insides."""
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        for name in NOISY:
            warnings.filterwarnings("ignore", module=rf"{name}(\.|$)")
            logging.getLogger(name).setLevel(logging.ERROR)
        logging.getLogger().addFilter(_is_ours)  # ONNX Runtime's quantization writes to the root
        yield


def _is_ours(record: logging.LogRecord) -> bool:
    """Tell whether a line of the log is of use to who trains."""
    return "site-packages" not in record.pathname
