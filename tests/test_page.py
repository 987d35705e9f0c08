"""The page in a real browser: each tab used once with a real file, without any network.

    VOICE_SCREENSHOTS=docs/screenshots python -m pytest tests/test_page.py

also saves what the page looks like, at desktop and at phone width.
"""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

selenium = pytest.importorskip("selenium", reason="selenium is not installed; pip install '.[test]'")
pytest.importorskip("gradio", reason="gradio is not installed; pip install '.[app]'")

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --disable-dev-shm-usage"
    " --autoplay-policy=no-user-gesture-required"
    " --use-fake-device-for-media-stream --use-fake-ui-for-media-stream"
).split()
SIZES = {"desktop": (1280, 1000), "phone": (390, 844)}
PATIENCE = 120.0  # seconds; the models are loaded meanwhile, on a machine that may be busy


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spoken question as a file, with quiet around it."""
    import numpy as np

    import voice
    from voice.audio import resample, write
    from voice.types import Audio

    said = resample(voice.speak("What is twelve times seven?").audio, 48_000).samples
    quiet = np.zeros(48_000, np.float32)
    path = tmp_path_factory.mktemp("microphone") / "question.wav"
    write(path, Audio(np.concatenate([quiet[:24_000], said, quiet]), 48_000))
    return path


@pytest.fixture(scope="module")
def address(whisper_base: Path) -> Iterator[str]:
    """The page, served; skipped where there is no model to use it with."""
    import app

    page = app.build()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    yield app.launch(page, "127.0.0.1", port, block=False)
    page.close()


@pytest.fixture(scope="module")
def browser(question: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    if not (Path(CHROMIUM).exists() and Path(DRIVER).exists()):
        pytest.skip(f"no browser at {CHROMIUM}; apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    profile = tmp_path_factory.mktemp("profile")
    for flag in (*FLAGS, f"--user-data-dir={profile}", f"--use-file-for-fake-audio-capture={question}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    driver.set_window_size(*SIZES["desktop"])
    yield driver
    driver.quit()
    shutil.rmtree(profile, ignore_errors=True)


@pytest.fixture
def page(browser: webdriver.Chrome, address: str) -> webdriver.Chrome:
    browser.get(address)
    until(lambda: "Transcribe" in browser.find_element(By.TAG_NAME, "body").text)
    return browser


@pytest.fixture
def picture(browser: webdriver.Chrome) -> Callable[[str], None]:
    """Saves what the page looks like, at each width, if VOICE_SCREENSHOTS is a folder."""

    def take(name: str) -> None:
        folder = os.environ.get("VOICE_SCREENSHOTS")
        if not folder:
            return
        Path(folder).mkdir(parents=True, exist_ok=True)
        for device, (width, least) in SIZES.items():
            browser.set_window_size(width, least)
            time.sleep(0.6)
            height = browser.execute_script("return document.documentElement.scrollHeight")
            browser.set_window_size(width, min(2400, max(least, height + 140)))
            time.sleep(0.4)
            browser.save_screenshot(str(Path(folder) / f"{name}-{device}.png"))
        browser.set_window_size(*SIZES["desktop"])

    return take


def until(true: Callable[[], object], seconds: float = PATIENCE) -> object:
    """What `true` returns as soon as it is true; fails after `seconds`."""
    end, last = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            found = true()
            if found:
                return found
        except Exception as error:  # an element that is not there yet, or no more
            last = error
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds:g} s in vain; last: {last}")


def open_tab(page: webdriver.Chrome, name: str) -> None:
    tabs = page.find_elements(By.CSS_SELECTOR, "button[role=tab]")
    next(tab for tab in tabs if tab.text == name).click()


def within(page: webdriver.Chrome, selector: str) -> WebElement:
    return page.find_element(By.CSS_SELECTOR, selector)


def upload(page: webdriver.Chrome, where: str, path: Path) -> None:
    until(lambda: within(page, f"{where} input[type=file]")).send_keys(str(path))


def test_the_three_tabs_are_there(page: webdriver.Chrome) -> None:
    tabs = [tab.text for tab in page.find_elements(By.CSS_SELECTOR, "button[role=tab]")]
    assert tabs == ["Transcribe", "Voiceover", "Talk"]


def downloaded(page: webdriver.Chrome, form: str, folder: Path) -> str:
    """Presses a download button; the text of the file that comes."""
    page.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    buttons = page.find_elements(By.CSS_SELECTOR, ".downloads button")
    next(button for button in buttons if button.text == f".{form}" and button.is_displayed()).click()
    return until(lambda: next(iter(folder.glob(f"*.{form}"))).read_text("utf-8"))


def test_transcribes_a_recording(
    page: webdriver.Chrome, corpora: Path, picture: Callable[[str], None], tmp_path: Path
) -> None:
    upload(page, "#recording", corpora / "kathleen/test/arctic_a0003.flac")
    until(lambda: page.find_elements(By.CSS_SELECTOR, "#recording .waveform-container, #recording #waveform"))
    within(page, "#transcribe-go").click()
    until(lambda: "words in" in within(page, "#transcribe-status").text)
    said = within(page, "#words").text.lower()
    assert "the two men shook hands" in said
    titles = [
        each.get_attribute("title") for each in page.find_elements(By.CSS_SELECTOR, "#words span[title]")
    ]
    assert len(titles) >= 10
    assert all("sure" in title for title in titles)
    for form, sign in (("srt", "-->"), ("json", '"probability"'), ("txt", "shook hands")):
        assert sign in downloaded(page, form, tmp_path)
    picture("transcribe")


def test_voices_a_text(page: webdriver.Chrome, picture: Callable[[str], None]) -> None:
    open_tab(page, "Voiceover")
    until(lambda: within(page, "#speak-go").is_displayed())
    within(page, "#speak-go").click()
    player = within(page, "#voiceover-player .player")
    until(lambda: player.get_attribute("data-state") == "playing")
    until(lambda: "of speech made" in within(page, "#voiceover-status").text)
    assert until(lambda: float(player.get_attribute("data-seconds")) > 4)
    until(lambda: page.find_elements(By.CSS_SELECTOR, "#voiceover-whole #waveform, #voiceover-whole audio"))
    picture("voiceover")


def test_answers_a_spoken_question(
    page: webdriver.Chrome, question: Path, picture: Callable[[str], None]
) -> None:
    open_tab(page, "Talk")
    until(lambda: within(page, "#microphone").is_displayed())
    until(lambda: within(page, "#microphone .record-button")).click()
    time.sleep(3.0)  # the fake microphone plays the question again and again
    within(page, "#microphone .stop-button").click()
    until(lambda: "84" in within(page, "#chat").text)
    assert "7" in within(page, "#chat").text
    until(lambda: within(page, "#talk-player .player").get_attribute("data-state") in ("playing", "ended"))
    until(lambda: "answered" in within(page, "#talk-status").text)
    picture("talk")


def test_asks_no_other_machine_for_anything(page: webdriver.Chrome, address: str) -> None:
    import json

    asked = []
    for row in page.get_log("performance"):
        message = json.loads(row["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.append(message["params"]["request"]["url"])
    assert len(asked) > 20  # the page itself, at least
    strangers = [url for url in asked if not url.startswith((address, "data:", "blob:", "chrome"))]
    assert not strangers
