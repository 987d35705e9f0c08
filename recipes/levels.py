"""Measure how loud voices speak, for the cards of those that are to be as loud as the others.

    python -m recipes.levels --voice heart --voice kathleen   # prints what belongs on their cards
    python -m recipes.levels --kokoro                         # writes voice/models/kokoro_voices.toml

A level is the integrated loudness (BS.1770-4) of five sentences, `voice.tts.loudness.CALIBRATION`, as the
network of the voice speaks them. Kokoro's voices of other languages read the same English phonemes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from recipes.options import option, parse
from voice.loading import load_voice
from voice.models import kokoro
from voice.models.card import read_card, write_card
from voice.models.lookup import find
from voice.tts.acoustic import Acoustic
from voice.tts.kokoro.engine import Kokoro
from voice.tts.loudness import CALIBRATION, level_of
from voice.tts.voice import Voice, join
from voice.types import Controls, Synthesizer

TABLE = Path(kokoro.__file__).with_name("kokoro_voices.toml")
SILENT = -60.0  # LUFS: a voice that has learned nothing yet
SILENT = -60.0  # LUFS: a voice that has learned nothing yet
HEADING = """# How loud each voice of Kokoro-82M v1.0 speaks, in LUFS (BS.1770-4), over five sentences:
# python -m recipes.levels --kokoro

[loudness]
"""


@dataclass(frozen=True)
class Options:
    voice: tuple[str, ...] = option((), "name of a voice or its folder (repeatable)")
    kokoro: bool = option(False, "all voices of Kokoro, into their table")


def main(options: Options) -> None:
    for name in options.voice:
        print(f"loudness = {measure_level(load_voice(name, threads=1))}  # {name}", flush=True)
    if options.kokoro:
        head = TABLE.read_text("utf-8").partition("[loudness]")[0]
        TABLE.write_text(head + "[loudness]\n" + "".join(kokoro_rows(kokoro.names())), "utf-8")


def measure_level(voice: Synthesizer) -> float:
    """Return how loud a voice speaks, in LUFS."""
    return level_of(join(voice.speak(CALIBRATION, Controls(loudness=None))).audio)


def note_level(folder: Path) -> None:
    """Write on the card of a voice of ours how loud it speaks, unless nothing is heard of it."""
    level = measure_level(Voice(Acoustic.open(folder)))
    if level > SILENT:
        card = read_card(folder)
        write_card(folder, replace(card, options={**card.options, "loudness": level}))


def kokoro_rows(names: Iterable[str]) -> Iterable[str]:
    """Yield the line of each of Kokoro's voices."""
    folder = find(kokoro.MODEL).folder
    for name in names:
        level = measure_level(Voice(Kokoro.open(folder, speaker=name)))
        print(f"{name}: {level} LUFS", flush=True)
        yield f"{name} = {level}\n"


if __name__ == "__main__":
    main(parse(Options, description=__doc__))
