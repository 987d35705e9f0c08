from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from voice.asr.streaming import Live, Pacing, PartialTranscript, stream
from voice.errors import VoiceError
from voice.types import Audio, Segment, Transcript, Word

RATE = 16_000
LONG, GAP = 0.3, 0.1  # seconds of a word and of what is between two
PACING = Pacing()


class Sound:
    """A fake detector: speech is what is no silence."""

    rate = RATE
    hop = 512

    def stream(self) -> Callable[[np.ndarray], float]:
        return lambda frame: float(np.abs(frame).max() > 0)


class Levels:
    """A fake recognizer: the loudness of a word is its number; one that is cut off is misheard."""

    rate = RATE

    def __init__(self) -> None:
        self.lengths: list[float] = []
        self.failing = False

    def transcribe(
        self, speech: Audio, *, language: str | None = None, hotwords: Sequence[str] = ()
    ) -> Transcript:
        self.lengths.append(speech.duration)
        if self.failing:
            raise VoiceError("the model is gone; load it again")
        levels = np.round(speech.samples * 1000).astype(int)
        edges = [0, *(np.flatnonzero(np.diff(levels)) + 1), len(levels)]
        words = tuple(
            self._word(levels[a] - 100, a / RATE, b / RATE)
            for a, b in zip(edges[:-1], edges[1:], strict=True)
            if levels[a] >= 100
        )
        segment = Segment(" ".join(word.text for word in words), 0.0, speech.duration, words)
        return Transcript((segment,) if words else (), "fi", speech.duration)

    def _word(self, number: int, start: float, end: float) -> Word:
        whole = end - start > LONG - 0.01
        return Word(f"w{number}" if whole else "eh", start, end)


def speech(first: int, last: int) -> np.ndarray:
    """Words by their numbers, the sound between them no silence."""
    word = [np.concatenate((level(LONG, 100 + n), level(GAP, 1))) for n in range(first, last)]
    return np.concatenate(word)


def level(seconds: float, loudness: int) -> np.ndarray:
    return np.full(round(seconds * RATE), loudness / 1000, np.float32)


def silence(seconds: float) -> np.ndarray:
    return level(seconds, 0)


def text(first: int, last: int) -> str:
    return " ".join(f"w{n}" for n in range(first, last))


def play(live: Live, sound: np.ndarray, size: int = 320) -> list[PartialTranscript]:
    pieces = (sound[first : first + size] for first in range(0, len(sound), size))
    return [partial for piece in pieces if (partial := live.feed(piece))]


def test_a_long_monologue_comes_out_word_for_word_and_is_never_recognized_whole() -> None:
    recognizer = Levels()
    live = Live(recognizer, Sound())
    play(live, speech(0, 200))
    transcript = live.finish()
    assert transcript.text == text(0, 200)
    assert max(recognizer.lengths) < PACING.widest + 2 * PACING.step + PACING.sure
    for n, word in enumerate(transcript.words):
        assert (word.start, word.end) == pytest.approx((n * 0.4, n * 0.4 + LONG), abs=0.01)


def test_stable_words_only_grow_and_are_the_final_ones() -> None:
    live = Live(Levels(), Sound())
    partials = play(live, speech(0, 40))
    final = live.finish().text
    for before, after in zip(partials, partials[1:], strict=False):
        assert after.stable.startswith(before.stable)
        assert after.until > before.until
    assert len(partials[-1].stable.split()) > 30
    assert final.startswith(partials[-1].stable)


def test_words_at_the_edge_are_held_back_until_they_are_whole() -> None:
    live = Live(Levels(), Sound())
    partials = play(live, speech(0, 20))
    assert not any("eh" in partial.text for partial in partials)
    assert partials[-1].until - 0.4 * len(partials[-1].text.split()) < PACING.hold + 0.5


def test_a_doubtful_word_is_shown_when_more_has_been_heard_after_it() -> None:
    class Unsure(Levels):
        def _word(self, number: int, start: float, end: float) -> Word:
            return replace(super()._word(number, start, end), confidence=0.3 if number == 4 else 0.9)

    sure = play(Live(Levels(), Sound()), speech(0, 20))
    unsure = play(Live(Unsure(), Sound()), speech(0, 20))
    first, later = (next(p.until for p in each if "w4" in p.text) for each in (sure, unsure))
    assert first < later <= 5 * 0.4 + PACING.sure + PACING.step


