from __future__ import annotations

import pytest

from voice.asr.diarization.attribution import attribute_speakers
from voice.asr.diarization.speakers import SpeakerTurn
from voice.types import Segment, Transcript, Word


def evenly_timed(text: str, start: float = 0.0, pace: float = 0.5) -> Segment:
    """A word each `pace` seconds."""
    words = tuple(Word(w, start + pace * n, start + pace * (n + 1)) for n, w in enumerate(text.split()))
    return Segment(text, words[0].start, words[-1].end, words)


def lines(*segments: Segment, turns: list[SpeakerTurn]) -> list[tuple[str | None, str]]:
    whole = attribute_speakers(Transcript(segments, "en", 60.0), turns)
    assert [word for segment in whole.segments for word in segment.words] == [
        w for s in segments for w in s.words
    ]
    return [(segment.speaker, segment.text) for segment in whole.segments]


def test_a_segment_is_divided_where_the_speaker_changes():
    segment = evenly_timed("How are you? I am fine.")
    found = attribute_speakers(
        Transcript((segment,), "en", 3.0), [SpeakerTurn(0, 0, 1.5), SpeakerTurn(1, 1.5, 3)]
    ).segments
    assert [(s.speaker, s.text, s.start, s.end) for s in found] == [
        ("Speaker 1", "How are you?", 0.0, 1.5),
        ("Speaker 2", "I am fine.", 1.5, 3.0),
    ]


def test_people_are_counted_as_they_appear_in_the_text():
    turns = [SpeakerTurn(0, 0, 0.2), SpeakerTurn(1, 5, 7), SpeakerTurn(2, 7, 9)]
    assert lines(evenly_timed("Yes indeed.", 5), evenly_timed("No never.", 7), turns=turns) == [
        ("Speaker 1", "Yes indeed."),
        ("Speaker 2", "No never."),
    ]


def test_a_word_is_whose_it_mostly_is_and_between_turns_the_nearest_ones():
    turns = [SpeakerTurn(0, 0, 0.7), SpeakerTurn(1, 0.7, 1.5), SpeakerTurn(0, 9, 10)]
    assert lines(evenly_timed("one two three"), evenly_timed("late", 8), turns=turns) == [
        ("Speaker 1", "one"),
        ("Speaker 2", "two three"),
        ("Speaker 1", "late"),
    ]


def test_where_two_speak_at_once_who_spoke_goes_on():
    assert lines(evenly_timed("a b c d"), turns=[SpeakerTurn(1, 0, 2), SpeakerTurn(0, 0.5, 1.5)]) == [
        ("Speaker 1", "a b c d")
    ]


@pytest.mark.parametrize("change", [1.0, 1.5, 2.0])
def test_a_change_beside_the_end_of_a_sentence_is_moved_there(change):
    assert lines(
        evenly_timed("How are you? I am fine."), turns=[SpeakerTurn(0, 0, change), SpeakerTurn(1, change, 3)]
    ) == [
        ("Speaker 1", "How are you?"),
        ("Speaker 2", "I am fine."),
    ]


def test_a_change_is_not_moved_into_a_name():
    found = lines(
        evenly_timed("I saw Dr. Livingstone there"), turns=[SpeakerTurn(0, 0, 1), SpeakerTurn(1, 1, 3)]
    )
    assert found == [("Speaker 1", "I saw"), ("Speaker 2", "Dr. Livingstone there")]


def test_an_interjection_stays_whose_it_is():
    turns = [SpeakerTurn(0, 0, 1), SpeakerTurn(1, 1.5, 2), SpeakerTurn(0, 2, 4)]
    assert lines(evenly_timed("So we went? Yes. And then home."), turns=turns) == [
        ("Speaker 1", "So we went?"),
        ("Speaker 2", "Yes."),
        ("Speaker 1", "And then home."),
    ]


def test_a_segment_without_words_is_one_persons():
    segment = Segment("Hello and goodbye.", 0.0, 3.0)
    assert lines(segment, turns=[SpeakerTurn(0, 0, 1), SpeakerTurn(1, 1, 3)]) == [
        ("Speaker 1", "Hello and goodbye.")
    ]


def test_text_without_spaces_is_divided_as_it_is_written():
    words = (Word("你好", 0, 1), Word("。", 1, 1), Word("再见", 1, 2))
    assert lines(Segment("你好。再见", 0, 2, words), turns=[SpeakerTurn(0, 0, 1), SpeakerTurn(1, 1, 2)]) == [
        ("Speaker 1", "你好。"),
        ("Speaker 2", "再见"),
    ]


def test_without_turns_nobody_is_named():
    assert lines(evenly_timed("Hello."), turns=[]) == [(None, "Hello.")]


def test_no_speech_stays_no_speech():
    assert lines(turns=[SpeakerTurn(0, 0, 1)]) == []
