"""What is heard of the compact style tables of Kokoro's voices, beside the tables that its authors publish.

    npm pack kokoro-js@1.2.1 && tar xzf kokoro-js-1.2.1.tgz
    python -m benchmarks.voices.kokoro_styles --tables package/voices [--voice NAME ...]

Both tables speak the same sentences. Given is the largest difference of a number in the tables, Distill-MOS
of both, and the log-spectral distance of their sounds. The network rounds to 8 bits between its layers, so
that any change, however small, gives other noise; the last column is the distance where the published table
is multiplied by 1.00001.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from recipes.kokoro.styles import read_table
from voice.models.kokoro import MODEL
from voice.models.lookup import find
from voice.text.english.language import ENGLISH
from voice.text.frontend import spoken_sentences
from voice.tts.kokoro.engine import RATE, Kokoro
from voice.tts.kokoro.graphs import open_graphs
from voice.tts.kokoro.styles import style_table

VOICES = ("af_heart", "am_michael", "bf_emma", "bm_george", "ef_dora", "jm_kumo")
TEXT = "The ferry leaves at a quarter to eight. Have you packed the lamp, the map and the old blue coat?"
FRAME, STEP, FLOOR = 1024, 256, 1e-3  # of the spectra; -60 dB of a magnitude of 1
A_LITTLE = 1.00001

Score = Callable[[np.ndarray], float]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=Path, default=Path("package/voices"))
    parser.add_argument("--voice", action="append", help="repeatable; six voices if none is given")
    asked = parser.parse_args()
    graphs, score = open_graphs(find(MODEL).folder, 1), _scorer()
    print("| voice | table, at most | Distill-MOS published | compact | distance, dB | of a change by 1e-5 |")
    print("|---|---|---|---|---|---|")
    rows = []
    for name in asked.voice or VOICES:
        published, compact = read_table(asked.tables / f"{name}.bin"), style_table(name)
        sounds = [
            _speak(Kokoro(graphs, table)) for table in (published, compact, published * np.float32(A_LITTLE))
        ]
        row = [score(sounds[0]), score(sounds[1]), *(distance(sounds[0], other) for other in sounds[1:])]
        rows.append(row)
        print(f"| {name} | {np.abs(published - compact).max():.0e} | " + _cells(row) + " |", flush=True)
    print("| mean | | " + _cells([statistics.mean(column) for column in zip(*rows, strict=True)]) + " |")


def _cells(row: list[float]) -> str:
    return " | ".join(f"{value:.2f}" for value in row)


def _speak(engine: Kokoro) -> np.ndarray:
    sentences = (reading.phonemes for reading in spoken_sentences(TEXT, ENGLISH))
    return np.concatenate([engine.render_phonemes(phonemes).samples for phonemes in sentences])


def _scorer() -> Score:
    """Return a function from samples to Distill-MOS."""
    import soxr
    import torch
    from distillmos import ConvTransformerSQAModel

    model = ConvTransformerSQAModel().eval()

    def score(samples: np.ndarray) -> float:
        with torch.no_grad():
            return float(model(torch.from_numpy(soxr.resample(samples, RATE, 16_000))[None]))

    return score


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return the log-spectral distance of two sounds in dB: over frames, the mean of the root mean square."""
    length = min(len(one), len(other))
    first, second = (np.array([*_levels(each[:length])]) for each in (one, other))
    return float(np.sqrt(np.mean((first - second) ** 2, axis=1)).mean())


def _levels(samples: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the (FRAME / 2 + 1,) dB of each frame."""
    for frame in np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::STEP]:
        yield 20 * np.log10(np.maximum(np.abs(np.fft.rfft(frame * np.hanning(FRAME))), FLOOR))


if __name__ == "__main__":
    main()
