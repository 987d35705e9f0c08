"""A headless Chromium for tests of the page: its microphone is a file, its loudspeaker is listened to."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from fakes.listener import listener

pytest.importorskip("selenium", reason="selenium is not installed; pip install '.[test]'")

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking"
    " --hide-scrollbars --disable-component-update --disable-sync --disable-dev-shm-usage"
    " --autoplay-policy=no-user-gesture-required"
    " --use-fake-device-for-media-stream --use-fake-ui-for-media-stream"
).split()
SIZES = {"desktop": (1280, 1000), "phone": (390, 844)}
PATIENCE = 120.0  # seconds; models are loaded meanwhile, on a machine that may be busy

# Keeps what goes to any loudspeaker of the page, as 16-bit samples in window.loud.
LISTEN = """
window.loud = [];
const tap = `registerProcessor("tap", class extends AudioWorkletProcessor {
  process([[sound]]) {
    if (sound) this.port.postMessage(Int16Array.from(sound, (each) => 32767 * each));
    return true;
  }
})`;
const module = URL.createObjectURL(new Blob([tap], { type: "text/javascript" }));
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (...to) {
  if (to[0] instanceof AudioDestinationNode && this.channelCountMode !== "explicit") {
    this.context.audioWorklet.addModule(module).then(() => {
      const node = new AudioWorkletNode(this.context, "tap");
      window.loudRate = this.context.sampleRate;
      node.port.onmessage = ({ data }) => window.loud.push(data);
      connect.call(this, node);
    });
  }
  return connect.apply(this, to);
};
"""
_LOUD = """
const all = new Int16Array(await new Blob(window.loud).arrayBuffer());
let text = "";
const bytes = new Uint8Array(all.buffer);
for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
return [btoa(text), window.loudRate];
"""


@contextmanager
def chromium(
    profile: Path, microphone: Path, tapped: bool = True, more: Sequence[str] = ()
) -> Iterator[webdriver.Chrome]:
    """A browser that hears a file once each time its microphone is opened; a test is skipped without one.

    Where it is `tapped`, what goes to its loudspeaker is kept, by a script that no page's policy lets in:
    the policy does not hold then. `more` are further flags.
    """
    if not (Path(CHROMIUM).exists() and Path(DRIVER).exists()):
        pytest.skip(f"no browser at {CHROMIUM}; apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    sound = f"--use-file-for-fake-audio-capture={microphone}%noloop"
    for flag in (*FLAGS, f"--user-data-dir={profile}", sound, *more):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    driver.set_window_size(*SIZES["desktop"])
    if tapped:
        driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LISTEN})
    try:
        yield driver
    finally:
        driver.quit()


@contextmanager
def serve_application(application) -> Iterator[str]:
    """The address of an ASGI application while it is served."""
    import uvicorn

    listening = listener()
    server = uvicorn.Server(
        uvicorn.Config(application, log_level="error", ws_max_size=2**20, timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    until(lambda: server.started)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    server.should_exit = True
    thread.join(10)


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
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:g} s in vain; last: {last}")


def open_tab(page: webdriver.Chrome, name: str) -> None:
    tabs = until(lambda: page.find_elements(By.CSS_SELECTOR, "button[role=tab]"))
    next(tab for tab in tabs if tab.text == name).click()


def within(page: webdriver.Chrome, selector: str) -> WebElement:
    return page.find_element(By.CSS_SELECTOR, selector)


def loud(page: webdriver.Chrome) -> tuple[np.ndarray, int]:
    """(T,) float32 of what has gone to the loudspeaker so far, and its rate."""
    text, rate = page.execute_async_script(
        f"const end = arguments[0]; (async () => {{ {_LOUD} }})().then(end, (error) => end(['', 1]));"
    )
    return np.frombuffer(base64.b64decode(text), "<i2").astype(np.float32) / 32768, int(rate)
