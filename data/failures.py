"""What `python -m data.…` and `python -m recipes.…` say when they fail for a reason that was foreseen."""

from __future__ import annotations

import sys
from types import TracebackType

from voice.errors import VoiceError

OWN = ("voice", "data", "recipes")


def explain_failures() -> None:
    """A VoiceError, or a library that is not installed, is one line without a traceback in these programs."""
    if sys.argv[:1] == ["-m"]:  # so while Python looks for the module that it runs
        sys.excepthook = _explained


def _explained(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    missing = isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0]
    if missing and missing not in OWN:
        libraries = "all libraries that training needs, or: pip install --editable '.[train]'"
        error = f"{missing} is not installed; run make test, which installs {libraries}"
    elif not isinstance(error, VoiceError):
        sys.__excepthook__(kind, error, trace)
        return
    print(f"error: {error}", file=sys.stderr)
