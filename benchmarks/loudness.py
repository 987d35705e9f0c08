"""How loud the voices are, each speaking the same sentences at the usual level and at another.

    python -m benchmarks.loudness [--voice NAME ...] [--loudness -16]

Integrated loudness and true peak are those of BS.1770-4, over sentences that no level was measured on.
"""

from __future__ import annotations

import argparse

from voice.loading import load_voice
from voice.media.loudness import Loudness, measure
from voice.tts.voice import join
from voice.types import LOUDNESS, Controls

VOICES = (
    "heart", "kathleen", "lj", "kumo", "af_heart", "af_bella", "am_michael", "am_fenrir", "bf_emma",
    "bm_george",
)  # fmt: skip
SENTENCES = (
    "My grandfather kept bees behind the house, and every summer we had honey with our bread. "
    "Have you seen the new bridge? It is longer than I thought. "
    "On Monday the shops open at nine; on Sunday they stay closed. "
    "Well, that was not what I expected!"
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--voice", action="append", help="a voice (repeatable); ten of them if none is given")
    parser.add_argument("--loudness", type=float, default=LOUDNESS, help="LUFS to ask for")
    asked = parser.parse_args()
    voices = asked.voice or VOICES
    print(f"| voice | its network's LUFS | at {asked.loudness:g} LUFS | true peak, dB |\n|---|---|---|---|")
    found = []
    for name in voices:
        plain, leveled = (speak(name, level) for level in (None, asked.loudness))
        found.append(leveled.integrated)
        print(
            f"| {name} | {plain.integrated:.1f} | {leveled.integrated:.1f} | {leveled.peak:.1f} |", flush=True
        )
    print(f"\nfrom {min(found):.1f} to {max(found):.1f} LUFS")


def speak(name: str, level: float | None) -> Loudness:
    """Return how loud a voice speaks the sentences."""
    sound = join(load_voice(name, threads=1).speak(SENTENCES, Controls(loudness=level))).audio
    return measure(sound.samples, sound.rate)


if __name__ == "__main__":
    main()
