"""Where turns begin and end: the protocol counts milliseconds of the client's own audio."""

from __future__ import annotations

import base64
import random

import numpy as np
import pytest
from fakes.agent import Later, Phrasebook, Script, quiet
from fakes.realtime import RATE, Client, at_24k, encode_pcm16

from voice.serve.realtime.clock import MAX_SPANS, AudioClock
from voice.serve.realtime.protocol.audio_formats import FORMATS, PCM

STARTED, STOPPED = "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"
FRAME = 40  # milliseconds: a turn's bounds are known to one frame of the detector, 32 ms
SERVER = {"type": "server_vad", "create_response": False}
SEMANTIC = {"type": "semantic_vad", "create_response": False}


class AnyWords(Phrasebook):
    """Hears the same phrase in every sound, so that a change of its level or rate does no harm."""

    def transcribe(self, speech, *, language=None, hotwords=()):
        return super().transcribe(type(speech)(np.full(160, 0.1, np.float32), self.rate))


def client_of(detection: dict | None, work=None) -> Client:
    client = Client(AnyWords("What time is it?"), Script(), **({"work": work} if work else {}))
    detects(client, detection)
    return client


def detects(client: Client, detection: dict | None) -> None:
    client.send("session.update", session={"audio": {"input": {"turn_detection": detection}}})


def bounds(events: list[dict]) -> list[tuple[str, int]]:
    """Each start and end of a turn, in milliseconds, in order."""
    return [
        (each["type"].rpartition("_")[2], each.get("audio_start_ms", each.get("audio_end_ms")))
        for each in events
        if each["type"] in (STARTED, STOPPED)
    ]


def check(events: list[dict], expected: list[tuple[str, int]]) -> None:
    found = bounds(events)
    assert [kind for kind, _ in found] == [kind for kind, _ in expected], found
    assert [at for _, at in found] == pytest.approx([at for _, at in expected], abs=FRAME)


def turn(start: int, end: int) -> list[tuple[str, int]]:
    return [("started", start), ("stopped", end)]


@pytest.mark.parametrize("detection", [SERVER, SEMANTIC])
@pytest.mark.parametrize("front", [0.0, 3.0])
def test_a_turn_ends_where_its_sound_ended_though_the_client_sends_nothing_more(detection, front):
    client = client_of(detection)
    told = client.play(quiet(front), AnyWords().say(0, 1.62)) + client.wait(4)
    check(told, turn(round(1000 * front), round(1000 * (front + 1.62))))
    done = next(each for each in told if each["type"].endswith("transcription.completed"))
    assert done["usage"]["seconds"] == pytest.approx(1.62, abs=FRAME / 1000)


@pytest.mark.parametrize("detection", [SERVER, SEMANTIC])
def test_a_whole_recording_in_one_append_has_its_own_times(detection):
    client = client_of(detection)
    sound = np.concatenate((quiet(2), AnyWords().say(0, 3.0), quiet(3), AnyWords().say(0, 2.4)))
    told = client.send("input_audio_buffer.append", audio=encode_pcm16(at_24k(sound)))
    check(told + client.wait(4), turn(2000, 5000) + turn(8000, 10_400))


@pytest.mark.parametrize("detection", [SERVER, SEMANTIC])
def test_what_was_not_sent_between_turns_counts_for_nothing(detection):
    client, told = client_of(detection), []
    for _ in range(3):
        told += client.play(AnyWords().say(0, 1.0)) + client.wait(7)
    check(told, turn(0, 1000) + turn(1000, 2000) + turn(2000, 3000))


def test_delays_within_a_turn_count_for_nothing():
    client = client_of(SEMANTIC)
    told = client.play(quiet(0.5), AnyWords().say(0, 1.0)) + client.wait(0.9)
    told += client.play(AnyWords().say(0, 1.0), quiet(2))
    check(told, turn(500, 2500))


def test_what_was_cleared_has_been_sent_all_the_same():
    client = client_of(SERVER)
    client.play(quiet(0.5), AnyWords().say(0, 1.0))
    client.send("input_audio_buffer.clear")
    check(client.play(quiet(1), AnyWords().say(0, 1.0), quiet(1)), turn(2500, 3500))


def test_a_turn_that_the_client_commits_ends_there():
    client = client_of(SERVER)
    told = client.play(AnyWords().say(0, 1.0)) + client.send("input_audio_buffer.commit")
    told += client.play(quiet(0.5), AnyWords().say(0, 1.0), quiet(1))
    check(told, turn(0, 1000) + turn(1500, 2500))


@pytest.mark.parametrize("detection", [SERVER, SEMANTIC])
@pytest.mark.parametrize("slow", [False, True])
def test_after_a_committed_turn_the_next_that_is_detected_has_its_start(detection, slow):
    work = Later() if slow else None
    client = client_of(None, work)
    told = client.play(AnyWords().say(0, 1.0), quiet(0.3)) + client.send("input_audio_buffer.commit")
    if work:
        work.catch_up()
    told += client.wait(0.5)
    detects(client, detection)
    for _ in range(2):
        told += client.play(quiet(0.5), AnyWords().say(0, 1.0), quiet(1.2))
        if work:
            work.catch_up()
        told += client.play(quiet(1.2))
    kinds = [kind for kind, _ in bounds(told)]
    assert kinds == ["started", "stopped"] * 2


