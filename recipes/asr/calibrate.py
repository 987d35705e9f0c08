"""Fits how sure a recognizer is of its words to how often they are right.

    python -m recipes.asr.calibrate --model quick --model whisper-base --model whisper-tiny.en
    python -m recipes.asr.calibrate --model runs/mine/model --write

Each clip is recognized as it is and once more with noise; logistic regression on what is known of
each word (`voice.asr.whisper.confidence.FEATURES`) gives the weights. They are printed as a line for the
model's card, beside how honest they are on clips that they were not fitted on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from data.augmentation import with_noise
from data.batching import rng_for
from recipes.asr.windows import select_any
from recipes.options import option, parse
from voice import audio
from voice.asr.whisper.confidence import FEATURES, Calibration, Confidence, mean_token_probability
from voice.asr.whisper.recognizer import Whisper
from voice.errors import ModelError
from voice.features import WHISPER_RATE
from voice.loading import load_recognizer
from voice.manifest import Clip, read_manifest
from voice.metrics import auroc, calibration_error, right_words
from voice.models.card import read_card, write_card
from voice.types import Audio

CORPORA = "../shared/corpora"
FITTED = (
    "kathleen/dev.jsonl",
    "ljspeech/dev.jsonl",
    "asterisk_allison/dev.jsonl",
    "speechocean762/dev.jsonl",
)
TESTS = ("kathleen/test.jsonl", "ljspeech/test.jsonl", "librispeech/test.jsonl", "speechocean762/test.jsonl")


@dataclass(frozen=True)
class Options:
    model: tuple[str, ...] = option(("quick",), "recognizer to fit; repeatable")
    manifest: tuple[str, ...] = option(
        tuple(f"{CORPORA}/{name}" for name in FITTED), "fit on this, transcribed; PATH:N takes N; repeatable"
    )
    test: tuple[str, ...] = option(
        tuple(f"{CORPORA}/{name}" for name in TESTS), "report on this; PATH:N takes N; repeatable"
    )
    noise: Path = option(Path(CORPORA) / "noise" / "train.jsonl", "manifest of noises")
    snr: tuple[float, ...] = option(
        (0.0, 15.0), "noise in dB below the speech: each clip's is drawn between these"
    )
    decay: float = option(10.0, "weight decay: how many words of doubt each weight starts from")
    threads: int = option(2, "processor cores")
    write: bool = option(False, "put the weights on the model's card, if it is a folder of one's own")


@dataclass(frozen=True, eq=False)
class Words:
    """What is known of N words, (N, FEATURES), and which of them are right, (N,) bool."""

    rows: np.ndarray
    right: np.ndarray

    def __add__(self, other: Words) -> Words:
        return Words(np.concatenate((self.rows, other.rows)), np.concatenate((self.right, other.right)))


NOTHING = Words(np.zeros((0, len(FEATURES))), np.zeros(0, bool))


class Recorder:
    """In place of a calibration: keeps what it is asked about, and is sure of it, so that all is kept."""

    def __init__(self) -> None:
        self.rows: list[np.ndarray] = []

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        self.rows.append(rows)
        return np.ones(len(rows))


def open_recorded(name: str, recorder: Recorder, threads: int) -> Whisper:
    """Return the recognizer as it is used, but that `recorder` judges its words."""
    recognizer = load_recognizer(name, threads=threads)
    if not isinstance(recognizer, Whisper):
        raise ModelError(f"{name} is no Whisper, whose words alone can be calibrated")
    recognizer.confidence = recorder
    return recognizer


def recognize(recognizer: Whisper, recorder: Recorder, samples: np.ndarray, text: str) -> Words:
    """Return the words of one utterance."""
    recorder.rows.clear()
    words = recognizer.transcribe(Audio(samples, WHISPER_RATE), language="en").words
    if not words:
        return NOTHING
    return Words(np.concatenate(recorder.rows), np.array(right_words(text, [word.text for word in words])))


def sounds(
    clips: Sequence[Clip], noises: Sequence[Clip], snr: Sequence[float]
) -> Iterator[tuple[np.ndarray, str]]:
    """Each clip as it is and, where there are noises, once more in one of them."""
    for number, clip in enumerate(clips):
        samples = audio.read(clip.audio, WHISPER_RATE).samples
        text = clip.text or ""
        yield samples, text
        if noises:
            draw = rng_for(0, number)
            noise = audio.read(noises[int(draw.integers(len(noises)))].audio, WHISPER_RATE).samples
            yield with_noise(samples, noise, draw.uniform(min(snr), max(snr)), draw), text


def fit(words: Words, decay: float) -> dict[str, float]:
    """Fit a logistic regression, each feature scaled to variance 1 while `decay` acts."""
    from sklearn.linear_model import LogisticRegression

    mean, spread = words.rows.mean(0), words.rows.std(0) + 1e-9
    scaled = (words.rows - mean) / spread
    model = LogisticRegression(C=1 / decay, solver="newton-cholesky", tol=1e-8).fit(scaled, words.right)
    plain = model.coef_[0] / spread
    used = {name: float(w) for name, w, s in zip(FEATURES, plain, spread, strict=True) if s > 1e-6}
    return used | {"bias": float(model.intercept_[0] - plain @ mean)}


def clips_with_text(manifest: str) -> list[Clip]:
    """Return the clips of a manifest that have a transcript."""
    return [clip for clip in select_any(manifest) if clip.text]


def title(manifest: str) -> str:
    """`…/librispeech/test.jsonl` → `librispeech test`."""
    path = Path(manifest)
    return f"{path.parent.name} {path.name.partition('.')[0]}"


def report(name: str, words: Words, confidence: Confidence) -> str:
    sure, right = confidence(words.rows).tolist(), words.right.tolist()
    return (
        f"{name:<24}{len(words.right):>6} words{1 - words.right.mean():>8.1%} wrong"
        f"   ECE {calibration_error(sure, right):.3f}   AUROC {auroc(sure, right):.3f}"
    )


def calibrate(name: str, options: Options) -> dict[str, float]:
    """Fits one recognizer, prints how it fares and returns its weights."""
    recorder = Recorder()
    recognizer = open_recorded(name, recorder, options.threads)
    noises = read_manifest(options.noise)
    known = every = NOTHING
    for manifest in options.manifest:
        for samples, text in sounds(clips_with_text(manifest), noises, options.snr):
            known = known + recognize(recognizer, recorder, samples, text)
    confidence = Calibration(fit(known, options.decay))
    print(report(f"{name}, fitted", known, confidence), flush=True)
    for manifest in options.test:
        words = NOTHING
        for samples, text in sounds(clips_with_text(manifest), (), options.snr):
            words = words + recognize(recognizer, recorder, samples, text)
        print(report(title(manifest), words, confidence), flush=True)
        every = every + words
    print(report("all of these", every, confidence))
    print(report("before", every, mean_token_probability))
    return dict(confidence.weights)


def main(options: Options) -> None:
    for name in options.model:
        weights = {key: round(value, 4) for key, value in calibrate(name, options).items()}
        print(
            "confidence = { " + ", ".join(f"{key} = {value}" for key, value in weights.items()) + " }\n",
            flush=True,
        )
        if options.write:
            card = read_card(Path(name))
            write_card(Path(name), replace(card, options={**card.options, "confidence": weights}))


if __name__ == "__main__":
    main(parse(Options, description=__doc__))
