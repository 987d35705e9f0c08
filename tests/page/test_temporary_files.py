"""What the page keeps, where, and until when."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from page import temporary_files
from page.browsers import Browsers
from page.temporary_files import BrowserFiles

Launch = Callable[[str], subprocess.Popen]
CHECKOUT = Path(__file__).parents[2]
# A process that holds a private folder with a file in it, as app.py does, until it is told to end.
HOLDS = """
import time
from page.signals import end_as_sigterm
from page.temporary_files import BrowserFiles, remove_all
end_as_sigterm()
try:
    (BrowserFiles("me").new_folder() / "said.wav").write_text("private")
    print("there", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    pass
finally:
    remove_all()
"""
# The page, with models that are made up.
SERVES = """
import sys
import app
from fakes.page import services
app.Services = lambda settings: services(settings=settings)
sys.argv = ["app.py", "--port", "0"]
app.main()
"""


def comes_true(what: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether something becomes true within some seconds, which a busy machine may need."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files in which this process has its shelf."""
    temporary_files.remove_all()  # that of an earlier test, which nobody would remove
    temporary_files.private_folder.cache_clear()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    yield tmp_path
    temporary_files.remove_all()
    temporary_files.private_folder.cache_clear()


@pytest.fixture
def launch(temporary: Path) -> Iterator[Callable[[str], subprocess.Popen]]:
    """Starts a script in a process that ends with the test, whatever becomes of it."""
    paths = os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "tests")])
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": paths}
    with ExitStack() as processes:

        def launched(script: str) -> subprocess.Popen:
            command, pipe = [sys.executable, "-c", script], subprocess.PIPE
            process = subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe)
            processes.enter_context(process)  # which waits for it, once it was told to end
            processes.callback(process.kill)
            return process

        yield launched


def wait_for_start(process: subprocess.Popen) -> subprocess.Popen:
    assert process.stdout.readline() == b"there\n"
    return process


def shelves(temporary: Path) -> list[Path]:
    return list(temporary.glob(f"{temporary_files.PREFIX}*"))


def test_the_folder_is_this_accounts_alone_and_a_process_has_its_own(temporary: Path) -> None:
    (temporary / "gradio").mkdir(mode=0o500)  # another account's, from another page
    assert stat.S_IMODE(temporary_files.private_folder().stat().st_mode) == 0o700
    assert stat.S_IMODE(BrowserFiles("a").new_folder().stat().st_mode) == 0o700
    assert shelves(temporary) == [temporary_files.private_folder()]


def test_old_folders_make_room(temporary: Path) -> None:
    folders = [BrowserFiles("a").new_folder() for _ in range(temporary_files.MAX_FOLDERS + 5)]
    assert len(list(BrowserFiles("a").folder.iterdir())) == temporary_files.MAX_FOLDERS
    assert (
        folders[-1].exists() and len({folder.name for folder in folders}) == temporary_files.MAX_FOLDERS + 5
    )


def test_every_signal_but_kill_leaves_nothing(temporary: Path, launch: Launch) -> None:
    names = "TERM", "INT", "HUP", "QUIT", "USR1", "ALRM", "XCPU"
    processes = {name: launch(HOLDS) for name in names}
    for name, process in processes.items():
        wait_for_start(process).send_signal(getattr(signal, f"SIG{name}"))
    for process in processes.values():
        _, errors = process.communicate(timeout=30)
        assert b"Traceback" not in errors
    assert not shelves(temporary)


def test_the_page_says_where_it_is_once_it_answers_and_ends_without_a_trace(
    temporary: Path, launch: Launch
) -> None:
    pytest.importorskip("gradio", reason="gradio is not installed; pip install '.[app]'")
    process = launch(SERVES)
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
    temporary: Path, launch: Launch
) -> None:
    killed, _ = (wait_for_start(launch(HOLDS)) for _ in range(2))
    killed.kill()
    killed.wait(10)
    assert len(shelves(temporary)) == 2
    temporary_files.private_folder()
    kept = shelves(temporary)
    assert len(kept) == 2 and any(list(folder.rglob("said.wav")) for folder in kept)


