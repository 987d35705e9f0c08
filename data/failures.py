"""What `python -m data.…` and `python -m recipes.…` say when they fail for a reason that was foreseen."""

from __future__ import annotations

import sys
from types import TracebackType

from voice.errors import VoiceError

OWN = ("voice", "data", "recipes")


def explain_failures() -> None:
    """Let a VoiceError or a missing library be one line without a traceback in these programs.

    Packages call it when they are imported, before a recipe's own imports can fail; who imports them for
    anything but `python -m` gets nothing changed.
    """
    if sys.argv[:1] == ["-m"]:  # so while Python looks for the module that it runs
        sys.excepthook = _explain


def _explain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print one line for an error that was foreseen, a traceback for others."""
    missing = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    if missing and missing.partition(".")[0] not in OWN:
        advice = "run make test, which installs all libraries that training needs"
        advice += ", or: pip install --editable '.[train]'"
        print(f"error: {missing} is not installed; {advice}", file=sys.stderr)
    elif isinstance(error, VoiceError):
        print(f"error: {error}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)
