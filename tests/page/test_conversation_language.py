"""A conversation in Spanish on the page: heard, answered by a language model's server, spoken."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("gradio", reason="gradio is not installed; pip install '.[app]'")

import uvicorn
from fakes.agent import RATE, LoudIsSpeech, Polyglot
from fakes.browser import chromium, open_tab, until, within
from fakes.chat_server import begin, send, servers
from fakes.listener import listener
from selenium import webdriver

from voice.audio import write
from voice.serve import Services
from voice.types import Audio, Segment, Transcript, Word

MICROPHONE = 48_000  # Hz
QUESTION, ANSWER = "¿Qué tiempo hace hoy?", "Hoy hace sol, y mañana llueve."


class Spanish:
    """Recognizes all that is loud as one question."""

    rate, languages = RATE, frozenset({"en", "es"})

    def transcribe(
        self, speech: Audio, *, language: str | None = None, hotwords: Sequence[str] = ()
    ) -> Transcript:
        texts = QUESTION.split()
        pace = speech.duration / len(texts)
        words = tuple(Word(text, i * pace, (i + 1) * pace) for i, text in enumerate(texts))
        return Transcript((Segment(QUESTION, 0.0, speech.duration, words),), "es", speech.duration)


@pytest.fixture
def asked() -> list[dict]:
    return []


@pytest.fixture
def address(
    asked: list[dict], voice: Polyglot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    """The page, whose agent asks a server of a language model that knows one answer."""
    import app

    def answering(handler, body: dict) -> None:
        asked.append(body)
        begin(handler)
        send(handler, ANSWER[:12], ANSWER[12:])

    with servers() as serve:
        monkeypatch.setenv("VOICE_LLM_URL", serve(answering))
        monkeypatch.setenv("VOICE_LLM_MODEL", "fake")
        made = {"recognizer": Spanish(), "voice": voice}
        services = Services(loader=lambda name, kind: made[kind], detector=LoudIsSpeech)
        listening = listener()
        server = uvicorn.Server(uvicorn.Config(app.server(services), log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = server.force_exit = True
        thread.join(10)


@pytest.fixture
def voice() -> Polyglot:
    return Polyglot()


@pytest.fixture
def page(tmp_path: Path, address: str) -> Iterator[webdriver.Chrome]:
    noise = 0.3 * np.random.default_rng(0).standard_normal(MICROPHONE).astype(np.float32)
    quiet = np.zeros(60 * MICROPHONE, np.float32)
    said = np.concatenate([quiet[: MICROPHONE // 2], noise, quiet])
    write(tmp_path / "said.wav", Audio(said, MICROPHONE))
    with chromium(tmp_path / "profile", tmp_path / "said.wav") as driver:
        driver.get(address)
        open_tab(driver, "Talk")
        until(lambda: within(driver, ".talk").get_attribute("data-phase") == "off")
        yield driver


def test_a_question_in_spanish_is_answered_in_spanish_by_a_spanish_voice(
    page: webdriver.Chrome, asked: list[dict], voice: Polyglot
) -> None:
    within(page, ".talk-button").click()
    until(lambda: "llueve" in within(page, ".agent .talk-sure").text)
    script = "return [...document.querySelectorAll('.talk-turn')].map((row) => row.textContent)"
    assert page.execute_script(script) == [f"You: {QUESTION}", f"Agent: {ANSWER}"]
    system, question = asked[-1]["messages"]
    assert "The person speaks Spanish: answer in Spanish." in system["content"]
    assert question == {"role": "user", "content": QUESTION}
    assert ANSWER in voice.spanish.asked and not voice.asked