def test_words_of_a_committed_turn_are_told_under_its_own_item():
    work = Later()
    client = client_of(None, work)
    client.send("session.update", session={"voice": {"events": True}})
    told = client.play(AnyWords().say(0, 1.0), quiet(0.3)) + client.send("input_audio_buffer.commit")
    work.catch_up()
    told += client.wait(0.5)
    (item,) = {each["item_id"] for each in told if each["type"] == "input_audio_buffer.committed"}
    assert {each["item_id"] for each in told if each["type"] == "voice.partial"} == {item}


def test_a_turn_under_way_when_detection_is_switched_on_has_a_start_and_an_end():
    client = client_of(None)
    told = client.play(quiet(0.5), AnyWords().say(0, 0.5))
    detects(client, SERVER)
    check(told + client.play(AnyWords().say(0, 0.5), quiet(1)), turn(500, 1500))


def test_a_turn_under_way_when_detection_is_switched_off_ends_at_the_commit():
    client = client_of(SERVER)
    told = client.play(quiet(0.5), AnyWords().say(0, 0.5))
    detects(client, None)
    told += client.play(AnyWords().say(0, 0.5), quiet(0.3)) + client.send("input_audio_buffer.commit")
    check(told, turn(500, 1800))


def test_speech_over_an_answer_has_its_own_times():
    book = Phrasebook("Tell me a story.", "Stop, what time is it?")
    client = Client(book, Script(["a " * 40], ["Noon."]))
    told = client.play(book.say(0), quiet(2.2)) + client.play(book.say(1, 1.2)) + client.wait(3)
    check(told, turn(0, 1000) + turn(3200, 4400))


class Random:
    """A client that does as chance has it, and counts what it has sent."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.work = Later() if seed % 2 else None
        self.client = Client(AnyWords("What time is it?"), Script(*[["One. ", "Two."]] * 100), **self._work())
        self.sent, self.form = 0.0, PCM

    def _work(self) -> dict:
        return {"work": self.work} if self.work else {}

    def step(self) -> None:
        step = self.chance.choice(
            (self.speak, self.speak, self.pause, self.burst, self.idle, self.say, self.set)
        )
        step()
        if self.work and self.chance.random() < 0.7:
            self.work.catch_up()
        latest = max((at for _, at in bounds(self.client.told)), default=0)
        assert latest <= 1000 * self.sent + 1e-6

    def speak(self) -> None:
        self._send(np.full(round(self.chance.uniform(0.05, 1.5) * RATE), 0.1, np.float32))

    def pause(self) -> None:
        self._send(np.zeros(round(self.chance.uniform(0.02, 1.5) * RATE), np.float32))

    def burst(self) -> None:
        lengths = [round(self.chance.uniform(0.1, 1.0) * RATE) for _ in range(5)]
        levels = [0.1, 0.0, 0.1, 0.0, 0.1]
        self._append(np.repeat(np.float32(levels), lengths))

    def idle(self) -> None:
        self.client.wait(self.chance.uniform(0.05, 3.0))

    def say(self) -> None:
        kind = self.chance.choice(("commit", "commit", "clear"))
        self.client.send(f"input_audio_buffer.{kind}")
        if self.chance.random() < 0.3:
            self.client.send("response.create")

    def set(self) -> None:
        self.form = self.chance.choice(FORMATS)
        detection = self.chance.choice((SERVER, SEMANTIC, {"type": "server_vad"}, None))
        shown = {"type": self.form.name}
        self.client.send(
            "session.update", session={"audio": {"input": {"turn_detection": detection, "format": shown}}}
        )

    def _send(self, samples: np.ndarray) -> None:
        size = self.chance.randrange(100, 4800)
        for at in range(0, len(samples), size):
            piece = samples[at : at + size]
            self.client.now += len(piece) / RATE * self.chance.choice((0.1, 1.0, 1.0, 1.5))
            self._append(piece)

    def _append(self, samples: np.ndarray) -> None:
        data = self.form.encode(samples[:: RATE // self.form.rate])
        self.sent += self.form.seconds(data)
        self.client.send("input_audio_buffer.append", audio=base64.b64encode(data).decode())


@pytest.mark.parametrize("seed", range(24))
def test_whatever_a_client_does_turns_lie_in_its_audio_one_after_the_other(seed):
    world = Random(seed)
    for _ in range(25):
        world.step()
    open_, last = None, 0
    for event in world.client.told:
        if event["type"] == STARTED:
            assert last <= event["audio_start_ms"]
            open_, last = event["item_id"], event["audio_start_ms"]
        elif event["type"] == STOPPED:
            assert open_ == event["item_id"] and last < event["audio_end_ms"]
            open_, last = None, event["audio_end_ms"]
    assert last, "the seed made no turn"


def test_the_clock_of_the_clients_audio_forgets_old_gaps_and_keeps_its_place():
    clock = AudioClock(16_000)
    for _ in range(3 * MAX_SPANS):
        clock.audio(0.1, 1600)
        clock.silence(800)
    assert clock.sent == pytest.approx(0.1 * 3 * MAX_SPANS)
    assert clock.sent_at(0.15 * 3 * MAX_SPANS - 0.05 - 0.02) == pytest.approx(clock.sent - 0.02)
    assert clock.sent_at(0.0) >= 0.0
