"""Which browsers have which tabs open, so that their files are removed once the tabs are closed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any

from page.temporary_files import BrowserFiles, browser_folders, private_folder, remove_older

RELOAD_SECONDS = 5.0  # seconds that a page may take to come back, as it does when it is loaded again
CLOCK_TOLERANCE = 1.0  # seconds that the times of files may lie behind the clock
UNCLAIMED_SECONDS = 3600.0  # seconds that a folder is kept whose browser has shown no tab
# Limits of what is remembered. Beyond them the oldest is dropped, but no open tab, nor its browser.
MAX_BROWSERS, MAX_TABS, MAX_FILES = 1000, 100, 1000  # in all; of a browser; of a browser

_LOG = logging.getLogger("uvicorn.error")


@dataclass
class Browser:
    """The tabs of one browser, and the files that they use."""

    seen: dict[str, float] = field(default_factory=dict)  # tab → since when it is known, the oldest first
    tabs: dict[str, float] = field(default_factory=dict)  # open tab → when it was last heard of (monotonic)
    taken: dict[str, str] = field(default_factory=dict)  # path of an upload → the tab that uses it
    left: float | None = None  # when its last tab was closed

    def kept_since(self, now: float, grace: float, unclaimed: float) -> float:
        """Return the time since which its folders are kept."""
        if self.tabs:
            return min(self.seen[tab] for tab in self.tabs) - CLOCK_TOLERANCE
        gone = self.left is not None and now - self.left >= grace
        return now + 1 if gone else now - unclaimed


class Browsers:
    """All browsers, by their keys. What the event loop calls here waits for no disk."""

    def __init__(self, grace: float = RELOAD_SECONDS, unclaimed: float = UNCLAIMED_SECONDS) -> None:
        self._folder, self._grace, self._unclaimed = private_folder(), grace, unclaimed
        self._browsers: dict[str, Browser] = {}  # the one that came last at the end
        self._owners: dict[str, str] = {}  # tab → the key of its browser
        self._lock, self._some = threading.Lock(), threading.Event()
        threading.Thread(target=self._watch, name="browsers", daemon=True).start()

    def files(self, key: str) -> BrowserFiles:
        """Return the files of a browser, which is in use now."""
        with self._lock:
            self._browser(key)
        return BrowserFiles(key, self._folder)

    def owns(self, key: str, tab: str) -> bool:
        """Tell whether a tab belongs to this browser: the first one in which it is seen."""
        with self._lock:
            if self._owners.setdefault(tab, key) != key:
                return False
            browser = self._browser(key)
            _set_newest(browser.seen, tab, browser.seen.get(tab, time.time()))
            if len(browser.seen) > MAX_TABS and (old := _oldest(browser.seen, {tab, *browser.tabs})):
                del browser.seen[old], self._owners[old]
            return True

    def note_opened(self, key: str, tab: str) -> None:
        """Note an open tab, which counts until it is closed or silent for long.

        Where very many are open a further one does not count, and its files are soon removed.
        """
        with self._lock:
            browser = self._browser(key)
            browser.left = None
            if tab in browser.tabs or self._has_space(browser):
                browser.seen.setdefault(tab, time.time())
                browser.tabs[tab] = time.monotonic()

    def note_closed(self, key: str, tab: str) -> None:
        """Note a closed tab, which may come back at once."""
        with self._lock:
            _close(self._browser(key), tab)

    def may_use(self, key: str, tab: str, path: str) -> bool:
        """Tell whether a file is the browser's own and no other tab's; from now on it is this tab's."""
        if not BrowserFiles(key, self._folder).has(path):
            return False
        with self._lock:
            taken = self._browser(key).taken
            _set_newest(taken, path, taken.get(path, tab))
            if len(taken) > MAX_FILES and (old := _oldest(taken, {path})):
                del taken[old]
            return taken[path] == tab

    def tidy(self) -> None:
        """Remove what belongs to no tab that is still open."""
        with self._lock:
            self._close_silent()
            keys = {BrowserFiles(key, self._folder).folder.name: key for key in self._browsers}
        for folder in browser_folders(self._folder):  # also those whose browser was dropped
            remove_older(folder, self._kept_since(keys.get(folder.name)))
        left = {folder.name for folder in browser_folders(self._folder)}
        with self._lock:
            for name, key in keys.items():
                if name not in left and key in self._browsers and not self._browsers[key].tabs:
                    self._drop(key)
            if not self._browsers and not left:
                self._some.clear()

    def _kept_since(self, key: str | None) -> float:
        """Return the time since which a browser's folders are kept; None is a browser that was dropped."""
        with self._lock:
            browser = Browser() if key is None else self._browsers.get(key, Browser())
            return browser.kept_since(time.time(), self._grace, self._unclaimed)

    def _browser(self, key: str) -> Browser:
        """Return the browser of a key, from now on the newest; the oldest idle one may go. Under the lock."""
        _set_newest(self._browsers, key, self._browsers.get(key) or Browser())
        self._some.set()
        if len(self._browsers) > MAX_BROWSERS:
            busy = {key, *(other for other, browser in self._browsers.items() if browser.tabs)}
            if (old := _oldest(self._browsers, busy)) is not None:
                self._drop(old)
        return self._browsers[key]

    def _has_space(self, browser: Browser) -> bool:
        """Tell whether one more tab of a browser may be open: there has to be an idle one to drop."""
        if browser.tabs:
            return len(browser.tabs) < MAX_TABS - 1
        return sum(bool(other.tabs) for other in self._browsers.values()) < MAX_BROWSERS - 1

    def _close_silent(self) -> None:
        """Close the tabs that have long not been heard of, as after a crash of their browser."""
        silent_since = time.monotonic() - self._unclaimed
        for browser in self._browsers.values():
            for tab in [tab for tab, heard in browser.tabs.items() if heard < silent_since]:
                _close(browser, tab)

    def _drop(self, key: str) -> None:
        for tab in self._browsers.pop(key).seen:
            self._owners.pop(tab, None)

    def _watch(self) -> None:
        """Tidy the folders from time to time while there are any, in a thread."""
        while self._some.wait():
            time.sleep(self._grace)
            try:
                self.tidy()
            except OSError:  # the next time it may be possible
                _LOG.exception("what the page keeps could not be tidied")


def _close(browser: Browser, tab: str) -> None:
    if browser.tabs.pop(tab, None) is not None and not browser.tabs:
        browser.left = time.time()


def _set_newest(table: dict[str, Any], name: str, value: Any) -> None:
    """Set an entry and make it the newest one."""
    table.pop(name, None)
    table[name] = value


def _oldest(table: Mapping[str, Any], kept: Container[str]) -> str | None:
    """Return the oldest entry of a table that is not `kept`; None where there is no other."""
    return next((name for name in table if name not in kept), None)
