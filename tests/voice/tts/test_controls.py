"""Controls, measured in the sound of both engines: what is asked for is what is heard."""

from __future__ import annotations

import numpy as np
import pytest

from voice.errors import ModelError
from voice.loading import load
from voice.pitch import f0
from voice.text.english.language import ENGLISH
from voice.text.frontend import read_aloud
from voice.text.markup import as_ssml, parse
from voice.text.passages import read_passages
from voice.tts.voice import Voice, join
from voice.types import RANGES, Audio, Controls, Speech

HOP, RATE = 300, 24_000
TEXT = "We will meet at the harbor on Thursday morning."


@pytest.fixture(scope="module", params=["heart", "kathleen"])
def voice(request: pytest.FixtureRequest) -> Voice:
    return load(request.param, threads=1)


def render(voice: Voice, text: str, controls: Controls = Controls()) -> Speech:
    """A single sentence as its engine gives it, untrimmed, so that frames stay in place."""
    (reading,) = read_aloud(text, ENGLISH)
    return voice.engine.render(reading, controls)


def marked_up(voice: Voice, content: str) -> Speech:
    (reading,) = read_passages(parse(as_ssml(content), ENGLISH).passages, ENGLISH)
    return voice.engine.render(reading, Controls())


def decibels(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples))))


def span(speech: Speech) -> float:
    return speech.words[-1].end - speech.words[0].start


def semitones(after: Speech, before: Speech) -> float:
    """The median of how far the pitch lies above what it was, frame by frame."""
    high, low = (f0(each.audio.samples, RATE, HOP, 50.0, 800.0) for each in (after, before))
    voiced = (high > 0) & (low > 0)
    assert voiced.mean() > 0.3
    return float(np.median(12 * np.log2(high[voiced] / low[voiced])))


@pytest.mark.parametrize("pitch", [-6.0, -2.0, 3.0, 8.0])
def test_pitch_moves_by_the_semitones_asked_and_nothing_else_does(voice: Voice, pitch: float) -> None:
    plain, moved = render(voice, TEXT), render(voice, TEXT, Controls(pitch=pitch))
    assert semitones(moved, plain) == pytest.approx(pitch, abs=0.3)
    assert moved.words == plain.words and len(moved.audio.samples) == len(plain.audio.samples)
    assert decibels(moved.audio.samples) == pytest.approx(decibels(plain.audio.samples), abs=2.5)


def test_formants_stay_where_the_pitch_moves(voice: Voice) -> None:
    from voice.audio import resample

    plain = render(voice, TEXT)
    moved = envelope(render(voice, TEXT, Controls(pitch=4.0)).audio.samples)
    faster = resample(Audio(plain.audio.samples, RATE), round(RATE / 2 ** (4 / 12))).samples
    still = envelope(plain.audio.samples)
    places = np.minimum(
        np.arange(still.shape[1]) * len(faster) / len(plain.audio.samples), len(faster) // HOP - 1
    )
    played_faster = envelope(faster)[:, places.astype(int)]
    loud = still[0] > np.median(still[0])
    apart = [np.sqrt(np.mean(np.square((each - still)[1:, loud]))) for each in (moved, played_faster)]
    assert apart[0] < 0.6 * apart[1]


def envelope(samples: np.ndarray) -> np.ndarray:
    """(16, F) cepstra of the mel spectrum: its shape without the harmonics."""
    from voice.features import voice_log_mel

    mel = voice_log_mel(samples)
    bands = np.arange(len(mel)) + 0.5
    basis = np.cos(np.pi * np.arange(16)[:, None] * bands / len(mel))
    return basis @ np.maximum(mel, mel.max() - 8) / len(mel)


@pytest.mark.parametrize("speed", [0.5, 0.8, 1.5, 2.0])
def test_speed_scales_durations_and_leaves_the_pitch(voice: Voice, speed: float) -> None:
    plain, other = render(voice, TEXT), render(voice, TEXT, Controls(speed=speed))
    assert span(other) == pytest.approx(span(plain) / speed, rel=0.03)
    heard = [f0(each.audio.samples, RATE, HOP) for each in (plain, other)]
    low, high = (np.median(each[each > 0]) for each in heard)
    assert abs(12 * np.log2(high / low)) < 1.5


