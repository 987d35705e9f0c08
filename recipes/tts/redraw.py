"""Recordings with the mel that the acoustic model draws of them, for the vocoder to learn from.

    python -m recipes.tts.redraw --run runs/voices --features runs/tts-data/kathleen-train.npz \
        --manifest ../shared/corpora/kathleen/train.jsonl --out runs/drawn-kathleen.npz
    python -m recipes.vocoder.train --drawn runs/drawn-kathleen.npz …

The true lengths, pitch and energy are given, so that what is drawn lies frame by frame beside what was said. F0 is the
recording's own: pulses have to meet its periods.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from data.loading import coded_16_bit
from recipes.options import option, parse
from recipes.tts import corpus
from recipes.tts.corpus import Utterance
from recipes.tts.export import Run, load_run
from recipes.training import autocast
from recipes.vocoder.crops import Corpus, keep
from voice import audio
from voice.features import VOICE_HOP, VOICE_RATE
from voice.manifest import read_manifest


@dataclass(frozen=True)
class Options:
    run: Path | None = option(None, "folder that train.py wrote; none: the recordings' own mel")
    features: tuple[Path, ...] = option((), "file that prepare.py made (repeatable)")
    manifest: tuple[Path, ...] = option((), "where the same clips' audio is (repeatable)")
    minutes: float | None = option(None, "of each file at most, spread evenly")
    out: Path = option(Path("runs/drawn.npz"), "file to write")


def main(options: Options) -> None:
    torch.set_num_threads(1)
    run = load_run(options.run) if options.run else None
    sounds = {clip.id: clip.audio for path in options.manifest for clip in read_manifest(path)}
    chosen = [u for path in options.features for u in _some(corpus.read(path), options.minutes) if u.id in sounds]
    rows = list(_drawn(run, chosen, sounds))
    keep(Corpus(*(np.concatenate(column) for column in zip(*rows, strict=True))), options.out)
    print(f"{options.out}: {len(rows)} clips")


def _some(utterances: list[Utterance], minutes: float | None) -> list[Utterance]:
    most = len(utterances)
    if minutes is not None:
        seconds = sum(len(u.f0) for u in utterances) * VOICE_HOP / VOICE_RATE
        most = min(most, max(1, round(most * minutes * 60 / seconds)))
    return [utterances[i] for i in np.linspace(0, len(utterances) - 1, most).astype(int)]


@torch.no_grad()
def _drawn(run: Run | None, utterances: list[Utterance], sounds: dict[str, Path]) -> Iterator[tuple[np.ndarray, ...]]:
    """Of each utterance a row of the arrays of `Corpus`."""
    device = torch.device("cpu")
    for utterance in utterances:
        mel = utterance.mel
        if run is not None:
            with autocast(device):
                mel = run.model(run.recipe.batch([utterance], device)).mel[0].float().numpy()
        samples = audio.read(sounds[utterance.id], VOICE_RATE).samples[: len(mel) * VOICE_HOP]
        samples = np.pad(samples, (0, len(mel) * VOICE_HOP - len(samples)))
        yield np.array([len(mel)]), coded_16_bit(samples), mel.astype(np.float16), utterance.f0


if __name__ == "__main__":
    main(parse(Options, description=__doc__))
