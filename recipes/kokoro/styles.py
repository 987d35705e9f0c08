"""Make the style tables of Kokoro's 54 voices small, 28 MB → 0.7 MB, without a change that is heard.

    npm pack kokoro-js@1.2.1 && tar xzf kokoro-js-1.2.1.tgz
    python -m recipes.kokoro.styles --voices package/voices

Kokoro has a style of 256 numbers for each voice and each number of tokens, 1 to 510. Over the number of
tokens these change along few directions, the same ones for all voices: 12 curves, from a singular value
decomposition of all tables, give every number back to within 1e-4. `benchmarks.kokoro_styles` shows what is
heard of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recipes.options import option, parse

LENGTHS, WIDTH = 510, 256


@dataclass(frozen=True)
class Options:
    voices: Path = option(Path("package/voices"), "folder with a table of float32, NAME.bin, for each voice")
    curves: int = option(12, "directions over the number of tokens that are kept")
    out: Path = option(Path("voice/tts/kokoro/styles.npz"), "file for the tables")


def main(options: Options) -> None:
    paths = sorted(options.voices.glob("*.bin"))
    tables = np.stack([read_table(path) for path in paths])
    curves, weights = decompose(tables, options.curves)
    np.savez_compressed(options.out, names=[path.stem for path in paths], curves=curves, weights=weights)
    error = np.abs(curves @ weights - tables)
    size = options.out.stat().st_size / 1e6
    print(f"{len(paths)} voices, {size:.2f} MB; error at most {error.max():.1e}, {error.std():.1e} as a rule")


def read_table(path: Path) -> np.ndarray:
    """Return (LENGTHS, WIDTH) float32."""
    return np.fromfile(path, np.float32).reshape(LENGTHS, WIDTH)


def decompose(tables: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (LENGTHS, count) curves and (N, count, WIDTH) weights, whose products the (N, LENGTHS, WIDTH)
    `tables` are.
    """
    columns = tables.transpose(1, 0, 2).reshape(LENGTHS, -1).astype(np.float64)
    left, values, right = np.linalg.svd(columns, full_matrices=False)
    weights = (values[:count, None] * right[:count]).reshape(count, len(tables), WIDTH).transpose(1, 0, 2)
    return left[:, :count].astype(np.float32), weights.astype(np.float32)


if __name__ == "__main__":
    main(parse(Options, description=__doc__))