@pytest.mark.parametrize("energy", [-20.0, -6.0, 3.0])
def test_energy_changes_the_level_by_the_decibels_asked(voice: Voice, energy: float) -> None:
    plain, louder = render(voice, TEXT), render(voice, TEXT, Controls(energy=energy))
    assert decibels(louder.audio.samples) - decibels(plain.audio.samples) == pytest.approx(energy, abs=0.2)


def test_what_would_be_too_loud_is_rounded_off(voice: Voice) -> None:
    plain, loud = (render(voice, TEXT, Controls(energy=energy)).audio.samples for energy in (0.0, 12.0))
    assert np.abs(loud).max() <= 1.0 and decibels(loud) > decibels(plain) + 9


def test_controls_that_are_plain_change_nothing(voice: Voice) -> None:
    plain = render(voice, TEXT)
    for other in (Controls(1.0, 0.0, 0.0, 1.0), Controls(sentence_pause=1.0), Controls(lexicon={})):
        assert np.array_equal(render(voice, TEXT, other).audio.samples, plain.audio.samples)
    assert np.array_equal(marked_up(voice, TEXT).audio.samples, plain.audio.samples)


def test_emphasis_makes_its_word_longer_louder_and_higher_and_no_other(voice: Voice) -> None:
    plain = render(voice, TEXT)
    strong = marked_up(voice, TEXT.replace("harbor", "<emphasis level='strong'>harbor</emphasis>"))
    assert [word.text for word in strong.words] == [word.text for word in plain.words]
    lengths = [word.end - word.start for word in plain.words]
    stretched = [word.end - word.start for word in strong.words]
    at = 5
    assert plain.words[at].text == "harbor" and stretched[at] > 1.15 * lengths[at]
    others = [i for i in range(len(lengths)) if i != at]
    assert [stretched[i] for i in others] == pytest.approx([lengths[i] for i in others], abs=0.03)
    before, after = (
        each.audio.cut(each.words[at].start, each.words[at].end).samples for each in (plain, strong)
    )
    assert decibels(after) > decibels(before) + 1
    low, high = (f0(each, RATE, HOP) for each in (before, after))
    assert 12 * np.log2(np.median(high[high > 0]) / np.median(low[low > 0])) > 1.5


def test_phones_sound_like_their_word(voice: Voice) -> None:
    word, phones = render(voice, "Say hello now."), render(voice, "Say [[HH AH0 L OW1]] now.")
    assert np.array_equal(word.audio.samples, phones.audio.samples)


def silences(speech: Speech) -> list[float]:
    """Seconds of every stretch of more than 0.2 s that lies 50 dB below the peak, between sounds."""
    loud = np.flatnonzero(np.abs(speech.audio.samples) > 0.003 * np.abs(speech.audio.samples).max())
    return [gap / RATE for gap in np.diff(loud) if gap > 0.2 * RATE]


@pytest.mark.parametrize("seconds", [0.25, 0.5, 1.37])
def test_breaks_last_as_long_as_they_are_said_to(voice: Voice, seconds: float) -> None:
    tag = f"<break time='{seconds}s'/>"
    text = f"<speak>Turn left {tag} then stop. {tag} Wait here.</speak>"
    speech = join(voice.speak(text))
    words = {word.text: word for word in speech.words}
    assert words["then"].start - words["left"].end == pytest.approx(seconds, abs=0.001)
    assert words["Wait"].start - words["stop."].end == pytest.approx(seconds, abs=0.001)
    assert silences(speech) == pytest.approx([seconds, seconds], abs=0.01)


def test_a_break_at_either_end_is_heard_in_full(voice: Voice) -> None:
    held = join(voice.speak("<speak><break time='1s'/>One.<break time='2s'/><mark name='end'/></speak>"))
    assert held.words[0].start == pytest.approx(1.0, abs=0.001)
    assert held.audio.duration - held.words[-1].end == pytest.approx(2.0, abs=0.001)
    assert held.marks[0].time == pytest.approx(held.audio.duration, abs=0.001)