@pytest.mark.parametrize("size", [97, 160, 4096, 1_000_000])
def test_the_same_sound_gives_the_same_words_however_it_is_cut(size: int) -> None:
    sound = np.concatenate((silence(0.3), speech(0, 15), silence(0.5), speech(15, 20)))
    one, other = Levels(), Levels()
    expected, found = Live(one, Sound()), Live(other, Sound())
    play(expected, sound, 512)
    play(found, sound[:64_000], size)
    play(found, sound[64_000:], size)
    assert found.finish() == expected.finish()
    assert other.lengths == one.lengths


def test_small_pieces_give_the_same_partials() -> None:
    lists = [play(Live(Levels(), Sound()), speech(0, 30), size) for size in (230, 320, 512)]
    assert lists[0] == lists[1] == lists[2]


def test_a_short_silence_has_the_final_words_made_ahead() -> None:
    recognizer = Levels()
    live = Live(recognizer, Sound())
    partials = play(live, np.concatenate((speech(0, 7), silence(PACING.ahead + 0.1))))
    assert partials[-1].text == text(0, 7)
    asked = len(recognizer.lengths)
    assert live.finish().text == text(0, 7)
    assert live.finish().text == text(0, 7)
    assert len(recognizer.lengths) == asked


def test_finish_hears_what_came_after_the_last_partial_and_ends_nothing() -> None:
    live = Live(Levels(), Sound())
    play(live, speech(0, 7))
    assert live.finish().text == text(0, 7)
    play(live, speech(7, 30))
    assert live.finish().text == text(0, 30)
    assert live.finish().duration == pytest.approx(30 * 0.4)


def test_finish_hears_little_of_what_is_known_already() -> None:
    recognizer = Levels()
    live = Live(recognizer, Sound())
    play(live, speech(0, 30))
    live.finish()
    assert recognizer.lengths[-1] < PACING.glance + PACING.sure + 2 * PACING.step


def test_a_pause_settles_what_was_said_before_it() -> None:
    live = Live(Levels(), Sound())
    play(live, np.concatenate((speech(0, 7), silence(1.0))))
    assert live.partial.stable == text(0, 7)
    assert [segment.text for segment in live.take_settled()] == [text(0, 7)]
    assert live.take_settled() == ()
    play(live, speech(7, 12))
    assert live.finish().text == text(7, 12)
    assert live.finish().words[0].start == pytest.approx(7 * 0.4 + 1.0, abs=0.01)


def test_what_is_still_being_said_is_not_handed_over() -> None:
    live = Live(Levels(), Sound())
    play(live, speech(0, 30))
    assert live.partial.stable
    assert live.take_settled() == ()


def test_a_new_turn_knows_nothing_of_the_last() -> None:
    live = Live(Levels(), Sound())
    play(live, np.concatenate((speech(0, 7), silence(0.3))))
    live.finish()
    live.forget()
    assert live.finish().text == ""
    play(live, np.concatenate((silence(0.3), speech(20, 27))))
    assert live.finish().text == text(20, 27)


def test_a_turn_may_be_forgotten_while_somebody_speaks() -> None:
    live = Live(Levels(), Sound())
    play(live, speech(0, 10))
    live.forget()
    play(live, speech(10, 20))
    assert live.finish().text == text(10, 20)


def test_silence_asks_nobody_and_is_not_kept() -> None:
    recognizer = Levels()
    live = Live(recognizer, Sound())
    assert play(live, silence(20)) == []
    assert (live.finish().text, recognizer.lengths) == ("", [])
    play(live, np.concatenate((speech(0, 3), silence(0.2))))
    assert recognizer.lengths[0] < PACING.pre_roll + PACING.step + 0.1


