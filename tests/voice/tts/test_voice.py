"""Any length of text, sentence by sentence, with pauses; a fake engine where the sound does not matter."""

import itertools

import numpy as np
import pytest

from voice.errors import ModelError, TextError
from voice.text.registry import find_language
from voice.tts.engine import timed_words
from voice.tts.heart import Heart
from voice.tts.pauses import LEAD, PAUSES, after_silence
from voice.tts.streaming import begin
from voice.tts.voice import Voice, join
from voice.types import Audio, Controls, Speech


class Buzzer:
    """Speaks every phoneme as 0.1 s of buzz, pads as 0.3 s of silence."""

    rate = 8000

    def render(self, reading, controls):
        seconds = np.array([0.3, *(0.1 for _ in reading.phonemes), 0.3]) / controls.speed
        samples = np.where(np.arange(round(seconds.sum() * self.rate)) % 2, 0.5, -0.5).astype(np.float32)
        samples[: round(seconds[0] * self.rate)] = 0
        samples[len(samples) - round(seconds[-1] * self.rate) :] = 0
        return Speech(Audio(samples, self.rate), reading.text, timed_words(reading, seconds))


@pytest.fixture
def buzz():
    return Voice(Buzzer())


def assert_times_hold(speech, text):
    assert " ".join(word.text for word in speech.words) == " ".join(text.split())
    times = [time for word in speech.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[0] >= 0 and times[-1] <= speech.audio.duration


def test_speaks_sentence_by_sentence(buzz):
    pieces = list(buzz.speak("One. Two!\n\nThree?"))
    assert [piece.text for piece in pieces] == ["One.", "Two!", "Three?"]


def test_open_dates_are_read_in_the_order_that_is_asked_for(buzz):
    text = "03/04/2025"
    said = {
        order: len(join(buzz.speak(text, Controls(dates=order))).audio.samples) for order in ("dmy", "mdy")
    }
    assert said["dmy"] > said["mdy"] == len(join(buzz.speak(text)).audio.samples)
    assert len(join(buzz.speak(f"<speak>{text}</speak>", Controls(dates="dmy"))).audio.samples) == said["dmy"]
    with pytest.raises(ValueError, match="dmy, mdy"):
        Controls(dates="ymd")


def test_pauses_follow_punctuation(buzz):
    first, second, third = buzz.speak("One. Two!\n\nThree?")
    assert first.words[0].start == pytest.approx(LEAD, abs=1e-3)
    assert second.words[0].start == pytest.approx(PAUSES["sentence"] + LEAD, abs=1e-3)
    assert third.words[0].start == pytest.approx(PAUSES["paragraph"] + LEAD, abs=1e-3)


def test_the_first_sentence_is_there_before_the_rest_is_read(buzz):
    endless = itertools.chain(["One. Two. Three"], itertools.repeat(" more"))
    assert next(buzz.follow(endless)).text == "One."


def test_text_in_pieces_sounds_like_the_whole(buzz):
    text = "It is 5 p.m. now. Dr. Lee left. Why?"
    arrived, whole = join(buzz.follow(iter(text))), join(buzz.speak(text))
    assert np.array_equal(arrived.audio.samples, whole.audio.samples) and arrived.words == whole.words


@pytest.mark.parametrize("controls", [Controls(), Controls(sentence_pause=1.0), Controls(pause=0.5, speed=2)])
def test_a_stream_makes_the_pauses_of_the_whole(buzz, controls):
    stream = buzz.begin(controls)
    pushed = [*stream.push("One. Two"), *stream.push("! Three?"), *stream.flush()]
    whole = list(buzz.speak("One. Two! Three?", controls))
    for one, other in zip(pushed, whole, strict=True):
        assert np.array_equal(one.audio.samples, other.audio.samples) and one.words == other.words


class Reader:
    """A synthesizer with the one method of its protocol; a sentence is 0.1 s of ones."""

    rate = 1000

    def speak(self, text, controls=Controls()):
        if any(char.isalnum() for char in text):
            yield Speech(Audio(np.ones(100, np.float32), self.rate), text)


@pytest.mark.parametrize(
    ("controls", "pause"),
    [
        (Controls(), 0.4),
        (Controls(pause=0.0), 0.0),
        (Controls(sentence_pause=2.0), 2.0),
        (Controls(speed=2.0), 0.2),
    ],
)
def test_any_synthesizer_makes_the_pauses_that_controls_ask_for(controls, pause):
    stream = begin(Reader(), controls)
    made = [*stream.push("… It is noon. It"), *stream.flush()]
    assert [piece.text for piece in made] == ["It is noon.", "It"]
    assert [piece.audio.duration for piece in made] == pytest.approx([0.1, pause + 0.1])


def test_controls_hold_for_the_sentences_that_follow(buzz):
    stream = buzz.begin()
    slow = list(stream.push("Four. Four of them "))
    stream.controls = Controls(speed=2.0)
    fast = list(stream.push("ran. Four. Go "))
    lengths = [piece.words[0].end - piece.words[0].start for piece in (*slow, *fast)]
    assert [piece.text for piece in (*slow, *fast)] == ["Four.", "Four of them ran.", "Four."]
    assert lengths[2] == pytest.approx(lengths[0] / 2) and lengths[1] == pytest.approx(lengths[2])


def test_times_do_not_drift_over_a_long_text(buzz):
    text = "A short sentence. " * 300
    speech = join(buzz.speak(text))
    assert_times_hold(speech, text)
    pieces = list(buzz.speak(text))
    before = sum(len(piece.audio.samples) for piece in pieces[:-1]) / buzz.rate
    assert speech.words[-1].start == pytest.approx(before + pieces[-1].words[-1].start, abs=1e-6)


def test_speed_shortens_pauses_too(buzz):
    _, second = buzz.speak("One. Two.", Controls(speed=2.0))
    assert second.words[0].start == pytest.approx(PAUSES["sentence"] / 2 + LEAD, abs=1e-3)


def test_text_without_sound_gives_no_speech_and_says_so_when_joined(buzz):
    assert list(buzz.speak("?! …")) == []
    with pytest.raises(TextError, match="read aloud"):
        join(buzz.speak(""))


def test_warns_of_what_it_cannot_read(buzz):
    with pytest.warns(UserWarning, match="世界"):
        assert [piece.text for piece in buzz.speak("Hello 世界.")] == ["Hello 世界."]


def test_silence_before_moves_the_words(buzz):
    (speech,) = buzz.speak("One.")
    moved = after_silence(speech, 0.5)
    assert moved.audio.duration == pytest.approx(speech.audio.duration + 0.5)
    assert moved.words[0].start == pytest.approx(speech.words[0].start + 0.5)


def test_heart_begins_and_ends_softly_and_without_dead_air():
    voice = Voice(Heart.open(threads=1))
    text = "Dr. Smith paid $20 on May 5th, didn't he?\n\nYes — he did."
    pieces = list(voice.speak(text))
    assert_times_hold(join(pieces), text)
    for piece in pieces:
        assert abs(piece.audio.samples[0]) < 1e-3 and abs(piece.audio.samples[-1]) < 1e-3
        assert piece.audio.duration - piece.words[-1].end < 0.4


def test_every_heldout_sentence_is_spoken_with_times_in_order(corpora):
    path = corpora.parent / "text" / "heldout.txt"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    voice = Voice(Buzzer())
    for line in path.read_text(encoding="utf-8").splitlines():
        assert_times_hold(join(voice.speak(line)), line)


def test_what_is_not_read_is_told_to_who_asks_and_warned_of_otherwise(buzz, recwarn):
    told = []
    list(buzz.speak("<speak>One <foo>你好</foo> two.</speak>", tell=told.append))
    assert len(told) == 2 and "<foo>" in told[0] and "你好" in told[1] and not recwarn
    with pytest.warns(UserWarning, match="not read aloud: 你好"):
        list(buzz.speak("One 你好 two."))


class ManyLanguages(Buzzer):
    """An engine whose network knows the phonemes of Spanish too."""

    languages = frozenset(("en", "es"))


def test_a_voice_that_speaks_many_languages_reads_each_as_xml_lang_says():
    heard = []

    class Listening(ManyLanguages):
        def render(self, reading, controls):
            heard.append(reading.phonemes)
            return super().render(reading, controls)

    text = '<speak>One. <lang xml:lang="es-MX">Tengo 21 gallinas.</lang> Two.</speak>'
    assert [piece.text for piece in Voice(Listening()).speak(text)] == ["One.", "Tengo 21 gallinas.", "Two."]
    assert "ɣaʎˈinas" in heard[1] and "ˈuna" in heard[1]


def test_another_voice_speaks_the_language_that_a_voice_does_not_and_its_own_words_in_its_own_language():
    spanish = Voice(Buzzer(), language=find_language("es"))
    asked = []

    def others(name):
        asked.append(name)
        return spanish

    voice = Voice(Buzzer(), others)
    for text in ('<p xml:lang="es">Hola.</p>', '<voice name="ef_dora">Hola.</voice>'):
        [piece] = voice.speak(f"<speak>{text}</speak>")
        assert piece.text == "Hola." and set(asked) == {"ef_dora"}


def test_a_language_that_cannot_be_read_is_named_and_its_text_is_read_all_the_same(buzz):
    told = []
    assert [piece.text for piece in buzz.speak('<speak xml:lang="fi">One.</speak>', tell=told.append)] == [
        "One."
    ]
    assert "fi" in told[0]


def test_reads_another_language_if_its_engine_speaks_it(buzz):
    assert Voice(ManyLanguages()).in_language("es").language is find_language("es")
    assert buzz.in_language("en") is buzz
    with pytest.raises(ModelError, match="Spanish"):
        buzz.in_language("es")


def test_a_voice_knows_who_speaks_another_language_with_the_same_rate(buzz):
    asked = []
    spanish = Voice(Buzzer(), language=find_language("es"))
    english = Voice(Buzzer(), lambda name: asked.append(name) or spanish)
    assert english.for_language("es") is spanish and asked == ["ef_dora"]
    assert english.for_language("en") is english and english.for_language("") is english
    with pytest.raises(ModelError, match="no voice that speaks Basque"):
        english.for_language("eu")
    with pytest.raises(ModelError, match="cannot change"):
        buzz.for_language("es")
