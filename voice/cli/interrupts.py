"""Signals: Ctrl-C, SIGTERM and all others that end programs end this one within two seconds and keep what
it has made so far; SIGKILL and crashes excepted.

Python handles a signal in the main thread, between two of its own instructions: a computation in native
code holds it up for seconds, and `finally` blocks may wait for other threads. So a thread watches beside the
work. It hears of a signal at once, leaves the main thread `GRACE` seconds to unwind, then calls what is
registered by `keeping` itself and ends the process. A second signal ends it at once.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from voice.places import remove_partials

Handler = Callable[[int, FrameType | None], Any] | int | None  # as `signal.signal` takes and returns it
GRACE = 0.7  # seconds that the main thread has to unwind
LIMIT = 1.7  # seconds after which the process ends, whatever is left to be done
_MARK = b"\0"  # no signal has this number
ENDS = [
    f"SIG{name}" for name in "INT TERM HUP QUIT USR1 USR2 ALRM VTALRM PROF XCPU POLL PWR STKFLT".split()
]  # but SIGPIPE, which Python ignores


class ProgramInterrupted(KeyboardInterrupt):
    """A signal that ends the program; without a number it is Ctrl-C."""

    def __init__(self, number: int = signal.SIGINT) -> None:
        name = signal.Signals(number).name
        super().__init__("interrupted" if number == signal.SIGINT else f"stopped by {name}")
        self.status = 128 + number  # what shells expect of a program that a signal ended


class _Once:
    """A call that is made once, whichever thread comes first; the others wait until it is over."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call
        self._lock = threading.Lock()

    def __call__(self) -> None:
        """Call the function, unless it has been called before."""
        with self._lock:
            call, self._call = self._call, None
            if call:
                call()


class Watch:
    """The signals of this process, from `begin` on; `came` is the first one's exception or None."""

    def __init__(self) -> None:
        self.came: ProgramInterrupted | None = None
        self.keepers: list[_Once] = []
        self._lock, self._closing = threading.Lock(), threading.Lock()
        self._before: dict[int, Handler] = {}
        self._raised = self._heard = False
        self._passed = threading.Event()
        self._writing: socket.socket | None = None

    def begin(self) -> None:
        """Begin to handle the signals, except those that the parent process had ignored."""
        reading, self._writing = socket.socketpair()
        self._writing.setblocking(False)
        for name in ENDS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
                self._before[number] = signal.signal(number, self._raise)
        signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self._listen, args=(reading,), name="signals", daemon=True).start()

    def release(self) -> None:
        """Set the handlers that were there before `begin`, if that was called."""
        if not self._before:
            return
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)

    def claim(self) -> None:
        """Return to one thread only, which is then the one that ends the process; the others stay here."""
        self._closing.acquire()

    def end(self, number: int) -> None:
        """Let the process end as by a signal: soon, whatever the main thread is doing."""
        with self._lock:
            if self.came or not self._before:
                return
            self.came = ProgramInterrupted(number)
        for seconds, close in ((GRACE, self._close), (LIMIT, lambda: _exit(128 + number))):
            timer = threading.Timer(seconds, close)
            timer.daemon = True
            timer.start()

    def pass_by(self) -> None:
        """Return when the watching thread has seen all signals so far."""
        if self._writing:
            self._passed.clear()
            self._writing.send(_MARK)
            self._passed.wait(GRACE)

    def _raise(self, number: int, _frame: object) -> None:
        """Handle a signal in Python: clean up and raise once."""
        self.end(number)
        if not self._raised:
            self._raised = True
            raise self.came or ProgramInterrupted(number)

    def _listen(self, reading: socket.socket) -> None:
        """Read numbers of signals from a socket, in a thread; a second one ends the process at once."""
        while data := reading.recv(1):
            if data == _MARK:
                self._passed.set()
            elif signal.getsignal(data[0]) != self._raise:
                continue  # somebody else handles it: a server, or who takes Ctrl-C for the end of the sound
            elif self._heard:
                _exit(128 + data[0])
            else:
                self._heard = True
                self.end(data[0])

    def _close(self) -> None:
        """Do what the main thread would do if it were free."""
        self.claim()
        for keep in reversed(self.keepers):
            with suppress(Exception):
                keep()
        with suppress(Exception):
            print(self.came, file=sys.stderr, flush=True)
        _exit(self.came.status if self.came else ProgramInterrupted().status)


_watch = Watch()  # signals belong to the process, and so does this


def watch() -> None:
    """Begin to handle the signals. Call it in the main thread, once."""
    _watch.begin()


def release() -> None:
    """Leave the signals to somebody else, such as a server that ends in its own way."""
    _watch.release()


def came() -> ProgramInterrupted | None:
    """Return the signal that is ending this process, or None."""
    return _watch.came


def check() -> None:
    """Raise ProgramInterrupted if a signal ends this process: what failed may have failed by that."""
    if _watch.came:
        raise _watch.came


def claim() -> None:
    """Let the main thread alone print the last messages; the watching thread prints none from now on."""
    if _watch.came:
        _watch.claim()


@contextmanager
def taking(handler: Callable[[int, object], None]) -> Iterator[None]:
    """Give Ctrl-C to `handler` within the block: for what it ends without ending the program.

    Nothing changes outside of the main thread, or where whoever started this process had it ignored.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None):
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        _watch.pass_by()
        signal.signal(signal.SIGINT, before)


def end_soon(number: int = signal.SIGINT) -> None:
    """End the program as by that signal, whatever it is computing."""
    _watch.end(number)


@contextmanager
def keeping(keep: Callable[[], None]) -> Iterator[None]:
    """Call `keep`, once, if the block ends by an exception or a signal ends the process within it.

    `keep` may be called in another thread, while the block is still computing.
    """
    once = _Once(keep)
    _watch.keepers.append(once)
    try:
        yield
    except BaseException:
        with suppress(Exception):  # the reason why it ends is told, not what could not be kept because of it
            once()
        raise
    finally:
        _watch.keepers.remove(once)


def leave(status: int) -> None:
    """End the process without waiting for its threads, which may compute for seconds."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    _exit(status)


def _exit(status: int) -> None:
    with suppress(Exception):
        remove_partials()
    os._exit(status)
