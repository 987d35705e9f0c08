"""The Talk tab in a real browser, with a server behind it that does as it is told."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("gradio", reason="gradio is not installed; pip install '.[app]'")

from fakes.browser import PATIENCE, chromium, loud, open_tab, serve_application, until, within
from fakes.page import Scene, scene_server
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from voice.serve import Services

RATE = 48_000
LONG = " ".join(["Sentence after sentence of an answer that goes on and on."] * 8)


def noise(seconds: float) -> np.ndarray:
    """What the scripted server takes for speech."""
    return 0.3 * np.random.default_rng(0).standard_normal(round(seconds * RATE)).astype(np.float32)


def quiet(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), np.float32)


def recording(path: Path, *sounds: np.ndarray) -> Path:
    from voice.audio import write
    from voice.types import Audio

    write(path, Audio(np.concatenate(sounds), RATE))
    return path


class English:
    languages = frozenset({"en"})


def at_hand(loaded: threading.Event) -> Services:
    """Models that are there once `loaded` is set; the scene hears and speaks without them."""

    def load(name: str, kind: str) -> English:
        assert loaded.wait(PATIENCE)
        return English()

    return Services(loader=load, detector=object, turn_detector=lambda recognizer: object())


@pytest.fixture(scope="module")
def loaded() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


@pytest.fixture(scope="module")
def address(scene: Scene, loaded: threading.Event) -> Iterator[str]:
    import app

    server = scene_server(scene)
    app.mount(server, at_hand(loaded))
    with serve_application(server) as address:
        yield address


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    folder = tmp_path_factory.mktemp("browser")
    microphone = recording(folder / "said.wav", quiet(0.5), noise(0.8), quiet(60))
    with chromium(folder / "profile", microphone) as driver:
        yield driver


@pytest.fixture
def page(browser: webdriver.Chrome, address: str, scene: Scene) -> Iterator[webdriver.Chrome]:
    """The Talk tab, opened afresh."""
    vars(scene).update(vars(Scene()))
    browser.get(address)
    open_tab(browser, "Talk")
    until(lambda: phase(browser) == "off")
    yield browser
    if phase(browser) != "off":
        within(browser, ".talk-button").click()


def phase(page: webdriver.Chrome) -> str:
    return within(page, ".talk").get_attribute("data-phase")


def turns(page: webdriver.Chrome) -> list[str]:
    """What stands in the conversation, as "who: text"."""
    script = "return [...document.querySelectorAll('.talk-turn')].map((row) => row.textContent)"
    return page.execute_script(script)


def start(page: webdriver.Chrome) -> None:
    within(page, ".talk-button").click()
    until(lambda: phase(page) in ("listening", "hearing"))


def play(page: webdriver.Chrome, path: Path) -> None:
    within(page, ".talk-recording").send_keys(str(path))


def test_a_question_is_shown_as_it_is_said_and_answered_aloud(page: webdriver.Chrome, scene: Scene) -> None:
    start(page)
    until(lambda: phase(page) == "hearing")
    until(lambda: within(page, ".person .talk-rest").text)
    until(lambda: phase(page) == "speaking")
    until(lambda: within(page, ".agent .talk-sure").text.startswith("Twelve"))
    until(lambda: phase(page) == "listening")
    assert turns(page) == ["You: What is twelve times seven?", "Agent: Twelve times seven is eighty-four."]
    assert within(page, ".talk-latency").text.startswith("answered in")
    assert scene.of("session.update")[0]["session"]["voice"] == {"events": True, "brain": "usual"}
    until(lambda: scene.of("voice.played")[-1]["audio_ms"] >= 1198)  # it may be on its way still
    played = [event["audio_ms"] for event in scene.of("voice.played")]
    assert played == sorted(played) and played[-1] == pytest.approx(1200, abs=2)
    assert len(played) >= 3


def test_what_is_said_while_the_server_is_slow_reaches_it_whole(page: webdriver.Chrome, scene: Scene) -> None:
    scene.slow = 6.0  # more sound than a line takes at once; the question lies in its first second and a half
    within(page, ".talk-button").click()
    until(lambda: phase(page) == "speaking")
    heard = [event["level"] > 0.02 for event in scene.of("frame")]
    assert sum(heard) * 0.02 == pytest.approx(0.8, abs=0.1) and len(heard) * 0.02 > 6
    answered = float(within(page, ".talk-latency").text.split()[2])
    assert 4 < answered < 6  # since the question's end, which was heard after 1.3 s


def test_the_button_is_dead_until_the_models_are_there(
    browser: webdriver.Chrome, scene: Scene, tmp_path: Path
) -> None:
    import app

    loaded, server = threading.Event(), scene_server(scene)
    app.mount(server, at_hand(loaded))
    with serve_application(server) as address:
        browser.get(address)
        open_tab(browser, "Talk")
        until(lambda: within(browser, ".talk[data-mounted]"))
        assert within(browser, ".talk-phase").text == "Getting ready …"
        within(browser, ".talk-anew").click()
        assert not within(browser, ".talk-button").is_enabled()
        loaded.set()
        until(lambda: phase(browser) == "off")
        assert all(within(browser, f".talk-{name}").is_enabled() for name in ("button", "recording"))


def test_the_button_is_dead_where_its_script_does_not_come(browser: webdriver.Chrome, address: str) -> None:
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*talk/talk.js"]})
    try:
        browser.get(address)
        open_tab(browser, "Talk")
        until(lambda: "reload the page" in within(browser, ".talk-trouble").text)
        assert not within(browser, ".talk-button").is_enabled()
    finally:
        browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})


def test_who_speaks_another_language_is_told_which_one_is_understood(
    browser: webdriver.Chrome, address: str
) -> None:
    agent = browser.execute_script("return navigator.userAgent")
    speaks = lambda tags: browser.execute_cdp_cmd(  # noqa: E731
        "Network.setUserAgentOverride", {"userAgent": agent, "acceptLanguage": tags}
    )
    for tags, advice in (("de-DE,de", "Please speak English"), ("de-DE,en-GB", "")):
        speaks(tags)
        browser.get(address)
        open_tab(browser, "Talk")
        until(lambda: phase(browser) == "off")
        assert within(browser, ".talk-advice").text.startswith(advice)
        assert within(browser, ".talk-advice").is_displayed() == bool(advice)
    speaks("en-US,en")


def test_what_the_voice_could_not_read_stands_below_the_answer_as_it_is_written(
    page: webdriver.Chrome, scene: Scene
) -> None:
    note = "Not read aloud, because this voice has no sound for it: <b>你好</b>."
    start(page)
    until(lambda: turns(page)[-1:] == ["Agent: Twelve times seven is eighty-four."])
    tell(scene, {"type": "voice.notes", "item_id": "agent_0", "response_id": "response_0", "notes": [note]})
    until(lambda: within(page, ".agent .talk-note").text == note)
    tell(scene, {"type": "voice.notes", "item_id": "person_0", "notes": ["Only English is understood."]})
    until(lambda: within(page, ".person .talk-note").text == "Only English is understood.")


def test_an_error_is_a_sentence_without_folders(page: webdriver.Chrome, scene: Scene) -> None:
    start(page)
    until(lambda: len(turns(page)) == 2)  # the next turn would take the error away
    message = "/home/me/.cache/voice/models/x/heart.onnx cannot be read; see https://a.example/b/c or 1/2"
    tell(scene, {"type": "error", "error": {"type": "server_error", "message": message}})
    until(lambda: within(page, ".talk-trouble").text.startswith("heart.onnx cannot"))
    assert within(page, ".talk-trouble").text.endswith("see https://a.example/b/c or 1/2.")


def test_all_of_the_answer_is_heard_where_the_line_trembles(page: webdriver.Chrome, scene: Scene) -> None:
    scene.late = tuple(np.random.default_rng(1).uniform(0.0, 0.05, 97))
    start(page)
    until(lambda: phase(page) == "speaking")
    until(lambda: phase(page) == "listening")
    sound, rate = loud(page)
    level = np.abs(sound[: len(sound) // 240 * 240].reshape(-1, 240)).max(axis=1)  # 5 ms at 48 kHz
    heard = sound[: len(level) * 240].reshape(-1, 240)[level > 0.1]
    assert len(heard) * 240 / rate == pytest.approx(1.2, abs=0.03)
    crossings = np.count_nonzero(np.diff(np.signbit(heard.ravel()).astype(int)) == 1)
    assert crossings / 1.2 == pytest.approx(440, abs=12)


def test_speaking_over_the_answer_silences_it(page: webdriver.Chrome, scene: Scene, tmp_path: Path) -> None:
    scene.answers, scene.seconds = (LONG, "Fine."), 20.0
    start(page)
    until(lambda: phase(page) == "speaking")
    until(lambda: len(within(page, ".agent .talk-sure").text) > 20)
    scene.seconds = 0.5
    play(page, recording(tmp_path / "stop.wav", noise(1.0), quiet(1.0)))
    until(lambda: len(turns(page)) == 4 and turns(page)[-1] == "Agent: Fine.")
    first = turns(page)[1].removeprefix("Agent: ")
    assert LONG.startswith(first.strip()) and len(first) < len(LONG) / 2
    [cut] = scene.of("conversation.item.truncate")
    assert cut["item_id"] == "agent_0" and 0 < cut["audio_end_ms"] < 10_000


def test_escape_silences_the_answer(page: webdriver.Chrome, scene: Scene) -> None:
    scene.answers, scene.seconds = (LONG,), 20.0
    start(page)
    until(lambda: phase(page) == "speaking")
    within(page, "body").send_keys(Keys.ESCAPE)
    until(lambda: phase(page) == "listening")
    until(lambda: scene.of("response.cancel"))
    assert len(scene.of("response.cancel")) == 1
    assert "cut" in within(page, ".agent").get_attribute("class")


def test_a_pause_holds_the_answer_where_it_is(page: webdriver.Chrome, scene: Scene) -> None:
    scene.seconds = 3.0
    start(page)
    until(lambda: phase(page) == "speaking")
    tell(scene, {"type": "voice.paused", "audio_ms": 0})
    until(lambda: phase(page) == "listening")
    tell(scene, {"type": "voice.resumed", "audio_ms": 0})
    until(lambda: phase(page) == "speaking")
    until(lambda: phase(page) == "listening")
    sound, rate = loud(page)
    assert np.mean(np.abs(sound) > 0.05) * len(sound) / rate == pytest.approx(2.35, abs=0.4)  # of a sine, 3 s
    until(lambda: scene.of("voice.played")[-1]["audio_ms"] == pytest.approx(3000, abs=2))


def test_a_lost_line_comes_back_and_the_conversation_with_it(page: webdriver.Chrome, scene: Scene) -> None:
    start(page)
    until(lambda: phase(page) == "speaking")
    until(lambda: phase(page) == "listening")
    scene.refuse = (1012, "")  # the server is not there for a while, however late somebody looks
    drop(scene)
    until(lambda: phase(page) == "lost")
    assert "line is lost" in within(page, ".talk-phase").text
    scene.refuse = None
    until(lambda: phase(page) == "listening")
    until(lambda: len(scene.of("conversation.item.create")) == 2)
    said = [event["item"]["content"][0]["text"] for event in scene.of("conversation.item.create")]
    assert said == ["What is twelve times seven?", "Twelve times seven is eighty-four."]


def test_a_server_that_is_about_to_stop_says_so_until_it_does(page: webdriver.Chrome, scene: Scene) -> None:
    start(page)
    until(lambda: phase(page) == "listening")
    ending = json.dumps({"type": "session.ending", "seconds": 10.0})
    asyncio.run_coroutine_threadsafe(scene.sockets[-1].send_text(ending), scene.loop).result(10)
    until(lambda: within(page, ".talk-trouble").text == "The server is about to stop.", 10)
    scene.refuse = (1012, "")
    drop(scene)
    until(lambda: phase(page) == "lost")
    assert not within(page, ".talk-trouble").is_displayed()


def test_a_full_server_says_so(page: webdriver.Chrome, scene: Scene) -> None:
    scene.refuse = (1013, "all 4 live sessions are taken; try again in a moment")
    within(page, ".talk-button").click()
    until(lambda: "All 4" in within(page, ".talk-trouble").text)
    assert phase(page) == "off"


def test_a_refused_microphone_is_explained(page: webdriver.Chrome) -> None:
    page.execute_script(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'))"
    )
    within(page, ".talk-button").click()
    until(lambda: "does not let this page use the microphone" in within(page, ".talk-trouble").text)
    assert phase(page) == "off"


# The permission for the microphone is given by window.allow(); window.live() is how many are open.
ASKED = """
const media = navigator.mediaDevices, ask = media.getUserMedia.bind(media), tracks = [], waiting = [];
media.getUserMedia = async (wanted) => {
  await new Promise((allow) => waiting.push(allow));
  const stream = await ask(wanted);
  tracks.push(...stream.getTracks());
  return stream;
};
window.asked = () => waiting.length;
window.allow = () => waiting.forEach((allow) => allow());
window.given = () => tracks.length;
window.live = () => tracks.filter((track) => track.readyState === "live").length;
"""


def call_script(page: webdriver.Chrome, what: str) -> int:
    return page.execute_script(f"return window.{what}()")


def test_what_is_stopped_while_the_permission_is_asked_leaves_no_microphone_open(
    page: webdriver.Chrome, scene: Scene
) -> None:
    page.execute_script(ASKED)
    within(page, ".talk-button").click()
    until(lambda: call_script(page, "asked") == 1)
    page.execute_script("document.querySelector('.talk-button').click()")  # in no time: no double click
    page.execute_script("window.allow()")
    until(lambda: call_script(page, "given") == 1 and call_script(page, "live") == 0)
    assert phase(page) == "off" and not scene.sockets and not within(page, ".talk-trouble").text


def test_clicks_in_a_row_open_one_microphone_and_one_line(page: webdriver.Chrome, scene: Scene) -> None:
    page.execute_script(ASKED)
    button = "document.querySelector('.talk-button')"
    page.execute_script(f"for (const _ of [1, 2, 3]) {button}.click();")  # start, stop, start
    until(lambda: call_script(page, "asked") == 1)
    page.execute_script("window.allow()")
    until(lambda: phase(page) == "listening")
    assert (call_script(page, "given"), call_script(page, "live"), len(scene.sockets)) == (1, 1, 1)


def test_a_double_click_starts_once(page: webdriver.Chrome, scene: Scene) -> None:
    ActionChains(page).double_click(within(page, ".talk-button")).perform()
    until(lambda: phase(page) in ("listening", "hearing"))
    assert len(scene.sockets) == 1


def test_a_new_conversation_after_a_recording_opens_no_microphone(
    page: webdriver.Chrome, scene: Scene, tmp_path: Path
) -> None:
    page.execute_script(ASKED)
    play(page, recording(tmp_path / "question.wav", noise(0.6), quiet(1.0)))
    until(lambda: turns(page)[-1:] == ["Agent: Twelve times seven is eighty-four."])
    within(page, ".talk-anew").click()
    until(lambda: phase(page) == "off")
    assert call_script(page, "asked") == 0 and turns(page) == [] and len(scene.sockets) == 1


def test_a_new_conversation_during_a_start_opens_one_microphone_and_one_line(
    page: webdriver.Chrome, scene: Scene
) -> None:
    page.execute_script(ASKED)
    within(page, ".talk-button").click()
    until(lambda: call_script(page, "asked") == 1)
    within(page, ".talk-anew").click()
    until(lambda: call_script(page, "asked") == 2)
    page.execute_script("window.allow()")
    until(lambda: phase(page) == "listening")
    assert (call_script(page, "given"), call_script(page, "live"), len(scene.sockets)) == (2, 1, 1)


def test_a_recording_chosen_during_a_start_is_heard_when_it_has_begun(
    page: webdriver.Chrome, scene: Scene, tmp_path: Path
) -> None:
    page.execute_script(ASKED)
    within(page, ".talk-button").click()
    until(lambda: call_script(page, "asked") == 1)
    play(page, recording(tmp_path / "question.wav", noise(0.6), quiet(1.0)))
    page.execute_script("window.allow()")
    until(lambda: "Hearing question.wav" in within(page, ".talk-file").text)
    assert (call_script(page, "asked"), call_script(page, "live"), len(scene.sockets)) == (1, 1, 1)
    within(page, ".talk-button").click()
    until(lambda: within(page, ".talk-file").text == "Play it a recording")


def test_a_recording_is_answered_without_a_microphone(
    page: webdriver.Chrome, scene: Scene, tmp_path: Path
) -> None:
    page.execute_script("navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error('unused'))")
    play(page, recording(tmp_path / "question.wav", noise(1.0), quiet(0.3)))
    until(lambda: turns(page)[-1:] == ["Agent: Twelve times seven is eighty-four."])
    until(lambda: "microphone is off" in within(page, ".talk-advice").text)
    within(page, ".talk-button").click()
    until(lambda: phase(page) == "off" and not within(page, ".talk-advice").is_displayed())


def test_what_is_no_recording_is_refused_plainly(page: webdriver.Chrome, tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("no sound at all")
    play(page, tmp_path / "notes.wav")
    until(lambda: "cannot read notes.wav" in within(page, ".talk-trouble").text)


def test_settings_reach_the_server_and_last(page: webdriver.Chrome, scene: Scene, address: str) -> None:
    within(page, ".talk-settings summary").click()
    until(lambda: within(page, "[data-setting=voice] option[value=kathleen]")).click()
    within(page, "[data-setting=brain] option[value=offline]").click()
    within(page, "[data-setting=instructions] textarea").send_keys("Be brief." + Keys.TAB)
    speed = within(page, "[data-setting=speed] input")
    speed.send_keys(Keys.ARROW_RIGHT)
    assert "brief" not in page.execute_script("return JSON.stringify(localStorage)")
    page.get(address)
    open_tab(page, "Talk")
    until(lambda: phase(page) == "off")
    until(lambda: within(page, "[data-setting=voice] option[value=kathleen]").is_selected())
    start(page)
    until(lambda: scene.of("session.update"))
    session = scene.of("session.update")[0]["session"]
    assert session["audio"]["output"] == {"speed": 1.05, "voice": "kathleen"}
    assert session["instructions"] == "Be brief."
    assert session["voice"]["brain"] == "offline"
    page.execute_script("localStorage.clear(); sessionStorage.clear()")


def test_everything_is_reached_by_keyboard_and_has_a_name(page: webdriver.Chrome) -> None:
    names = """return [...document.querySelectorAll(".talk :is(button, input, select, textarea, summary)")]
        .filter((each) => each.checkVisibility() && !each.disabled)
        .map((each) => [each.tabIndex, each.textContent.trim() || each.closest("label")?.innerText || ""])"""
    within(page, ".talk-settings summary").click()
    found = page.execute_script(names)
    assert len(found) >= 7
    assert all(index == 0 and name.strip() for index, name in found)
    roles = {
        role: len(page.find_elements(By.CSS_SELECTOR, f".talk [role={role}]")) for role in ("log", "status")
    }
    assert roles == {"log": 1, "status": 2}


def tell(scene: Scene, event: dict) -> None:
    """Sends an event from outside of the server's own thread."""
    socket = scene.sockets[-1]
    asyncio.run_coroutine_threadsafe(socket.send_json(event), scene.loop).result(5)


def drop(scene: Scene) -> None:
    """The line breaks."""
    socket = scene.sockets[-1]
    asyncio.run_coroutine_threadsafe(socket.close(1011), scene.loop).result(5)
