from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voice import audio

pytest.importorskip("pocketsphinx")

from recipes.asr.aligner import Aligner, phones, spoken_words


def test_a_written_word_is_all_that_is_said_for_it() -> None:
    assert spoken_words("Twenty-two 'dogs' — $5!") == [
        (0, "twenty two"),
        (1, "dogs"),
        (3, "five dollars"),
    ]


def test_phonemes_become_phones() -> None:
    assert phones("kˈWnsəld") == ["K", "AW", "N", "S", "AH", "L", "D"]
    assert phones("fˈɜɹɾəɹ") == ["F", "ER", "D", "ER"]


def test_words_are_found_where_they_are_said(corpora: Path) -> None:
    speech = audio.read(corpora / "kathleen/test/arctic_a0003.flac", 16_000)
    text = "For the 20th time that evening, the two men shook hands."
    aligner = Aligner()
    words = aligner(speech.samples, text)
    assert [word.letters for word in words][:3] == ["for", "the", "twentieth"]
    assert len(words) == len(text.split())
    assert words[-1].end == pytest.approx(speech.duration, abs=0.2)
    later = aligner(np.pad(speech.samples, (16_000, 0)), text)
    assert np.median([b.start - a.start for a, b in zip(words, later, strict=True)]) == pytest.approx(
        1, abs=0.03
    )


def test_a_text_that_is_not_spoken_is_not_found() -> None:
    assert Aligner()(np.zeros(1600, np.float32), "words that nobody could say in a tenth of a second") is None
