"""The parts of Talk that need no sound and no server, in the browser that runs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="fastapi is not installed; pip install '.[app]'")

from fakes.browser import chromium, serve_application
from selenium import webdriver


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    from fastapi import FastAPI

    from page.talk_files import add_files

    server = FastAPI()
    server.get("/")(lambda: "here")
    add_files(server)
    folder: Path = tmp_path_factory.mktemp("browser")
    with serve_application(server) as address, chromium(folder / "profile", folder / "none.wav") as driver:
        driver.get(address)
        yield driver


def run(browser: webdriver.Chrome, module: str, body: str, *values: object) -> object:
    """What a piece of JavaScript returns that sees a module of the Talk tab as `it` and `values`."""
    found = browser.execute_async_script(
        f"""const [values, end] = [arguments[0], arguments[1]];
        (async () => {{ const it = await import("/talk/{module}"); {body} }})()
            .then((value) => end([value]), (error) => end(String(error.stack)));""",
        values,
    )
    assert isinstance(found, list), found
    return found[0]


# Deltas of 20 ms that arrive `late` seconds after they were due; the buffer is asked for each quantum.
PLAYED = """
const [late, cushion] = values, rate = 48000, quantum = 128, size = 960;
const buffer = new it.JitterBuffer(rate, cushion), out = new Float32Array(quantum), heard = [];
let next = 0, last = 0;
const due = (index) => index * 0.02 + late[index];
for (let time = 0; time < late.length * 0.02 + 1; time += quantum / rate) {
  while (next < late.length && due(next) <= time) {
    buffer.add("a", Float32Array.from({ length: size }, (_, at) => next * size + at + 1));
    next += 1;
    if (next === late.length) buffer.end("a");
  }
  buffer.fill(out);
  heard.push(...out);
}
return { heard, gap: buffer.longestGap / rate, events: buffer.events };
"""


def test_fifty_milliseconds_of_jitter_make_no_gap(browser: webdriver.Chrome) -> None:
    for seed in range(3):
        late = np.random.default_rng(seed).uniform(0.0, 0.05, 200).tolist()
        played = run(browser, "jitter.js", PLAYED, late, 0.08)
        heard = np.array(played["heard"])
        spoken = np.flatnonzero(heard)
        assert played["gap"] == 0
        assert np.array_equal(heard[spoken[0] : spoken[-1] + 1], np.arange(1, 200 * 960 + 1))
        assert spoken[0] / 48_000 <= 0.13


def test_a_stall_is_a_gap_once_and_then_more_is_kept_ahead(browser: webdriver.Chrome) -> None:
    late = [0.0] * 300
    late[50:60] = [0.2 - 0.02 * number for number in range(10)]
    late[150:155] = [0.1 - 0.02 * number for number in range(5)]
    played = run(browser, "jitter.js", PLAYED, late, 0.08)
    heard = np.array(played["heard"])
    assert np.array_equal(heard[heard > 0], np.arange(1, 300 * 960 + 1))
    silences = np.diff(np.flatnonzero(heard))
    assert np.count_nonzero(silences > 1) == 1
    assert 0.08 < played["gap"] < 0.25


def test_what_happens_is_told_with_its_place(browser: webdriver.Chrome) -> None:
    played = run(browser, "jitter.js", PLAYED, [0.0] * 10, 0.08)
    assert played["events"] == [
        {"kind": "started", "item": "a", "played": 0},
        {"kind": "finished", "item": "a", "played": 9600},
    ]


def test_an_interruption_is_silent_after_one_quantum_that_fades(browser: webdriver.Chrome) -> None:
    body = """
    const buffer = new it.JitterBuffer(48000), out = new Float32Array(128), quanta = [];
    buffer.add("a", new Float32Array(48000).fill(1));
    for (let count = 0; count < 10; count += 1) buffer.fill(out);
    buffer.flush();
    buffer.fill(out);
    quanta.push([...out]);
    buffer.fill(out);
    return { fading: quanta[0], after: [...out], events: buffer.events };"""
    found = run(browser, "jitter.js", body)
    assert np.all(np.diff(found["fading"]) < 0) and found["fading"][-1] == 0
    assert not any(found["after"])
    assert found["events"][-1] == {"kind": "flushed", "item": "a", "played": 11 * 128}


def test_a_held_answer_goes_on_where_it_was(browser: webdriver.Chrome) -> None:
    body = """
    const buffer = new it.JitterBuffer(48000), out = new Float32Array(128), heard = [];
    buffer.add("a", Float32Array.from({ length: 12800 }, (_, at) => at + 1));
    buffer.end("a");
    for (let count = 0; count < 200; count += 1) {
      buffer.setPaused(count >= 30 && count < 90);
      buffer.fill(out);
      heard.push(...out);
    }
    return { heard, gap: buffer.longestGap };"""
    found = run(browser, "jitter.js", body)
    heard = np.array(found["heard"])
    assert np.array_equal(heard[heard > 0], np.arange(1, 12801))
    assert np.flatnonzero(heard)[-1] == 12800 + 60 * 128 - 1
    assert found["gap"] == 0


# A conversation over a connection that takes `room` frames and then no more until it is emptied, which
# happens between the frames of 20 ms and never while one piece of code runs. What was sent, and when the
# person fell silent.
LINE = """
const { early, later, room, end } = values[0], nothing = () => {}, troubles = [];
const view = {
  showPhase: nothing, showTurn: nothing, removeTurn: nothing, showTrouble: (text) => troubles.push(text),
};
const sent = [];
let now = 0, buffered = 0;
const connection = { send: nothing, sendAudio: ({ audio }) => {
  if (buffered >= room) return false;
  buffered += 1;
  sent.push(new Int16Array(Uint8Array.from(atob(audio), (each) => each.charCodeAt(0)).buffer)[0]);
  return true;
} };
const conversation = new it.Conversation({ view, settings: () => ({}), now: () => now });
conversation.begin(connection, {});
const hear = (count, empties) => {
  for (let frame = 0; frame < count; frame += 1) {
    now += 20;
    if (empties) buffered = 0;
    conversation.addFrame({ pcm: Int16Array.of(now / 20), level: 0.1 });
  }
};
hear(early, false);
conversation.handle({ type: "session.created" });
hear(later, true);
conversation.handle({ type: "input_audio_buffer.speech_stopped", item_id: "a", audio_end_ms: end });
return { sent, silentSince: conversation.silentSince, troubles };
"""


@pytest.mark.parametrize("room", [1000, 190, 10])
def test_no_frame_of_early_speech_is_lost_however_little_the_line_takes_at_once(
    browser: webdriver.Chrome, room: int
) -> None:
    asked = {"early": 500, "later": 60, "room": room, "end": 3000}
    found = run(browser, "conversation.js", LINE, asked)
    assert found["sent"] == list(range(1, 561)) and not found["troubles"]
    assert found["silentSince"] == 3000


def test_what_is_lost_is_said_and_not_counted(browser: webdriver.Chrome) -> None:
    asked = {"early": 2000, "later": 10, "room": 1000, "end": 20 * 100}
    found = run(browser, "conversation.js", LINE, asked)
    assert found["sent"] == list(range(501, 2011))  # the last 30 s, whole
    assert found["silentSince"] == 20 * 600  # the hundredth frame that was sent is the 600th that was heard
    assert found["troubles"][-1].startswith("The line is too slow")


def test_an_answer_without_any_sound_stands_there_whole_with_what_is_noted_on_it(
    browser: webdriver.Chrome,
) -> None:
    body = """
    const shown = [], nothing = () => {}, connection = { send: nothing };
    const showTurn = ({ id, ended, notes, texts }) => shown.push([id, ended, notes, texts[0].text]);
    const view = { showPhase: nothing, showTurn, showTrouble: nothing };
    const conversation = new it.Conversation({ view, settings: () => ({}) });
    conversation.begin(connection, { end: nothing });
    conversation.ready = true;
    const where = { item_id: "a", response_id: "1" };
    conversation.handle({ type: "response.created", response: { id: "1" } });
    conversation.handle({ type: "response.output_audio_transcript.delta", ...where, delta: "\u4f60\u597d" });
    conversation.handle({ type: "voice.notes", ...where, notes: ["Not read."] });
    conversation.handle({ type: "response.output_audio.done", ...where });
    conversation.handle({ type: "response.done", response: { id: "1", status: "completed" } });
    return [shown.at(-1), conversation.phase];"""
    assert run(browser, "conversation.js", body) == [["a", True, ["Not read."], "你好"], "listening"]


# A conversation whose agent has sent sound of two responses; what it does to player and connection after
# `values[0]`.
CANCELLED = """
const done = [], nothing = () => {};
const removeTurn = ({ id }) => done.push(`remove ${id}`);
const view = { showPhase: nothing, showTurn: nothing, removeTurn, showTrouble: nothing };
const sound = { play: nothing, end: nothing, setPaused: nothing };
Object.assign(sound, { flush: () => done.push("flush"), drop: (item) => done.push(`drop ${item}`) });
const connection = { send: ({ type }) => done.push(type), sendAudio: nothing };
const conversation = new it.Conversation({ view, settings: () => ({}) });
conversation.begin(connection, sound);
conversation.ready = true;
for (const [item_id, response_id] of [["a", "1"], ["b", "2"]]) {
  const where = { item_id, response_id };
  conversation.handle({ type: "response.output_audio_transcript.delta", ...where, delta: "Words." });
  conversation.handle({ type: "response.output_audio.delta", ...where, delta: "AAAA" });
}
for (const event of values[0]) conversation.updatePlayback(event);
done.length = 0;
conversation.handle({ type: "response.done", response: { id: "2", status: "cancelled" } });
return done;
"""
BEGUN = {"kind": "started", "item": "a", "seconds": 0.0}
FINISHED = {"kind": "finished", "item": "a", "seconds": 1.0}
NEXT = {"kind": "started", "item": "b", "seconds": 0.0}


@pytest.mark.parametrize(
    ("played", "done"),
    [
        ([BEGUN], ["drop b", "remove b"]),  # another one is heard to its end
        ([BEGUN, FINISHED], ["drop b", "remove b"]),
        ([BEGUN, FINISHED, NEXT], ["flush"]),
    ],
)
def test_a_cancelled_answer_that_waits_in_the_player_is_forgotten_and_not_cut_short(
    browser: webdriver.Chrome, played: list[dict], done: list[str]
) -> None:
    assert run(browser, "conversation.js", CANCELLED, played) == done


def test_an_item_that_is_dropped_before_its_turn_leaves_the_others_whole(browser: webdriver.Chrome) -> None:
    body = """
    const buffer = new it.JitterBuffer(48000), out = new Float32Array(128), heard = [];
    const add = (item, value) => (buffer.add(item, new Float32Array(6400).fill(value)), buffer.end(item));
    add("a", 1);
    add("b", 2);
    for (let count = 0; count < 150; count += 1) {
      if (count === 10) buffer.drop("b");
      if (count === 20) add("c", 3);
      if (count === 80) buffer.drop("c");
      buffer.fill(out);
      heard.push(...out);
    }
    return { heard, events: buffer.events.map(({ kind, item }) => `${kind} ${item}`) };"""
    found = run(browser, "jitter.js", body)
    heard = np.array(found["heard"])
    assert [np.count_nonzero(heard == value) for value in (1, 2)] == [6400, 0]
    assert np.flatnonzero(heard)[-1] < 81 * 128
    assert found["events"] == ["started a", "finished a", "started c", "flushed c"]


RESAMPLED = """
const [from, to, samples, size] = values, resampler = new it.Resampler(from, to), found = [];
for (let at = 0; at < samples.length; at += size) {
  found.push(...resampler.push(Float32Array.from(samples.slice(at, at + size))));
}
return [...found, ...resampler.finish()];
"""


@pytest.mark.parametrize(
    ("source", "target"), [(48_000, 24_000), (44_100, 24_000), (24_000, 48_000), (16_000, 24_000)]
)
def test_resampling_keeps_a_tone_and_drops_what_does_not_fit(
    browser: webdriver.Chrome, source: int, target: int
) -> None:
    times = np.arange(source // 10) / source
    kept = np.sin(2 * np.pi * 1000 * times)
    lost = np.sin(2 * np.pi * 15_000 * times) if target < source else 0.0
    found = np.array(run(browser, "resampler.js", RESAMPLED, source, target, (kept + lost).tolist(), 128))
    wanted = np.sin(2 * np.pi * 1000 * np.arange(len(found)) / target)
    middle = slice(target // 100, -target // 100)
    assert len(found) == pytest.approx(target / 10, abs=2)
    assert np.abs(found - wanted)[middle].max() < 2e-3


def test_resampling_a_stream_equals_the_whole(browser: webdriver.Chrome) -> None:
    samples = np.random.default_rng(0).standard_normal(2000).tolist()
    whole = run(browser, "resampler.js", RESAMPLED, 44_100, 24_000, samples, 2000)
    for size in (1, 7, 128):
        assert run(browser, "resampler.js", RESAMPLED, 44_100, 24_000, samples, size) == whole


def test_samples_survive_the_line(browser: webdriver.Chrome) -> None:
    samples = [0, 1, -1, 32767, -32768, 1234]
    found = run(browser, "pcm.js", "return [...it.decode(it.encode(Int16Array.from(values[0])))]", samples)
    assert [round(each * 32768) for each in found] == samples


SPOKEN = """
const turn = it.newAgentTurn("a");
for (const { text, seconds } of values[0]) {
  it.addText(turn, text);
  turn.received += seconds;
}
Object.assign(turn, values[1]);
return it.splitAtPlayback(turn);
"""


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"played": 0.0}, ""),
        ({"played": 1.0, "complete": True}, "Twelve times"),
        ({"played": 2.25, "complete": True}, "Twelve times seven. Is"),
        ({"played": 4.0, "ended": True}, "Twelve times seven. Is eighty-four."),
        ({"played": 2.25, "ended": True, "interrupted": True, "complete": True}, "Twelve times seven. Is"),
        (
            {"played": 1.0, "words": [{"text": "Twelve", "start": 0.1}, {"text": "times", "start": 1.1}]},
            "Twelve",
        ),
    ],
)
def test_an_answers_words_appear_as_they_are_spoken(
    browser: webdriver.Chrome, state: dict, said: str
) -> None:
    pieces = [{"text": "Twelve times seven. ", "seconds": 2.0}, {"text": "Is eighty-four.", "seconds": 2.0}]
    before, after = run(browser, "turns.js", SPOKEN, pieces, state)
    assert before.strip() == said
    assert before + after == "Twelve times seven. Is eighty-four."
