"""Skills as the tools of a language model, with a real server that calls them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Annotated, Literal

import pytest
from fakes.chat_server import Serving, begin, call, event, send, servers

from voice.agent import Context, Timers, remote_brain
from voice.agent.brains.chat import BROKEN_OFF, CUT_OFF, Chat, ChatLimits
from voice.agent.brains.openai_server import ChatServer
from voice.agent.brains.stream_chunks import ToolCallBuilder
from voice.agent.brains.tools import tool_schemas
from voice.agent.skills.everyday import everyday_skills
from voice.agent.skills.notes import Notes
from voice.agent.skills.registry import Skill, skill, skill_from
from voice.agent.skills.runner import ONE_MOMENT, SkillRunner, SkillTimeouts
from voice.agent.speaking.plain_text import SpeakableText
from voice.agent.speculative import call_skill, prepare
from voice.errors import BrainError
from voice.types import Message, SpeedChange

NOW = datetime(2026, 11, 22, 15, 5)
QUESTION = [Message("user", "Tell me something.")]


@pytest.fixture
def serve() -> Iterator[Serving]:
    with servers() as start:
        yield start


def lamp() -> tuple[Skill, list[tuple]]:
    """A skill with an effect, and what it did."""
    done: list[tuple] = []

    @skill("[turn, switch] $state the $room light", effect=True)
    def light(
        state: Literal["on", "off"],
        room: Annotated[str, "which room"] = "kitchen",
        level: int | None = None,
        context: Context = None,
    ) -> str:
        """Switch a light.

        Only when the person asks for it.
        """
        done.append((state, room, level))
        return f"The {room} light is {state}."

    return skill_from(light), done


def scripted_server(*rounds) -> tuple:
    """A server that answers each request as the next function says; what it was asked."""
    asked: list[dict] = []

    def answering(handler: BaseHTTPRequestHandler, body: dict) -> None:
        asked.append(body)
        begin(handler)
        rounds[min(len(asked), len(rounds)) - 1](handler)

    return answering, asked


def test_a_signature_becomes_a_schema() -> None:
    found = tool_schemas([lamp()[0]])[0]["function"]
    assert found == {
        "name": "light",
        "description": "Switch a light.\n\nOnly when the person asks for it.",
        "parameters": {
            "type": "object",
            "properties": {
                "state": {"type": "string", "enum": ["on", "off"]},
                "room": {"type": "string", "description": "which room"},
                "level": {"type": "integer"},
            },
            "required": ["state"],
            "additionalProperties": False,
        },
    }


def test_everyday_skills_can_all_be_offered() -> None:
    offered = {each["function"]["name"] for each in tool_schemas(everyday_skills())}
    assert {"time", "set_timer", "take_note", "search_files", "calculation", "pace"} <= offered
    assert not {"hello", "stop", "spell", "confirm_dropping", "drop_all_notes"} & offered
    json.dumps(tool_schemas(everyday_skills()))


def test_a_tool_is_called_and_its_result_shown_to_the_model(serve: Serving) -> None:
    one, done = lamp()
    answering, asked = scripted_server(
        lambda handler: call(handler, ("light", '{"state": "on", "room": "hall", "level": 3}')),
        lambda handler: send(handler, "It is ", "on now."),
    )
    brain = remote_brain(serve(answering), runner=SkillRunner([one]))
    assert "".join(brain.reply(QUESTION)) == "It is on now."
    assert done == [("on", "hall", 3)]
    assert asked[0]["tools"] == tool_schemas([one])
    called, result = asked[1]["messages"][-2:]
    assert called["tool_calls"][0]["function"]["name"] == "light"
    assert result == {
        "role": "tool",
        "tool_call_id": "id0",
        "name": "light",
        "content": "The hall light is on.",
    }


def test_several_tools_at_once_and_several_rounds(serve: Serving, tmp_path: Path) -> None:
    timers, notes = Timers(), Notes(tmp_path / "notes.md")
    answering, asked = scripted_server(
        lambda handler: call(
            handler,
            ("set_timer", '{"length": "ten minutes", "label": "tea"}'),
            ("take_note", '{"text": "Tea is in the pot."}'),
        ),
        lambda handler: call(handler, ("calculation", '{"sum": "12 * 7"}'), pieces=1),
        lambda handler: send(handler, "All done; it is 84."),
    )
    runner = SkillRunner(everyday_skills(), timers=timers, notes=notes, clock=lambda: NOW)
    assert "".join(remote_brain(serve(answering), runner=runner).reply(QUESTION)) == "All done; it is 84."
    assert [each.label for each in timers.pending] == ["tea"]
    assert [each.text for each in notes.all] == ["Tea is in the pot."]
    results = [each["content"] for each in asked[2]["messages"] if each["role"] == "tool"]
    assert results == ["Your tea timer for 10 minutes starts now.", "Noted: Tea is in the pot.", "84."]


def test_no_tool_acts_before_the_turn_has_ended(serve: Serving) -> None:
    one, done = lamp()
    answering, asked = scripted_server(
        lambda handler: call(handler, ("light", '{"state": "on"}')),
        lambda handler: send(handler, "Done."),
    )
    thought = prepare(remote_brain(serve(answering), runner=SkillRunner([one])), QUESTION)
    assert [next(thought), next(thought)] == [None, None]
    assert not done and len(asked) == 1
    thought.commit()
    assert "".join(thought) == "Done."
    assert done == [("on", "kitchen", None)]


@pytest.mark.parametrize(
    ("name", "arguments", "complaint"),
    [
        ("nothing", "{}", "there is no tool nothing; there are light"),
        ("light", "{broken", "not JSON"),
        ("light", "[1]", "must be a JSON object"),
        ("light", "{}", "state is missing"),
        ("light", '{"state": "blue"}', "one of on, off"),
        ("light", '{"state": "on", "colour": 1}', "no parameter colour"),
        ("light", '{"state": "on", "level": 1.5}', "no whole number"),
        ("light", '{"state": ["on"]}', "cannot be read"),
        ("hello", "{}", "there is no tool hello"),
    ],
)
def test_a_wrong_call_is_explained_to_the_model(
    serve: Serving, name: str, arguments: str, complaint: str
) -> None:
    one, done = lamp()
    greeting = next(each for each in everyday_skills() if each.name == "hello")
    answering, asked = scripted_server(
        lambda handler: call(handler, (name, arguments)), lambda handler: send(handler, "Sorry.")
    )
    assert (
        "".join(remote_brain(serve(answering), runner=SkillRunner([one, greeting])).reply(QUESTION))
        == "Sorry."
    )
    assert complaint in asked[1]["messages"][-1]["content"]
    assert not done


def test_a_model_that_calls_tools_for_ever_is_asked_without_them_in_the_end(serve: Serving) -> None:
    one, done = lamp()
    asked = []

    def answering(handler: BaseHTTPRequestHandler, body: dict) -> None:
        asked.append(body)
        begin(handler)
        if "tools" in body:
            call(handler, *[("light", '{"state": "on"}')] * 20)
        else:
            send(handler, "Enough.")

    brain = remote_brain(serve(answering), runner=SkillRunner([one]), limits=ChatLimits(rounds=2, calls=3))
    assert "".join(brain.reply(QUESTION)) == "Enough."
    assert (len(asked), len(done)) == (3, 6)


def refuse(handler: BaseHTTPRequestHandler, why: str) -> None:
    begin(handler, "application/json", 400)
    handler.wfile.write(json.dumps({"error": why}).encode())


def test_a_server_that_refuses_tools_is_asked_without_them(serve: Serving) -> None:
    asked = []

    def answering(handler: BaseHTTPRequestHandler, body: dict) -> None:
        asked.append("tools" in body)
        if "tools" in body:
            refuse(handler, "this model does not support tools")
        else:
            begin(handler)
            send(handler, "Hello.")

    brain = remote_brain(serve(answering), runner=SkillRunner([lamp()[0]]))
    assert "".join(brain.reply(QUESTION)) == "Hello."
    assert "".join(brain.reply(QUESTION)) == "Hello."
    assert asked == [True, False, False]


def test_tools_that_a_server_refuses_are_kept_from_nobody_else(serve: Serving) -> None:
    @skill()
    def strange() -> str:
        """Be refused."""
        return ""

    asked = []

    def answering(handler: BaseHTTPRequestHandler, body: dict) -> None:
        names = [tool["function"]["name"] for tool in body.get("tools", ())]
        asked.append(len(names))
        if "strange" in names:
            refuse(handler, "a tool has no schema")
        else:
            begin(handler)
            send(handler, "Hello.")

    server = ChatServer(serve(answering))
    usual, odd = (
        Chat(server.ask, SkillRunner([lamp()[0]])),
        Chat(server.ask, SkillRunner([lamp()[0], skill_from(strange)])),
    )
    for brain in (odd, usual, odd):
        assert "".join(brain.reply(QUESTION)) == "Hello."
    assert asked == [2, 0, 1, 0]


def test_a_tool_that_fails_or_takes_long_holds_nobody_up(serve: Serving) -> None:
    go_on = threading.Event()

    @skill()
    def slow() -> str:
        """Wait."""
        go_on.wait(5)
        return "ready"

    @skill()
    def broken() -> str:
        """Fail."""
        raise KeyError("wire")

    @skill()
    def endless() -> str:
        """Never end."""
        threading.Event().wait(5)
        return "never"

    answering, asked = scripted_server(
        lambda handler: call(handler, ("broken", "{}"), ("slow", "{}")),
        lambda handler: send(handler, "Ready."),
    )
    runner = SkillRunner([skill_from(slow), skill_from(broken)], timeouts=SkillTimeouts(notice=0.01))
    said = []
    for piece in remote_brain(serve(answering), runner=runner).reply(QUESTION):
        said.append(piece)
        go_on.set()
    assert f"{said[0]} " in ONE_MOMENT and said[-1].strip() == "Ready."
    results = [each["content"] for each in asked[1]["messages"] if each["role"] == "tool"]
    assert results == ["Error: broken failed: 'wire'", "ready"]

    answering, asked = scripted_server(
        lambda handler: call(handler, ("endless", "{}")), lambda handler: send(handler, "Sorry.")
    )
    runner = SkillRunner([skill_from(endless)], timeouts=SkillTimeouts(notice=0.01, limit=0.05))
    assert "Sorry." in "".join(remote_brain(serve(answering), runner=runner).reply(QUESTION))
    assert "took too long" in asked[1]["messages"][-1]["content"]


def test_words_before_a_call_are_said_first(serve: Serving) -> None:
    def first(handler: BaseHTTPRequestHandler) -> None:
        event(handler, {"content": "Let me look."})
        call(handler, ("time", "{}"))

    answering, asked = scripted_server(first, lambda handler: send(handler, "It's late."))
    runner = SkillRunner(everyday_skills(), clock=lambda: NOW)
    assert "".join(remote_brain(serve(answering), runner=runner).reply(QUESTION)) == "Let me look. It's late."
    assert asked[1]["messages"][-2]["content"] == "Let me look."
    assert asked[1]["messages"][-1]["content"] == "It's 3:05 PM."


def test_a_model_that_only_acts_is_acknowledged(serve: Serving) -> None:
    answering, _ = scripted_server(
        lambda handler: call(handler, ("light", '{"state": "on"}')), lambda handler: send(handler)
    )
    assert "".join(remote_brain(serve(answering), runner=SkillRunner([lamp()[0]])).reply(QUESTION)) == "Done."


def test_stop_and_the_pace_need_no_language_model() -> None:
    brain = remote_brain("http://127.0.0.1:9/v1", runner=SkillRunner(everyday_skills()))
    thought = prepare(brain, [Message("user", "Stop!")])
    thought.commit()
    assert list(thought) == []
    thought = prepare(brain, [Message("user", "Please speak a bit slower.")])
    assert next(thought) is None
    thought.commit()
    assert list(thought) == [SpeedChange(0.85), "I'll speak slower."]
    said = [*QUESTION, Message("assistant", "It's noon."), Message("user", "Say that again.")]
    assert list(brain.reply(said)) == ["It's noon."]


def test_an_answer_of_ten_thousand_words_ends_at_a_sentence(serve: Serving) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        for i in range(2500):
            event(handler, {"content": f"Here is sentence {i}. "})
        send(handler)

    answering, _ = scripted_server(endless)
    said = "".join(remote_brain(serve(answering), limits=ChatLimits(characters=300)).reply(QUESTION))
    assert said.endswith(f".{CUT_OFF}") and 300 < len(said) < 350


def test_an_answer_without_a_sentence_or_any_speech_ends_too(serve: Serving) -> None:
    def murmur(handler: BaseHTTPRequestHandler) -> None:
        while True:
            event(handler, {"content": "and on and "})

    def brood(handler: BaseHTTPRequestHandler) -> None:
        event(handler, {"content": "<think>"})
        while True:
            event(handler, {"content": "hmm " * 100})

    limits = ChatLimits(characters=300, written=20_000)
    said = "".join(remote_brain(serve(scripted_server(murmur)[0]), limits=limits).reply(QUESTION))
    assert said.endswith((f"on{CUT_OFF}", f"and{CUT_OFF}"))
    assert len(said) < 450
    list(remote_brain(serve(scripted_server(brood)[0]), limits=limits).reply(QUESTION))


def test_a_server_that_shows_life_without_a_word_is_given_up(serve: Serving) -> None:
    def alive(handler: BaseHTTPRequestHandler) -> None:
        while True:
            event(handler, {"role": "assistant", "reasoning_content": "hm"})
            time.sleep(0.01)

    limits = ChatLimits(thinking=0.2)
    with pytest.raises(BrainError, match="took too long") as raised:
        list(remote_brain(serve(scripted_server(alive)[0]), limits=limits).reply(QUESTION))
    assert "too long" in raised.value.sayable


def test_a_line_that_never_ends_is_not_kept(serve: Serving) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        while True:
            handler.wfile.write(b"data: " + b"x" * 65536)

    with pytest.raises(BrainError):
        list(remote_brain(serve(scripted_server(endless)[0])).reply(QUESTION))


def test_the_text_of_a_reply_is_made_speakable_once_and_passed_on_as_such(serve: Serving) -> None:
    answering, _ = scripted_server(
        lambda handler: send(handler, "See **the ", "[map](http://x.y)**", ", please.")
    )
    pieces = list(remote_brain(serve(answering)).prepare(QUESTION))
    assert "".join(pieces) == "See the map, please."
    assert all(isinstance(piece, SpeakableText) for piece in pieces)


def test_what_went_wrong_can_be_said(serve: Serving) -> None:
    def cut(handler: BaseHTTPRequestHandler) -> None:
        send(handler, "The answer is ", end=False)

    said = remote_brain(serve(scripted_server(cut)[0])).reply(QUESTION)
    assert next(said) + next(said) == f"The answer is{BROKEN_OFF}"
    with pytest.raises(BrainError, match="broke off") as raised:
        next(said)
    assert not raised.value.sayable
    with pytest.raises(BrainError) as raised:
        list(remote_brain("http://127.0.0.1:9/v1").reply(QUESTION))
    assert raised.value.sayable == "I can't reach my language model just now."


def test_a_reply_thrown_away_wakes_who_waits_for_it(serve: Serving) -> None:
    waiting, ended = threading.Event(), threading.Event()

    def stall(handler: BaseHTTPRequestHandler) -> None:
        waiting.set()
        ended.wait(5)

    thought = prepare(remote_brain(serve(scripted_server(stall)[0])), QUESTION)
    pieces: list = []
    other = threading.Thread(target=lambda: pieces.extend(thought))
    other.start()
    assert waiting.wait(5)
    thought.close()
    other.join(5)
    assert not other.is_alive() and not pieces
    ended.set()


def test_the_query_of_the_address_is_kept_and_redirects_are_followed(serve: Serving) -> None:
    paths = []

    def answering(handler: BaseHTTPRequestHandler, body: dict) -> None:
        paths.append(handler.path)
        if handler.path.startswith("/old"):
            handler.send_response(307)
            handler.send_header("Location", handler.path.replace("/old", "/new"))
            handler.end_headers()
        else:
            begin(handler)
            send(handler, "Here.")

    address = serve(answering).removesuffix("/v1")
    assert list(remote_brain(f"{address}/old/v1?api-version=7").reply(QUESTION)) == ["Here."]
    assert paths[-1] == "/new/v1/chat/completions?api-version=7"
    assert list(remote_brain(address).reply(QUESTION)) == ["Here."]
    assert paths[-1] == "/v1/chat/completions"


def test_instructions_of_the_conversation_join_those_of_the_voice(serve: Serving) -> None:
    answering, asked = scripted_server(lambda handler: send(handler, "Ahoy."))
    own = [Message("system", "You are a pirate."), Message("user", "Hi"), Message("user", "there")]
    list(remote_brain(serve(answering), runner=SkillRunner((), clock=lambda: NOW)).reply(own))
    system, *talk = asked[0]["messages"]
    assert "spoken aloud" in system["content"] and "You are a pirate." in system["content"]
    assert "Sunday, November 22, 2026, 15:05" in system["content"]
    assert talk == [{"role": "user", "content": "Hi there"}]
    assert "tools" not in asked[0]


def test_calls_are_put_together_however_they_are_numbered() -> None:
    def made_of(*pieces: dict) -> list[tuple[str, str, str]]:
        calls = ToolCallBuilder()
        for piece in pieces:
            calls.add(piece)
        return [(each.id, each.name, each.arguments) for each in calls.build()]

    whole = [{"id": i, "function": {"name": i * 2, "arguments": "{}"}} for i in "ab"]
    assert made_of(*whole) == [("a", "aa", "{}"), ("b", "bb", "{}")]
    assert made_of(*({**each, "index": 0} for each in whole)) == [("a", "aa", "{}"), ("b", "bb", "{}")]
    mixed = [
        {"index": 1, "id": "y", "function": {"name": "two", "arguments": ""}},
        {"index": 0, "id": "x", "function": {"name": "one"}},
        {"index": 1, "function": {"arguments": '{"a"'}},
        {"index": 0, "function": {"arguments": {"b": 1}}},
        {"index": 1, "id": "y", "function": {"name": "two", "arguments": ": 1}"}},
    ]
    assert made_of(*mixed) == [("y", "two", '{"a": 1}'), ("x", "one", '{"b": 1}')]
    assert made_of({"function": {"name": "f"}}) == [("call_0", "f", "")]
    assert made_of({"index": 0}) == []


def test_a_command_calls_a_skill_by_its_name() -> None:
    one, done = lamp()
    brain = remote_brain("http://127.0.0.1:9/v1", runner=SkillRunner([one]))
    thought = call_skill(brain, "Light", {"state": "off", "room": "living room"})
    assert next(thought) is None and not done
    thought.commit()
    assert list(thought) == ["The living room light is off."]
    assert call_skill(brain, "makeCoffee", {}) is None
    wrong = call_skill(brain, "light", {"size": "large"})
    assert "no parameter size" in "".join(wrong)
