"""What `python -m data.…` and `python -m recipes.…` say when they fail for a reason that was foreseen."""

from __future__ import annotations

import sys
from types import TracebackType

from voice.errors import VoiceError

OWN = ("voice", "data", "recipes")


def explain_failures() -> None:
    """A VoiceError, or a library that is not installed, is one line without a traceback in these programs.

    Packages call it when they are imported, before a recipe's own imports can fail; who imports them for
    anything but `python -m` gets nothing changed.
    """
    if sys.argv[:1] == ["-m"]:  # so while Python looks for the module that it runs
        sys.excepthook = _explained


def _explained(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    missing = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    if missing and missing.partition(".")[0] not in OWN:
        libraries = "all libraries that training needs, or: pip install --editable '.[train]'"
        error = f"{missing} is not installed; run make test, which installs {libraries}"
    elif not isinstance(error, VoiceError):
        sys.__excepthook__(kind, error, trace)
        return
    print(f"error: {error}", file=sys.stderr)