def test_sound_without_words_does_not_pile_up() -> None:
    recognizer = Levels()
    live = Live(recognizer, Sound())
    play(live, np.concatenate((level(60, 5), speech(0, 7))))
    assert live.finish().text == text(0, 7)
    assert max(recognizer.lengths) <= PACING.longest + 0.04


def test_partials_become_rarer_where_recognizing_is_slow() -> None:
    clock = {"now": 0.0}
    recognizer = Levels()

    def watch() -> float:
        clock["now"] += 0.5  # each recognition looks twice, so that it seems to take half a second
        return clock["now"]

    live = Live(recognizer, Sound(), stopwatch=watch)
    play(live, speech(0, 30))
    expected = 12.0 / (0.5 / PACING.load)
    assert expected - 2 <= len(recognizer.lengths) <= expected + 1
    assert live.finish().text == text(0, 30)


def test_without_a_detector_all_sound_is_heard() -> None:
    live = Live(Levels())
    partials = play(live, np.concatenate((speech(0, 20), silence(1.0))))
    assert partials[-1].text.startswith(text(0, 18))
    assert live.finish().text == text(0, 20)


def test_options_reach_the_recognizer_and_its_first_language_is_kept() -> None:
    asked: list[tuple[str | None, tuple[str, ...]]] = []

    class Asked(Levels):
        def transcribe(self, speech, *, language=None, hotwords=()):
            asked.append((language, tuple(hotwords)))
            return super().transcribe(speech, language=language, hotwords=hotwords)

    live = Live(Asked(), Sound(), hotwords=["Ada"])
    play(live, np.concatenate((speech(0, 7), silence(1.0), speech(7, 10), silence(0.3))))
    assert asked[0] == (None, ("Ada",))
    assert asked[-1] == ("fi", ("Ada",))
    assert live.finish().language == "fi"


def test_words_without_times_share_the_time_of_their_segment() -> None:
    class Plain(Levels):
        def transcribe(self, speech, *, language=None, hotwords=()):
            heard = super().transcribe(speech, language=language, hotwords=hotwords)
            return replace(heard, segments=tuple(replace(s, words=()) for s in heard.segments))

    live = Live(Plain(), Sound())
    play(live, np.concatenate((speech(0, 7), silence(0.3))))
    assert live.finish().text == text(0, 7)


def test_an_error_is_told_and_the_stream_may_go_on() -> None:
    recognizer = Levels()
    live = Live(recognizer, Sound())
    play(live, speech(0, 5))
    recognizer.failing = True
    with pytest.raises(VoiceError, match="load it again"):
        live.feed(speech(5, 10))
    recognizer.failing = False
    live.feed(speech(10, 12))
    assert live.finish().text == text(0, 12)


def test_a_stream_gives_segments_as_they_are_settled_and_all_words_once() -> None:
    sound = np.concatenate((speech(0, 12), silence(1.0), speech(12, 20)))
    live = Live(Levels(), Sound())
    given = list(stream((sound[i : i + 1600] for i in range(0, len(sound), 1600)), live))
    segments = [each for each in given if isinstance(each, Segment)]
    assert [segment.text for segment in segments] == [text(0, 12), text(12, 20)]
    after = given[given.index(segments[0]) + 1 :]
    assert not any("w11" in each.text for each in after)
    assert isinstance(given[0], PartialTranscript)
    assert live.finish().text == ""


def test_real_speech_is_heard_live_as_in_a_file(corpora: Path) -> None:
    from voice import audio
    from voice.errors import ModelError
    from voice.loading import load
    from voice.manifest import read_manifest
    from voice.metrics import word_errors
    from voice.silero import Silero

    try:
        recognizer = load("quick", threads=1)
    except ModelError as error:
        pytest.skip(str(error))
    clip = read_manifest(corpora / "kathleen" / "dev.jsonl")[0]
    live = Live(recognizer, Silero.open(), language="en")
    partials = play(live, np.concatenate((audio.read(clip.audio, RATE).samples, silence(0.4))))
    final = live.finish()
    assert word_errors(recognizer.transcribe(audio.read(clip.audio, RATE)).text, final.text).errors <= 1
    assert final.text.startswith(partials[-1].stable)
    assert partials[-1].text == final.text
