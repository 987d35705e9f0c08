"""From log-probabilities of pieces to words with times, whatever network they come from."""

from __future__ import annotations

import numpy as np
import pytest

from voice.asr.ctc.emissions import CTCRecognizer, PieceVocabulary, read_words
from voice.errors import AudioError, VoiceError
from voice.types import UNDETERMINED, Audio

LETTERS = PieceVocabulary(("<pad>", "<unk>", "|", "a", "b", "c"), blank=0, silent=frozenset({1}))
PIECES = PieceVocabulary(("▁", "▁a", "b", "c", "▁c", "<blank>"), blank=5)


def emitted(labels: list[int], classes: int = 6) -> np.ndarray:
    """Emissions in which these labels have a probability of 0.9."""
    rest = np.full((len(labels), classes), np.log(0.1 / (classes - 1)), np.float32)
    rest[np.arange(len(labels)), labels] = np.log(0.9)
    return rest


def test_letters_between_delimiters_are_words_timed_by_their_frames():
    words = read_words(emitted([0, 3, 3, 0, 4, 2, 2, 0, 5, 0]), LETTERS, 0.02)
    assert [word.text for word in words] == ["ab", "c"]
    assert [(round(word.start, 2), round(word.end, 2)) for word in words] == [(0.02, 0.1), (0.16, 0.18)]
    assert words[0].confidence == pytest.approx(0.9)


def test_a_letter_is_written_twice_only_after_a_blank():
    assert [word.text for word in read_words(emitted([3, 3, 0, 3]), LETTERS, 0.02)] == ["aa"]


def test_pieces_of_words_begin_words_as_sentencepiece_has_it():
    words = read_words(emitted([1, 2, 5, 4, 0, 3, 5, 5]), PIECES, 0.08)
    assert [word.text for word in words] == ["ab", "c", "c"]


def test_what_is_silent_is_not_written():
    assert read_words(emitted([1, 0, 2, 2, 0]), LETTERS, 0.02) == []


class Spells:
    """A network that emits a fixed text, whatever it hears."""

    rate, frame = 16_000, 0.02

    def __init__(self, labels: list[int]) -> None:
        self.labels, self.heard = labels, 0

    def emissions(self, samples: np.ndarray) -> np.ndarray:
        self.heard = len(samples)
        return emitted(self.labels)


def silence(seconds: float, rate: int = 16_000) -> Audio:
    return Audio(np.zeros(round(seconds * rate), np.float32), rate)


def test_words_become_segments_and_a_language_is_only_claimed_where_there_is_one():
    network = Spells([3, 2, 4] + [0] * 60 + [2, 5])
    transcript = CTCRecognizer(network, LETTERS, {"en"}).transcribe(silence(2.0))
    assert [segment.text for segment in transcript.segments] == ["a b", "c"]
    assert transcript.language == "en" and transcript.duration == 2.0
    assert CTCRecognizer(network, LETTERS).transcribe(silence(2.0)).language == UNDETERMINED
    assert CTCRecognizer(network, LETTERS).transcribe(silence(2.0), language="fr").language == "fr"


def test_short_sounds_are_lengthened_and_their_words_stay_within_them():
    network = Spells([0] * 10 + [3])
    transcript = CTCRecognizer(network, LETTERS).transcribe(silence(0.1, 8_000))
    assert network.heard == 8_000 and transcript.duration == pytest.approx(0.1)
    assert transcript.words[0].end <= 0.1 + 1e-6


def test_without_speech_there_are_no_segments():
    assert CTCRecognizer(Spells([0] * 9), LETTERS).transcribe(silence(1.0)).segments == ()


def test_too_much_at_once_and_other_tasks_are_refused():
    recognizer = CTCRecognizer(Spells([0]), LETTERS)
    with pytest.raises(AudioError, match="too much for one call"):
        recognizer.transcribe(silence(31.0))
    with pytest.raises(VoiceError, match="does not translate"):
        recognizer.transcribe_batch([silence(1.0)], language=None, hotwords=(), task="translate")
