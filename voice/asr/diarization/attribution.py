"""Attribution of words to speakers: a transcript whose segments are each said by one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from voice.asr.diarization.speakers import SpeakerTurn
from voice.text.sentences import ends_sentence
from voice.types import Segment, Transcript, Word

MAX_MOVE = 0.7  # seconds of words that a change of speaker moves by, to lie where a sentence ends


def attribute_speakers(transcript: Transcript, turns: Sequence[SpeakerTurn]) -> Transcript:
    """Divide segments where the speaker changes, and name speakers "Speaker 1", "Speaker 2" as they appear.

    Without any turns the transcript stays as it is. `turns` are in the order of time.
    """
    if not turns:
        return transcript
    all_units = [_units(segment) for segment in transcript.segments]
    labels = iter(_label([unit for units in all_units for unit in units], turns))
    parts: list[tuple[int, Segment]] = []
    for segment, units in zip(transcript.segments, all_units, strict=True):
        parts += _divide(segment, [next(labels) for _ in units])
    names = {who: f"Speaker {n}" for n, who in enumerate(dict.fromkeys(who for who, _ in parts), 1)}
    return replace(transcript, segments=tuple(replace(part, speaker=names[who]) for who, part in parts))


def _units(segment: Segment) -> Sequence[Word]:
    """Return what is attributed to one speaker as a whole: words, or the segment if it has none."""
    return segment.words or (Word(segment.text, segment.start, segment.end),)


def _label(words: Sequence[Word], turns: Sequence[SpeakerTurn]) -> list[int]:
    """Return who said each word; move changes that lie just beside the end of a sentence there."""
    labels: list[int] = []
    first = 0
    for word in words:
        while first < len(turns) - 1 and turns[first].end < word.start - 60:
            first += 1  # an hour has thousands of turns, and only the nearest count
        labels.append(_speaker_of(word, turns[first:], labels[-1] if labels else None))
    for change in [n for n in range(1, len(words)) if labels[n] != labels[n - 1]]:
        _move_change(labels, words, change)
    return labels


def _speaker_of(word: Word, turns: Sequence[SpeakerTurn], before: int | None) -> int:
    """Return the speaker who speaks longest during the word, or else nearest to it."""
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


def _move_change(labels: list[int], words: Sequence[Word], change: int) -> None:
    """Move the change of speaker before word `change` to the nearest end of a sentence, if one is near."""
    old, new = labels[change - 1], labels[change]
    if old == new or _ends_sentence(words, change):
        return
    for step in (1, -1, 2, -2):
        end = change + step
        moved = range(min(change, end), max(change, end))
        if not (0 < end < len(words) and _ends_sentence(words, end)):
            continue
        one_turn = all(labels[n] == (new if step > 0 else old) for n in moved)
        if one_turn and words[moved[-1]].end - words[moved[0]].start <= MAX_MOVE:
            labels[moved[0] : moved[-1] + 1] = [old if step > 0 else new] * len(moved)
            return


def _ends_sentence(words: Sequence[Word], index: int) -> bool:
    """Tell whether a sentence ends before word `index`."""
    return ends_sentence(" ".join(word.text for word in words[max(0, index - 2) : index]), words[index].text)


def _divide(segment: Segment, labels: Sequence[int]) -> list[tuple[int, Segment]]:
    """Divide a segment into the runs of one speaker; return each with that speaker."""
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
    """Divide the text of a segment before the words `firsts`."""
    offsets, position = [], 0
    for word in segment.words:
        position = max(position, segment.text.find(word.text, position))
        offsets.append(position)
        position += len(word.text)
    cuts = [0, *(offsets[first] for first in firsts[1:]), len(segment.text)]
    return [segment.text[a:b].strip() for a, b in zip(cuts, cuts[1:], strict=False)]
