"""Transcripts as files: plain text, Whisper's JSON, SubRip, WebVTT and tab-separated values.

Subtitles are cut from word times: at most two lines of 42 characters and seven seconds a cue,
split at the ends of sentences, then at commas and pauses, then in the middle. No word stands alone where it
fits with others, and a cue stays until it can be read if the next one leaves time for it. Known speakers are
named: before the text, in WebVTT by a voice tag, in tables by a column.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from voice.errors import VoiceError
from voice.text.sentences import ends_sentence
from voice.text.timing import lengthen_spans
from voice.types import Segment, Speech, Transcript, Word

LINE = 42  # characters
LINES = 2
LONGEST_CUE = 7.0  # seconds
SHORTEST_CUE = 1.0  # seconds, where the next cue leaves room for it
LONGEST_PAUSE = 2.0  # seconds of silence that no cue spans
LONE_WORD_PAUSE = 1.0  # seconds beyond which a word is shown alone rather than with its neighbors
LONE_WORD = 1.2  # what it costs to leave a word alone, beside half for a place that is off the middle
READING_SPEED = 20.0  # characters a second that people read, where the next cue leaves room for it
FLICKER = 0.1  # seconds: a shorter gap between two cues is closed


@dataclass(frozen=True)
class Cue:
    """Text on the screen from `start` to `end` seconds, in one or two lines, and its speaker if known."""

    start: float
    end: float
    lines: tuple[str, ...]
    speaker: str | None = None


def render(transcript: Transcript, format: str) -> str:
    """Return the transcript as "txt", "json", "srt", "vtt" or "tsv". Raises VoiceError for another format."""
    if format not in FORMATS:
        raise VoiceError(f"{format!r} is no format for transcripts; choose {', '.join(FORMATS)}")
    return FORMATS[format](_with_visible_times(transcript))


def _with_visible_times(transcript: Transcript) -> Transcript:
    """Give words and segments without duration some time: players fail on cues that last none."""
    spans = [(each.start, each.end) for segment in transcript.segments for each in _timed_parts(segment)]
    if all(start < end for start, end in spans):
        return transcript
    mended = iter(lengthen_spans(spans, 0.0, float("inf")))
    segments = []
    for segment in transcript.segments:
        times = [next(mended) for _ in _timed_parts(segment)]
        words = tuple(
            replace(word, start=start, end=end)
            for word, (start, end) in zip(segment.words, times, strict=bool(segment.words))
        )
        segments.append(replace(segment, start=times[0][0], end=times[-1][1], words=words))
    return replace(transcript, segments=tuple(segments))


def _timed_parts(segment: Segment) -> Sequence[Word | Segment]:
    """Return the parts of a segment that have times: its words or, without words, itself."""
    return segment.words or (segment,)


def speech_segment(piece: Speech, at: float) -> Segment:
    """Return the segment of a piece of speech that begins `at` seconds, from its first word to its last."""
    start, end = (piece.words[0].start, piece.words[-1].end) if piece.words else (0.0, piece.audio.duration)
    return Segment(piece.text, start, end, piece.words).shifted(at)


def cues(transcript: Transcript, *, named: bool = False) -> list[Cue]:
    """Return the transcript as subtitles in the order of time; none overlap.

    With `named`, a cue begins with the name of its speaker if somebody else spoke before.
    """
    groups, before = list[_Group](), None
    for segment in transcript.segments:
        words = _spaced_words(segment)
        if named and words and segment.speaker not in (None, before):
            words[0] = (f" {segment.speaker}: {words[0][0].strip()}", words[0][1])
        before = segment.speaker
        groups += ((group, segment.speaker) for group in _split(words))
    found = [_cue(words, speaker) for words, speaker in _join_lone_words(groups)]
    spans = lengthen_spans([(cue.start, cue.end) for cue in found], 0.0, float("inf"))
    following = [start for start, _ in spans[1:]] + [float("inf")]
    return [
        replace(cue, start=start, end=_shown_until(cue, start, end, limit))
        for cue, (start, end), limit in zip(found, spans, following, strict=False)
    ]


def _shown_until(cue: Cue, start: float, end: float, limit: float) -> float:
    """Return when a cue goes: once it can be read, but with the next one at `limit`, without flicker."""
    readable = sum(map(len, cue.lines)) / READING_SPEED
    end = min(max(end, start + SHORTEST_CUE, start + readable), limit)
    return limit if limit - end < FLICKER else end


def _join_lone_words(groups: Sequence[_Group]) -> Iterator[_Group]:
    """Yield the words and the speaker of each cue; one word alone joins a neighbor that has room for it."""
    held: _Group | None = None
    for words, speaker in groups:
        if held and held[1] == speaker and 1 in (len(held[0]), len(words)):
            together = [*held[0], *words]
            if together[len(held[0])][1].start - held[0][-1][1].end <= LONE_WORD_PAUSE and _fits(together):
                held = (together, speaker)
                continue
        if held:
            yield held
        held = (words, speaker)
    if held:
        yield held


def _cue(words: Sequence[_SpacedWord], speaker: str | None) -> Cue:
    start = words[0][1].start
    return Cue(start, min(words[-1][1].end, start + LONGEST_CUE), _lines(words), speaker)


def _as_txt(transcript: Transcript) -> str:
    named = ((f"{segment.speaker}: " if segment.speaker else "", segment) for segment in transcript.segments)
    return "".join(f"{name}{segment.text.strip()}\n" for name, segment in named)


def _as_json(transcript: Transcript) -> str:
    segments = [_segment_fields(number, segment) for number, segment in enumerate(transcript.segments)]
    whole = {
        "text": transcript.text,
        "language": transcript.language,
        "duration": round(transcript.duration, 3),
        "segments": segments,
    }
    if transcript.marks:
        whole["marks"] = [{"name": mark.name, "time": round(mark.time, 3)} for mark in transcript.marks]
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def _segment_fields(number: int, segment: Segment) -> dict[str, object]:
    words = [
        {
            "word": text,
            "start": round(word.start, 3),
            "end": round(word.end, 3),
            "probability": round(word.confidence, 4),
        }
        for text, word in _spaced_words(segment)
    ]
    return {
        "id": number,
        "start": round(segment.start, 3),
        "end": round(segment.end, 3),
        "text": segment.text,
        **({"speaker": segment.speaker} if segment.speaker else {}),
        "words": words if segment.words else [],
    }


def _as_srt(transcript: Transcript) -> str:
    return "".join(
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n" + "\n".join([*cue.lines, "", ""])
        for number, cue in enumerate(cues(transcript, named=True), start=1)
    )


def _as_vtt(transcript: Transcript) -> str:
    return "WEBVTT\n\n" + "".join(
        f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{_vtt_text(cue)}\n\n"
        for cue in cues(transcript)
    )


def _as_tsv(transcript: Transcript) -> str:
    known = any(segment.speaker for segment in transcript.segments)
    rows = [
        [
            str(round(segment.start * 1000)),
            str(round(segment.end * 1000)),
            " ".join(segment.text.split()),
            *([segment.speaker or ""] if known else []),
        ]
        for segment in transcript.segments
    ]
    head = ["start", "end", "text", *(["speaker"] if known else [])]
    return "".join("\t".join(row) + "\n" for row in [head, *rows])


FORMATS: dict[str, Callable[[Transcript], str]] = {
    "txt": _as_txt,
    "json": _as_json,
    "srt": _as_srt,
    "vtt": _as_vtt,
    "tsv": _as_tsv,
}


def _clock(seconds: float, point: str) -> str:
    """Return hh:mm:ss and milliseconds after `point`."""
    milliseconds = max(0, round(seconds * 1000))
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def _vtt_text(cue: Cue) -> str:
    return (f"<v {_escape(cue.speaker)}>" if cue.speaker else "") + _escape("\n".join(cue.lines))


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_SpacedWord = tuple[str, Word]  # a word's text with the space before it, and the word
_Group = tuple[Sequence[_SpacedWord], str | None]  # the words of a cue, and who says them


def _spaced_words(segment: Segment) -> list[_SpacedWord]:
    """Return the words of a segment with the spaces that its text puts before them."""
    pairs: list[_SpacedWord] = []
    position = 0
    for word in segment.words or _even_word_times(segment):
        found = segment.text.find(word.text, position)
        space = " " if found < 0 or segment.text[position:found].isspace() or not pairs else ""
        position = found + len(word.text) if found >= 0 else position
        pairs.append((space + word.text, word))
    return pairs


def _even_word_times(segment: Segment) -> Iterator[Word]:
    """Yield the words of a segment that has none, each as long as its letters ask for."""
    written = segment.text.split()
    pace = (segment.end - segment.start) / max(1, sum(map(len, written)))
    clock = segment.start
    for text in written:
        yield Word(text, clock, clock + pace * len(text))
        clock += pace * len(text)


def _split(words: Sequence[_SpacedWord]) -> list[Sequence[_SpacedWord]]:
    """Part words into those of cues; too many for one are divided at the best place and tried again."""
    if not words:
        return []
    if len(words) == 1 or _fits(words):
        return [words]
    place = min(range(1, len(words)), key=lambda index: _cost(words, index))
    return _split(words[:place]) + _split(words[place:])


def _fits(words: Sequence[_SpacedWord]) -> bool:
    pauses = (after.start - before.end for (_, before), (_, after) in zip(words, words[1:], strict=False))
    return (
        words[-1][1].end - words[0][1].start <= LONGEST_CUE
        and max(pauses, default=0.0) <= LONGEST_PAUSE
        and len(_lines(words)) <= LINES
    )


def _cost(words: Sequence[_SpacedWord], index: int) -> float:
    """Return how bad it is to divide before word `index`; best are the middle, a pause, a clause's end."""
    before, after = words[index - 1][1], words[index][1]
    off_middle = abs(index / len(words) - 0.5)
    pause = min(max(0.0, after.start - before.end), LONGEST_PAUSE)
    lone = LONE_WORD if index == 1 or index == len(words) - 1 else 0.0
    return off_middle - _clause_end(words, index) - pause + lone


