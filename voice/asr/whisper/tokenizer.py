"""Whisper's tokenizer: special tokens by name, text to tokens, tokens to words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from voice.errors import ModelDamaged, VoiceError
from voice.text.languages import WITHOUT_SPACES

if TYPE_CHECKING:
    import tokenizers

TEXT_CONTEXT = 448  # positions of the decoder: prompt and text together
MAX_PROMPT = TEXT_CONTEXT // 2 - 1  # half of them, less the token that opens the prompt
TIME_STEP = 0.02  # seconds from one of the tokens that stand for times to the next
_LEADING_SPACE = "Ġ"  # as tokens are named
_MERGES = re.compile(r'"merges"\s*:\s*\[\s*(?=")')  # those of pairs written as one string
TASKS = ("transcribe", "translate")


@dataclass(frozen=True)
class WordTokens:
    """A written word with its space and punctuation, and its tokens [first, last) without punctuation."""

    text: str
    first: int
    last: int


def open_tokenizer(folder: Path) -> tokenizers.Tokenizer:
    """Load the `tokenizers.Tokenizer` of a model folder. Raises ModelDamaged if there is none.

    The published file of whisper-base lacks the first of its merges, "Ġ t", without which " to" and
    " the" come apart into tokens that the model has never seen; it is put back.
    """
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    try:
        text = path.read_text("utf-8")
        if '"Ġ t"' not in text and '"Ġt"' in text:
            text = _MERGES.sub(r'\g<0>"Ġ t", ', text, count=1)
        return Tokenizer.from_str(text)
    except Exception as error:  # the library raises nothing narrower
        raise ModelDamaged(f"{path} cannot be read; fetch the model again") from error


def language_tokens(tokenizer: tokenizers.Tokenizer) -> dict[str, int]:
    """Return the token of each language's code: those between the start token and the first task.

    Raises ModelDamaged where the tokenizer is not that of a multilingual Whisper.
    """
    first = special(tokenizer, "startoftranscript") + 1
    last = min(special(tokenizer, task) for task in TASKS)
    names = {number: tokenizer.id_to_token(number) for number in range(first, last)}
    return {name[2:-2]: number for number, name in names.items() if name}


def special(tokenizer: tokenizers.Tokenizer, name: str) -> int:
    """Return the number of a special token. Raises ModelDamaged where there is none of that name."""
    number: int | None = tokenizer.token_to_id(f"<|{name}|>")
    if number is None:
        raise ModelDamaged(f"the tokenizer has no <|{name}|>; it is not Whisper's, fetch the model again")
    return number


class Tokenizer:
    """The tokens of one Whisper model.

    Raises ModelDamaged if the folder's tokenizer.json is missing or is not Whisper's.
    """

    def __init__(self, folder: Path, *, multilingual: bool) -> None:
        self._tokenizer = open_tokenizer(folder)
        self.end = self._special("endoftext")
        self.start = self._special("startoftranscript")
        self.previous = self._special("startofprev")
        self.without_times = self._special("notimestamps")
        self.no_speech = self.without_times - 1  # tokenizers differ in its name
        marks = (space + mark for mark in ".?!" for space in ("", _LEADING_SPACE))
        self.end_of_sentence = self._existing_tokens(*marks)
        self.tasks = {task: self._special(task) for task in (TASKS if multilingual else ())}
        self.languages = frozenset(language_tokens(self._tokenizer) if multilingual else {"en"})

    def start_sequence(self, language: str, task: str) -> list[int]:
        """Return the tokens that give the decoder its language and task.

        Raises VoiceError for a language or a task that the model does not know.
        """
        if language not in self.languages:
            raise VoiceError(f"this recognizer does not know the language {language!r}; {self._choices()}")
        if not self.tasks:
            if task != "transcribe":
                raise VoiceError(f"an English-only recognizer cannot {task}; use whisper-base")
            return [self.start]
        if task not in self.tasks:
            raise VoiceError(f"{task!r} is no task; choose {' or '.join(self.tasks)}")
        return [self.start, self._special(language), self.tasks[task]]

    def prompt(self, hotwords: Sequence[str]) -> list[int]:
        """Return a prompt of words to expect, which stand where Whisper reads the text before the speech."""
        if not hotwords:
            return []
        return [self.previous, *self.encode(", ".join(hotwords))[:MAX_PROMPT]]

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, without special ones. Whisper's texts begin with a space."""
        ids: list[int] = self._tokenizer.encode(" " + text.strip(), add_special_tokens=False).ids
        return ids

    def text(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens; special ones are left out."""
        text: str = self._tokenizer.decode(list(tokens), skip_special_tokens=True)
        return text

    def last_time(self, tokens: Sequence[int]) -> tuple[float, bool]:
        """Return the seconds of the timestamp that ends `tokens` (0 if none does), and whether it is doubled.

        Whisper writes a timestamp twice, as an end and as a start, to say that it stopped early there.
        """
        times = [(token - self.without_times - 1) * TIME_STEP for token in tokens[-2:]]
        if not times or times[-1] < 0:
            return 0.0, False
        return times[-1], len(times) == 2 and times[0] >= 0

    def words(self, tokens: Sequence[int], language: str) -> list[WordTokens]:
        """Group text tokens to words. Punctuation belongs to the text of its word, but not to its tokens."""
        words: list[WordTokens] = []
        opening = ""  # punctuation that waits for its word
        for piece in self._characters(tokens):
            has_letters = any(character.isalnum() for character in piece.text)
            begins = piece.text.startswith(" ") or language in WITHOUT_SPACES or not words
            if begins and not has_letters and (piece.text.startswith(" ") or not words):
                opening += piece.text
            elif has_letters and (begins or opening):
                words.append(WordTokens(opening + piece.text, piece.first, piece.last))
                opening = ""
            elif opening:
                opening += piece.text
            else:
                before = words[-1]
                last = piece.last if has_letters else before.last
                words[-1] = WordTokens(before.text + piece.text, before.first, last)
        if opening and words:
            words[-1] = WordTokens(words[-1].text + opening, words[-1].first, words[-1].last)
        return words

    def _characters(self, tokens: Sequence[int]) -> Iterator[WordTokens]:
        """Yield the shortest runs of tokens that decode to whole characters."""
        first = 0
        for last in range(1, len(tokens) + 1):
            text = self.text(tokens[first:last])
            if not text.endswith("\N{REPLACEMENT CHARACTER}") or last == len(tokens):
                yield WordTokens(text, first, last)
                first = last

    def _existing_tokens(self, *names: str) -> tuple[int, ...]:
        """Return the numbers of those of the named tokens that exist."""
        numbers = map(self._tokenizer.token_to_id, names)
        return tuple(number for number in numbers if number is not None)

    def _special(self, name: str) -> int:
        """Return the number of a special token. Raises ModelDamaged."""
        return special(self._tokenizer, name)

    def _choices(self) -> str:
        """Name the languages for an error message."""
        return "it knows " + " ".join(sorted(self.languages))
