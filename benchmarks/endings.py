"""End of turn: fit the layer of quick that tells ends of sentences from pauses, and measure how well it does.

    python -m benchmarks.endings [--out voice/models/pretrained/quick]

Single sentences and orders of the corpora, none of `test`: each silence that the agent's voice activity
detector finds is the end of its sentence or a pause in it; the last silence of a recording that stops
inside a sentence is left out. The recognizer gets the speech before it,
cut off at the last sound (once clean, once in noise), so that nothing of a recording's end is learnt.
Scores are of sentences, and of speakers, that the layer was not fitted on, by the sound alone and with the
recognizer's probability of a full stop there. About half an hour.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.turn_taking.noises import RATE
from benchmarks.turn_taking.sounds import (
    LEVEL,
    SENTENCES,
    CaseSounds,
    is_of_one_sentence,
    is_whole,
    longest_pause,
)
from recipes.endpoint import layer
from recipes.endpoint.layer import Layer, area_under_curve, write_layer
from recipes.endpoint.silences import FURTHER, QUIET, SNR, Silence, spans
from voice.agent.listening.endpointing import MARK_WEIGHT, with_mark
from voice.asr.whisper.end_of_turn import FILE_NAME, average_stretches
from voice.asr.whisper.recognizer import Whisper
from voice.loading import load_recognizer
from voice.models.card import hashes, read_card, write_card
from voice.silero import Silero
from voice.types import Audio, Recognizer

ORDERS = ("wake_words", "speech_to_intent")
FOLDS, WEAKNESS = 5, 0.3  # of fitting: the last is the penalty on the weights


@dataclass(frozen=True, eq=False)
class Heard:
    """A silence in a sentence of a corpus.

    `end_of_sentence` is the recognizer's probability that a sentence ends there (see voice.types.Word).
    """

    silence: Silence
    sentence: int
    corpus: str
    speaker: str
    end_of_sentence: float | None


def silences(sounds: CaseSounds, recognizer: Whisper, limit: int | None) -> Iterator[Heard]:
    """Yield the silences of all sentences, or of `limit`."""
    detector, rng = Silero.open(), random.Random(5)
    noises = sounds.noises(60)
    rows = [row for name in SENTENCES for row in sounds.rows(name) if is_of_one_sentence(row)]
    rows += [row for name in ORDERS for row in sounds.rows(name)]
    for number, row in enumerate(random.Random(1).sample(rows, min(limit or len(rows), len(rows)))):
        utterance = sounds.one(row)
        if longest_pause(utterance.sound) >= 1.2:
            continue
        track = np.concatenate((sounds.quiet(QUIET), utterance.sound, sounds.quiet(QUIET)))
        for begin, end, seconds in spans(track, detector):
            if seconds == np.inf and not is_whole(row):
                continue
            before = track[begin:end]
            cut = len(before) - round(rng.uniform(0, FURTHER) * RATE)
            noisy = _noisy(before[:cut], noises[rng.randrange(len(noises))], rng)
            clean, other = (
                average_stretches(Audio(each, RATE), recognizer.encode) for each in (before, noisy)
            )
            speaker = row.get("speaker") or row["corpus"]
            silence = Silence(clean, other, seconds, str(number), end / RATE - QUIET)
            yield Heard(silence, number, row["corpus"], speaker, _end_of_sentence(before, recognizer))


def _end_of_sentence(speech: np.ndarray, recognizer: Recognizer) -> float | None:
    """Return the probability that a sentence ends with the last word of the speech."""
    words = recognizer.transcribe(Audio(speech, RATE)).words
    return words[-1].end_of_sentence if words else None


def _noisy(sound: np.ndarray, noise: np.ndarray, rng: random.Random) -> np.ndarray:
    """Add noise to a sound, 8 to 30 dB below speech."""
    noise = np.resize(noise[rng.randrange(max(1, len(noise) - len(sound))) :], len(sound))
    loudness = LEVEL * 10 ** (-rng.uniform(*SNR) / 20)
    return (sound + loudness * noise / (np.sqrt(np.mean(noise**2)) + 1e-6)).astype(np.float32)


def fit(found: Sequence[Heard]) -> Layer:
    """Fit a layer to silences, as `voice train endpoint` fits one, from nothing."""
    heard = _silences(found)
    return layer.fit(heard, Layer(np.zeros(heard[0].clean.shape), 0.0), WEAKNESS)


def _silences(found: Sequence[Heard]) -> list[Silence]:
    return [one.silence for one in found]


def cross_validate(found: Sequence[Heard], kinds: Sequence[Hashable]) -> np.ndarray:
    """Return the log-odds of each silence by a layer that was fitted on silences of other kinds."""
    scores = np.zeros(len(found))
    order = sorted(set(kinds))
    random.Random(0).shuffle(order)
    folds = np.array([order.index(kind) % FOLDS for kind in kinds])
    for fold in range(FOLDS):
        fitted = fit([one for one, its in zip(found, folds, strict=True) if its != fold])
        indexes = np.flatnonzero(folds == fold)
        scores[indexes] = fitted.odds(_silences([found[index] for index in indexes]))
    return scores


def with_marks(found: Sequence[Heard], scores: np.ndarray) -> np.ndarray:
    """Return the probabilities of an end, with the recognizer's probability of a full stop there."""
    by_sound = 1 / (1 + np.exp(-scores))
    return np.array(
        [with_mark(p, one.end_of_sentence, MARK_WEIGHT) for p, one in zip(by_sound, found, strict=True)]
    )


def report(found: Sequence[Heard], scores: np.ndarray, of: str) -> None:
    """Print how well ends and pauses are told apart, by corpus."""
    ends = sum(one.silence.is_end for one in found)
    print(f"\n{len(found)} silences, {ends} of them ends; {of} never heard")
    print(f"told apart, AUC {'':18} sound  with marks")
    together = with_marks(found, scores)
    for name in (*sorted({one.corpus for one in found}), "all"):
        indexes = [index for index, one in enumerate(found) if name in (one.corpus, "all")]
        some = [found[index] for index in indexes]
        shares = [area_under_curve(_silences(some), each[indexes]) for each in (scores, together)]
        print(f"{name:18} {len(indexes):5} {'':9} {shares[0]:.3f}  {shares[1]:.3f}")


def write(folder: Path, fitted: Layer) -> None:
    """Write the layer into a model's folder, and onto its card."""
    write_layer(folder / FILE_NAME, fitted)
    card = read_card(folder)
    write_card(folder, replace(card, files={**card.files, **hashes(folder, [FILE_NAME])}))


def main(
    corpora: Annotated[Path, typer.Option(help="Folder of speech corpora.")] = Path("../shared/corpora"),
    out: Annotated[Path | None, typer.Option(help="Model folder that the layer is written to.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many sentences.")] = None,
) -> None:
    quick = load_recognizer("quick")
    assert isinstance(quick, Whisper)
    found = [*silences(CaseSounds(corpora, "dev"), quick, limit)]
    report(found, cross_validate(found, [one.sentence for one in found]), "sentences")
    report(found, cross_validate(found, [one.speaker for one in found]), "speakers")
    if out:
        write(out, fit(found))


if __name__ == "__main__":
    typer.run(main)
