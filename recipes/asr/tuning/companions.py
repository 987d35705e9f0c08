"""Whether what sits on a recognizer still holds after tuning: words, letters, ends of turns, confidence.

The CTC head and the layer for ends of sentences read the encoder's output, whose upper layers have learned;
confidence was fitted on the base's decoder. All are measured on dev as the recognizer runs, before and after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from data.loading import AudioCache
from recipes.asr.calibrate import NOTHING, Words, fit
from recipes.asr.tuning.examples import Example
from recipes.asr.tuning.guard import Reading
from voice.asr.ctc.head import greedy_letters
from voice.asr.whisper.confidence import Calibration, Confidence
from voice.asr.whisper.recognizer import Whisper
from voice.errors import ModelError, VoiceError
from voice.features import WHISPER_RATE
from voice.loading import load_recognizer
from voice.manifest import Clip, read_manifest, write_manifest
from voice.metrics import calibration_error, right_words
from voice.models.sessions import cores
from voice.types import Audio

ENOUGH_WORDS = 200  # with wrong ones among them, to fit confidence on
DECAY = 10.0  # weight decay of that fit
WORSE = 0.02  # of the calibration error: more than that, and confidence is fitted anew


@dataclass(frozen=True, eq=False)
class AsRun:
    """What a recognizer says of utterances as `voice transcribe` runs it, and what its companions say.

    `letters` is None without a CTC head, `ends` (N,) are empty without a layer for ends of sentences.
    """

    reading: Reading
    words: Words
    letters: Reading | None
    ends: np.ndarray
    confidence: Confidence = field(repr=False)

    @property
    def calibration_error(self) -> float:
        """Return the expected calibration error of the words' confidence."""
        if not len(self.words.right):
            return 0.0
        sure = self.confidence(self.words.rows).tolist()
        return calibration_error(sure, self.words.right.tolist())


class Recorder:
    """Judge words by a `confidence`, and keep what it was asked about."""

    def __init__(self, confidence: Confidence) -> None:
        self.confidence = confidence
        self.rows: list[np.ndarray] = []

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Return the probabilities that words are right, of what is known of each (N, FEATURES)."""
        self.rows.append(rows)
        return self.confidence(rows)


def run_recognizer(name: str, examples: Sequence[Example], language: str, threads: int) -> AsRun:
    """Return how the recognizer called `name` does on some utterances. Raises ModelError."""
    recognizer = load_recognizer(name, threads=threads)
    if not isinstance(recognizer, Whisper):
        raise ModelError(f"{name} is no Whisper, which alone can be tuned so")
    recorder = Recorder(recognizer.confidence)
    recognizer.confidence = recorder
    texts, letters, ends, words = [], [], [], NOTHING
    for each in examples:
        recorder.rows.clear()
        window = each.heard.window
        sound = Audio(each.heard.sounds[window.clips[0]], WHISPER_RATE)
        transcript = recognizer.transcribe(sound, language=language)
        texts.append(transcript.text)
        if transcript.words and recorder.rows and language == "en":
            right = right_words(each.reference, [word.text for word in transcript.words])
            rows = np.concatenate(recorder.rows)
            if len(rows) == len(right):
                words = words + Words(rows, np.array(right))
        if recognizer.detects_end_of_turn:
            ends.append(recognizer.end_of_turn(sound))
        letters.append(_letters(recognizer, sound))
    references = [each.reference for each in examples]
    found = [text for text in letters if text is not None]
    spelled = Reading.of(references, found, language) if found else None
    return AsRun(Reading.of(references, texts, language), words, spelled, np.array(ends), recorder.confidence)


def transcribe_clips(name: str, clips: Sequence[Clip], language: str, threads: int) -> Reading:
    """Return what the recognizer called `name` says of clips with transcripts. Raises AudioError."""
    recognizer = load_recognizer(name, threads=threads)
    sounds = AudioCache(clips, WHISPER_RATE)
    texts = [
        recognizer.transcribe(Audio(sounds[place], WHISPER_RATE), language=language).text
        for place in range(len(clips))
    ]
    return Reading.of([clip.text or "" for clip in clips], texts, language)


def write_judged(folder: Path, examples: Mapping[str, Sequence[Example]]) -> dict[str, Path]:
    """Write what a recognizer was judged on as manifests, title → file, so that it can be judged again."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for title, some in examples.items():
        if some:
            found[title] = folder / f"{title}.jsonl"
            clips = [(each.heard.sounds.clips[each.heard.window.clips[0]], each.reference) for each in some]
            write_manifest(found[title], [replace(clip, text=text) for clip, text in clips])
    return found


def evaluate_again(
    model: str, sets: Mapping[str, str], options: Mapping[str, Any]
) -> Iterator[tuple[str, float]]:
    """Yield the word error rates of a tuned recognizer's card, measured again on what it was judged on."""
    language = str(options.get("language", "en"))
    for title, path in sets.items():
        clips = [clip for clip in read_manifest(Path(path)) if clip.text]
        yield f"{title} WER", transcribe_clips(model, clips, language, cores()).rate


def _letters(recognizer: Whisper, sound: Audio) -> str | None:
    """Return what the CTC head reads, letter by letter the likeliest; None without a head."""
    try:
        return greedy_letters(recognizer.letter_log_probs(sound))
    except VoiceError:
        return None


def compare(before: AsRun, after: AsRun) -> tuple[list[str], dict[str, float] | None]:
    """Return lines on what still holds and what was lost, and new weights of confidence where it does not."""
    lines = []
    if before.letters and after.letters:
        was = before.letters.describe()
        lines.append(f"letters of the CTC head: {after.letters.describe()} word errors, {was} before")
    if len(before.ends) and len(after.ends):
        was, now = f"{before.ends.mean():.2f}", f"{after.ends.mean():.2f}"
        moved = float(np.abs(after.ends - before.ends).mean())
        lines.append(f"P(end of turn) where recordings end: {now}, {was} before, {moved:.2f} apart")
    was, now = f"{before.calibration_error:.3f}", f"{after.calibration_error:.3f}"
    lines.append(f"calibration error of confidence: {now}, {was} before")
    if after.calibration_error <= before.calibration_error + WORSE:
        return lines, None
    right = after.words.right
    if len(right) < ENOUGH_WORDS or right.all() or not right.any():
        return [*lines, f"confidence stays as it is: {len(right)} words are too few to fit it anew"], None
    weights = fit(after.words, DECAY)
    again = calibration_error(Calibration(weights)(after.words.rows).tolist(), right.tolist())
    return [*lines, f"confidence was fitted anew: {again:.3f} on the same words"], weights
