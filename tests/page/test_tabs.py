"""Transcribe and Voiceover in a real browser, with models that are made up."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

pytest.importorskip("gradio", reason="gradio is not installed; pip install '.[app]'")

from fakes.browser import PATIENCE, chromium, open_tab, until, within
from fakes.page import Batches, kept_files, serving_page
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from voice.audio import read, write
from voice.types import Audio

RATE = 16_000
NOISE = 0.3 * np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
SAID = Audio(np.concatenate([np.zeros(RATE // 2, np.float32), NOISE]), RATE)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving_page() as address:
        yield address


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    folder = tmp_path_factory.mktemp("browser")
    write(folder / "said.wav", SAID)
    with chromium(folder / "profile", folder / "said.wav", tapped=False) as driver:
        yield driver


@pytest.fixture
def page(browser: webdriver.Chrome, address: str) -> webdriver.Chrome:
    browser.get(address)
    until(lambda: "video" in within(browser, "#recording input[type=file]").get_attribute("accept"))
    return browser


@pytest.fixture
def voiceover(page: webdriver.Chrome) -> webdriver.Chrome:
    open_tab(page, "Voiceover")
    until(lambda: within(page, "#text textarea").is_displayed())
    within(page, "#text textarea").clear()
    return page


def offer(page: webdriver.Chrome, path: Path) -> None:
    """Chooses a file where sound and films are dropped."""
    within(page, "#recording input[type=file]").send_keys(str(path))
    until(lambda: kept_files(path.name))
    time.sleep(0.3)


def press_transcribe(page: webdriver.Chrome, told: str = "words in") -> str:
    """Presses the button; the status when it says so."""
    within(page, "#transcribe-go").click()
    return until(lambda: told in within(page, "#transcribe-status").text and status(page))


def status(page: webdriver.Chrome, tab: str = "transcribe") -> str:
    return within(page, f"#{tab}-status").text


def film(path: Path) -> Path:
    """Two seconds of gray, in which something is said."""
    with av.open(str(path), "w") as out:
        picture, sound = out.add_stream("libvpx", rate=5), out.add_stream("libopus", rate=48_000)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 128, np.uint8), format="rgb24")
            out.mux(picture.encode(frame))
        samples = (np.repeat(SAID.samples, 3) * 20_000).astype(np.int16)
        heard = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        heard.sample_rate = 48_000
        out.mux(sound.encode(heard))
        for stream in (picture, sound):
            out.mux(stream.encode(None))
    return path


def problems(page: webdriver.Chrome) -> list[str]:
    """All that is shown as an error, in any place."""
    marks = ".problem, .page-notice, .error, .toast-body"
    return [each.text for each in page.find_elements(By.CSS_SELECTOR, marks) if each.is_displayed()]


def test_a_film_is_taken_where_sound_is_and_shown(page: webdriver.Chrome, tmp_path: Path) -> None:
    offer(page, film(tmp_path / "talk.webm"))
    until(lambda: "talk" in within(page, "#film").text)
    until(lambda: page.execute_script("return document.querySelector('#film-player video').videoWidth"))
    assert status(page) == ""  # it waits for the button, and the options
    assert "2 words" in press_transcribe(page)
    within(page, "#film button[aria-label='Clear'], #film button[aria-label*='emove']").click()
    until(lambda: not within(page, "#film").is_displayed())
    assert "nothing to transcribe" in press_transcribe(page, "nothing")


def test_a_film_that_is_dropped_is_taken_too_and_makes_room_for_sound(
    page: webdriver.Chrome, tmp_path: Path
) -> None:
    page.execute_script(
        """const files = new DataTransfer();
        files.items.add(new File(["x"], "a.mkv", { type: "" }));
        const place = document.querySelector("#recording input[type=file]").closest("button");
        const how = { dataTransfer: files, bubbles: true, cancelable: true };
        place.dispatchEvent(new DragEvent("drop", how));"""
    )
    until(lambda: "a.mkv" in within(page, "#film").text.replace("\n", ""))
    assert press_transcribe(page, "a.mkv").startswith("a.mkv ")
    write(tmp_path / "sound.wav", SAID)
    offer(page, tmp_path / "sound.wav")
    until(lambda: not within(page, "#film").is_displayed())
    assert "2 words" in press_transcribe(page)


def test_what_is_wrong_is_said_once_in_place_without_paths_and_goes_again(
    page: webdriver.Chrome, tmp_path: Path
) -> None:
    (tmp_path / "broken.mp3").write_bytes(b"nothing" * 100)
    offer(page, tmp_path / "broken.mp3")
    said = press_transcribe(page, "broken.mp3")
    assert said.startswith("broken.mp3 ") and said.endswith(".") and "/" not in said
    time.sleep(0.5)
    assert problems(page) == [said]
    assert within(page, "#words .empty")
    within(page, "#recording button[aria-label='Clear']").click()
    until(lambda: "video" in within(page, "#recording input[type=file]").get_attribute("accept"))
    write(tmp_path / "whole.wav", SAID)
    offer(page, tmp_path / "whole.wav")
    press_transcribe(page)
    assert not problems(page)


def test_a_recording_that_is_still_made_is_stopped_and_transcribed(page: webdriver.Chrome) -> None:
    within(page, "#recording button[aria-label='Record audio']").click()
    until(lambda: within(page, "#recording .record-button").is_displayed())
    within(page, "#recording .record-button").click()
    until(lambda: "0:02" in within(page, "#recording .duration").text)
    assert "2 words" in press_transcribe(page)


def test_a_microphone_that_is_refused_is_explained(page: webdriver.Chrome) -> None:
    refuse = """MediaDevices.prototype.getUserMedia =
        async () => { throw new DOMException("no", "NotAllowedError"); };"""
    script = page.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": refuse})
    try:
        page.refresh()
        until(lambda: "video" in within(page, "#recording input[type=file]").get_attribute("accept"))
        within(page, "#recording button[aria-label='Record audio']").click()
        until(lambda: within(page, "#recording .record-button").is_displayed())
        within(page, "#recording .record-button").click()
        until(lambda: "may not use the microphone" in within(page, "#recording-notice").text, 10)
        assert len(problems(page)) == 1
    finally:
        page.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_a_recording_gives_no_error_under_the_policy(page: webdriver.Chrome) -> None:
    page.get_log("browser")  # what others have left there
    within(page, "#recording button[aria-label='Record audio']").click()
    until(lambda: within(page, "#recording .record-button").is_displayed())
    within(page, "#recording .record-button").click()
    until(lambda: "0:01" in within(page, "#recording .duration").text)
    within(page, "#recording .stop-button").click()
    until(lambda: page.find_elements(By.CSS_SELECTOR, "#recording .waveform-container"))
    time.sleep(0.5)
    assert not [row["message"] for row in page.get_log("browser") if row["level"] == "SEVERE"]


def test_eight_tabs_are_open_and_each_shows_the_page(page: webdriver.Chrome, address: str) -> None:
    first = page.current_window_handle
    try:
        for _ in range(7):
            page.switch_to.new_window("tab")
            page.set_page_load_timeout(20)
            page.get(address)
            until(lambda: within(page, "#transcribe-go").is_displayed())
    finally:
        for handle in page.window_handles:
            if handle != first:
                page.switch_to.window(handle)
                page.close()
        page.switch_to.window(first)


def test_a_box_to_tick_is_seen(page: webdriver.Chrome) -> None:
    color = within(page, "#named input").value_of_css_property("border-top-color")
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", color)[:3])
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    luminance = sum(np.multiply(linear, (0.2126, 0.7152, 0.0722)))
    assert 1.05 / (luminance + 0.05) >= 3  # on white


def test_the_progress_covers_no_button(
    page: webdriver.Chrome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    monkeypatch.setattr(Batches, "transcribe_batch", lambda *_, **__: go.wait(PATIENCE) and [])
    write(tmp_path / "slow.wav", SAID)
    offer(page, tmp_path / "slow.wav")
    within(page, "#transcribe-go").click()
    try:
        until(lambda: within(page, "#transcribe-status .progress-bar"))
        until(lambda: "words up to 0:00 of 0:01" in status(page))
        parts = page.find_elements(By.CSS_SELECTOR, "#transcribe-status :is(.progress-bar, .progress-text)")
        end = max(part.rect["y"] + part.rect["height"] for part in parts)
        buttons = page.find_elements(By.CSS_SELECTOR, ".downloads button")
        assert end <= min(button.rect["y"] for button in buttons if button.is_displayed())
    finally:
        go.set()


def test_markup_in_a_message_is_read_not_drawn(voiceover: webdriver.Chrome) -> None:
    text = '<speak>Hello <break time="99 parsecs"/></speak>'
    within(voiceover, "#text textarea").send_keys(text, Keys.CONTROL, Keys.ENTER)
    until(lambda: status(voiceover, "voiceover").startswith('Line 1: <break time="99 parsecs">'))


def test_what_the_voice_cannot_say_is_told(voiceover: webdriver.Chrome) -> None:
    within(voiceover, "#text textarea").send_keys("Hello 你好 there.")
    within(voiceover, "#speak-go").click()
    until(lambda: "Not read aloud" in status(voiceover, "voiceover"))
    assert "你好" in status(voiceover, "voiceover")


def test_the_file_has_the_rate_that_is_chosen(voiceover: webdriver.Chrome) -> None:
    within(voiceover, "#controls button").click()
    until(lambda: within(voiceover, "#rate input")).click()
    until(lambda: within(voiceover, "#rate [role=option][aria-label='48000 Hz']")).click()
    within(voiceover, "#text textarea").send_keys("One two three.")
    within(voiceover, "#speak-go").click()
    until(lambda: "of speech made" in status(voiceover, "voiceover"))
    made = kept_files("voiceover.wav")
    last = max(made, key=lambda path: path.stat().st_mtime_ns)  # other tests' lie there too
    assert read(last).rate == 48_000


def test_an_emptied_number_is_the_usual_one(voiceover: webdriver.Chrome) -> None:
    speed = within(voiceover, "input[type=number][aria-label*=Speed]")
    speed.send_keys(Keys.CONTROL, "a")
    speed.send_keys(Keys.DELETE)
    speed.send_keys(Keys.TAB)
    until(lambda: speed.get_attribute("value") == "1", 10)


def test_what_an_earlier_version_kept_of_somebodys_words_is_removed(page: webdriver.Chrome) -> None:
    page.execute_script("localStorage.setItem('gradio:run-history:v2:1', 'My diary'); localStorage.mine = 1")
    page.refresh()
    until(lambda: page.execute_script("return Object.keys(localStorage).join()") == "mine")


def test_a_server_that_goes_in_the_middle_of_a_transcription_is_missed(
    browser: webdriver.Chrome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = threading.Event()
    monkeypatch.setattr(Batches, "transcribe_batch", lambda *_, **__: gone.wait(4) and [])
    write(tmp_path / "long.wav", SAID)
    with serving_page() as another:
        browser.get(another)
        until(lambda: "video" in within(browser, "#recording input[type=file]").get_attribute("accept"))
        offer(browser, tmp_path / "long.wav")
        within(browser, "#transcribe-go").click()
        until(lambda: "0:0" in status(browser))
    gone.set()
    until(lambda: "cannot be reached" in within(browser, "#notice").text, 30)
    assert len(problems(browser)) == 1
    browser.get_log("browser")
    for _ in range(3):
        within(browser, "#transcribe-go").click()
        time.sleep(2)
    failures = [row for row in browser.get_log("browser") if "app_id" in row["message"]]
    assert len(failures) <= 3  # those of the page itself, ever more seldom
