"""Written text → readings, sentence by sentence: phonemes, and the written words that own them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from voice.text.alphabet import PUNCTUATION, has_sound, without_final_marks
from voice.text.given_pronunciations import find_given, find_unknown_phones, normalize_around
from voice.text.language import Chunk, Language
from voice.text.reading import (
    PLAIN,
    Annotations,
    SoundlessSentence,
    SpokenSentence,
    SpokenWord,
    Style,
    StyledSpan,
)
from voice.text.sentences import Sentence, split_sentences
from voice.types import Pronunciation

MOST_PHONEMES = (
    400  # phonemes that are spoken at once; longer ones are cut at a clause, a conjunction, a word
)
_Span = tuple[int, int]  # characters, from and to


@dataclass(frozen=True)
class _PronouncedChunk:
    """The phonemes of one spoken chunk, the written word that owns them, and how they are spoken."""

    phonemes: str
    spoken: str
    owner: int
    style: Style = PLAIN


def read_aloud(
    text: str,
    language: Language,
    lexicon: Mapping[str, Pronunciation] | None = None,
    annotations: Annotations = Annotations(),
) -> Iterator[SpokenSentence | SoundlessSentence]:
    """Yield the readings of `text`, each as soon as it is asked for.

    What has no reading is in `unread`, where mere punctuation is not counted.
    """
    for sentence in split_sentences(text, language.sentences):
        yield from read_sentence(
            sentence, language, lexicon, annotations.within(sentence.start, sentence.end)
        )


def spoken_sentences(
    text: str, language: Language, lexicon: Mapping[str, Pronunciation] | None = None
) -> Iterator[SpokenSentence]:
    """Yield the readings of `text` that have sound."""
    for reading in read_aloud(text, language, lexicon):
        if isinstance(reading, SpokenSentence):
            yield reading


def read_sentence(
    sentence: Sentence,
    language: Language,
    lexicon: Mapping[str, Pronunciation] | None = None,
    annotations: Annotations = Annotations(),
) -> Iterator[SpokenSentence | SoundlessSentence]:
    """Yield the reading of one sentence, or several if it is too long to be spoken at once."""
    for phones in find_unknown_phones(sentence.text):
        warnings.warn(f"{phones} holds phones that ARPAbet does not know", stacklevel=2)
    spoken, given = normalize_around(
        sentence.text, find_given(sentence.text, annotations.pronunciations, lexicon), language
    )
    spans = _written_words(sentence.text, spoken.chunks)
    sounds = _pronounce_chunks(language, spoken.chunks, spans, given)
    if annotations.styles:
        sounds = [
            replace(sound, style=_style_of(chunk, annotations.styles))
            for sound, chunk in zip(sounds, spoken.chunks, strict=True)
        ]
    if not any(has_sound(sound.phonemes) for sound in sounds):
        yield SoundlessSentence(sentence.text, spoken.unread, sentence.after)
        return
    spans, sounds = _cut_long_words(spans, sounds)
    parts = _audible_parts(sounds, language.sentences.joining)
    first = 0  # the written words that precede this part
    for part in parts:
        is_last = part is parts[-1]
        stop = len(spans) if is_last else part[-1].owner + 1
        yield _assemble(
            sentence, spans[first:stop], first, part, () if not is_last else spoken.unread,
            sentence.after if is_last else "clause", is_last and language.is_rising_question(sentence.text),
        )  # fmt: skip
        first = stop


def _written_words(text: str, chunks: Sequence[Chunk]) -> list[_Span]:
    """Return the spans of the written words: split at spaces, unless a chunk's characters hold the space."""
    spans = [match.span() for match in re.finditer(r"\S+", text)]
    joined: list[_Span] = []
    reach, remaining = 0, list(reversed(chunks))
    for start, end in spans:
        if joined and start < reach:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
        while remaining and remaining[-1].start < end:
            reach = max(reach, remaining.pop().end)
    return joined


def _pronounce_chunks(
    language: Language, chunks: Sequence[Chunk], spans: list[_Span], given: Mapping[int, str]
) -> list[_PronouncedChunk]:
    """Pronounce chunks and find the written word of each.

    `given` are phonemes in place of those that are read, by the index of their chunk.
    """
    sounds, owner = [], 0
    for index, (chunk, phonemes) in enumerate(
        zip(chunks, language.pronounce([chunk.text for chunk in chunks]), strict=True)
    ):
        while spans[owner][1] <= chunk.start:
            owner += 1
        spoken = chunk.text
        if index in given:
            spoken = phonemes = given[index] + phonemes[len(without_final_marks(phonemes)) :]
        sounds.append(_PronouncedChunk(phonemes, spoken, owner))
    return sounds


def _style_of(chunk: Chunk, styles: Sequence[StyledSpan]) -> Style:
    """Return the style of most of the chunk's characters."""
    shares: dict[Style, int] = {PLAIN: chunk.end - chunk.start}
    for start, end, style in styles:
        if start < chunk.end and end > chunk.start:
            covered = min(end, chunk.end) - max(start, chunk.start)
            shares[PLAIN] -= covered
            shares[style] = shares.get(style, 0) + covered
    return max(shares, key=lambda style: (shares[style], style != PLAIN))


