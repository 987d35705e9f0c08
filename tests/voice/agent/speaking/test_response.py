"""From a reply to sound: sentences, the pauses between them, waits, another pace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from fakes.agent import WORD, EvenVoice, Polyglot

from voice.agent.speaking.plain_text import SpeakableText
from voice.agent.speaking.response import Response, without_lead
from voice.agent.speculative import GeneratedReply
from voice.agent.work import INLINE
from voice.errors import BrainError
from voice.types import Audio, Controls, LanguageChange, ReplyPiece, Speech, SpeedChange, Synthesizer, Word

LINE = "It is noon. It is late."  # two sentences of three words


def speak_reply(
    *pieces: ReplyPiece, controls: Controls = Controls(), voice: Synthesizer | None = None
) -> list[Speech]:
    """The sound of a reply in these pieces, which is wanted from the beginning."""
    reply = GeneratedReply(lambda gate: iter(pieces))
    response = Response(
        lambda: reply, voice or EvenVoice(), (controls, controls), INLINE.lane(lambda: 0.0), 0.0
    )
    response.commit()
    made = [*response.take(0.0)]
    while response.go_on(0.0):
        made += response.take(0.0)
    assert response.ended
    return [each.piece for each in made if isinstance(each.piece, Speech)]


def lengths(speech: list[Speech]) -> list[float]:
    return [piece.audio.duration for piece in speech]


@pytest.mark.parametrize(
    ("controls", "pause"),
    [
        (Controls(), 0.4),
        (Controls(pause=0.0), 0.0),
        (Controls(pause=2.0), 0.8),
        (Controls(sentence_pause=2.0), 2.0),
        (Controls(sentence_pause=2.0, pause=0.5), 1.0),
    ],
)
def test_the_pause_between_sentences_is_the_one_that_the_controls_ask_for(
    controls: Controls, pause: float
) -> None:
    first, second = speak_reply(LINE, controls=controls)
    assert lengths([first, second]) == pytest.approx([3 * WORD, pause + 3 * WORD])
    assert second.words[0].start == pytest.approx(pause)


def test_a_faster_answer_has_shorter_pauses() -> None:
    speech = speak_reply(LINE, controls=Controls(speed=2.0))
    assert lengths(speech) == pytest.approx([1.5 * WORD, 0.2 + 1.5 * WORD])


@pytest.mark.parametrize("size", [1, 4, 100])
def test_a_reply_sounds_the_same_in_pieces_of_any_size(size: int) -> None:
    text = "# News\n**It** is noon. See [the sky](http://x.y), it is late.\n\nGood night."
    whole, controls = speak_reply(text), Controls(sentence_pause=1.5)
    pieces = [text[first : first + size] for first in range(0, len(text), size)]
    assert lengths(speak_reply(*pieces)) == lengths(whole)
    assert [each.text for each in speak_reply(*pieces, controls=controls)] == [each.text for each in whole]


def test_whole_sentences_before_a_wait_are_spoken_during_it_and_keep_their_pause() -> None:
    assert lengths(speak_reply("It is noon.", None, " It is late.")) == pytest.approx([0.6, 1.0])
    assert [each.text for each in speak_reply("It is", None, " noon.")] == ["It is noon."]


def test_another_pace_holds_for_the_sentences_after_it() -> None:
    speech = speak_reply("It is noon. ", "It is one. ", SpeedChange(2.0), "It is late.")
    assert lengths(speech)[::2] == pytest.approx([3 * WORD, 0.4 + 1.5 * WORD], abs=0.21)
    assert speech[2].words[-1].end - speech[2].words[0].start == pytest.approx(1.5 * WORD)


class Streaming(EvenVoice):
    """A voice that takes a text as it is written: it must be asked for that, and once for each answer."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[Controls] = []
        self.pushed = ""

    def begin(self, controls: Controls = Controls()) -> Streaming:
        self.begun.append(controls)
        self.controls = controls
        return self

    def push(self, text: str) -> Iterator[Speech]:
        self.pushed += text
        return iter(())

    def flush(self) -> Iterator[Speech]:
        return self.speak(self.pushed, self.controls)


def test_a_voice_that_follows_a_text_gets_it_unsplit_and_without_markup() -> None:
    voice = Streaming()
    (speech,) = speak_reply("**It** is ", "noon. ", "It is late.", voice=voice, controls=Controls(pause=0.5))
    assert voice.pushed == speech.text == LINE
    assert voice.begun == [Controls(pause=0.5)]


def test_an_answer_begins_without_the_silence_before_its_first_sound() -> None:
    samples = np.concatenate((np.zeros(2400), np.full(4800, 0.1), np.zeros(2400))).astype(np.float32)
    speech = Speech(Audio(samples, 24_000), "Noon then.", (Word("Noon", 0.1, 0.2), Word("then.", 0.2, 0.3)))
    prompt = without_lead(speech)
    assert prompt.audio.duration == pytest.approx(0.4 - 0.09)
    assert [(word.start, word.end) for word in prompt.words] == [
        pytest.approx(times, abs=1e-6) for times in ((0.01, 0.11), (0.11, 0.21))
    ]
    late = replace(speech, audio=Audio(np.pad(samples, (4800, 0)), 24_000))
    assert without_lead(late) == late  # so long a silence is meant
    assert (
        without_lead(prompt) == prompt
        and without_lead(replace(speech, audio=Audio(samples * 0, 24_000))).words
    )


def test_text_that_a_brain_made_speakable_is_spoken_as_it_is() -> None:
    assert [each.text for each in speak_reply("It is **noon**.")] == ["It is noon."]
    assert [each.text for each in speak_reply(SpeakableText("It is **noon**."))] == ["It is **noon**."]


def test_what_follows_a_change_of_language_is_spoken_by_another_voice() -> None:
    voice = Polyglot()
    speech = speak_reply("It is noon. In Spanish", LanguageChange("es"), "Es mediodía.", voice=voice)
    assert voice.asked == ["It is noon.", "In Spanish"] and voice.spanish.asked == ["Es mediodía."]
    assert [piece.text for piece in speech] == ["It is noon.", "In Spanish", "Es mediodía."]


def test_a_language_that_no_voice_speaks_is_said_to_be_one() -> None:
    with pytest.raises(BrainError, match="nobody here speaks it") as error:
        speak_reply(LanguageChange("it"), "Buongiorno.", voice=Polyglot())
    assert error.value.sayable == "I have no voice for Italian here."
