"""A sentence in pieces is the sentence: cuts, trimming, words, and the networks' context."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

import voice
from voice.loading import load
from voice.models.card import read_card
from voice.text.english.language import ENGLISH
from voice.text.frontend import read_aloud
from voice.tts.acoustic import CURVES_REACH, Acoustic, SpeakerStats
from voice.tts.engine import SentenceStream
from voice.tts.frames import PITCH
from voice.tts.pauses import LEAD
from voice.tts.stft import BINS
from voice.tts.streaming import FIRST_PIECE, LONGEST_PIECE, STRETCH, cuts, pieces, speech_pieces
from voice.tts.vocoder import Vocoder
from voice.tts.voice import Voice, join
from voice.types import Audio, Controls, Speech, Word

RATE = 24_000
LONG = (
    "When the ferry had left, the people who had come to see it off, some of them in tears, stayed on the "
    "quay until its lights were gone, and only then walked home along the dark and empty shore."
)


def words(count=20, length=0.25, gap=0.05, start=0.1):
    times = [start + i * (length + gap) for i in range(count)]
    return tuple(Word(f"w{i}", time, time + length) for i, time in enumerate(times))


def test_pieces_end_with_words_and_grow():
    said = words(60)
    ends = cuts(said, said[-1].end + 0.1)
    assert ends[-1] == said[-1].end + 0.1 and set(ends[:-1]) <= {word.end for word in said[:-1]}
    lengths = np.diff([said[0].start - LEAD, *ends])
    assert FIRST_PIECE <= lengths[0] <= STRETCH * FIRST_PIECE and (np.diff(lengths[:3]) > 0).all()
    assert lengths.max() <= STRETCH * LONGEST_PIECE


def test_a_word_that_takes_seconds_is_cut_inside():
    ends = cuts((Word("www…", 0.1, 8.0), Word("end", 8.1, 8.4)), 8.5)
    assert len(ends) > 4 and np.diff([0.05, *ends]).max() <= STRETCH * LONGEST_PIECE


def test_short_sentences_and_those_without_words_are_one_piece():
    assert cuts(words(1), 0.5) == [0.5] and cuts((), 0.2) == [0.2]


def test_words_come_with_the_piece_in_which_they_end():
    said = (Word("a", 0.1, 0.4), Word("very-long", 0.5, 2.0), Word("one", 2.1, 2.5))
    samples = np.ones(round(2.7 * RATE), np.float32)
    parts = [samples[: RATE // 2], samples[RATE // 2 : RATE], samples[RATE:]]
    made = list(speech_pieces(SentenceStream(said, iter(parts)), RATE, pause=0.25))
    assert [piece.text for piece in made] == ["a", "", "very-long one"]
    assert made[0].words[0].start == pytest.approx(0.25 + LEAD)
    offset = made[0].audio.duration + made[1].audio.duration
    assert made[2].words[0].start == pytest.approx(0.25 + LEAD + 0.4 - offset) and made[2].words[0].start < 0
    assert not made[0].audio.samples[:6000].any()


class Smeared:
    """Networks that look `reach` to both sides; sentences of 6 frames a symbol."""

    def __init__(self, reach):
        self.reach, self.widest = reach, 0

    def _smear(self, values):
        window = np.ones(2 * self.reach + 1) / (2 * self.reach + 1)
        self.widest = max(self.widest, len(np.trim_zeros(values, "b")))  # without what fills a group up
        return np.convolve(values, window)[self.reach : self.reach + len(values)].astype(np.float32)


class FakeText:
    def run(self, _, given):
        count = given["tokens"].shape[1]
        rng = np.random.default_rng(count)
        tones = rng.normal(0, 1, (2, 1, count)).astype(np.float32)
        hidden = given["tokens"][..., None] / 40.0
        return [hidden, np.repeat(hidden, 100, 2), np.full((1, count), np.log1p(6), np.float32), *tones]


class FakeCurves(Smeared):
    def run(self, _, given):
        seen = self._smear(given["hidden"][0, :, 0] + given["features"][0, :, PITCH])
        return [np.stack([self._smear(given["features"][0, :, 0]), seen, np.sin(seen * 9)], 1)[None]]


class FakeSpectra(Smeared):
    def run(self, _, given):
        seen = self._smear(given["frames"][0].mean(0) + given["f0"][0] / 300)
        plane = seen[:, None] * np.linspace(0.2, 1, BINS)
        return [np.stack([plane * k for k in (0.3, -0.2, 0.1, 0.01, 0.02)])[None].astype(np.float32)]


def fake_voice(curves=CURVES_REACH, decoder=27):
    networks = FakeCurves(curves), FakeSpectra(decoder)
    engine = Acoustic(
        FakeText(), networks[0], Vocoder(networks[1], bands=101), 0, SpeakerStats(5.0, 0.2, 0.0, 1.0)
    )
    return engine, networks


def assert_streams(engine, text, controls=Controls()):
    (reading,) = read_aloud(text, ENGLISH)
    whole, flowing = engine.render(reading, controls), engine.stream(reading, controls)
    parts = list(flowing.pieces)
    apart = np.concatenate(parts) - whole.audio.samples
    assert np.abs(apart).max() < 1e-4
    assert flowing.words == whole.words
    return parts


def test_a_sentence_in_pieces_is_the_sentence():
    engine, _ = fake_voice()
    parts = assert_streams(engine, LONG)
    assert len(parts) > 3 and len(parts[0]) < RATE
    fresh, (_, decoder) = fake_voice()
    (reading,) = read_aloud(LONG, ENGLISH)
    first = next(fresh.stream(reading).pieces)
    assert decoder.widest <= len(first) // 300 + fresh._decoder.lookahead  # nothing is drawn too soon


def test_what_controls_ask_for_is_the_same_in_pieces():
    asked = Controls(speed=1.3, pitch=4.0, energy=6.0, pause=2.0)
    assert len(assert_streams(fake_voice()[0], LONG, asked)) > 3


def test_networks_that_see_further_than_they_say_are_found_out():
    with pytest.raises(AssertionError):
        assert_streams(fake_voice(curves=40)[0], LONG)


@pytest.mark.parametrize(
    "text", ["Yes.", LONG, "Did anybody remember to water the garden while we were away?"]
)
@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_every_voice_of_ours_in_pieces_is_the_voice(text, speed):
    cards = [
        read_card(path.parent) for path in Path(voice.__file__).parent.glob("models/pretrained/*/model.toml")
    ]
    ours = [card.name for card in cards if card.engine == "acoustic"]
    assert {"kathleen", "lj", "kumo"} <= set(ours)
    for name in ours:
        assert_streams(load(name, threads=1).engine, text, Controls(speed=speed))


LATE = '<p>So <mark name="here"/>it was. <break time="300ms"/> It was late.</p>'
MARKED = f"<speak>Well. {LONG} {LATE}</speak>"


@pytest.mark.parametrize("text", [f"Well. {LONG} It was late.", MARKED])
def test_a_text_in_pieces_is_the_text(text):
    speaker = Voice(fake_voice()[0])
    parts = list(speaker.stream(text))
    together, whole = join(parts), join(speaker.speak(text))
    np.testing.assert_allclose(together.audio.samples, whole.audio.samples, atol=1e-4)
    assert together.text == whole.text
    for name in ("words", "marks"):
        for one, other in zip(getattr(together, name), getattr(whole, name), strict=True):
            assert astuple(one) == pytest.approx(astuple(other))
    assert len(parts) > len(list(speaker.speak(text))) + 2


def test_words_are_there_with_their_sound():
    for piece in Voice(fake_voice()[0]).stream(LONG):
        assert piece.words and piece.text == " ".join(word.text for word in piece.words)
        assert piece.words[0].start >= 0 and piece.words[-1].end <= piece.audio.duration + 1e-9


class Plain:
    rate = RATE

    def speak(self, text, controls=Controls()):
        yield Speech(Audio(np.zeros(10, np.float32), RATE), text)


def test_a_synthesizer_without_pieces_gives_sentences():
    assert [piece.text for piece in pieces(Plain(), "Hello there.")] == ["Hello there."]
