"""Which browsers have which tabs open, so that what they brought and got can go when they are closed."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

from page.shelf import Room, shelf

GRACE = 5.0  # seconds that a page may take to come back, as it does when it is loaded again
CLOCKS = 1.0  # seconds that the times of files may lie behind the clock
UNCLAIMED = 3600.0  # seconds that a folder is kept whose browser has shown no tab

_LOG = logging.getLogger("uvicorn.error")


@dataclass
class Browser:
    """The tabs of one browser: all that were seen, the open ones with their times, what each has taken."""

    seen: set[str] = field(default_factory=set)
    tabs: dict[str, float] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)  # path of an upload → the tab that uses it
    left: float | None = None  # when its last tab was closed

    def keeps_from(self, now: float, grace: float, unclaimed: float) -> float:
        """The time from which on its folders are kept."""
        if self.tabs:
            return min(self.tabs.values()) - CLOCKS
        gone = self.left is not None and now - self.left >= grace
        return now + 1 if gone else now - unclaimed


class Visitors:
    """All browsers, by the keys of their rooms."""

    def __init__(self, grace: float = GRACE, unclaimed: float = UNCLAIMED) -> None:
        self._folder, self._grace, self._unclaimed = shelf(), grace, unclaimed
        self._browsers: dict[str, Browser] = {}
        self._lock, self._some = threading.Lock(), threading.Event()
        threading.Thread(target=self._watch, name="visitors", daemon=True).start()

    def room(self, key: str) -> Room:
        """The room of a browser that brings or makes something now."""
        with self._lock:
            self._browsers.setdefault(key, Browser())
            self._some.set()
        return Room(key, self._folder)

    def owns(self, key: str, tab: str) -> bool:
        """Whether a tab is this browser's, as it is from when it is first seen."""
        with self._lock:
            if any(tab in browser.seen for other, browser in self._browsers.items() if other != key):
                return False
            self._browsers.setdefault(key, Browser()).seen.add(tab)
            self._some.set()
            return True

    def opened(self, key: str, tab: str) -> None:
        """A tab is there, and stays."""
        with self._lock:
            browser = self._browsers.setdefault(key, Browser())
            browser.tabs.setdefault(tab, time.time())
            browser.left = None

    def closed(self, key: str, tab: str) -> None:
        """A tab is gone, for good or to come back at once."""
        with self._lock:
            browser = self._browsers.setdefault(key, Browser())
            browser.tabs.pop(tab, None)
            browser.left = browser.left if browser.tabs else time.time()
            self._some.set()

    def may_use(self, key: str, tab: str, path: str) -> bool:
        """Whether a file is the browser's own and no other tab's, from now on this one's."""
        if not Room(key, self._folder).has(path):
            return False
        with self._lock:
            return self._browsers.setdefault(key, Browser()).taken.setdefault(path, tab) == tab

    def tidy(self) -> None:
        """Remove what belongs to no tab that is still open."""
        now = time.time()
        with self._lock:
            for key, browser in list(self._browsers.items()):
                is_empty = Room(key, self._folder).empty(
                    browser.keeps_from(now, self._grace, self._unclaimed)
                )
                if is_empty and not browser.tabs:
                    del self._browsers[key]
            if not self._browsers:
                self._some.clear()

    def _watch(self) -> None:
        while self._some.wait():
            time.sleep(self._grace)
            try:
                self.tidy()
            except OSError:  # the next time it may be possible
                _LOG.exception("what the page keeps could not be tidied")
