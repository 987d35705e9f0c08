"""The player of a voiceover, in the browser that runs it: what its button says is what it does."""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="fastapi is not installed; pip install '.[app]'")

from fakes.browser import chromium, serve_application, until
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from selenium import webdriver

from page import markup

# What Gradio gives the script of a component: its element, its props, and a way to see them change.
HOST = """
const element = document.createElement("div"), changes = [], props = { value: null };
element.innerHTML = arguments[0];
document.body.append(element);
const watch = (name, change) => changes.push(change);
new Function("element", "props", "watch", arguments[1])(element, props, watch);
window.give = (value) => { props.value = value; changes.forEach((change) => change()); };
window.media = new Audio(arguments[2]);
"""


def tone(seconds: float) -> str:
    """The address of a sound."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 24_000, 0, "NONE", ""))
        samples = 3000 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * 24_000)) / 24_000)
        sound.writeframes(samples.astype("<i2").tobytes())
    return "data:audio/wav;base64," + base64.b64encode(file.getvalue()).decode()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    server = FastAPI()
    server.get("/", response_class=HTMLResponse)(lambda: "<!doctype html><title>player</title>")
    folder: Path = tmp_path_factory.mktemp("browser")
    with serve_application(server) as address, chromium(folder / "profile", folder / "none.wav") as driver:
        driver.get(address)
        yield driver


@pytest.fixture
def player(browser: webdriver.Chrome) -> webdriver.Chrome:
    browser.refresh()
    browser.execute_script(HOST, markup.PLAYER, markup.asset("player.js"), tone(20))
    return browser


def give(player: webdriver.Chrome, name: str, *pieces: str, done: bool = True) -> None:
    player.execute_script("give(arguments[0])", {"id": name, "pieces": pieces, "done": done})


def state(player: webdriver.Chrome) -> tuple[str, str, bool]:
    """(state, what the button says, whether it can be pressed)"""
    script = """const toggle = document.querySelector(".player-toggle");
        return [document.querySelector(".player").dataset.state, toggle.ariaLabel, !toggle.disabled]"""
    return tuple(player.execute_script(script))


def press(player: webdriver.Chrome) -> None:
    player.execute_script("document.querySelector('.player-toggle').click()")


def reaches(player: webdriver.Chrome, *wanted: object) -> None:
    until(lambda: state(player) == wanted, 10)


IDLE = ("idle", "Play", False)
PLAYING, PAUSED, ENDED = ("playing", "Pause", True), ("paused", "Play", True), ("ended", "Play again", True)


def test_the_button_says_what_it_does_from_the_first_sound_to_the_end_and_again(
    player: webdriver.Chrome,
) -> None:
    reaches(player, *IDLE)
    give(player, "a", tone(0.6), done=False)
    reaches(player, *PLAYING)
    reaches(player, "waiting", "Pause", True)
    give(player, "a", tone(0.6), tone(0.6))
    reaches(player, *PLAYING)
    press(player)
    reaches(player, *PAUSED)
    press(player)
    reaches(player, *PLAYING)
    reaches(player, *ENDED)
    press(player)
    reaches(player, *PLAYING)
    reaches(player, *ENDED)
    clock = player.execute_script("return document.querySelector('.player-clock').textContent")
    assert clock == "0:01 / 0:01"


def test_what_is_new_is_heard_though_the_last_one_was_paused(player: webdriver.Chrome) -> None:
    give(player, "a", tone(5.0))
    reaches(player, *PLAYING)
    press(player)
    reaches(player, *PAUSED)
    give(player, "b", tone(5.0))
    reaches(player, *PLAYING)
    give(player, "")
    reaches(player, *IDLE)


def test_one_player_sounds_at_a_time(player: webdriver.Chrome) -> None:
    give(player, "a", tone(5.0))
    reaches(player, *PLAYING)
    player.execute_script("return media.play()")
    reaches(player, *PAUSED)
    press(player)
    reaches(player, *PLAYING)
    until(lambda: player.execute_script("return media.paused"), 5)
    player.execute_script("voicePlayers.forEach((silence) => silence())")  # as Talk does when it begins
    reaches(player, *PAUSED)


def test_a_sound_that_is_gone_is_said(player: webdriver.Chrome) -> None:
    give(player, "a", "/gone.wav")
    reaches(player, "gone", "Play", False)
    clock = player.execute_script("return document.querySelector('.player-clock').textContent")
    assert "not there any more" in clock
    give(player, "b", tone(0.5))
    reaches(player, *PLAYING)
