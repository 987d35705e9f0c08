from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest

from voice.errors import VoiceError
from voice.text.subtitles import cues, render, speech_segment
from voice.types import Audio, Segment, Speech, Transcript, Word


def evenly_timed(text: str, *, start: float = 0.0, pace: float = 0.3) -> Segment:
    """Each word takes `pace` seconds."""
    clocks = [start + pace * number for number in range(len(text.split()))]
    words = tuple(
        Word(word, clock, clock + pace, 0.9) for word, clock in zip(text.split(), clocks, strict=True)
    )
    return Segment(text, words[0].start, words[-1].end, words)


HELLO = Transcript(
    (evenly_timed("Hello there, world."), evenly_timed("Fish & <chips>?", start=2.0)), "en", 3.5
)


def test_text_has_a_sentence_on_each_line() -> None:
    assert render(HELLO, "txt") == "Hello there, world.\nFish & <chips>?\n"


def test_json_follows_whispers() -> None:
    whole = json.loads(render(HELLO, "json"))
    assert list(whole) == ["text", "language", "duration", "segments"]
    assert whole["text"] == "Hello there, world. Fish & <chips>?"
    assert list(whole["segments"][1]) == ["id", "start", "end", "text", "words"]
    assert whole["segments"][1]["words"][0] == {"word": " Fish", "start": 2.0, "end": 2.3, "probability": 0.9}


TALK = Transcript(
    (
        replace(evenly_timed("Hello there."), speaker="Speaker 1"),
        replace(evenly_timed("How are you?", start=1.0), speaker="Speaker 1"),
        replace(evenly_timed("Fine.", start=3.0), speaker="Speaker 2"),
    ),
    "en",
    4.0,
)


def test_who_speaks_is_said_in_every_format() -> None:
    assert render(TALK, "txt") == "Speaker 1: Hello there.\nSpeaker 1: How are you?\nSpeaker 2: Fine.\n"
    assert [one["speaker"] for one in json.loads(render(TALK, "json"))["segments"]] == [
        "Speaker 1",
        "Speaker 1",
        "Speaker 2",
    ]
    assert [block.split("\n", 2)[2] for block in render(TALK, "srt").strip().split("\n\n")] == [
        "Speaker 1: Hello there.",
        "How are you?",
        "Speaker 2: Fine.",
    ]
    assert render(TALK, "vtt").count("\n<v Speaker 1>") == 2 and "\n<v Speaker 2>Fine.\n" in render(
        TALK, "vtt"
    )
    assert render(TALK, "tsv").splitlines()[::3] == [
        "start\tend\ttext\tspeaker",
        "3000\t3300\tFine.\tSpeaker 2",
    ]


def test_a_name_counts_in_the_width_of_a_subtitle() -> None:
    long = replace(
        evenly_timed("This line is as long as a line of subtitles may be, and this is the rest."),
        speaker="Speaker 1",
    )
    shown = cues(Transcript((long,), "en", 6.0), named=True)
    assert all(len(line) <= 42 for cue in shown for line in cue.lines)
    assert shown[0].lines[0].startswith("Speaker 1: This")


def test_srt_and_vtt_have_their_clocks_and_escapes() -> None:
    assert render(HELLO, "srt").startswith("1\n00:00:00,000 --> 00:00:01,000\nHello there, world.\n\n2\n")
    assert render(HELLO, "vtt").startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nHello there, world.\n\n")
    assert "Fish &amp; &lt;chips&gt;?" in render(HELLO, "vtt")
    late = Transcript((evenly_timed("Late.", start=3723.4567),), "en", 4000)
    assert "01:02:03,457 -->" in render(late, "srt")


def test_tsv_counts_milliseconds() -> None:
    rows = ["start\tend\ttext", "0\t900\tHello there, world.", "2000\t2900\tFish & <chips>?", ""]
    assert render(HELLO, "tsv") == "\n".join(rows)


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(VoiceError, match="txt, json, srt, vtt, tsv"):
        render(HELLO, "doc")


@pytest.mark.parametrize("format", ["txt", "json", "srt", "vtt", "tsv"])
def test_nothing_said_is_a_valid_file(format: str) -> None:
    assert isinstance(render(Transcript((), "en", 5.0), format), str)


@pytest.mark.parametrize("seed", range(10))
def test_every_cue_is_short_and_every_word_is_in_one(seed: int) -> None:
    draw = random.Random(seed)
    text = " ".join("x" * draw.randint(1, 12) + draw.choice(["", "", "", ",", "."]) for _ in range(200))
    found = cues(Transcript((evenly_timed(text, pace=draw.choice([0.1, 0.3, 0.9])),), "en", 100))
    assert " ".join(" ".join(cue.lines) for cue in found).split() == text.split()
    assert all(len(cue.lines) <= 2 and max(map(len, cue.lines)) <= 42 for cue in found)
    assert all(0 < cue.end - cue.start <= 7 for cue in found)
    assert all(one.end <= other.start for one, other in zip(found, found[1:], strict=False))


def test_cues_end_with_sentences_where_they_can() -> None:
    text = "This is the first of the sentences. And this here is the second one, somewhat longer. Third."
    found = [" ".join(cue.lines) for cue in cues(Transcript((evenly_timed(text),), "en", 9))]
    assert found[0] == "This is the first of the sentences."


