from __future__ import annotations

import numpy as np
import pytest

from voice.asr.whisper.encoder import CTCOutput, EncodedSpeech
from voice.types import Audio

SILENCE = Audio(np.zeros(32_000, np.float32), 16_000)
ENCODED, LOG_PROBS = np.zeros((115, 4)), np.zeros((115, 29))


def test_the_beginning_of_speech_has_its_letters() -> None:
    speech = EncodedSpeech(SILENCE, ENCODED, CTCOutput(LOG_PROBS, "", is_spelled=True))
    half = speech.until(1.0)
    assert half.speech.duration == pytest.approx(1.0)
    assert half.log_probs.shape == (50, 29) and half.encoded is speech.encoded
    assert speech.until(None) is speech


def test_letters_of_a_language_that_the_head_cannot_spell_are_not_aligned_to() -> None:
    assert EncodedSpeech(SILENCE, ENCODED, CTCOutput(LOG_PROBS, "", is_spelled=False)).log_probs is None
    assert EncodedSpeech(SILENCE, ENCODED).log_probs is None
