"""The end of the page's process, by whatever signal."""

from __future__ import annotations

import signal
from types import FrameType

_ENDING_SIGNALS = "HUP", "QUIT", "USR1", "USR2", "ALRM", "VTALRM", "PROF", "XCPU", "POLL", "PWR", "STKFLT"


def end_as_sigterm() -> None:
    """Let every signal that ends a program end this one as SIGTERM does, so that no files stay behind.

    After SIGKILL and crashes the next start removes them.
    """

    def exit_program(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    def pass_on(number: int, frame: FrameType | None) -> None:
        signal.raise_signal(signal.SIGTERM)  # which a server that serves takes in its own way

    signal.signal(signal.SIGTERM, exit_program)
    for name in _ENDING_SIGNALS:
        number = getattr(signal, f"SIG{name}", None)
        if number and signal.getsignal(number) is signal.SIG_DFL:  # one that is ignored stays so: nohup
            signal.signal(number, pass_on)
