"""What the page keeps, where, and until when."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from page import shelf
from page.shelf import Room
from page.visitors import Visitors

CHECKOUT = Path(__file__).parents[2]
# A process that holds a private folder with a file in it, as app.py does, until it is told to end.
HOLDS = """
import time
from page.ending import end_in_order
from page.shelf import Room, clear
end_in_order()
try:
    (Room("me").new_folder() / "said.wav").write_text("private")
    print("there", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    pass
finally:
    clear()
"""
# The page, with models that are made up.
SERVES = """
import sys
import app
from page_fakes import services
app.Services = lambda settings: services(settings=settings)
sys.argv = ["app.py", "--port", "0"]
app.main()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files in which this process has its shelf."""
    shelf.clear()  # that of an earlier test, which nobody would remove
    shelf.shelf.cache_clear()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    yield tmp_path
    shelf.clear()
    shelf.shelf.cache_clear()


def launched(script: str, temporary: Path) -> subprocess.Popen:
    paths = os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "tests")])
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": paths}
    return subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def started(temporary: Path) -> subprocess.Popen:
    process = launched(HOLDS, temporary)
    assert process.stdout.readline() == b"there\n"
    return process


def shelves(temporary: Path) -> list[Path]:
    return list(temporary.glob(f"{shelf.PREFIX}*"))


def test_the_folder_is_this_accounts_alone_and_a_process_has_its_own(temporary: Path) -> None:
    (temporary / "gradio").mkdir(mode=0o500)  # another account's, from another page
    assert stat.S_IMODE(shelf.shelf().stat().st_mode) == 0o700
    assert stat.S_IMODE(Room("a").new_folder().stat().st_mode) == 0o700
    assert shelves(temporary) == [shelf.shelf()]


def test_old_folders_make_room(temporary: Path) -> None:
    folders = [Room("a").new_folder() for _ in range(shelf.KEPT + 5)]
    assert len(list(Room("a").folder.iterdir())) == shelf.KEPT
    assert folders[-1].exists() and len({folder.name for folder in folders}) == shelf.KEPT + 5


def test_every_signal_but_kill_leaves_nothing(temporary: Path) -> None:
    names = "TERM", "INT", "HUP", "QUIT", "USR1", "ALRM", "XCPU"
    processes = {name: launched(HOLDS, temporary) for name in names}
    for name, process in processes.items():
        assert process.stdout.readline() == b"there\n"
        process.send_signal(getattr(signal, f"SIG{name}"))
    for process in processes.values():
        _, errors = process.communicate(timeout=30)
        assert b"Traceback" not in errors
    assert not shelves(temporary)


def test_the_page_says_where_it_is_once_it_answers_and_ends_without_a_trace(temporary: Path) -> None:
    pytest.importorskip("gradio", reason="gradio is not installed; pip install '.[app]'")
    process = launched(SERVES, temporary)
    address = process.stdout.readline().decode().removeprefix("The page is on ").strip()
    with urllib.request.urlopen(f"{address}/health", timeout=10) as answer:  # at the first try
        assert answer.status == 200
    assert list(temporary.iterdir()) == shelves(temporary)  # and no folder that accounts share
    assert len(shelves(temporary)) == 1
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, b"")
    assert not shelves(temporary)


def test_what_a_killed_process_left_is_removed_by_the_next_and_a_living_one_keeps_its_own(
    temporary: Path,
) -> None:
    killed, living = started(temporary), started(temporary)
    try:
        killed.kill()
        killed.wait(10)
        assert len(shelves(temporary)) == 2
        shelf.shelf()
        kept = shelves(temporary)
        assert len(kept) == 2 and any(list(folder.rglob("said.wav")) for folder in kept)
    finally:
        living.terminate()
        living.wait(10)


def test_a_folder_that_another_process_is_making_stays(temporary: Path) -> None:
    fresh, old = temporary / f"{shelf.PREFIX}fresh", temporary / f"{shelf.PREFIX}old"
    for folder in (fresh, old):
        folder.mkdir()
    os.utime(old, (0, 0))
    (temporary / f"{shelf.PREFIX}link").symlink_to(fresh)
    shelf.sweep(temporary)
    assert fresh.exists() and not old.exists() and (temporary / f"{shelf.PREFIX}link").is_symlink()


@pytest.fixture
def visitors(temporary: Path) -> Visitors:
    """Which are tidied by the test, not by the clock."""
    return Visitors(grace=3600.0)


def aged(folder: Path, seconds: float) -> Path:
    os.utime(folder, (time.time() - seconds,) * 2)
    return folder


def test_what_lies_there_stays_while_a_tab_is_open(visitors: Visitors) -> None:
    visitors.opened("me", "tab")
    folder = visitors.room("me").new_folder()
    visitors.tidy()
    assert folder.exists()


def test_what_was_made_goes_when_its_browser_closes_the_last_tab(temporary: Path) -> None:
    visitors = Visitors(grace=0.05)
    visitors.opened("me", "one")
    visitors.opened("me", "two")
    visitors.opened("you", "three")
    mine, yours = visitors.room("me").new_folder(), visitors.room("you").new_folder()
    visitors.closed("me", "one")
    time.sleep(0.2)
    assert mine.exists()
    visitors.closed("me", "two")
    end = time.monotonic() + 5
    while mine.exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not Room("me").folder.exists() and yours.exists()


def test_what_an_earlier_tab_made_goes_when_the_page_is_loaded_again(visitors: Visitors) -> None:
    visitors.opened("me", "before")
    old = aged(visitors.room("me").new_folder(), 5.0)
    visitors.closed("me", "before")
    visitors.opened("me", "after")
    new = visitors.room("me").new_folder()
    visitors.tidy()
    assert new.exists() and not old.exists()


def test_what_nobody_claims_goes_after_an_hour(visitors: Visitors) -> None:
    fresh, old = visitors.room("").new_folder(), visitors.room("").new_folder()
    aged(old, 3601)
    visitors.tidy()
    assert fresh.exists() and not old.exists()


def test_nothing_is_kept_any_more_once_the_process_ends(temporary: Path) -> None:
    visitors = Visitors(grace=3600.0)
    visitors.opened("me", "tab")
    visitors.room("me").new_folder()
    shelf.clear()
    visitors.tidy()  # as its thread does, while another one still works
    with pytest.raises(OSError, match=shelf.PREFIX):
        visitors.room("you").new_folder()
    assert not shelves(temporary)


def test_what_cannot_be_removed_now_is_removed_later(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty, tries = Room.empty, []

    def failing(room: Room, before: float) -> bool:
        tries.append(room)
        if len(tries) == 1:
            raise PermissionError(13, "Permission denied")
        return empty(room, before)

    monkeypatch.setattr(Room, "empty", failing)
    visitors = Visitors(grace=0.01, unclaimed=0.0)
    folder = aged(visitors.room("me").new_folder(), 1.0)
    end = time.monotonic() + 5
    while folder.exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not folder.exists() and len(tries) > 1
