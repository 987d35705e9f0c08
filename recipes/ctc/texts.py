"""From transcripts to labels: how words are written, and the characters or word pieces that write them."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from voice.asr.ctc.alphabet import ALPHABET, letters_of, spell
from voice.asr.ctc.units import WORD_START, Units
from voice.errors import VoiceError

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

PIECES_FILE = "units.model"  # sentencepiece's own; only training needs it
LEAST_PIECES = 20

Writing = Literal["spoken", "lower", "written"]
UnitKind = Literal["characters", "pieces", "letters"]

_NO_WORD = re.compile(r"[^\w' ]+|_+")
_NO_LETTER = re.compile(r"(?<!\w)'+|'+(?!\w)")


def write_lower(text: str) -> str:
    """Return a text in lower case without punctuation, in any language: words apart by one space."""
    folded = unicodedata.normalize("NFC", text).lower().replace("’", "'")
    return " ".join(_NO_LETTER.sub(" ", _NO_WORD.sub(" ", folded)).split())


def write_spoken(text: str) -> str:
    """Return an English text as it is spoken: numbers and signs in words, letters in lower case."""
    return letters_of(spell(text).labels)


def write_unchanged(text: str) -> str:
    """Return a text as it is written, words apart by one space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


WRITINGS: dict[Writing, Callable[[str], str]] = {
    "spoken": write_spoken,
    "lower": write_lower,
    "written": write_unchanged,
}


@dataclass(frozen=True)
class TextEncoder:
    """Turns transcripts into labels. Without `pieces` each character is a unit."""

    writing: Writing
    units: Units
    pieces: SentencePieceProcessor | None = None

    def __call__(self, text: str) -> list[int]:
        """Return the labels of a transcript; characters that training never saw are left out."""
        text = WRITINGS[self.writing](text)
        if self.pieces is not None:
            found: list[int] = self.pieces.encode(text)
            return [label for label in found if label]
        numbers = {unit: label for label, unit in enumerate(self.units.units, 1)}
        return [numbers[each] for each in text.replace(" ", WORD_START) if each in numbers]

    def write(self, folder: Path) -> None:
        """Write the files of a run that `read_text_encoder` reads."""
        folder.mkdir(parents=True, exist_ok=True)
        self.units.write(folder)
        if self.pieces is not None:
            (folder / PIECES_FILE).write_bytes(self.pieces.serialized_model_proto())


def read_text_encoder(folder: Path, writing: Writing) -> TextEncoder:
    """Read what `TextEncoder.write` wrote. Raises ModelMissing or ModelDamaged."""
    from sentencepiece import SentencePieceProcessor

    path = folder / PIECES_FILE
    pieces = SentencePieceProcessor(model_file=str(path)) if path.exists() else None
    return TextEncoder(writing, Units.read(folder), pieces)


def train_text_encoder(texts: Sequence[str], writing: Writing, kind: UnitKind, count: int) -> TextEncoder:
    """Learn the units of transcripts: their characters, or about `count` word pieces.

    Raises VoiceError where the texts hold no words.
    """
    written = [text for text in map(WRITINGS[writing], texts) if text]
    if not written:
        raise VoiceError("no transcript has a word: look into the manifest, or choose another --writing")
    if kind == "characters":
        characters = sorted(set("".join(written)) - {" "})
        return TextEncoder(writing, Units((WORD_START, *characters)))
    pieces = _train_pieces(written, max(count, LEAST_PIECES))
    # sentencepiece's number 0 is the unknown one, which takes the place of the blank.
    units = tuple(pieces.id_to_piece(number) for number in range(1, pieces.get_piece_size()))
    return TextEncoder(writing, Units(units), pieces)


def _train_pieces(texts: Iterable[str], count: int) -> SentencePieceProcessor:
    """Train sentencepiece's unigram model (Kudo 2018)."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, vocab_size=count + 1, model_type="unigram",
        character_coverage=1.0, hard_vocab_limit=False, normalization_rule_name="identity",
        unk_id=0, bos_id=-1, eos_id=-1, pad_id=-1, num_threads=1, minloglevel=2,
    )  # fmt: skip
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def letter_encoder() -> TextEncoder:
    """Return the letters of voice.asr.ctc.alphabet as units: what a head such as quick's writes."""
    return TextEncoder("spoken", Units(tuple(ALPHABET.replace(" ", WORD_START))))


def text_encoder(
    folder: Path, texts: Sequence[str], writing: Writing, kind: UnitKind, count: int, *, resumes: bool
) -> TextEncoder:
    """Return the units of a run: those in its folder if it goes on, else new ones, written there.

    Of the kind "letters" there are always the same.
    """
    if resumes:
        return read_text_encoder(folder, writing)
    made = letter_encoder() if kind == "letters" else train_text_encoder(texts, writing, kind, count)
    (folder / PIECES_FILE).unlink(missing_ok=True)
    made.write(folder)
    return made
