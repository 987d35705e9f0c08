"""Whose notes a live session takes and reads: its client's own, the person's on their own page alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import websockets
from fakes.agent import Phrasebook
from fakes.realtime import PATIENCE, running_app, services
from fastapi import FastAPI

from voice.agent.listening.recognition import WholeTurn
from voice.agent.work import INLINE
from voice.serve.access import AccessMiddleware
from voice.serve.realtime import add_realtime
from voice.serve.realtime.session_agent import open_agent
from voice.serve.settings import Settings

SECRET = "Take a note that my bank pin is 4711."
NONE = "You have no notes."


@pytest.fixture(autouse=True)
def notes(tmp_path: Path, monkeypatch) -> Path:
    path = tmp_path / "notes.md"
    monkeypatch.setenv("VOICE_NOTES", str(path))
    monkeypatch.delenv("VOICE_LLM_URL", raising=False)
    monkeypatch.delenv("VOICE_BRAIN", raising=False)
    return path


@contextmanager
def serving(settings: Settings = Settings()) -> Iterator[int]:
    app, host = FastAPI(), services(Phrasebook(), settings=settings)
    add_realtime(app, host, lambda host, now, work: open_agent(host, now, None, INLINE, WholeTurn))
    app.add_middleware(AccessMiddleware, settings=settings)
    with running_app(app) as port:
        yield port


def ask(
    port: int, *requests: str, brain: str = "usual", name: str = "127.0.0.1", **headers: str
) -> list[str]:
    """What one session answers to some typed requests."""

    async def talk() -> list[str]:
        origin = headers.pop("origin", None)
        url = f"ws://{name}:{port}/v1/realtime"
        async with websockets.connect(url, additional_headers=headers, origin=origin) as line:
            session = {"output_modalities": ["text"], "voice": {"brain": brain}}
            await line.send(json.dumps({"type": "session.update", "session": session}))
            return [await ask_by_text(line, request) for request in requests]

    return asyncio.run(asyncio.wait_for(talk(), PATIENCE))


async def ask_by_text(line, request: str) -> str:
    content = [{"type": "input_text", "text": request}]
    item = {"type": "message", "role": "user", "content": content}
    await line.send(json.dumps({"type": "conversation.item.create", "item": item}))
    await line.send(json.dumps({"type": "response.create"}))
    text = ""
    while True:
        event = json.loads(await line.recv())
        assert event["type"] != "error", event
        if event["type"] == "response.output_text.done":
            text = event["text"]
        elif event["type"] == "response.done":
            return text


@pytest.mark.parametrize(
    ("settings", "headers"),
    [
        (Settings(), {}),
        (Settings(token="secret"), {"authorization": "Bearer secret"}),
        (Settings(host="0.0.0.0"), {"origin": "http://127.0.0.1:{port}"}),
        (Settings(), {"origin": "http://127.0.0.1:{port}", "x-forwarded-for": "10.0.0.7"}),
        (Settings(origins="https://talk.example.org"), {"origin": "https://talk.example.org"}),
    ],
)
@pytest.mark.parametrize("brain", ["usual", "offline"])
def test_what_one_client_notes_no_other_can_read(notes, settings, headers, brain):
    with serving(settings) as port:
        headers = {name: value.format(port=port) for name, value in headers.items()}
        own = ask(port, SECRET, "Read my notes.", brain=brain, **headers)
        other = ask(port, "Read my notes.", "Find my notes about bank.", brain=brain, **headers)
    assert own == [
        "Noted for this conversation: My bank pin is 4711.",
        "You have 1 note: My bank pin is 4711.",
    ]
    assert other == [NONE, "No note is about bank."]
    assert not notes.exists()


def test_what_the_person_has_noted_no_client_of_the_server_can_read_or_delete(notes):
    notes.write_text("- 2026-11-22 15:05 buy milk\n")
    with serving() as port:
        assert ask(port, "Read my notes.", "Delete my last note.")[0] == NONE
    assert notes.read_text() == "- 2026-11-22 15:05 buy milk\n"


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_the_persons_own_page_keeps_their_file(notes, name):
    with serving() as port:
        page = f"http://{name}:{port}"
        assert ask(port, SECRET, name=name, origin=page) == ["Noted: My bank pin is 4711."]
        assert "4711" in notes.read_text()
        assert ask(port, "Read my notes.", name=name, origin=page) == [
            "You have 1 note: My bank pin is 4711."
        ]
