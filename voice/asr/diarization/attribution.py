"""A transcript and who spoke when → the same words, each segment said by one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from voice.asr.diarization.speakers import SpeakerTurn
from voice.text.sentences import ends_sentence
from voice.types import Segment, Transcript, Word

NEAR = 0.7  # seconds of words that a change of speaker moves by, to lie where a sentence ends


def attributed(transcript: Transcript, turns: Sequence[SpeakerTurn]) -> Transcript:
    """Segments are divided where the speaker changes, and named "Speaker 1", "Speaker 2" as they appear.

    Without any turns the transcript stays as it is. `turns` are in the order of time.
    """
    if not turns:
        return transcript
    spoken = [_units(segment) for segment in transcript.segments]
    labels = iter(_settled([unit for units in spoken for unit in units], turns))
    parts: list[tuple[int, Segment]] = []
    for segment, units in zip(transcript.segments, spoken, strict=True):
        parts += _divided(segment, [next(labels) for _ in units])
    names = {who: f"Speaker {n}" for n, who in enumerate(dict.fromkeys(who for who, _ in parts), 1)}
    return replace(transcript, segments=tuple(replace(part, speaker=names[who]) for who, part in parts))


def _units(segment: Segment) -> Sequence[Word]:
    """What is given to one person as a whole: a word or, where there are none, all of the segment."""
    return segment.words or (Word(segment.text, segment.start, segment.end),)


def _settled(words: Sequence[Word], turns: Sequence[SpeakerTurn]) -> list[int]:
    """Who said each word; changes that lie just beside the end of a sentence are moved there."""
    labels, first = [], 0
    for word in words:
        while first < len(turns) - 1 and turns[first].end < word.start - 60:
            first += 1  # an hour has thousands of turns, and only the nearest count
        labels.append(_said_by(word, turns[first:], labels[-1] if labels else None))
    for place in [n for n in range(1, len(words)) if labels[n] != labels[n - 1]]:
        _move(labels, words, place)
    return labels


def _said_by(word: Word, turns: Sequence[SpeakerTurn], before: int | None) -> int:
    """Whoever speaks longest while the word is said, else whoever speaks nearest to it."""
    seconds: dict[int, float] = {}
    for turn in turns:
        if turn.start >= word.end:
            break
        common = min(turn.end, word.end) - max(turn.start, word.start)
        seconds[turn.speaker] = seconds.get(turn.speaker, 0.0) + common
    most = max(seconds.values(), default=0.0)
    if most > 0:
        best = [who for who, length in seconds.items() if length > most - 0.02]
        return before if before in best else best[0]
    middle = (word.start + word.end) / 2
    return min(turns, key=lambda turn: max(turn.start - middle, middle - turn.end)).speaker


def _move(labels: list[int], words: Sequence[Word], place: int) -> None:
    """The change of speaker before word `place` goes to the nearest end of a sentence, if one is near."""
    old, new = labels[place - 1], labels[place]
    if old == new or _ends_sentence(words, place):
        return
    for step in (1, -1, 2, -2):
        end = place + step
        moved = range(min(place, end), max(place, end))
        if not (0 < end < len(words) and _ends_sentence(words, end)):
            continue
        one_turn = all(labels[n] == (new if step > 0 else old) for n in moved)
        if one_turn and words[moved[-1]].end - words[moved[0]].start <= NEAR:
            labels[moved[0] : moved[-1] + 1] = [old if step > 0 else new] * len(moved)
            return


def _ends_sentence(words: Sequence[Word], place: int) -> bool:
    """Whether a sentence ends before word `place`."""
    return ends_sentence(" ".join(word.text for word in words[max(0, place - 2) : place]), words[place].text)


def _divided(segment: Segment, labels: Sequence[int]) -> list[tuple[int, Segment]]:
    """The runs of one speaker in a segment, with that speaker."""
    if len(set(labels)) == 1:
        return [(labels[0], segment)]
    runs = [[n for n, _ in run] for _, run in groupby(enumerate(labels), key=lambda pair: pair[1])]
    texts = _texts(segment, [run[0] for run in runs])
    times = [segment.start, *(segment.words[run[0]].start for run in runs[1:])]
    ends = [*(segment.words[run[-1]].end for run in runs[:-1]), segment.end]
    return [
        (labels[run[0]], Segment(text, start, end, segment.words[run[0] : run[-1] + 1]))
        for run, text, start, end in zip(runs, texts, times, ends, strict=True)
    ]


def _texts(segment: Segment, firsts: Sequence[int]) -> list[str]:
    """The segment's text, divided before the words `firsts`."""
    places, position = [], 0
    for word in segment.words:
        position = max(position, segment.text.find(word.text, position))
        places.append(position)
        position += len(word.text)
    cuts = [0, *(places[first] for first in firsts[1:]), len(segment.text)]
    return [segment.text[a:b].strip() for a, b in zip(cuts, cuts[1:], strict=False)]