def test_pauses_in_seconds_are_exact_between_sentences(voice: Voice) -> None:
    controls = Controls(sentence_pause=0.8, paragraph_pause=1.5)
    speech = join(voice.speak("We came. We saw.\n\nWe left.", controls))
    gaps = [after.start - before.end for before, after in zip(speech.words, speech.words[1:], strict=False)]
    assert [gaps[1], gaps[3]] == pytest.approx([0.8, 1.5], abs=0.001)
    assert silences(speech) == pytest.approx([0.8, 1.5], abs=0.01)


def test_pauses_follow_their_factor(voice: Voice) -> None:
    def comma(controls: Controls) -> float:
        words = render(voice, "When they came back, nobody was there.", controls).words
        return words[4].start - words[3].end

    assert comma(Controls(pause=3.0)) == pytest.approx(3 * comma(Controls()), abs=0.06)
    assert comma(Controls(clause_pause=0.7)) == pytest.approx(0.7, abs=0.03)
    gap = [join(voice.speak("One. Two.", Controls(pause=factor))).words[1].start for factor in (0, 1, 2)]
    assert gap[1] - gap[0] == pytest.approx(0.4, abs=0.01) == pytest.approx(gap[2] - gap[1], abs=0.01)


def test_marks_come_with_the_time_of_their_word(voice: Voice) -> None:
    speech = join(voice.speak("<speak>One <mark name='a'/>two. Three <mark name='b'/></speak>"))
    assert [mark.name for mark in speech.marks] == ["a", "b"]
    assert [mark.time for mark in speech.marks] == [speech.words[1].start, speech.words[2].end]


def test_voices_take_turns() -> None:
    text = "<speak>One sentence. <voice name='{}'>Another sentence.</voice></speak>"
    heart, kathleen = load("heart", threads=1), load("kathleen", threads=1)
    (_, changed), (_, own) = heart.speak(text.format("kathleen")), kathleen.speak(text.format("kathleen"))
    assert np.array_equal(changed.audio.samples, own.audio.samples)


@pytest.mark.parametrize("name", ["nobody", "../x", "hf:some/model", "whisper-base", "/tmp"])
def test_a_text_can_name_no_voice_but_those_that_are_here(name: str) -> None:
    with pytest.raises(ModelError, match="can name heart"):
        load("heart", threads=1).speak(f"<speak><voice name='{name}'>Hi.</voice></speak>")


def test_a_voice_without_others_says_so() -> None:
    class Mute:
        rate = RATE

        def render(self, reading, controls):
            raise AssertionError("nothing is to be spoken")

    with pytest.raises(ModelError, match="leave <voice> out"):
        Voice(Mute()).speak("<speak><voice name='heart'>Hi.</voice></speak>")


@pytest.mark.parametrize("name", RANGES)
def test_controls_out_of_range_say_what_their_range_is(name: str) -> None:
    lowest, highest, _ = RANGES[name]
    Controls(**{name: lowest}), Controls(**{name: highest})
    for wrong in (lowest - 0.1, highest + 0.1, float("nan")):
        with pytest.raises(ValueError, match="it goes from"):
            Controls(**{name: wrong})


def test_a_voice_that_comes_in_pieces_follows_the_same_controls(voice: Voice) -> None:
    text = as_ssml(f"{TEXT} And <mark name='a'/><emphasis>then</emphasis> we went. <break/> Home.")
    controls = Controls(speed=0.8, pitch=3.0, energy=4.0)
    whole, pieces = join(voice.speak(text, controls)), join(voice.stream(text, controls))
    assert np.abs(whole.audio.samples - pieces.audio.samples).max() < 1e-3
    assert whole.marks == pieces.marks
    assert [word.text for word in whole.words] == [word.text for word in pieces.words]


def test_times_do_not_drift_over_many_breaks_and_speeds(voice: Voice) -> None:
    sentence = "<prosody rate='{}%'>Go <break time='{}ms'/> on.</prosody>"
    speech = join(voice.speak(as_ssml(" ".join(sentence.format(70 + i, 200 + 7 * i) for i in range(40)))))
    gaps = [
        after.start - before.end for before, after in zip(speech.words[::2], speech.words[1::2], strict=True)
    ]
    assert gaps == pytest.approx([0.2 + 0.007 * i for i in range(40)], abs=1e-3)
    last = speech.words[-1]
    tail = np.abs(speech.audio.cut(last.start, last.end).samples).max()
    assert tail > 0.2 * np.abs(speech.audio.samples).max() and last.end <= speech.audio.duration