def test_a_folder_that_another_process_is_making_stays(temporary: Path) -> None:
    fresh, old = temporary / f"{temporary_files.PREFIX}fresh", temporary / f"{temporary_files.PREFIX}old"
    for folder in (fresh, old):
        folder.mkdir()
    os.utime(old, (0, 0))
    (temporary / f"{temporary_files.PREFIX}link").symlink_to(fresh)
    temporary_files.remove_abandoned(temporary)
    assert fresh.exists() and not old.exists() and (temporary / f"{temporary_files.PREFIX}link").is_symlink()


@pytest.fixture
def browsers(temporary: Path) -> Browsers:
    """Which are tidied by the test, not by the clock."""
    return Browsers(grace=3600.0)


def set_age(folder: Path, seconds: float) -> Path:
    os.utime(folder, (time.time() - seconds,) * 2)
    return folder


def test_what_lies_there_stays_while_a_tab_is_open(browsers: Browsers) -> None:
    browsers.note_opened("me", "tab")
    folder = browsers.files("me").new_folder()
    browsers.tidy()
    assert folder.exists()


def test_what_was_made_goes_when_its_browser_closes_the_last_tab(temporary: Path) -> None:
    browsers = Browsers(grace=0.05)
    browsers.note_opened("me", "one")
    browsers.note_opened("me", "two")
    browsers.note_opened("you", "three")
    mine, yours = browsers.files("me").new_folder(), browsers.files("you").new_folder()
    browsers.note_closed("me", "one")
    browsers.tidy()
    assert mine.exists()
    browsers.note_closed("me", "two")
    assert comes_true(lambda: not BrowserFiles("me").folder.exists())
    assert yours.exists()


def test_what_an_earlier_tab_made_goes_when_the_page_is_loaded_again(browsers: Browsers) -> None:
    browsers.note_opened("me", "before")
    old = set_age(browsers.files("me").new_folder(), 5.0)
    browsers.note_closed("me", "before")
    browsers.note_opened("me", "after")
    new = browsers.files("me").new_folder()
    browsers.tidy()
    assert new.exists() and not old.exists()


