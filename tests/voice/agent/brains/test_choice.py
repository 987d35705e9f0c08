"""The brains: skills without a network, and a language model's server that misbehaves."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler

import httpx
import pytest
from fakes.chat_server import Serving, begin, send, servers

from voice.agent import Chat, Offline, Timers, brain_from_environment, remote_brain
from voice.agent.brains.chat import BROKEN_OFF, ChatLimits
from voice.agent.brains.choice import HEARD_NOTHING, UNKNOWN, Choice, open_brain
from voice.agent.skills.registry import skill, skill_from
from voice.agent.skills.runner import SkillRunner
from voice.errors import BrainError, VoiceError
from voice.types import Message

QUESTION = [Message("user", "What time is it?")]


@pytest.fixture
def serve() -> Iterator[Serving]:
    with servers() as start:
        yield start


def test_the_offline_brain_answers_and_says_what_it_cannot() -> None:
    brain = Offline(clock=lambda: datetime(2026, 1, 1, 9, 30))
    assert list(brain.reply(QUESTION)) == ["It's 9:30 AM."]
    assert list(brain.reply([Message("user", "Who won the match?")])) == [UNKNOWN]
    assert list(brain.reply([Message("user", " ")])) == [HEARD_NOTHING]


def test_the_offline_brain_repeats_what_it_said_last() -> None:
    said = [*QUESTION, Message("assistant", "It's noon."), Message("user", "Repeat that.")]
    assert list(Offline().reply(said)) == ["It's noon."]


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        ("Wait, please. What is 9 plus 4?", "13."),
        ("Stop. What is 9 plus 4?", "13."),
        ("Hold on a second what is 9 plus 4", "13."),
        ("No, no, what is 9 plus 4?", "13."),
        ("Wait, please.", ""),
        ("Stop the timer.", "No timer is running."),
    ],
)
def test_what_only_takes_the_turn_is_no_part_of_the_request(said: str, answered: str) -> None:
    assert "".join(Offline().reply([Message("user", said)])) == answered


def test_the_offline_brain_survives_a_skill_that_fails() -> None:
    @skill("what time is it")
    def clock() -> str:
        """Fail."""
        raise RuntimeError("no light")

    assert list(Offline(SkillRunner([skill_from(clock)])).reply(QUESTION)) == ["That skill failed: no light."]


def test_a_streamed_answer_arrives_in_its_pieces(serve: Serving) -> None:
    asked = {}

    def answering(handler: BaseHTTPRequestHandler, body: dict) -> None:
        asked.update(body, key=handler.headers["Authorization"], path=handler.path)
        begin(handler)
        handler.wfile.write(b": keep-alive\n\n")
        send(handler, "It is ", "noon.")

    brain = remote_brain(serve(answering), "small", "secret")
    assert list(brain.reply(QUESTION)) == ["It is", " noon."]
    assert asked["path"] == "/v1/chat/completions"
    assert asked["key"] == "Bearer secret"
    assert (asked["model"], asked["stream"]) == ("small", True)
    assert [message["role"] for message in asked["messages"]] == ["system", "user"]


def test_a_server_that_does_not_stream_is_understood(serve: Serving) -> None:
    def answering(handler: BaseHTTPRequestHandler, body: dict) -> None:
        begin(handler, "application/json")
        handler.wfile.write(json.dumps({"choices": [{"message": {"content": "Noon."}}]}).encode())

    assert list(remote_brain(serve(answering)).reply(QUESTION)) == ["Noon."]


def test_a_stalled_server_is_given_up(serve: Serving) -> None:
    def answering(handler: BaseHTTPRequestHandler, body: dict) -> None:
        begin(handler)
        send(handler, "It is", end=False)
        time.sleep(1)

    pieces = remote_brain(serve(answering), limits=ChatLimits(between=0.2)).reply(QUESTION)
    assert next(pieces) + next(pieces) == f"It is{BROKEN_OFF}"
    with pytest.raises(BrainError, match="took too long"):
        next(pieces)


def test_a_server_that_only_keeps_the_line_open_is_given_up(serve: Serving) -> None:
    def answering(handler: BaseHTTPRequestHandler, body: dict) -> None:
        begin(handler)
        for _ in range(100):
            handler.wfile.write(b": still here\n\n")
            time.sleep(0.02)

    with pytest.raises(BrainError, match="took too long"):
        list(remote_brain(serve(answering), limits=ChatLimits(first=0.2, between=0.2)).reply(QUESTION))


def test_a_dropped_line_is_noticed(serve: Serving) -> None:
    def answering(handler: BaseHTTPRequestHandler, body: dict) -> None:
        begin(handler)
        send(handler, "It is", end=False)

    with pytest.raises(BrainError, match="broke off"):
        list(remote_brain(serve(answering)).reply(QUESTION))


def test_one_broken_line_is_skipped_and_many_are_not(serve: Serving) -> None:
    def once(handler: BaseHTTPRequestHandler, body: dict) -> None:
        begin(handler)
        handler.wfile.write(b"data: {broken\n\ndata: [1, 2]\n\n")
        send(handler, "Noon.")

    def always(handler: BaseHTTPRequestHandler, body: dict) -> None:
        begin(handler)
        handler.wfile.write(b"data: {broken\n\n" * 50)

    assert list(remote_brain(serve(once)).reply(QUESTION)) == ["Noon."]
    with pytest.raises(BrainError, match="not JSON"):
        list(remote_brain(serve(always)).reply(QUESTION))


def test_an_endless_answer_is_cut_off(serve: Serving) -> None:
    def answering(handler: BaseHTTPRequestHandler, body: dict) -> None:
        begin(handler)
        while True:
            send(handler, "and on " * 50, end=False)

    said = "".join(remote_brain(serve(answering), limits=ChatLimits(characters=1000)).reply(QUESTION))
    assert 1000 < len(said) < 2000


@pytest.mark.parametrize(
    ("status", "advice"), [(401, "VOICE_LLM_KEY"), (404, "VOICE_LLM_MODEL"), (500, "answered 500")]
)
def test_a_refusal_says_what_to_check(serve: Serving, status: int, advice: str) -> None:
    with pytest.raises(BrainError, match=advice):
        list(remote_brain(serve(lambda handler, body: begin(handler, status=status))).reply(QUESTION))


def test_an_error_within_the_stream_is_passed_on(serve: Serving) -> None:
    def answering(handler: BaseHTTPRequestHandler, body: dict) -> None:
        begin(handler)
        handler.wfile.write(b'data: {"error": {"message": "out of memory"}}\n\n')

    with pytest.raises(BrainError, match="out of memory"):
        list(remote_brain(serve(answering)).reply(QUESTION))


def test_no_server_and_wrong_addresses_are_explained() -> None:
    with pytest.raises(BrainError, match="is it running"):
        list(remote_brain("http://127.0.0.1:9/v1", limits=ChatLimits(first=1.0)).reply(QUESTION))
    for wrong in ("ftp://x/v1", "http://", "file:///etc/passwd", "http://[::1/v1", "http://x:y/v1"):
        with pytest.raises(BrainError, match="looks like"):
            remote_brain(wrong)


def test_an_abandoned_answer_closes_its_line(serve: Serving) -> None:
    gone = threading.Event()

    def answering(handler: BaseHTTPRequestHandler, body: dict) -> None:
        begin(handler)
        try:
            while True:
                send(handler, "and on ", end=False)
        except OSError:
            gone.set()

    pieces = remote_brain(serve(answering)).reply(QUESTION)
    next(pieces)
    pieces.close()
    assert gone.wait(5)


def test_the_environment_chooses_the_brain(tmp_path) -> None:
    assert isinstance(brain_from_environment(Timers(), {}), Offline)
    assert isinstance(brain_from_environment(Timers(), {"VOICE_LLM_URL": "http://localhost:1/v1"}), Chat)
    own = tmp_path / "own.py"
    own.write_text(
        'from voice.agent import skill\n@skill("ping")\ndef ping() -> str:\n    "Pong."\n    return "Pong."'
    )
    brain = brain_from_environment(Timers(), {"VOICE_SKILLS": str(own)})
    assert list(brain.reply([Message("user", "Ping!")])) == ["Pong."]
    with pytest.raises(VoiceError, match="no file of skills"):
        brain_from_environment(Timers(), {"VOICE_SKILLS": "nowhere.py"})


def test_conversations_share_the_server_that_answers_and_what_is_loaded(serve: Serving, monkeypatch) -> None:
    opened, inner = [], httpx.Client

    def counted(**options) -> httpx.Client:
        opened.append(inner(**options))
        return opened[-1]

    def answering(handler: BaseHTTPRequestHandler, asked: dict) -> None:
        begin(handler)
        send(handler, "Noon.")

    monkeypatch.setattr(httpx, "Client", counted)
    choice = Choice(serve(answering))
    for _ in range(3):
        assert "".join(open_brain(choice, Timers()).reply([Message("user", "Who won?")])) == "Noon."
    assert len(opened) == 1
