"""A session of the Realtime protocol without a socket: what a client sends, and what it is told."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from fakes.agent import Later, Phrasebook, Script, quiet
from fakes.realtime import Client, at_24k, encode_pcm16, kinds, services, sound
from openai.types.realtime import RealtimeServerEvent

from voice.serve.realtime.protocol.configuration import Configuration
from voice.serve.realtime.response import MAX_AHEAD
from voice.types import Message, Word

LONG = "This is a long answer that goes on and on and on so that there is time to say something."
TURN = [
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
    "conversation.item.input_audio_transcription.delta",
    "conversation.item.input_audio_transcription.completed",
]
OPENED = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
]
CLOSED = [
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "response.output_item.done",
    "conversation.item.done",
    "response.done",
]


KNOWN = {
    get_args(model.model_fields["type"].annotation)[0]: model
    for model in get_args(get_args(RealtimeServerEvent)[0])
}


def one(events: list[dict], kind: str) -> dict:
    """The only event of a type."""
    found = [event for event in events if event["type"] == kind]
    assert len(found) == 1, f"{len(found)} of {kind} in {kinds(events)}"
    return found[0]


def seconds(events: list[dict]) -> float:
    """How long the speech in some events lasts."""
    return len(sound(events)) / 24_000


def test_a_turn_is_answered_in_the_protocols_order():
    book = Phrasebook("What time is it?")
    client = Client(book, Script(["It is ", "noon."]))
    assert kinds(client.told) == ["session.created", "conversation.created"]
    told = client.play(book.say(0), quiet(3))
    names = list(dict.fromkeys(each["type"] for each in told))
    spoken = ["response.output_audio_transcript.delta", "response.output_audio.delta"]
    assert names == [*TURN, *(each for each in OPENED + spoken + CLOSED if each not in TURN)]
    assert one(told, "response.output_audio_transcript.done")["transcript"] == "It is noon."
    assert seconds(told) == pytest.approx(3 * 0.2)
    done = one(told, "response.done")["response"]
    assert done["status"] == "completed"
    assert done["output"][0]["content"] == [{"type": "output_audio", "transcript": "It is noon."}]


def test_every_event_is_one_that_openais_client_knows():
    book = Phrasebook("What time is it?", "stop that")
    client = Client(book, Script([LONG], ["Yes."], ["Written."]))
    client.play(book.say(0), quiet(2), book.say(1), quiet(3))
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
    created = one(client.send("conversation.item.create", item=item), "conversation.item.done")["item"]["id"]
    client.send("response.create", response={"output_modalities": ["text"]})
    client.send("conversation.item.retrieve", item_id=created)
    client.send("conversation.item.delete", item_id=created)
    client.send("input_audio_buffer.clear")
    client.send("output_audio_buffer.clear")
    client.send("session.update", session={"type": "realtime", "audio": {"output": {"speed": 1.5}}})
    client.send("response.cancel")
    client.send("nonsense")
    for event in client.told:
        KNOWN[event["type"]].model_validate({"event_id": "event_1"} | event, strict=True)


def test_sound_is_sent_no_more_than_two_seconds_ahead():
    book = Phrasebook("Tell me a story.")
    client = Client(book, Script([LONG]))
    client.play(book.say(0))
    sent, began, leads = 0, None, []
    for _ in range(200):
        sent += len(sound(client.play(quiet(0.02))))
        if sent:
            began = began or client.now
            leads.append(sent / 24_000 - (client.now - began))
    assert max(leads) == pytest.approx(MAX_AHEAD, abs=0.1)
    assert min(leads[:75]) == pytest.approx(MAX_AHEAD, abs=0.1), "and no less, while there is more to come"


def test_an_interruption_is_told_at_once_and_only_what_was_heard_is_kept():
    book = Phrasebook("Tell me a story.", "Stop, what time is it?")
    brain = Script([LONG], ["Noon."])
    client = Client(book, brain)
    client.play(book.say(0), quiet(2.2))
    told = client.play(book.say(1), quiet(2))
    done = next(each for each in told if each["type"] == "response.done")["response"]
    assert done["status"] == "cancelled"
    assert done["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    heard = done["output"][0]["content"][0]["transcript"]
    assert heard and LONG.startswith(heard) and len(heard) < len(LONG)
    assert client.cuts == 1
    assert one(told, "conversation.item.truncated")["audio_end_ms"] > 0
    names = [each["type"] for each in told]
    ended = names.index("response.done")
    assert "response.output_audio.delta" not in names[ended : names.index("response.created")]
    assert brain.shown[-1] == (
        Message("user", "Tell me a story."),
        Message("assistant", heard),
        Message("user", "Stop, what time is it?"),
    )


def test_the_client_may_say_how_much_was_really_played():
    book = Phrasebook("Tell me a story.", "Stop, what time is it?", "And now?")
    brain = Script([LONG], ["Noon."], ["Later."])
    client = Client(book, brain)
    client.play(book.say(0), quiet(1.2))
    told = client.play(book.say(1), quiet(2))
    item = one(told, "conversation.item.truncated")["item_id"]
    client.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=410)
    client.play(book.say(2), quiet(2))
    assert brain.shown[-1][1] == Message("assistant", "This is")


def test_without_turn_detection_the_client_says_when_and_whether():
    book = Phrasebook("What time is it?")
    client = Client(book, Script(["Noon."]))
    client.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
    told = client.play(book.say(0), quiet(3))
    assert not told
    committed = client.send("input_audio_buffer.commit")
    assert kinds(committed) == TURN[2:]
    assert one(committed, TURN[-1])["transcript"] == "What time is it?"
    assert not client.wait(2)
    answered = client.send("response.create") + client.wait(3)
    assert kinds(answered)[-1] == "response.done"
    assert seconds(answered) == pytest.approx(0.2)


def test_sound_without_speech_may_be_committed_and_too_little_may_not():
    client = Client(Phrasebook(), Script())
    client.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
    error = one(client.send("input_audio_buffer.commit", event_id="mine"), "error")["error"]
    assert error["code"] == "input_audio_buffer_commit_empty" and error["event_id"] == "mine"
    client.play(quiet(0.5))
    told = client.send("input_audio_buffer.commit")
    assert one(told, TURN[-1])["transcript"] == ""


def test_what_is_cleared_was_not_said():
    book = Phrasebook("Forget this.", "What time is it?")
    client = Client(book, Script(["Noon."]))
    client.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
    client.play(book.say(0), quiet(0.3))
    assert kinds(client.send("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    client.play(book.say(1), quiet(0.3))
    told = client.send("input_audio_buffer.commit")
    assert one(told, TURN[-1])["transcript"] == "What time is it?"


def by_hand(book: Phrasebook, *answers: list[str]) -> tuple[Client, Later]:
    """A client that says itself where turns end, of a server that takes its time."""
    work = Later()
    client = Client(book, Script(*answers), work=work)
    client.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
    return client, work


def test_a_committed_turn_is_written_down_though_the_buffer_is_cleared_soon_after():
    book = Phrasebook("What time is it?", "Forget this.", "And now?")
    client, work = by_hand(book)
    client.play(book.say(0), quiet(0.3))
    (item,) = {each["item_id"] for each in client.send("input_audio_buffer.commit") if "item_id" in each}
    client.play(book.say(1, 0.3))
    client.send("input_audio_buffer.clear")
    work.catch_up()
    heard = one(client.wait(1), TURN[-1])
    assert (heard["item_id"], heard["transcript"]) == (item, "What time is it?")
    client.play(book.say(2), quiet(0.3))
    client.send("input_audio_buffer.commit")
    work.catch_up()
    assert one(client.wait(1), TURN[-1])["transcript"] == "And now?"


@pytest.mark.parametrize("pause", [0.1, 0.3])
@pytest.mark.parametrize("recognized", [False, True])
def test_two_turns_committed_one_after_the_other_are_two(pause: float, recognized: bool):
    book = Phrasebook("What time is it?", "And now?")
    client, work = by_hand(book)
    told = client.play(book.say(0), quiet(pause)) + client.send("input_audio_buffer.commit")
    told += client.play(book.say(1), quiet(pause))
    if recognized:
        work.catch_up()
        told += client.wait(0.1)
    told += client.send("input_audio_buffer.commit")
    work.catch_up()
    told += client.wait(1)
    heard = [each for each in told if each["type"] == TURN[-1]]
    assert [each["transcript"] for each in heard] == ["What time is it?", "And now?"]
    assert len({each["item_id"] for each in heard}) == 2
    assert [each["usage"]["seconds"] for each in heard] == pytest.approx([1 + pause] * 2, abs=0.05)


def test_what_is_said_over_an_answer_is_heard_whole_where_the_client_ends_turns():
    """Time that passes between its pieces is no silence in them."""
    book = Phrasebook("Tell me a story.", "And now?")
    client, work = by_hand(book, [LONG], ["Noon."])
    client.play(book.say(0), quiet(0.3))
    client.send("input_audio_buffer.commit")
    client.send("response.create")
    work.catch_up()
    client.wait(0.5)
    for _ in range(10):
        client.wait(0.1)
        client.send("input_audio_buffer.append", audio=encode_pcm16(at_24k(book.say(1, 0.1))))
    client.send("input_audio_buffer.commit")
    work.catch_up()
    assert one(client.wait(1), TURN[-1])["transcript"] == "And now?"


def test_what_is_committed_while_the_agent_speaks_takes_the_turn():
    book = Phrasebook("Tell me a story.", "mm-hm")
    client = Client(book, Script([LONG], ["Yes?"]))
    client.play(book.say(0), quiet(3))
    told = client.play(book.say(1, 0.5)) + client.send("input_audio_buffer.commit") + client.wait(1)
    assert one(told, TURN[-1])["transcript"] == "mm-hm"
    assert "response.created" in kinds(told)


def test_a_commit_leaves_an_answer_alone_that_is_not_to_be_interrupted():
    book = Phrasebook("Tell me a story.", "And now?")
    client = Client(book, Script([LONG], ["Noon."]))
    detection = {"type": "semantic_vad", "interrupt_response": False}
    client.send("session.update", session={"audio": {"input": {"turn_detection": detection}}})
    client.play(book.say(0), quiet(3))
    told = client.play(book.say(1, 0.5)) + client.send("input_audio_buffer.commit") + client.wait(0.5)
    assert one(told, TURN[-1])["transcript"] == "And now?"
    assert "response.done" not in kinds(told)


def test_text_is_answered_with_text():
    brain = Script(["It is noon."])
    client = Client(Phrasebook(), brain)
    client.send("session.update", session={"output_modalities": ["text"], "instructions": "Be brief."})
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Time?"}]}
    assert kinds(client.send("conversation.item.create", item=item)) == [
        "conversation.item.added",
        "conversation.item.done",
    ]
    told = client.send("response.create") + client.wait(1)
    assert one(told, "response.output_text.done")["text"] == "It is noon."
    assert one(told, "response.done")["response"]["status"] == "completed"
    assert not seconds(told)
    assert brain.shown == [(Message("system", "Be brief."), Message("user", "Time?"))]


def test_a_response_apart_leaves_the_conversation_as_it_was():
    brain = Script(["A greeting."], ["Noon."])
    client = Client(Phrasebook(), brain)
    said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Classify."}]}
    wanted = {
        "conversation": "none",
        "output_modalities": ["text"],
        "input": [said],
        "instructions": "Only once.",
        "metadata": {"topic": "greeting"},
    }
    told = client.send("response.create", response=wanted) + client.wait(1)
    done = one(told, "response.done")["response"]
    assert done["metadata"] == {"topic": "greeting"} and done["conversation_id"] is None
    assert "conversation.item.added" not in kinds(told)
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Time?"}]}
    client.send("conversation.item.create", item=item)
    client.send("response.create")
    client.wait(2)
    assert brain.shown == [
        (Message("system", "Only once."), Message("user", "Classify.")),
        (Message("user", "Time?"),),
    ]


def test_a_response_can_be_cancelled_and_only_one_goes_on_at_a_time():
    client = Client(Phrasebook(), Script([LONG]))
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Tell me."}]}
    client.send("conversation.item.create", item=item)
    client.send("response.create")
    client.wait(1.0)
    error = one(client.send("response.create"), "error")["error"]
    assert error["code"] == "conversation_already_has_active_response"
    done = one(client.send("response.cancel"), "response.done")["response"]
    assert done["status_details"]["reason"] == "client_cancelled"
    assert not client.wait(2)
    assert one(client.send("response.cancel"), "error")["error"]["code"] == "response_cancel_not_active"


def test_a_client_that_sends_no_sound_hears_the_answer_in_the_clocks_time():
    client = Client(Phrasebook(), Script([LONG]))
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Tell me."}]}
    client.send("conversation.item.create", item=item)
    first = client.send("response.create") + client.wait(1.0)
    assert 2.0 <= seconds(first) <= 3.2
    rest = client.wait(4.0)
    assert kinds(rest)[-1] == "response.done"
    assert seconds(first + rest) == pytest.approx(len(LONG.split()) * 0.2)


def test_a_client_that_falls_silent_on_the_line_has_ended_its_turn():
    book = Phrasebook("What time is it?")
    client = Client(book, Script(["Noon."]))
    client.play(book.say(0))
    told = client.wait(5.0)
    assert one(told, TURN[-1])["transcript"] == "What time is it?"
    assert "response.done" in kinds(told)


def test_turns_may_be_found_without_being_answered():
    book = Phrasebook("What time is it?")
    client = Client(book, Script())
    detection = {"type": "server_vad", "create_response": False}
    client.send("session.update", session={"audio": {"input": {"turn_detection": detection}}})
    told = client.play(book.say(0), quiet(3))
    assert kinds(told) == TURN


def test_a_transcription_session_only_writes_down():
    book = Phrasebook("What time is it?")
    client = Client(book, Script(), Configuration(kind="transcription"))
    assert kinds(client.play(book.say(0), quiet(3))) == TURN
    assert kinds(client.send("response.create")) == ["error"]


def test_our_own_events_come_only_where_they_are_asked_for():
    book = Phrasebook("What time is it?")
    strict, ours = Client(book, Script(["Noon."])), Client(book, Script(["Noon."]))
    ours.send("session.update", session={"voice": {"events": True, "level": True}})
    for client in (strict, ours):
        client.play(book.say(0), quiet(3))
    assert not any(each["type"].startswith("voice.") for each in strict.told)
    states = [each["state"] for each in ours.told if each["type"] == "voice.state"]
    assert states == ["hearing", "thinking", "speaking", "listening"]
    assert any(each["type"] == "voice.latency" for each in ours.told)
    loudest = max(each["db"] for each in ours.told if each["type"] == "voice.level")
    assert loudest == pytest.approx(20 * np.log10(0.1), abs=0.2)


def test_what_the_voice_could_not_read_of_an_answer_is_told_once():
    book = Phrasebook("How do I say hello?", "And thank you?")
    client = Client(book, Script(["It is 你好, ", "or 您好."], ["Just that."]))
    client.send("session.update", session={"voice": {"events": True}})
    told = client.play(book.say(0), quiet(5), book.say(1), quiet(5))
    notes = one(told, "voice.notes")
    assert notes["notes"] == ["Not read aloud, because this voice has no sound for it: 你好, 您好."]
    answers = [each["item_id"] for each in told if each["type"] == "response.output_audio_transcript.done"]
    assert notes["item_id"] == answers[0] and len(answers) == 2


class Unsure(Phrasebook):
    """Knows English alone, and is not sure of what it heard."""

    languages = frozenset({"en"})

    def transcribe(self, speech, *, language=None, hotwords=()):
        heard = super().transcribe(speech, language=language, hotwords=hotwords)
        words = tuple(Word(each, i / 10, (i + 1) / 10, 0.4) for i, each in enumerate(heard.text.split()))
        return replace(heard, segments=tuple(replace(each, words=words) for each in heard.segments))


def test_a_turn_that_does_not_sound_like_the_language_that_is_known_is_told() -> None:
    book = Unsure("Good and morgan hoyt is a shine to be long in wimshen.")
    client = Client(book, Script(["Sorry?"]))
    client.send("session.update", session={"voice": {"events": True}})
    told = client.play(book.say(0), quiet(5))
    done = one(told, "conversation.item.input_audio_transcription.completed")
    notes = one(told, "voice.notes")
    assert notes["item_id"] == done["item_id"] and "did not sound like English" in notes["notes"][0]


def test_a_brain_that_fails_is_an_error_event_and_something_sensible_is_said():
    class Broken:
        def reply(self, messages):
            raise OSError("the line is dead")
            yield ""

    book = Phrasebook("What time is it?")
    client = Client(book, Broken())
    told = client.play(book.say(0), quiet(5))
    assert "the line is dead" in one(told, "error")["error"]["message"]
    assert "Sorry" in one(told, "response.output_audio_transcript.done")["transcript"]


@pytest.mark.parametrize(
    ("session", "param"),
    [
        ({"audio": {"output": {"speed": "fast"}}}, "session.audio.output.speed"),
        ({"audio": {"output": {"voice": "nobody"}}}, "session.audio.output.voice"),
        ({"audio": {"input": {"format": {"type": "audio/mp3"}}}}, "session.audio.input.format"),
        (
            {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 48000}}}},
            "session.audio.input.format",
        ),
        (
            {"audio": {"input": {"turn_detection": {"type": "magic"}}}},
            "session.audio.input.turn_detection.type",
        ),
        ({"audio": []}, "session.audio"),
        ({"instructions": 5}, "session.instructions"),
        ({"output_modalities": "audio"}, "session.output_modalities"),
        ({"tools": [{"type": "function"}]}, "session.tools[0].name"),
        (
            {"audio": {"input": {"transcription": {"keywords": ["x", 5]}}}},
            "session.audio.input.transcription.keywords",
        ),
    ],
)
def test_wrong_settings_are_named_and_change_nothing(session, param):
    client = Client(Phrasebook(), Script())
    before = client.session._settings
    error = one(client.send("session.update", session=session), "error")["error"]
    assert error["param"] == param and error["type"] == "invalid_request_error"
    assert client.session._settings == before


def test_words_that_are_likely_are_told_to_the_recognizer():
    class Listening(Phrasebook):
        hints: list[tuple] = []

        def transcribe(self, speech, *, language=None, hotwords=()):
            self.hints.append((language, tuple(hotwords)))
            return super().transcribe(speech, language=language, hotwords=hotwords)

    book = Listening("Call Siobhan.")
    client = Client(book, Script(["Calling."]))
    hints = {"language": "en", "keywords": ["Siobhan"]}
    client.send("session.update", session={"audio": {"input": {"transcription": hints}}})
    client.play(book.say(0), quiet(2))
    assert set(book.hints) == {("en", ("Siobhan",))}


def test_a_language_may_be_called_by_its_name_and_an_unknown_one_is_refused():
    client = Client(Phrasebook(), Script())

    def update(language):
        settings = {"audio": {"input": {"transcription": {"language": language}}}}
        return client.send("session.update", session=settings)

    assert one(update("British English"), "session.updated")
    assert "did you mean English" in one(update("Englsh"), "error")["error"]["message"]


def test_settings_of_the_beta_are_understood():
    client = Client(Phrasebook(), Script())
    old = {
        "modalities": ["text"],
        "voice": "alloy",
        "input_audio_format": "g711_ulaw",
        "output_audio_format": "g711_alaw",
        "input_audio_transcription": {"model": "whisper-1"},
        "turn_detection": None,
    }
    settings = one(client.send("session.update", session=old), "session.updated")["session"]
    assert settings["audio"]["input"]["format"] == {"type": "audio/pcmu"}
    assert settings["audio"]["output"]["format"] == {"type": "audio/pcma"}
    assert settings["audio"]["input"]["turn_detection"] is None
    assert settings["output_modalities"] == ["text"]


def test_frames_of_telephones_are_understood():
    book = Phrasebook("What time is it?")
    client = Client(book, Script(["Noon."]))
    form = {"type": "audio/pcmu"}
    client.send("session.update", session={"audio": {"output": {"format": form}}})
    told = client.play(book.say(0), quiet(3))
    deltas = [each["delta"] for each in told if each["type"] == "response.output_audio.delta"]
    assert sum(len(each) * 3 // 4 - each.count("=") for each in deltas) == 0.2 * 8000


@pytest.mark.parametrize(
    "odd", ["", "AAA=", encode_pcm16(np.zeros(1, np.float32)) + encode_pcm16(np.zeros(3, np.float32))]
)
def test_odd_pieces_of_sound_do_no_harm(odd):
    client = Client(Phrasebook(), Script())
    told = client.send("input_audio_buffer.append", audio=odd)
    assert not told or kinds(told) == ["error"]


@pytest.mark.parametrize("sends", [True, False])
def test_a_long_silence_after_an_answer_is_answered_where_that_is_asked_for(sends):
    book = Phrasebook("What time is it?")
    brain = Script(["Noon."], ["Still there?"], ["Hello?"])
    client = Client(book, brain)
    detection = {"type": "server_vad", "idle_timeout_ms": 6000}
    settings = client.send("session.update", session={"audio": {"input": {"turn_detection": detection}}})
    shown = one(settings, "session.updated")["session"]["audio"]["input"]["turn_detection"]
    assert shown["idle_timeout_ms"] == 6000
    assert "response.created" not in kinds(client.wait(10)), "nobody has said anything yet"
    said = client.play(book.say(0), quiet(2))
    told = client.play(quiet(4)) if sends else client.wait(4)
    assert not told
    told = client.play(quiet(3)) if sends else client.wait(3)
    timed_out = one(told, "input_audio_buffer.timeout_triggered")
    lasts = timed_out["audio_end_ms"] - timed_out["audio_start_ms"]
    assert lasts == pytest.approx(6000 if sends else 1240, abs=50), "what was not sent is no audio"
    assert one(told, "response.output_audio_transcript.done")["transcript"] == "Still there?"
    assert kinds(told)[:3] == [
        "input_audio_buffer.timeout_triggered",
        "input_audio_buffer.committed",
        "conversation.item.added",
    ]
    assert [each.role for each in brain.shown[-1][-2:]] == ["system", "user"]
    for event in said + told:
        KNOWN[event["type"]].model_validate({"event_id": "event_1"} | event, strict=True)
    assert "input_audio_buffer.timeout_triggered" in kinds(client.wait(9)), "and so on"


@pytest.mark.parametrize("detection", [None, {"type": "semantic_vad"}, {"type": "server_vad"}])
def test_silence_is_left_alone_otherwise(detection):
    book = Phrasebook("What time is it?")
    client = Client(book, Script(["Noon."]))
    client.play(book.say(0), quiet(2))
    client.send("session.update", session={"audio": {"input": {"turn_detection": detection}}})
    assert not [each for each in client.wait(40) if each["type"] != "session.updated"]


def test_a_voice_has_the_name_that_the_client_gave_it_and_is_one_of_ours():
    host = services(Phrasebook())
    client = Client(Phrasebook(), Script(["Noon."]))
    for name in ("onyx", "marin", "kathleen", "alloy"):
        told = client.send("session.update", session={"audio": {"output": {"voice": name}}})
        assert one(told, "session.updated")["session"]["audio"]["output"]["voice"] == name
    assert host.resolve("onyx", "voice") == "kumo"
    told = client.send("session.update", session={"audio": {"output": {"voice": "nobody"}}})
    assert "kathleen" in one(told, "error")["error"]["message"]


class Offered(Script):
    """A brain that notes which functions it may call each time it is asked."""

    def __init__(self, *answers):
        super().__init__(*answers)
        self.now, self.offers = (), []

    def use_client_tools(self, skills):
        self.now = tuple(each.name for each in skills)

    def reply(self, messages):
        self.offers.append(self.now)
        return super().reply(messages)


def test_a_response_may_have_functions_of_its_own():
    def tool(name: str) -> dict:
        return {"type": "function", "name": name, "description": name, "parameters": {"type": "object"}}

    brain = Offered(*(["Noon."] for _ in range(4)))
    client = Client(Phrasebook(), brain)
    client.send("session.update", session={"output_modalities": ["text"], "tools": [tool("usual")]})
    for wanted in ({}, {"tools": [tool("special")]}, {"tool_choice": "none"}, {}):
        client.send("response.create", response=wanted)
        client.wait(1)
    assert brain.offers == [("usual",), ("special",), (), ("usual",)]


def test_a_message_of_the_developer_is_one_of_the_system():
    brain = Script(["Noon."])
    client = Client(Phrasebook(), brain)
    item = {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be kind."}]}
    told = client.send("conversation.item.create", item=item)
    assert one(told, "conversation.item.added")["item"]["role"] == "system"
    client.send("response.create")
    client.wait(2)
    assert brain.shown == [(Message("system", "Be kind."),)]


@pytest.mark.parametrize(
    "item",
    [
        {"type": "mcp_approval_response", "approve": True},
        {"type": "message", "role": "robot", "content": [{"type": "input_text", "text": "x"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "x"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "AAAA"}]},
        {"type": "message", "role": "user", "content": [{"type": {}}]},
    ],
)
def test_what_is_not_understood_is_an_error_after_which_the_session_goes_on(item):
    client = Client(Phrasebook(), Script(["Noon."]))
    told = client.send("conversation.item.create", item=item, event_id="mine")
    assert one(told, "error")["error"]["event_id"] == "mine"
    assert one(client.send("response.create") + client.wait(2), "response.done")