def _cut_long_words(
    spans: list[_Span], sounds: list[_PronouncedChunk]
) -> tuple[list[_Span], list[_PronouncedChunk]]:
    """Divide written words of more than MOST_PHONEMES, a web address perhaps, evenly among several spans.

    The others stay as they are.
    """
    cut_spans: list[_Span] = []
    cut_sounds: list[_PronouncedChunk] = []
    position = 0
    for owner, (start, end) in enumerate(spans):
        first = position
        while position < len(sounds) and sounds[position].owner == owner:
            position += 1
        own = sounds[first:position]
        ends = np.cumsum([len(sound.phonemes) + 1 for sound in own], dtype=int)
        count = (
            min(-(-int(ends[-1]) * 2 // MOST_PHONEMES), end - start)
            if own and ends[-1] > MOST_PHONEMES
            else 1
        )
        bounds = [start + (end - start) * i // count for i in range(count + 1)]
        for sound, reach in zip(own, ends, strict=True):
            cut_sounds.append(replace(sound, owner=len(cut_spans) + int(reach - 1) * count // int(ends[-1])))
        cut_spans += pairwise(bounds)
    return cut_spans, cut_sounds


def _audible_parts(sounds: list[_PronouncedChunk], joining: frozenset[str]) -> list[list[_PronouncedChunk]]:
    """Return the parts of `sounds`, each with something to hear.

    A part of nothing but punctuation loses it and joins the part before it, or the next if it is the first.
    """
    parts: list[list[_PronouncedChunk]] = []
    audible = False  # whether the last of them has sound
    for part in _cut_at_clauses(sounds, joining):
        silent = not any(has_sound(sound.phonemes) for sound in part)
        if silent:
            part = [replace(sound, phonemes="") for sound in part]
        if parts and (silent or not audible):
            parts[-1] += part
        else:
            parts.append(part)
        audible = audible or not silent
    return parts


def _cut_at_clauses(
    sounds: list[_PronouncedChunk], joining: frozenset[str]
) -> Iterator[list[_PronouncedChunk]]:
    """Yield `sounds` in parts of at most MOST_PHONEMES, cut after a clause if possible, never in a word."""
    while sounds:
        count = _count_that_fits(sounds, joining)
        yield sounds[:count]
        sounds = sounds[count:]


def _count_that_fits(sounds: list[_PronouncedChunk], joining: frozenset[str]) -> int:
    length, clause, joint, word = 0, 0, 0, 0
    for index, sound in enumerate(sounds):
        length += len(sound.phonemes) + 1
        if length > MOST_PHONEMES and word:
            return clause or joint or word
        last_of_word = index + 1 == len(sounds) or sounds[index + 1].owner != sound.owner
        if last_of_word:
            word = index + 1
            if length <= MOST_PHONEMES // 4:
                continue
            if sound.phonemes[-1:] in tuple(",;:—…)"):
                clause = word
            elif sounds[word : word + 1] and sounds[word].spoken.lower() in joining:
                joint = word
    return len(sounds)


def _assemble(
    sentence: Sentence,
    spans: Sequence[_Span],
    first: int,
    part: list[_PronouncedChunk],
    unread: tuple[str, ...],
    after: str,
    rising: bool,
) -> SpokenSentence:
    """Put a part together; words without sound join the word before them, or the one after."""
    owners_heard = sorted({sound.owner for sound in part if has_sound(sound.phonemes)})
    bounds = [spans[0][0], *(spans[owner - first][0] for owner in owners_heard[1:]), spans[-1][1]]
    words = tuple(
        SpokenWord(
            " ".join(sentence.text[start:end].split()), sentence.start + start,
            sentence.start + start + len(sentence.text[start:end].rstrip()),
            " ".join(sound.spoken for sound in part if sound.owner == owner),
        )
        for owner, (start, end) in zip(owners_heard, pairwise(bounds), strict=True)
    )  # fmt: skip
    index = {owner: place for place, owner in enumerate(owners_heard)}
    phonemes, owners = "", list[int]()
    for sound in part:
        if not sound.phonemes:
            continue
        if phonemes and _needs_space(sound.phonemes):
            phonemes, owners = phonemes + " ", [*owners, -1]
        phonemes += sound.phonemes
        owners += [-1 if c in PUNCTUATION else index[sound.owner] for c in sound.phonemes]
    text, styles = sentence.text[spans[0][0] : spans[-1][1]], _phoneme_styles(part, phonemes)
    return SpokenSentence(text, phonemes, tuple(owners), words, unread, after, styles, rises=rising)


def _phoneme_styles(part: list[_PronouncedChunk], phonemes: str) -> tuple[Style, ...]:
    """Return the style of each phoneme, () if all are plain.

    Spaces and punctuation are styled if what stands on both sides is styled alike.
    """
    if all(sound.style == PLAIN for sound in part):
        return ()
    styles = [sound.style for sound in part for c in sound.phonemes if c not in PUNCTUATION]
    left = [0]
    for c in phonemes:
        left.append(left[-1] + (c not in PUNCTUATION))
    found = [
        styles[count] if c not in PUNCTUATION
        else styles[count] if 0 < count < len(styles) and styles[count - 1] == styles[count]
        else PLAIN
        for c, count in zip(phonemes, left, strict=False)
    ]  # fmt: skip
    return tuple(found)


def _needs_space(phonemes: str) -> bool:
    return phonemes[0] not in ",.;:!?…"
