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
from voice.agent.listening.endpointing import HANGOVER, MARK_WEIGHT, with_mark
from voice.agent.listening.options import ListeningOptions
from voice.asr.whisper.end_of_turn import FILE_NAME, average_stretches
from voice.asr.whisper.recognizer import Whisper
from voice.loading import load_recognizer
from voice.models.card import hashes, read_card, write_card
from voice.silero import Silero
from voice.types import Audio, Recognizer
from voice.vad import Hysteresis

ORDERS = ("wake_words", "speech_to_intent")
QUIET = 1.0  # seconds around a sentence
SPOKEN = 8.0  # seconds before a silence that are recognized; the layer hears the end of them
FURTHER = 0.036  # seconds that the noisy copy is cut off earlier at most, for a detector that is less sure
NOISE = (8.0, 30.0)  # dB below the speech
LONG = 0.25  # seconds of a pause that matters
FOLDS, STEPS, WEAKNESS = 5, 120, 0.3  # of fitting: the last is the penalty on the weights


@dataclass(frozen=True, eq=False)
class Silence:
    """`clean` and `noisy` are (6, D) of the sound before; a pause lasts `seconds`, an end for ever.

    `end_of_sentence` is the recognizer's probability that a sentence ends there (see voice.types.Word).
    """

    clean: np.ndarray
    noisy: np.ndarray
    seconds: float
    sentence: int
    corpus: str
    speaker: str
    end_of_sentence: float | None

    @property
    def is_end(self) -> bool:
        """Tell whether the sentence ends here."""
        return self.seconds == np.inf


def silences(sounds: CaseSounds, recognizer: Whisper, limit: int | None) -> Iterator[Silence]:
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
        for before, seconds in _silences_of(track, detector):
            if seconds == np.inf and not is_whole(row):
                continue
            cut = len(before) - round(rng.uniform(0, FURTHER) * RATE)
            noisy = _noisy(before[:cut], noises[rng.randrange(len(noises))], rng)
            clean, other = (
                average_stretches(Audio(each, RATE), recognizer.encode) for each in (before, noisy)
            )
            speaker = row.get("speaker") or row["corpus"]
            end_of_sentence = _end_of_sentence(before, recognizer)
            yield Silence(clean, other, seconds, number, row["corpus"], speaker, end_of_sentence)


def _end_of_sentence(speech: np.ndarray, recognizer: Recognizer) -> float | None:
    """Return the probability that a sentence ends with the last word of the speech."""
    words = recognizer.transcribe(Audio(speech, RATE)).words
    return words[-1].end_of_sentence if words else None


