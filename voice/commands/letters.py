"""Letters for commands: the one place that asks a recognizer whether it computes them."""

from __future__ import annotations

from voice.abilities import LetterRecognizer
from voice.errors import VoiceError
from voice.types import Audio, LogProbs, Recognizer


def letters_of(recognizer: Recognizer, speech: Audio) -> LogProbs:
    """Return (F, 29) log-probabilities of the letters of `speech`.

    Raises VoiceError if the recognizer computes no letters.
    """
    if not isinstance(recognizer, LetterRecognizer):
        raise VoiceError("this recognizer cannot hear commands; use quick")
    return recognizer.letter_log_probs(speech)
