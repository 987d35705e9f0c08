"""What the front end asks of a language; everything else about text is shared by all languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from voice.text.sentences import ENGLISH_SENTENCES, SentenceRules

LETTER = "\u2060"  # follows a letter that is named where alone it would be a word, as "A" would


@dataclass(frozen=True)
class Chunk:
    """A spoken word with its punctuation, and the characters [start, end) that it came from."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class NormalizedText:
    """A sentence in words: `chunks` in order, and the parts that have no reading, as written."""

    chunks: tuple[Chunk, ...]
    unread: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return the words, separated by spaces."""
        return " ".join(chunk.text for chunk in self.chunks).replace(LETTER, "")


@dataclass(frozen=True)
class Language:
    """A spoken language, as functions; `voice.text.registry` finds those that there are.

    - `code`: ISO 639-1.
    - `prepare()` loads what reading needs before the first sentence asks for it.
    - `normalize(sentence)` puts figures, dates, abbreviations and symbols into words.
    - `pronounce(words)` returns the phonemes of each word of a sentence, read in the context of all of
      them, in the alphabet of `voice.text.alphabet`; an empty string for a word without sound.
    - `is_rising_question(sentence)` tells whether the pitch of a sentence goes up at its end.
    - `say_as(text, kind, form)` returns the words that SSML's `<say-as>` asks for, None where the text is
      read so without it. Raises KeyError for a kind that it does not know.
    - `stand_in(phonemes)` returns a word that begins like `phonemes` and is read in their place, so that the
      words around it are pronounced as they should be.
    - `sentences` says where its sentences end.
    - `date_orders`: another `normalize` for each order of dates such as 03/04/2025 ("dmy", "mdy"), for a
      language in which both are usual.
    """

    code: str
    prepare: Callable[[], None]
    normalize: Callable[[str], NormalizedText]
    pronounce: Callable[[Sequence[str]], list[str]]
    is_rising_question: Callable[[str], bool]
    say_as: Callable[[str, str, str], str | None]
    stand_in: Callable[[str], str]
    sentences: SentenceRules = ENGLISH_SENTENCES
    date_orders: Mapping[str, Callable[[str], NormalizedText]] = field(default_factory=dict)

    def with_dates(self, order: str | None) -> Language:
        """Return the language that reads open dates in an order; itself for None, or if it knows but one."""
        normalize = self.date_orders.get(order or "")
        return replace(self, normalize=normalize) if normalize else self
