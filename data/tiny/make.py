"""Makes the tiny corpus: a minute of speech by the voice `heart`, for smoke runs and tests.

    python -m data.tiny.make

The sentences were written for this project and `heart` is Apache-2.0, so the result is too. The
same samples come out each time; the Ogg container's serial number is the only thing that differs.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from voice.manifest import Clip, write_manifest

FOLDER = Path(__file__).parent
RATE = 24000
SILENCE = 0.1  # s, at both ends
OPUS_COMPRESSION = 0.85  # libsndfile's scale; about 45 kbit/s of mono

TRAIN = (
    "Good morning.",
    "Can you hear me?",
    "The kettle boils at seven, and the bus leaves at eight.",
    "Turn left after the bridge.",
    "She paid twelve dollars and fifty cents for three old books.",
    "No, thank you!",
    "Our garden grows beans, thyme, and far too many weeds.",
    "Who measured the width of that valley?",
    "A young fox jumped over the shallow ditch and vanished.",
    "Please spell your name, then say the code.",
    "It rained through June; July was no better.",
    "The choir joined in with a loud, joyful noise.",
    "Does the engine usually sound like this?",
    "Charles bought cheese, sugar, and a huge pie.",
    "Nothing about the weather surprises sailors.",
    "Put the azure vase beside the window.",
)
DEV = (
    "The train to the coast departs at nine.",
    "Would you water the plants while we are away?",
    "He thought the question over and smiled.",
    "Five boys shared the measure of good luck.",
)


def main() -> None:
    from hibari import Hibari

    heart = Hibari(threads=1)
    for split, sentences in (("train", TRAIN), ("dev", DEV)):
        write_manifest(FOLDER / f"{split}.jsonl", _spoken(heart, split, sentences))


def _spoken(heart, split: str, sentences: Iterable[str]) -> Iterable[Clip]:
    for number, text in enumerate(sentences, 1):
        name = f"{split}_{number:02d}"
        speed = (1.0, 0.92, 1.08)[number % 3]
        samples = np.pad(heart(text, speed=speed, seed=number), round(SILENCE * RATE))
        _write(FOLDER / "audio" / f"{name}.opus", samples)
        yield Clip(
            audio=FOLDER / "audio" / f"{name}.opus",
            text=text,
            duration=round(len(samples) / RATE, 3),
            speaker="heart",
            id=f"tiny-{name}",
            sample_rate=RATE,
            language="en",
            extra={"source": "heart", "licence": "Apache-2.0"},
        )


def _write(path: Path, samples: np.ndarray) -> None:
    import soundfile

    path.parent.mkdir(exist_ok=True)
    soundfile.write(
        path, samples, RATE, format="OGG", subtype="OPUS", compression_level=OPUS_COMPRESSION
    )


if __name__ == "__main__":
    main()