def _silences_of(track: np.ndarray, detector: Silero) -> Iterator[tuple[np.ndarray, float]]:
    """Yield what is said before each silence, up to its last sound, and how long the silence lasts."""
    hop, options = detector.hop, ListeningOptions()
    probabilities = detector.stream_several()(track[: len(track) // hop * hop].reshape(-1, hop))
    hysteresis = Hysteresis(options.thresholds, hop / RATE)
    regions = [region for region in map(hysteresis, probabilities.tolist()) if region]
    for index, region in enumerate(regions):
        end = region.last * hop - round(HANGOVER * RATE)
        begin = regions[0].first * hop - round(options.pre_roll * RATE)
        begin = max(0, begin, end - round(SPOKEN * RATE))
        later = regions[index + 1].first if index + 1 < len(regions) else np.inf
        yield track[begin:end], (later - region.last) * hop / RATE


def _noisy(sound: np.ndarray, noise: np.ndarray, rng: random.Random) -> np.ndarray:
    """Add noise to a sound, 8 to 30 dB below speech."""
    noise = np.resize(noise[rng.randrange(max(1, len(noise) - len(sound))) :], len(sound))
    loudness = LEVEL * 10 ** (-rng.uniform(*NOISE) / 20)
    return (sound + loudness * noise / (np.sqrt(np.mean(noise**2)) + 1e-6)).astype(np.float32)


def fit(found: Sequence[Silence]) -> tuple[np.ndarray, float]:
    """Fit weights (6, D) and a bias: logistic regression, by Nesterov's method. Long pauses weigh more."""
    rows = np.stack([each.ravel() for one in found for each in (one.clean, one.noisy)]).astype(np.float32)
    middle, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    rows = (rows - middle) / spread
    ends = np.repeat([one.is_end for one in found], 2).astype(np.float32)
    heavy = np.repeat([1.0 if one.is_end else np.clip(one.seconds / 0.3, 0.1, 2.0) for one in found], 2)
    heavy = (heavy / heavy.sum()).astype(np.float32)
    step = 4 / (np.linalg.norm(rows * np.sqrt(heavy)[:, None], 2) ** 2 + 4 * WEAKNESS + 1)
    now = ahead = np.zeros(rows.shape[1], np.float32)
    bias = bias_ahead = 0.0
    for turn in range(STEPS):
        wrong = heavy * (1 / (1 + np.exp(-(rows @ ahead + bias_ahead))) - ends)
        then, bias_then = ahead - step * (rows.T @ wrong + WEAKNESS * ahead), bias_ahead - step * wrong.sum()
        pace = turn / (turn + 3)
        ahead, bias_ahead = then + pace * (then - now), bias_then + pace * (bias_then - bias)
        now, bias = then, bias_then
    weights = now / spread
    return weights.reshape(found[0].clean.shape), float(bias - weights @ middle)


def odds(found: Sequence[Silence], weights: np.ndarray, bias: float) -> np.ndarray:
    """Return the log-odds (N,) of an end at each silence."""
    return np.array([float((one.clean * weights).sum()) + bias for one in found])


def cross_validate(found: Sequence[Silence], kinds: Sequence[Hashable]) -> np.ndarray:
    """Return the log-odds of each silence by a layer that was fitted on silences of other kinds."""
    scores = np.zeros(len(found))
    order = sorted(set(kinds))
    random.Random(0).shuffle(order)
    folds = np.array([order.index(kind) % FOLDS for kind in kinds])
    for fold in range(FOLDS):
        layer = fit([one for one, its in zip(found, folds, strict=True) if its != fold])
        indexes = np.flatnonzero(folds == fold)
        scores[indexes] = odds([found[index] for index in indexes], *layer)
    return scores


def area_under_curve(found: Sequence[Silence], scores: np.ndarray) -> float:
    """Return the share of pairs of an end and a long pause in which the end scores higher."""
    ends = scores[[one.is_end for one in found]]
    pauses = scores[[LONG <= one.seconds < np.inf for one in found]]
    return float(np.mean(ends[:, None] > pauses[None])) if len(ends) and len(pauses) else np.nan


def with_marks(found: Sequence[Silence], scores: np.ndarray) -> np.ndarray:
    """Return the probabilities of an end, with the recognizer's probability of a full stop there."""
    by_sound = 1 / (1 + np.exp(-scores))
    return np.array(
        [with_mark(p, one.end_of_sentence, MARK_WEIGHT) for p, one in zip(by_sound, found, strict=True)]
    )


def report(found: Sequence[Silence], scores: np.ndarray, of: str) -> None:
    """Print how well ends and pauses are told apart, by corpus."""
    print(f"\n{len(found)} silences, {sum(one.is_end for one in found)} of them ends; {of} never heard")
    print(f"told apart, AUC {'':18} sound  with marks")
    together = with_marks(found, scores)
    for name in (*sorted({one.corpus for one in found}), "all"):
        indexes = [index for index, one in enumerate(found) if name in (one.corpus, "all")]
        some = [found[index] for index in indexes]
        shares = [area_under_curve(some, each[indexes]) for each in (scores, together)]
        print(f"{name:18} {len(indexes):5} {'':9} {shares[0]:.3f}  {shares[1]:.3f}")


def write(folder: Path, weights: np.ndarray, bias: float) -> None:
    """Write the layer into a model's folder, and onto its card."""
    np.savez_compressed(folder / FILE_NAME, weights=weights.astype(np.float16), bias=np.float32(bias))
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
        write(out, *fit(found))


if __name__ == "__main__":
    typer.run(main)
