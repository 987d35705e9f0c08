"""Commands in a conversation: a turn that is one calls a skill, all others go to the brain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes.agent import EvenVoice, LoudIsSpeech, Phrasebook, Script, hear, of, quiet

from voice.agent import Conversation, Heard, Reply
from voice.agent.brains.choice import Offline
from voice.agent.brains.commands import VoiceCommands, open_commands
from voice.agent.listening.endpointing import SilenceEndpointer
from voice.agent.listening.recognition import WholeTurn
from voice.agent.skills.registry import skill, skill_from
from voice.agent.skills.runner import SkillRunner
from voice.agent.speculative import GeneratedReply
from voice.agent.work import INLINE
from voice.asr.ctc.alphabet import BLANK, CLASSES, spell
from voice.commands import Commands
from voice.errors import VoiceError
from voice.types import Audio, Message

HOME = """
context:
  expressions:
    light: ["[turn, switch] $state:state the $room:room light"]
    unknown: ["self destruct"]
  slots:
    state: [on, off]
    room: [kitchen, bathroom]
"""


class Lettered(Phrasebook):
    """A phrasebook whose head writes the letters of each phrase; its words are heard less well."""

    def __init__(self, *phrases: str, misheard: str = "") -> None:
        super().__init__(*phrases)
        self._misheard = misheard

    def transcribe(self, speech: Audio, **options: object):
        heard = super().transcribe(speech, **options)
        text = self._misheard or heard.text
        return type(heard)(tuple(type(s)(text, s.start, s.end) for s in heard.segments), "en", heard.duration)

    def letter_log_probs(self, speech: Audio) -> np.ndarray:
        return letters(super().transcribe(speech).text)


def letters(text: str) -> np.ndarray:
    path = [BLANK] * 3
    for label in spell(text).labels:
        path += [label, BLANK]
    chances = np.full((len(path), CLASSES), 0.1 / (CLASSES - 1))
    chances[np.arange(len(path)), path] = 0.9
    return np.log(chances).astype(np.float32)


class House:
    """A brain with one skill that keeps what it did, and answers all else by rote."""

    def __init__(self) -> None:
        self.done: list[dict[str, str]] = []
        self.rest = Script(["I see."], ["I see."], ["I see."])

    def reply(self, messages: Sequence[Message]) -> Iterator[str]:
        return self.rest.reply(messages)

    def call_skill(self, name: str, arguments: dict[str, str]) -> GeneratedReply | None:
        if name != "light":
            return None

        def think(turn) -> Iterator[str | None]:
            yield from turn.until_committed()
            self.done.append(dict(arguments))
            yield "Done."

        return GeneratedReply(think)


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    path = tmp_path / "home.yml"
    path.write_text(HOME)
    return open_commands(path, Lettered("nothing"))


def conversation(book: Phrasebook, brain: object, commands: Commands | None) -> Conversation:
    orders = VoiceCommands(commands)
    return Conversation(
        LoudIsSpeech(),
        book,
        EvenVoice(),
        orders.wrap_brain(brain),
        listener=orders.wrap_listener(WholeTurn),
        stopwatch=lambda: 0.0,
    )


def answer(events: list) -> str:
    return "".join(event.text for event in of(Reply, events))


def test_a_command_calls_the_skill_of_its_name_however_its_words_were_written(commands: Commands) -> None:
    book, house = Lettered("turn on the kitchen light", misheard="Turn on the kitten light."), House()
    events = hear(conversation(book, house, commands), quiet(0.5), book.say(0, 2.0), quiet(3))
    assert of(Heard, events)[0].text == "Turn on the kitten light."
    assert house.done == [{"state": "on", "room": "kitchen"}]
    assert answer(events) == "Done." and house.rest.shown == []


def test_a_polite_command_is_obeyed_where_its_words_show_courtesy(commands: Commands) -> None:
    book, house = Lettered("could you please turn off the bathroom light thanks"), House()
    hear(conversation(book, house, commands), quiet(0.5), book.say(0, 2.0), quiet(3))
    assert house.done == [{"state": "off", "room": "bathroom"}]


def test_other_speech_and_commands_without_a_skill_go_to_the_brain(commands: Commands) -> None:
    book, house = Lettered("how are you today", "self destruct"), House()
    talks = conversation(book, house, commands)
    hear(talks, quiet(0.5), book.say(0, 2.0), quiet(3), book.say(1, 2.0), quiet(3))
    assert house.done == []
    assert [shown[-1].content for shown in house.rest.shown] == ["how are you today", "self destruct"]


def test_a_command_is_obeyed_once_and_only_as_a_whole(commands: Commands) -> None:
    book, house = Lettered("turn off the bathroom light", "if nobody is in there"), House()
    talks = conversation(book, house, commands)
    hear(talks, quiet(0.5), book.say(0, 2.0), quiet(0.3), book.say(1, 2.0), quiet(3))
    assert house.done == [] and len(house.rest.shown) == 1
    hear(talks, book.say(0, 2.0), quiet(3))
    list(talks.answer())
    assert house.done == [{"state": "off", "room": "bathroom"}]


def test_what_is_too_long_for_a_command_is_none(commands: Commands) -> None:
    book, house = Lettered("turn on the kitchen light"), House()
    hear(conversation(book, house, commands), quiet(0.5), book.say(0, 14.0), quiet(3))
    assert house.done == [] and len(house.rest.shown) == 1


def test_without_commands_nothing_changes() -> None:
    orders, house = VoiceCommands(None), House()
    assert orders.wrap_brain(house) is house
    assert orders.wrap_listener(WholeTurn) is WholeTurn


def test_a_recognizer_that_knows_no_letters_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home.yml").write_text(HOME)
    with pytest.raises(VoiceError, match="use quick"):
        open_commands(tmp_path / "home.yml", Phrasebook("nothing"))


def test_slots_are_read_as_the_skill_takes_them(commands: Commands) -> None:
    @skill(effect=True)
    def light(state: bool, room: str) -> str:
        """Switch a light."""
        return f"{room} {'bright' if state else 'dark'}."

    book = Lettered("switch off the bathroom light")
    brain = Offline(SkillRunner([skill_from(light)]))
    events = hear(conversation(book, brain, commands), quiet(0.5), book.say(0, 2.0), quiet(3))
    assert answer(events) == "bathroom dark."


def test_live_sessions_of_a_server_obey_the_commands_of_its_settings(tmp_path: Path) -> None:
    pytest.importorskip("fastapi", reason="the server is not installed; pip install '.[serve]'")
    from voice.serve import Services, Settings
    from voice.serve.realtime.protocol.configuration import Configuration
    from voice.serve.realtime.session_agent import open_agent

    (tmp_path / "home.yml").write_text(HOME)
    book, house = Lettered("turn on the bathroom light"), House()
    skill_from = {"recognizer": book, "voice": EvenVoice()}
    settings = Settings(commands=str(tmp_path / "home.yml"))
    services = Services(
        settings,
        loader=lambda name, kind: skill_from[kind],
        detector=LoudIsSpeech,
        turn_detector=lambda recognizer: SilenceEndpointer(),
    )
    talks = open_agent(services, Configuration(), house, INLINE, WholeTurn, lambda: 0.0).conversation
    hear(talks, quiet(0.5), book.say(0, 2.0), quiet(3))
    assert house.done == [{"state": "on", "room": "bathroom"}]
    assert services.conversation_models().commands is services.conversation_models().commands


def test_real_speech_switches_the_light(tmp_path: Path) -> None:
    """With quick and a voice of ours, from the sound to the skill."""
    from voice.agent import Models, start, talk
    from voice.loading import load
    from voice.models import entries

    if not entries()["quick"].in_place:
        pytest.skip("quick is not in place; voice models get quick")
    (tmp_path / "home.yml").write_text(HOME)
    models = Models.load("quick", "heart", commands=str(tmp_path / "home.yml"), threads=1)
    house = House()
    said = [piece.audio for piece in load("kathleen", threads=1).speak("Turn on the kitchen light.")]
    rate = said[0].rate
    sound = np.concatenate([np.zeros(rate // 2, np.float32), *(each.samples for each in said)])
    list(talk(Audio(sound, rate), start(models, brain=house)))
    assert house.done == [{"state": "on", "room": "kitchen"}]
