"""When each word of a known text is said, by an aligner that has nothing to do with ours: pocketsphinx.

Its acoustic model (Gaussian mixtures, CMU Sphinx, BSD) comes in its wheel. Words that its
dictionary lacks are read by our letter-to-sound rules, in its phones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from voice.asr.ctc.alphabet import letters_of, spell
from voice.text.english.pronunciation import pronounce

RATE = 16_000
FRAME = 0.01  # seconds
MARGIN = 0.2  # seconds of silence put around the sound: speech that begins at once has a start as well

# misaki's phonemes, as hibari reads, in the phones of CMUdict; stress and length have none.
PHONES = {
    "A": "EY", "I": "AY", "O": "OW", "Q": "OW", "W": "AW", "Y": "OY", "T": "D", "a": "AE", "b": "B", "d": "D",
    "e": "EY", "f": "F", "h": "HH", "i": "IY", "j": "Y", "k": "K", "l": "L", "m": "M", "n": "N", "o": "OW",
    "p": "P", "s": "S", "t": "T", "u": "UW", "v": "V", "w": "W", "x": "K", "z": "Z", "æ": "AE", "ð": "DH",
    "ŋ": "NG", "ɑ": "AA", "ɒ": "AA", "ɔ": "AO", "ə": "AH", "ɚ": "ER", "ɛ": "EH", "ɜ": "ER", "ɡ": "G",
    "ɪ": "IH", "ɹ": "R", "ɾ": "D", "ʃ": "SH", "ʊ": "UH", "ʌ": "AH", "ʒ": "ZH", "ʔ": "T", "ʤ": "JH", "ʧ": "CH",
    "θ": "TH", "ᵊ": "AH", "ᵻ": "IH",
}  # fmt: skip
_RHOTIC = re.compile("[ɜə]ɹ")


@dataclass(frozen=True)
class Placed:
    """A written word as its letters are spoken, and when, in seconds."""

    letters: str
    start: float
    end: float


class Aligner:
    """One decoder, for one sound at a time."""

    def __init__(self) -> None:
        from pocketsphinx import Decoder

        # Beams this wide lose no path: what cannot be aligned then does not fit its text.
        self._decoder = Decoder(lm=None, loglevel="FATAL", beam=1e-120, wbeam=1e-120, pbeam=1e-120)

    def __call__(self, samples: np.ndarray, text: str) -> list[Placed] | None:
        """Return the words of `text` in (T,) samples at 16 kHz; None where they cannot be found there."""
        owned = spoken_words(text)
        spoken = [(owner, word) for owner, letters in owned for word in letters.split()]
        if not spoken:
            return []
        for _, word in spoken:
            self._learn(word)
        found = self._segments(samples, " ".join(word for _, word in spoken))
        if [word for word, _, _ in found] != [word for _, word in spoken]:
            return None
        spans: dict[int, tuple[float, float]] = {}
        for (owner, _), (_, start, end) in zip(spoken, found, strict=True):
            spans[owner] = (spans.get(owner, (start, end))[0], end)
        return [Placed(letters, *spans[owner]) for owner, letters in owned]

    def _learn(self, word: str) -> None:
        if self._decoder.lookup_word(word) is None:
            self._decoder.add_word(word, " ".join(phones(pronounce([word])[0])) or "AH", True)

    def _segments(self, samples: np.ndarray, text: str) -> list[tuple[str, float, float]]:
        """Return (word, start, end) in seconds by pocketsphinx; none if it finds no path through the text."""
        padded = np.pad(samples, round(MARGIN * RATE))
        self._decoder.set_align_text(text)
        self._decoder.start_utt()
        self._decoder.process_raw((np.clip(padded, -1, 1) * 32767).astype(np.int16).tobytes(), full_utt=True)
        self._decoder.end_utt()
        if self._decoder.hyp() is None:
            return []
        found = ((each.word, each.start_frame, each.end_frame + 1) for each in self._decoder.seg())
        return [
            (re.sub(r"\(\d+\)$", "", word), start * FRAME - MARGIN, end * FRAME - MARGIN)
            for word, start, end in found
            if word[0] not in "<[("
        ]


def spoken_words(text: str) -> list[tuple[int, str]]:
    """(index of the written word, its letters as spoken: one word or several) of those that are heard."""
    spelling = spell(text)
    words: dict[int, str] = {}
    before = -1
    for label, owner in zip(spelling.labels, spelling.owners, strict=True):
        if owner >= 0:
            apart = " " if before < 0 and owner in words else ""
            words[int(owner)] = words.get(int(owner), "") + apart + letters_of(np.array([label]))
        before = owner
    return [(owner, letters.replace(" '", " ").strip("'")) for owner, letters in words.items()]


def phones(phonemes: str) -> list[str]:
    """Our phonemes → CMUdict's phones."""
    return [PHONES[symbol] for symbol in _RHOTIC.sub("ɜ", phonemes) if symbol in PHONES]
