from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from voice import loading
from voice.asr.ctc.alphabet import BLANK, CLASSES, spell
from voice.cli import app
from voice.commands import Commands, context
from voice.commands.expressions import parse_expression
from voice.errors import TextError, VoiceError
from voice.types import Audio

HOME = """
context:
  expressions:
    light:
      - "[turn, switch] $state:state (all) the @lights"
      - "$state:state the lights in the $room:where (please)"
    timer:
      - set (a) timer for $pv.TwoDigitInteger:minutes [minute, minutes]
    volume:
      - "volume $pv.Percent:level"
    floor:
      - "go to the $pv.TwoDigitOrdinal:floor floor"
    seat:
      - "seat $pv.Alphabetic:row $pv.SingleDigitInteger:place"
    stop:
      - [stop, be quiet]
  slots:
    state: [on, off]
    room:
      - kitchen
      - living room
      - room 12
  macros:
    lights:
      - "[light, lights]"
      - lamp
"""


def letter_log_probs(text: str, *, sure: float = 0.9) -> np.ndarray:
    """Log-probabilities of a head that writes `text`."""
    path = [BLANK] * 3
    for label in spell(text).labels:
        path += [label, BLANK]
    path += [BLANK] * 3
    chances = np.full((len(path), CLASSES), (1 - sure) / (CLASSES - 1))
    chances[np.arange(len(path)), path] = sure
    return np.log(chances).astype(np.float32)


@pytest.fixture
def home(tmp_path) -> Path:
    path = tmp_path / "home.yml"
    path.write_text(HOME, "utf-8")
    return path


ASKED = [
    ("turn on the light", "light", {"state": "on"}),
    ("switch off all the lamp", "light", {"state": "off"}),
    ("off the lights in the living room please", "light", {"state": "off", "where": "living room"}),
    ("on the lights in the room twelve", "light", {"state": "on", "where": "room 12"}),
    ("set timer for twenty five minutes", "timer", {"minutes": "25"}),
    ("set a timer for one minute", "timer", {"minutes": "1"}),
    ("volume one hundred percent", "volume", {"level": "100%"}),
    ("go to the twenty third floor", "floor", {"floor": "23"}),
    ("seat b five", "seat", {"row": "B", "place": "5"}),
    ("be quiet", "stop", {}),
]


@pytest.mark.parametrize(("said", "intent", "slots"), ASKED)
def test_what_is_said_gives_its_intent_and_slots(home, said, intent, slots):
    understood = Commands.open(home).understand(letter_log_probs(said))
    assert (understood.intent, dict(understood.slots)) == (intent, slots)
    assert understood.is_understood and understood.confidence > 0.9


@pytest.mark.parametrize(
    "said", ["we went to the sea on sunday", "turn up the volume now", "the kitchen is cold", "", "stop it"]
)
def test_other_speech_is_turned_away(home, said):
    understood = Commands.open(home).understand(letter_log_probs(said))
    assert (understood.intent, dict(understood.slots), understood.is_understood) == (None, {}, False)
    assert understood.confidence > 0.5


COURTEOUS = [
    "{} please",
    "{} thank you",
    "{} please thank you",
    "please {}",
    "could you please {}",
    "can you {}",
]


@pytest.mark.parametrize("courtesy", COURTEOUS)
def test_courtesy_around_a_command_is_understood_and_changes_no_slot(courtesy):
    commands = Commands(context.parse_context(HOME))
    for said, intent, slots in ASKED:
        understood = commands.understand(letter_log_probs(courtesy.format(said.removesuffix(" please"))))
        assert (understood.intent, dict(understood.slots)) == (intent, slots)
    for said in ("", "the kitchen", "we went to the sea"):
        assert not commands.understand(letter_log_probs(courtesy.format(said).strip())).is_understood


@pytest.mark.parametrize(
    ("text", "is_polite"),
    [
        (None, True), ("A coffee, please.", True), ("Would you brew some?", True), ("Thank you.", True),
        ("", False), ("Pleasure.", False), ("Could it be coffee?", False), ("I can. You can't.", False),
    ],
)  # fmt: skip
def test_courtesy_is_looked_for_only_where_the_text_may_hold_some(text, is_polite):
    commands = Commands(context.parse_context(HOME))
    assert commands.understand(letter_log_probs("turn on the light please"), text).is_understood is is_polite
    assert commands.understand(letter_log_probs("turn on the light"), text).is_understood


def test_a_slot_may_hold_a_word_of_courtesy():
    text = EXPRESSION.format('"say $word:word"') + "  slots:\n    word: [hello, hello please]\n"
    commands = Commands(context.parse_context(text))
    assert commands.understand(letter_log_probs("say hello please")).slots == {"word": "hello please"}
    assert commands.understand(letter_log_probs("say hello")).slots == {"word": "hello"}
    assert commands.understand(letter_log_probs("say hello thanks")).slots == {"word": "hello"}


WRONG = [
    ("make (me", "column 6: .\\(. is not closed; add"),
    ("make $size", "column 6: \\$size is no slot; write \\$size:name"),
    ("make -- me", "column 6: '--' cannot be said"),
    ("make [a  -- b, c]", "column 10: '--' cannot be said"),
]