def test_a_page_that_comes_back_as_it_was_keeps_what_it_made(
    browsers: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    browsers.note_opened("me", "tab")
    folder = browsers.files("me").new_folder()
    browsers.note_closed("me", "tab")
    later = time.time() + 100
    monkeypatch.setattr("page.browsers.time.time", lambda: later)
    browsers.note_opened("me", "tab")
    browsers.tidy()
    assert folder.exists()


def test_a_tab_that_falls_silent_is_closed_after_an_hour(
    browsers: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    browsers = Browsers(grace=0.0, unclaimed=1000.0)
    now = time.monotonic()
    for tab in ("crashed", "alive"):
        browsers.note_opened(tab, tab)
    rooms = {tab: set_age(browsers.files(tab).new_folder(), 0.5) for tab in ("crashed", "alive")}
    monkeypatch.setattr("page.browsers.time.monotonic", lambda: now + 900)
    browsers.note_opened("alive", "alive")
    browsers.tidy()
    assert rooms["crashed"].exists()
    monkeypatch.setattr("page.browsers.time.monotonic", lambda: now + 1100)
    browsers.tidy()
    assert not rooms["crashed"].exists() and rooms["alive"].exists()


def test_a_flood_of_open_tabs_is_bounded_and_an_earlier_one_stays_open(
    browsers: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("page.browsers.MAX_BROWSERS", 20)
    monkeypatch.setattr("page.browsers.MAX_TABS", 10)
    for key, tab in [("me", "mine"), *((f"browser {n}", f"tab {n}") for n in range(100))]:
        assert browsers.owns(key, tab)
        browsers.note_opened(key, tab)
    for number in range(100):
        assert browsers.owns("me", f"more {number}")
        browsers.note_opened("me", f"more {number}")
    assert not browsers.owns("you", "mine")
    assert len(browsers._browsers) <= 20 and len(browsers._owners) <= 20 * 10
    assert "mine" in browsers._browsers["me"].tabs and len(browsers._browsers["me"].tabs) <= 10


def test_what_nobody_claims_goes_after_an_hour(browsers: Browsers) -> None:
    fresh, old = browsers.files("").new_folder(), browsers.files("").new_folder()
    set_age(old, 3601)
    browsers.tidy()
    assert fresh.exists() and not old.exists()


def test_nothing_is_kept_any_more_once_the_process_ends(temporary: Path) -> None:
    browsers = Browsers(grace=3600.0)
    browsers.note_opened("me", "tab")
    browsers.files("me").new_folder()
    temporary_files.remove_all()
    browsers.tidy()  # as its thread does, while another one still works
    with pytest.raises(OSError, match=temporary_files.PREFIX):
        browsers.files("you").new_folder()
    assert not shelves(temporary)


def test_what_cannot_be_removed_now_is_removed_later(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def failing(room: Path, before: float) -> None:
        tries.append(room)
        if len(tries) == 1:
            raise PermissionError(13, "Permission denied")
        temporary_files.remove_older(room, before)

    monkeypatch.setattr("page.browsers.remove_older", failing)
    browsers = Browsers(grace=0.01, unclaimed=0.0)
    folder = set_age(browsers.files("me").new_folder(), 1.0)
    assert comes_true(lambda: not folder.exists()) and len(tries) > 1


def test_a_flood_of_tabs_and_browsers_is_forgotten_but_no_tab_that_is_open(
    browsers: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("page.browsers.MAX_BROWSERS", 20)
    monkeypatch.setattr("page.browsers.MAX_TABS", 10)
    assert browsers.owns("me", "mine")
    browsers.note_opened("me", "mine")
    for number in range(500):
        assert browsers.owns("me", f"made up {number}")
        assert browsers.owns(f"browser {number}", f"tab {number}")
    assert not browsers.owns("browser 499", "mine") and not browsers.owns("me", "tab 499")
    assert browsers.owns("browser 499", "tab 0")  # whose browser was forgotten
    assert browsers.owns("browser 499", "made up 0")  # a tab that was forgotten


def test_whose_tab_it_is_takes_no_longer_with_many_browsers(temporary: Path) -> None:
    def lines_run(count: int) -> int:
        browsers, lines = Browsers(grace=3600.0), [0]
        for number in range(count):
            browsers.owns(f"browser {number}", f"tab {number}")

        def counted(*_: object) -> object:
            lines[0] += 1
            return counted

        sys.settrace(counted)
        browsers.owns("browser 0", "tab 0")
        sys.settrace(None)
        return lines[0]

    assert lines_run(400) < 2 * lines_run(2)


def test_nobody_waits_for_what_is_being_removed(browsers: Browsers, monkeypatch: pytest.MonkeyPatch) -> None:
    old = set_age(browsers.files("").new_folder(), 3601)
    removing, go_on, remove = threading.Event(), threading.Event(), temporary_files.shutil.rmtree

    def slow(folder: Path, ignore_errors: bool) -> None:
        removing.set()
        go_on.wait(10)
        remove(folder, ignore_errors)

    with monkeypatch.context() as patch, ThreadPoolExecutor() as pool:
        patch.setattr(temporary_files.shutil, "rmtree", slow)
        tidied = pool.submit(browsers.tidy)
        assert removing.wait(10)
        made = pool.submit(lambda: browsers.owns("you", "tab") and browsers.files("").new_folder())
        try:
            assert made.result(5).exists() and not tidied.done()
        finally:
            go_on.set()
        tidied.result(10)
    assert not old.exists() and made.result().exists()


def test_what_a_forgotten_browser_left_goes_after_an_hour(
    browsers: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("page.browsers.MAX_BROWSERS", 1)
    old, fresh = (browsers.files("me").new_folder() for _ in range(2))
    set_age(old, 3601)
    browsers.owns("you", "tab")
    browsers.tidy()
    assert fresh.exists() and not old.exists()


def test_a_room_keeps_only_so_many_bytes_and_the_oldest_make_room(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporary_files, "MAX_BYTES", 1000)
    folders = [BrowserFiles("a").new_folder(400) for _ in range(2)]
    for age, folder in enumerate(folders):
        (folder / "said.wav").write_bytes(bytes(400))
        set_age(folder, 10 - age)
    newest = BrowserFiles("a").new_folder(400)
    assert not folders[0].exists() and folders[1].exists() and newest.exists()
    BrowserFiles("a").new_folder()
    assert folders[1].exists()
