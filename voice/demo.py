"""A first sign of life: speak a sentence, transcribe it back, compare. `python -m voice.demo [FILE]`."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import voice
from voice import metrics
from voice.errors import VoiceError
from voice.text.languages import name_of
from voice.types import Word

SENTENCE = "The quick brown fox jumps over the lazy dog, and the voice you hear was made on this computer."
SAMPLE = "hello.wav"


def main(files: Sequence[str]) -> None:
    """Speak SENTENCE to SAMPLE, transcribe it and `files`, print texts, times and the error rate."""
    began = time.perf_counter()
    speech = voice.speak(SENTENCE)
    voice.write(SAMPLE, speech.audio)
    took = time.perf_counter() - began
    print(f"spoke    {SAMPLE}: {speech.audio.duration:.1f} s of speech in {took:.1f} s, the loading included")
    print(f"  {speech.text}\n  {_times(speech.words)}")
    heard = _transcribe(SAMPLE)
    score = metrics.word_errors(speech.text, heard.text)
    print(
        f"word error rate of the round trip: {100 * score.rate:.1f} % ({score.errors} of {score.words} words)"
    )
    for file in files:
        _transcribe(file)


def _transcribe(file: str) -> voice.Transcript:
    began = time.perf_counter()
    transcript = voice.transcribe(file)
    took = time.perf_counter() - began
    print(f"heard    {file}: {transcript.duration:.1f} s of {name_of(transcript.language)} in {took:.1f} s")
    for segment in transcript.segments:
        print(f"  {segment.text.strip()}\n  {_times(segment.words)}")
    return transcript


def _times(words: Sequence[Word]) -> str:
    return "  ".join(f"{word.text.strip()} {word.start:.2f}–{word.end:.2f}" for word in words)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except VoiceError as error:
        sys.exit(f"error: {error}")
