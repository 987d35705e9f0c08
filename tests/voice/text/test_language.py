"""Another language than English behind the same front end."""

from __future__ import annotations

import re

import numpy as np

from voice.text.frontend import read_aloud
from voice.text.language import Chunk, Language, NormalizedText
from voice.text.markup import parse
from voice.text.passages import read_passages
from voice.tts.engine import timed_words
from voice.tts.voice import Voice
from voice.types import Audio, Speech

FIGURES = {"1": "un", "2": "do"}


def normalize(sentence: str) -> NormalizedText:
    """Return the words, figures spelled out; signs beyond ASCII have no reading."""
    words = [(match[0], *match.span()) for match in re.finditer(r"[\w.?]+", sentence, re.ASCII)]
    return NormalizedText(
        tuple(Chunk(FIGURES.get(word, word), start, end) for word, start, end in words),
        tuple(re.findall(r"[^\x00-\x7f]+", sentence)),
    )


PREPARED: list[str] = []
TOY = Language(
    code="xx",
    prepare=lambda: PREPARED.append("xx"),
    normalize=normalize,
    pronounce=lambda words: [word.replace("c", "k") for word in words],
    is_rising_question=lambda sentence: sentence.endswith("?"),
    say_as=lambda text, kind, form: " ".join(text),
    stand_in=lambda phonemes: "a",
)


class Engine:
    rate = 8000

    def render(self, reading, controls):
        seconds = np.full(len(reading.phonemes) + 2, 0.1)
        return Speech(
            Audio(np.ones(round(seconds.sum() * 8000), np.float32), 8000),
            reading.text,
            timed_words(reading, seconds),
        )


def test_a_language_decides_on_words_sounds_questions_and_what_has_no_reading() -> None:
    first, second = read_aloud("da 2 coco. da ŝ?", TOY)
    assert (first.phonemes, first.rises, first.unread) == ("da do koko.", False, ())
    assert [word.spoken for word in first.words] == ["da", "do", "coco."] and first.words[1].text == "2"
    assert second.rises and second.unread == ("ŝ",)


def test_markup_says_figures_as_the_language_does() -> None:
    (reading,) = read_passages(
        parse("<speak><say-as interpret-as='x'>12</say-as></speak>", TOY).passages, TOY
    )
    assert reading.phonemes == "un do"


def test_a_voice_speaks_its_own_language() -> None:
    voice = Voice(Engine(), language=TOY)
    assert PREPARED == ["xx"]
    (speech,) = voice.speak("da 2.")
    assert [word.text for word in speech.words] == ["da", "2."]
    assert [piece.text for piece in voice.follow(["da ", "2. d", "a"])] == ["da 2.", "da"]
