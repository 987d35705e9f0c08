"""The whole page in a real browser, with real models and files and without any network.

    VOICE_SCREENSHOTS=docs/screenshots python -m pytest tests/page/test_page.py

also saves what the page looks like, at desktop and at phone width.
"""

from __future__ import annotations

import base64
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("gradio", reason="gradio is not installed; pip install '.[app]'")

from fakes.browser import SIZES, chromium, loud, open_tab, serve_application, until, within
from selenium import webdriver
from selenium.webdriver.common.by import By

from voice.types import Audio

FRAME = 140  # pixels of a window's height that are the browser's own


def write_speech(text: str, path: Path) -> Path:
    """Words spoken by a voice that is not the agent's, as a file, with quiet around them."""
    import voice
    from voice.audio import resample, write

    speech = resample(voice.speak(text, voice="kathleen").audio, 48_000).samples
    quiet = np.zeros(48_000, np.float32)
    write(path, Audio(np.concatenate([quiet[:24_000], speech, quiet]), 48_000))
    return path


@pytest.fixture(scope="module")
def address(whisper_base: Path) -> Iterator[str]:
    """The page and what it talks to, served; skipped where there is no model to use it with."""
    import app
    from voice.serve import Services

    services = Services()
    services.preload()  # before the question is asked, which is asked only once
    with serve_application(app.server(services)) as address:
        yield address


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Its microphone hears one question each time it is opened."""
    folder = tmp_path_factory.mktemp("browser")
    question = write_speech("What can you do?", folder / "question.wav")
    with chromium(folder / "profile", question) as driver:
        yield driver


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
        for device, (width, height) in SIZES.items():
            screen = {"width": width, "height": height - FRAME, "deviceScaleFactor": 1, "mobile": False}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
            time.sleep(0.6)
            whole = browser.execute_script("return document.documentElement.scrollHeight")
            clip = {"x": 0, "y": 0, "width": width, "height": min(2400, whole), "scale": 1}
            about = {"clip": clip, "captureBeyondViewport": True}
            taken = browser.execute_cdp_cmd("Page.captureScreenshot", about)["data"]
            (Path(folder) / f"{name}-{device}.png").write_bytes(base64.b64decode(taken))
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    return take


def upload(page: webdriver.Chrome, where: str, path: Path) -> None:
    until(lambda: within(page, f"{where} input[type=file]")).send_keys(str(path))


def test_the_three_tabs_are_there(page: webdriver.Chrome) -> None:
    tabs = [tab.text for tab in page.find_elements(By.CSS_SELECTOR, "button[role=tab]")]
    assert tabs == ["Transcribe", "Voiceover", "Talk"]


def download(page: webdriver.Chrome, form: str, folder: Path) -> str:
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
    within(page, "#named input").click()
    within(page, "#transcribe-go").click()
    until(lambda: "words in" in within(page, "#transcribe-status").text)
    said = within(page, "#words").text.lower()
    assert "speaker 1" in said and "the two men shook hands" in said
    titles = [
        each.get_attribute("title") for each in page.find_elements(By.CSS_SELECTOR, "#words span[title]")
    ]
    assert len(titles) >= 10
    assert all("sure" in title for title in titles)
    for form, sign in (("srt", "-->"), ("json", '"probability"'), ("txt", "shook hands")):
        assert sign in download(page, form, tmp_path)
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


def test_holds_a_conversation_and_can_be_interrupted(
    page: webdriver.Chrome, picture: Callable[[str], None], tmp_path: Path
) -> None:
    import voice

    interruption = write_speech("What is nine plus four?", tmp_path / "interruption.wav")
    open_tab(page, "Talk")
    until(lambda: within(page, ".talk[data-phase=off]"))
    within(page, ".talk-button").click()
    until(lambda: within(page, ".talk").get_attribute("data-phase") == "speaking")
    assert "what can you do" in rows(page)[0].lower()
    until(lambda: len(within(page, ".agent .talk-sure").text.split()) >= 4)
    before = len(loud(page)[0])  # later it might be too late: the answer is short
    within(page, ".talk-recording").send_keys(str(interruption))
    until(lambda: "cut" in within(page, ".agent").get_attribute("class"))
    until(lambda: "13" in rows(page)[-1])
    assert "4" in rows(page)[-2]
    until(lambda: page.find_elements(By.CSS_SELECTOR, ".agent[aria-busy=false]:last-child"))  # all is said
    assert within(page, ".talk-latency").text.startswith("answered in")
    until(lambda: within(page, ".talk").get_attribute("data-phase") == "listening")
    picture("talk")

    def recognize_answer() -> str:
        sound, rate = loud(page)
        return voice.transcribe(Audio(sound[before:], rate)).text.lower()

    until(lambda: {"13", "thirteen"} & set(re.findall(r"\w+", recognize_answer())))  # played a little later


def rows(page: webdriver.Chrome) -> list[str]:
    """The turns that are shown, the first one first."""
    return [row.text for row in page.find_elements(By.CSS_SELECTOR, ".talk-turn")]


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
