"""What the English front end cannot read of a text, in words for the person who wrote it.

A text is judged by the very rules that read it (see `normalization`), so that what is named here is what the
voice leaves out. Nothing is synthesized, and no phonemes are looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from voice.text.detection import foreign_language
from voice.text.english.characters import plain_forms, say_character, transliterated_words
from voice.text.english.language import ENGLISH
from voice.text.given_pronunciations import find_given, find_unknown_phones, normalize_around
from voice.text.languages import name_of
from voice.text.markup import is_ssml, parse
from voice.text.reading import Annotations, Passage
from voice.text.sentences import split_sentences
from voice.types import Pronunciation

MOST_NAMED = 5  # parts that a note names
MOST_LISTED = 200  # parts without a reading, after which no more are looked for
LONGEST_NAMED = 40  # characters of a part that a note shows


def unspeakable(text: str, lexicon: Mapping[str, Pronunciation] | None = None) -> list[str]:
    """List the parts of `text` that have no reading and so no sound, as written, in order, each once.

    Punctuation, emoji and whatever the `lexicon` or markup gives a sound to are not among them. Raises
    TextError for SSML that is malformed.
    """
    return list(dict.fromkeys(_unread(text, lexicon)))


def reading_notes(text: str, lexicon: Mapping[str, Pronunciation] | None = None) -> list[str]:
    """Say in whole sentences what of `text` an English voice leaves out, or reads otherwise than expected.

    The list is empty where all of it is read as it should be. Raises TextError for SSML that is malformed.
    """
    plain = " ".join(sentence for sentence, _ in _sentences(text))
    notes = []
    if unread := list(islice(_unread(text, lexicon), MOST_LISTED)):
        notes.append(f"Not read aloud, because this voice has no sound for it: {_name_parts(unread)}.")
    if unknown := find_unknown_phones(plain):
        notes.append(
            f"Read as it is written, because these are no phones of ARPAbet: {_name_parts(unknown)}."
        )
    if spelled := [word for word in transliterated_words(plain) if word not in (lexicon or {})]:
        notes.append(f"Read letter by letter in English sounds: {_name_parts(spelled)}.")
    if language := foreign_language(plain):
        notes.append(f"This text looks {name_of(language)}; this voice reads it as if it were English.")
    return notes


def _sentences(text: str) -> Iterator[tuple[str, Annotations]]:
    """Yield the sentences of a text or of an SSML document, and what markup asks of each."""
    for passage in parse(text, ENGLISH).passages if is_ssml(text) else (Passage(text),):
        for sentence in split_sentences(passage.text):
            yield sentence.text, passage.annotations.within(sentence.start, sentence.end)


def _unread(text: str, lexicon: Mapping[str, Pronunciation] | None) -> Iterator[str]:
    """Yield the parts without a reading; sentences without such a character cost little."""
    for sentence, asked in _sentences(text):
        if _may_be_unread(sentence):
            spans = find_given(sentence, asked.pronunciations, lexicon)
            yield from normalize_around(sentence, spans, ENGLISH)[0].unread


def _may_be_unread(sentence: str) -> bool:
    plain = plain_forms(sentence)
    return any(not c.isascii() and say_character(plain, at) is None for at, c in enumerate(plain))


def _name_parts(parts: Iterable[str]) -> str:
    """Name the first of some parts of a text, whole if they are short."""
    once = list(dict.fromkeys(re.sub(r"\s+", " ", part) for part in parts))
    shown = [part if len(part) <= LONGEST_NAMED else f"{part[:LONGEST_NAMED]}…" for part in once[:MOST_NAMED]]
    return ", ".join(shown) + (" and others" if len(once) > MOST_NAMED else "")
