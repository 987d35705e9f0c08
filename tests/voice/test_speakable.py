"""Text for the ear, whole and a token at a time."""

from __future__ import annotations

import random

import pytest

from voice.agent.speakable import Speakable, speakable

CASES = {
    "<think>\nHmm.\n</think>\nThe answer is **42**. *Really*!": "The answer is 42. Really!",
    "# Title\n\nA list:\n- one\n- **two**\n\n---\nThe end 🎉👍🏽.": "Title.\nA list:\none.\ntwo.\nThe end.",
    "See [the docs](https://docs.org/a b) or https://www.example.com/x?y=1.": "See the docs or example.com.",
    "Use `ls -la` or `foo(bar)[1]` here.": "Use ls -la or some code here.",
    "Code:\n```python\nx = [1]\n```\nDone.": "Code:\nI've left out some code. Done.",
    "| a | b |\n|---|---|\n| 1 | 2 |\n": "a, b,\n1, 2,\n",
    "5 * 3 is 15, 3 < 5, snake_case stays and ~~gone~~ <b>bold</b> AT&amp;T": (
        "5 * 3 is 15, 3 < 5, snake_case stays and gone bold AT&T"
    ),
    '<tool_call>{"a": 1}</tool_call>Hello there.': "Hello there.",
    "An open [ bracket and a `tick for ever.\nNext.": "An open [ bracket and a tick for ever.\nNext.",
    "![a cat](cat.png) and <https://foo.org/x>": "a cat and foo.org",
    "Hello<think>hidden</think> world": "Hello world",
    "> quoted\n> text\n\n- [ ] todo": "quoted.\ntext.\ntodo",
    "```\nunclosed code": "I've left out some code. ",
    "<|im_start|>It is 20 °C, or 5 €": "It is 20 °C, or 5 €",
    "1. One\n2. Two": "1, One.\n2, Two",
    "<think>never closed": "",
    "": "",
}


@pytest.mark.parametrize("written", CASES)
def test_what_only_an_eye_can_use_is_left_out(written: str) -> None:
    assert speakable(written) == CASES[written]


@pytest.mark.parametrize("written", CASES)
def test_the_same_comes_out_however_the_text_arrives(written: str) -> None:
    for seed in range(20):
        chance = random.Random(seed)
        stream, said, at = Speakable(), "", 0
        while at < len(written):
            size = chance.choice((1, 1, 2, 3, 7)) if seed else 1
            said += stream.feed(written[at : at + size])
            at += size
        assert said + stream.flush() == CASES[written]


def test_plain_words_come_out_as_soon_as_they_are_whole() -> None:
    stream = Speakable()
    assert stream.feed("Hello wor") == "Hello"
    assert stream.feed("ld. Use `ls` and ") == " world. Use ls and"


def test_a_link_that_never_closes_is_not_waited_for_for_ever() -> None:
    stream = Speakable()
    assert "word" in stream.feed("[" + "word " * 200)


def test_random_marks_never_break_it() -> None:
    chance = random.Random(1)
    for _ in range(500):
        text = "".join(chance.choice("ab *_`[]()<>/#\n-|~!.&:1") for _ in range(60))
        stream = Speakable()
        said = "".join(stream.feed(mark) for mark in text) + stream.flush()
        assert said == speakable(text)