@pytest.mark.parametrize(("expression", "message"), WRONG)
def test_a_wrong_expression_says_where_and_what_to_do(expression, message):
    with pytest.raises(TextError, match=message):
        parse_expression(expression)


EXPRESSION = "context:\n  expressions:\n    go:\n      - {}\n"
BROKEN = [
    ("", "line 1: the file is empty"),
    ("go: there", 'line 1: there is no "context:"'),
    ("context:\n  slots:\n    a: [b]\n", 'no "expressions:"'),
    ("context:\n  phrases:\n    go:\n      - go\n", 'line 3: "phrases:" is unknown; there are expressions'),
    ("context:\n  expressions:\n    go: now\n", 'line 3: "go:" lists nothing'),
    ("context:\n  expressions:\n    go:\n    - a\n    go:\n    - b\n", 'line 5: "go:" is there twice'),
    ("context:\n  expressions:\n    ? [a]\n    : b\n", "line 3: this is no name"),
    (EXPRESSION.format("[a, b] go"), "line 4: .*stands in quotes"),
    (EXPRESSION.format("@a go"), "line 4: .*stands in quotes"),
    (EXPRESSION.format("go (now"), "line 4: column 4: .*not closed.*in 'go \\(now'"),
    (EXPRESSION.format("go $where:to"), 'line 4: \\$where is not among the "slots:"; there are none'),
    (EXPRESSION.format("go $pv.Date:to"), "line 4: \\$pv.Date is not .*pv.TwoDigitInteger"),
    (EXPRESSION.format("'go @to'"), 'line 4: @to is not among the "macros:"'),
    (EXPRESSION.format("(go)"), '"go" can be said with no word at all'),
    (EXPRESSION.format("go {a: b}"), "line 4: "),
    (EXPRESSION.format("go") + "  macros:\n    a: ['@b']\n    b: ['@a c']\n", "line 6: @a stands for itself"),
    (
        EXPRESSION.format("go") + "  slots:\n    a:\n      - ok\n      - '!!'\n",
        "line 8: '!!' holds no letter",
    ),
]


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_a_broken_file_names_the_line_and_what_to_do(tmp_path, text, message):
    path = tmp_path / "broken.yml"
    path.write_text(text, "utf-8")
    with pytest.raises(TextError, match=message):
        Commands.open(path)


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(TextError, match="none.yml does not exist; name the YAML file"):
        context.read_context(tmp_path / "none.yml")


class HeadWrites:
    """A recognizer whose head writes the same whatever it hears."""

    rate = 16_000

    def __init__(self, text: str) -> None:
        self._text = text

    def letter_log_probs(self, speech: Audio) -> np.ndarray:
        return letter_log_probs(self._text)


@pytest.fixture
def sound(tmp_path) -> str:
    from voice.audio import write

    write(tmp_path / "a.wav", Audio(np.full(16_000, 0.1, np.float32), 16_000))
    return str(tmp_path / "a.wav")


def run(monkeypatch, text: str, *arguments: str):
    monkeypatch.setattr(loading, "open_model", lambda *_, **__: HeadWrites(text))
    return CliRunner().invoke(app, ["understand", *arguments])


def test_the_command_prints_one_object(monkeypatch, home, sound):
    done = run(monkeypatch, "set a timer for five minutes", sound, "--commands", str(home))
    assert json.loads(done.stdout) == {"intent": "timer", "slots": {"minutes": "5"}, "is_understood": True}


def test_the_command_names_each_of_several_files_and_goes_on_after_a_bad_one(monkeypatch, home, sound):
    done = run(monkeypatch, "good morning", sound, "missing.wav", sound, "--commands", str(home))
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    nothing = {"intent": None, "slots": {}, "is_understood": False}
    assert rows == [{"file": sound, **nothing}] * 2
    assert "missing.wav" in done.stderr
    assert done.exit_code == 1


def test_the_command_says_what_is_wrong_with_the_commands_before_it_loads_anything(tmp_path, sound):
    done = CliRunner().invoke(app, ["understand", sound, "--commands", str(tmp_path / "none.yml")])
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000 + "]" * 5000,
        "".join(" " * depth + "a:\n" for depth in range(2000)),
        'context:\n  expressions:\n    a: ["' + "(" * 3000 + "a" + ")" * 3000 + '"]\n',
    ],
    ids=["lists", "names", "brackets"],
)
def test_what_lies_too_deep_is_an_error_with_its_line(text):
    with pytest.raises(TextError, match=r"line \d+: .* too deep"):
        context.parse_context(text)


@pytest.mark.parametrize(
    "doubled", ['["@m{0} @m{0}"]', '["@m{0}", "@m{0} a", "@m{0}"]'], ids=["words", "ways"]
)
def test_macros_that_double_with_each_level_are_no_work_without_end(doubled):
    levels = "".join(f"    m{level + 1}: {doubled.format(level)}\n" for level in range(25))
    text = f'context:\n  expressions:\n    a: ["@m25"]\n  macros:\n    m0: [x, y]\n{levels}'
    begun = time.process_time()
    try:
        Commands(context.parse_context(text))
    except VoiceError as error:
        assert "fewer" in str(error)
    assert time.process_time() - begun < 10