def _clause_end(words: Sequence[_SpacedWord], index: int) -> float:
    """Return how much the end of a sentence or clause before word `index` speaks for dividing there."""
    before = "".join(text for text, _ in words[max(0, index - 2) : index])
    if ends_sentence(before, words[index][1].text):
        return 0.6
    bare = before.rstrip("\"'”’)]")
    return 0.25 if bare.endswith((",", ";", ":", "—", "–", "，", "、")) else 0.0


def _lines(words: Sequence[_SpacedWord]) -> tuple[str, ...]:
    """Turn words into lines of at most 42 characters, two of about the same length if one is not enough."""
    texts = [text for text, _ in words]
    whole = "".join(texts).strip()
    if len(whole) <= LINE:
        return (whole,)
    places = range(1, len(texts))
    halves = [("".join(texts[:place]).strip(), "".join(texts[place:]).strip()) for place in places]
    good = [pair for pair in halves if max(map(len, pair)) <= LINE]
    if good:
        return min(good, key=lambda pair: abs(len(pair[0]) - len(pair[1])))
    return _fill_lines(texts)


def _fill_lines(texts: Sequence[str]) -> tuple[str, ...]:
    """Return as many lines as it takes, each as full as it can be."""
    lines: list[str] = [""]
    for text in texts:
        if lines[-1] and len((lines[-1] + text).strip()) > LINE:
            lines.append("")
        lines[-1] = (lines[-1] + text).strip()
    return tuple(lines)
