"""Text for speech, whole and a token at a time."""

from __future__ import annotations

import random

import pytest

from voice.agent.speaking.plain_text import TextForSpeech, text_for_speech

CASES = {
    "<think>\nHmm.\n</think>\nThe answer is **42**. *Really*!": "The answer is 42. Really!",
    "# Title\n\nA list:\n- one\n- **two**\n\n---\nThe end 🎉👍🏽.": "Title.\nA list:\none.\ntwo.\nThe end.",
    "See [the docs](https://docs.org/a b) or https://www.example.com/x?y=1.": "See the docs or example.com.",
    "Use `ls -la` or `foo(bar)[1]` here.": "Use ls -la or some code here.",
    "Code:\n```python\nx = [1]\n```\nDone.": "Code:\nI've left out some code. Done.",
    "| a | b |\n|---|---|\n| 1 | 2 |\n": "a, b.\n1, 2.\n",
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
    "<think>a</think>One <think>b</think>two": "One two",
    "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Hello.": "Hello.",
    '<|tool_call|>{"name": "x"}<|/tool_call|>Hi there': "Hi there",
    "<function=time>{}</function>It is late.": "It is late.",
    '[TOOL_CALLS] [{"name": "time"}]': "",
    '{"name": "time", "arguments": {"at": "now}"}}\nDone.': "Done.",
    '{"size": 3} is JSON [a, b].': '{"size": 3} is JSON [a, b].',
    "<!-- hidden\n > -->Shown<br>here.<br/>": "Shown here.",
    "if a<b then c>d": "if a<b then c>d",
    '<a href="https://x.org/y">The page</a>': "The page",
    "Name | Age\n--|--\n**Ann** | 5": "Name, Age.\nAnn, 5",
    "See [1], [the docs][ref] and this[^1].\n\n[ref]: https://x.org/a\n[^1]: A note.": (
        "See, the docs and this.\nA note."
    ),
    "Keycap 1️⃣, flag 🇩🇪, family 👨\u200d👩\u200d👧 and ❤️": "Keycap 1, flag, family and",
    "\\*Not bold\\* and 1\\. one": "Not bold and 1. one",
    "So $x = \\frac{1}{2}$ costs $5 to $10.": "So x = 1 over 2 costs $5 to $10.",
    "Title\n=====\nText ![](a.png) &mdash; <me@x.org>": "Title.\nText — me@x.org",
    "": "",
}


@pytest.mark.parametrize("written", CASES)
def test_what_only_an_eye_can_use_is_left_out(written: str) -> None:
    assert text_for_speech(written) == CASES[written]


@pytest.mark.parametrize("written", CASES)
def test_the_same_comes_out_however_the_text_arrives(written: str) -> None:
    for seed in range(20):
        draw = random.Random(seed)
        stream, said, at = TextForSpeech(), "", 0
        while at < len(written):
            size = draw.choice((1, 1, 2, 3, 7)) if seed else 1
            said += stream.feed(written[at : at + size])
            at += size
        assert said + stream.flush() == CASES[written]


def test_plain_words_come_out_as_soon_as_they_are_whole() -> None:
    stream = TextForSpeech()
    assert stream.feed("Hello wor") == "Hello"
    assert stream.feed("ld. Use `ls` and ") == " world. Use ls and"


def test_a_link_that_never_closes_is_not_waited_for_for_ever() -> None:
    stream = TextForSpeech()
    assert "word" in stream.feed("[" + "word " * 200)


PIECES = [
    *"ab *_`[]()<>/#\n-|~!.&:1{}$\\^",
    *("\n\n", "```", "~~~\n", "# ", "- ", "1. ", "<!--", "-->", "<think>", "</think>", "<br>", '<a b="c">'),
    *("<tool_call>", "</tool_call>", "<|tool_call|>", "<|/tool_call|>", "<|end|>", "[TOOL_CALLS]", "🎉", "❤️"),
    *('{"name": 1}', '"name": ', "<|channel|>analysis<|message|>", "<|channel|>final", "| --- |", "|a|b|\n"),
    *("[x]: y\n", "[^1]", "http://a.b", "[a](b)", "`x y`", "&amp;", "**", "word ", "Ends. "),
]


@pytest.mark.parametrize("seed", range(8))
def test_random_marks_come_out_the_same_however_they_arrive(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(150):
        text = "".join(draw.choice(PIECES) for _ in range(draw.randint(1, 30)))
        stream, said, at = TextForSpeech(), "", 0
        while at < len(text):
            size = draw.choice((1, 1, 1, 2, 5)) if seed else 1
            said += stream.feed(text[at : at + size])
            at += size
        assert said + stream.flush() == text_for_speech(text), text


def test_hidden_parts_never_show_whatever_surrounds_them() -> None:
    draw = random.Random(2)
    for _ in range(300):
        around = ["".join(draw.choice("ab .,\n*_-") for _ in range(draw.randint(0, 20))) for _ in range(2)]
        name = draw.choice(("think", "tool_call", "reasoning"))
        assert "SECRET" not in text_for_speech(f"{around[0]}<{name}>SECRET {around[1]}</{name}>{around[1]}")