def test_no_cue_ends_inside_a_name() -> None:
    text = "In the end of that year the whole committee asked Dr. A. Smith of the U.S. Senate to come back"
    ends = [cue.lines[-1].split()[-1] for cue in cues(Transcript((evenly_timed(text),), "en", 30.0))]
    assert len(ends) > 1 and not {"Dr.", "A.", "U.S."} & set(ends)


def test_no_cue_spans_a_long_pause() -> None:
    words = (Word("One,", 0, 1), Word("two.", 5, 6))
    found = cues(Transcript((Segment("One, two.", 0.0, 6.0, words),), "en", 6.0))
    assert [(cue.start, cue.end) for cue in found] == [(0, 1), (5, 6)]


def test_a_word_alone_joins_its_neighbors_but_not_across_a_long_pause_or_another_speaker() -> None:
    parts = [evenly_timed("Well.", start=0.0), evenly_timed("It was her hat.", start=0.7)]
    shown = cues(Transcript((*parts, evenly_timed("Hers.", start=2.2)), "en", 3.0))
    assert [cue.lines for cue in shown] == [("Well. It was her hat. Hers.",)]
    late = cues(Transcript((*parts, evenly_timed("Hers.", start=3.5)), "en", 4.0))
    assert [cue.lines for cue in late] == [("Well. It was her hat.",), ("Hers.",)]
    other = cues(Transcript((replace(parts[0], speaker="A"), replace(parts[1], speaker="B")), "en", 2.0))
    assert len(other) == 2


@pytest.mark.parametrize("count", range(10, 40))
def test_no_long_sentence_leaves_a_word_alone(count: int) -> None:
    text = " ".join(["somewhat", "long", "words,"] * 13)
    words = evenly_timed(" ".join(text.split()[:count]))
    shown = cues(Transcript((words,), "en", 20.0))
    assert all(len(" ".join(cue.lines).split()) > 1 for cue in shown)


def test_a_cue_stays_until_it_is_read_if_there_is_time_and_short_gaps_are_closed() -> None:
    fast = evenly_timed("Forty characters can be read in 2 s, no.", pace=0.15)  # 1.35 s
    ends = [
        cues(Transcript((fast, evenly_timed("And then?", start=start)), "en", 9.0))[0].end
        for start in (1.6, 2.05, 4.0)
    ]
    assert ends == [1.6, 2.05, 2.0]


def test_a_word_that_seems_to_last_forever_is_shown_for_seven_seconds() -> None:
    words = (Word("Hm.", 1.0, 60.0),)
    (cue,) = cues(Transcript((Segment("Hm.", 1.0, 60.0, words),), "en", 60.0))
    assert (cue.start, cue.end) == (1.0, 8.0)


def test_synthesized_speech_lasts_from_its_first_word_to_its_last() -> None:
    piece = Speech(
        Audio(np.zeros(4000, np.float32), 1000), "One two.", (Word("One", 1, 2), Word("two.", 2, 3))
    )
    segment = speech_segment(piece, 10.0)
    assert (segment.start, segment.end, segment.words[1].start) == (11, 13, 12)


def test_a_segment_without_words_is_divided_by_its_letters() -> None:
    text = "word " * 30
    found = cues(Transcript((Segment(text.strip(), 0.0, 15.0),), "en", 15))
    assert len(found) >= 3
    assert " ".join(" ".join(cue.lines) for cue in found).split() == text.split()


def test_languages_without_spaces_get_none() -> None:
    words = tuple(Word(letter, i * 0.2, i * 0.2 + 0.2) for i, letter in enumerate("今日はいい天気です。"))
    transcript = Transcript((Segment("今日はいい天気です。", 0.0, 2.0, words),), "ja", 2.0)
    assert cues(transcript)[0].lines == ("今日はいい天気です。",)
    assert json.loads(render(transcript, "json"))["segments"][0]["words"][1]["word"] == "日"


def timeless(seed: int) -> Transcript:
    """Segments of which some words, or all, begin and end at one time, or run backward."""
    draw, segments, clock = random.Random(seed), [], 0.0
    for _ in range(draw.randint(1, 12)):
        start, words = clock, []
        for number in range(draw.randint(0, 8)):
            length = draw.choice([0.0, 0.0, 0.0, 0.2, -0.1])
            words.append(Word(f"w{number}.", clock, clock + length))
            clock += max(0.0, length)
        text = " ".join(word.text for word in words) or "Said without times."
        segments.append(Segment(text, start, clock, tuple(words)))
    return Transcript(tuple(segments), "en", clock)


def seconds(clock: str) -> float:
    hours, minutes, rest = clock.replace(",", ".").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_shown_for_no_time_in_any_format(seed: int) -> None:
    transcript = timeless(seed)
    whole = json.loads(render(transcript, "json"))
    rows = [row.split("\t")[:2] for row in render(transcript, "tsv").splitlines()[1:]]
    shown = [
        [
            tuple(map(seconds, line.split(" --> ")))
            for line in render(transcript, form).splitlines()
            if "-->" in line
        ]
        for form in ("srt", "vtt")
    ]
    words = [(word["start"], word["end"]) for segment in whole["segments"] for word in segment["words"]]
    spans = [(segment["start"], segment["end"]) for segment in whole["segments"]]
    for times in (words, spans, [tuple(map(int, row)) for row in rows], *shown):
        assert all(start < end for start, end in times)
        assert all(one[1] <= other[0] for one, other in zip(times, times[1:], strict=False))
    assert [round(1000 * time) for span in spans for time in span] == [
        int(time) for row in rows for time in row
    ]
