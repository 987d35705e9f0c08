"""A picture of voices: spectrum and pitch of the same sentence, in the recording and as each voice says it.

    python -m recipes.tts.picture --out recipes/tts/voices.png

A row for each manifest, whose first recording of `--seconds` or more is taken; a column for each voice.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING

import numpy as np

from recipes.options import option, parse
from recipes.tts import scores
from recipes.tts.evaluate import CORPORA, RECORDINGS
from recipes.tts.systems import ours
from voice import audio
from voice.errors import VoiceError
from voice.features import VOICE_BANDS, VOICE_HOP, VOICE_RATE, voice_log_mel
from voice.loading import load_voice
from voice.manifest import Clip, read_manifest
from voice.tts.voice import join
from voice.types import Audio

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FRAMES = VOICE_RATE / VOICE_HOP  # a second
DYNAMICS = 8.0  # nats below the loudest point that are drawn: 70 dB
LOWEST, HIGHEST = 60.0, 500.0  # Hz of the pitch's axis
COLORS = 64  # of the file, which so stays small


@dataclass(frozen=True)
class Options:
    manifest: tuple[Path, ...] = option(
        (CORPORA / "kathleen/test.jsonl", CORPORA / "ljspeech/test.jsonl"), "a row for each; repeatable"
    )
    voice: tuple[str, ...] = option(ours(), "a column for each: names or folders; repeatable")
    seconds: float = option(3.0, "of the recording, at least")
    out: Path = option(Path("recipes/tts/voices.png"), "where to put the picture")


def choose_clip(manifest: Path, seconds: float) -> Clip:
    """Return the first recording that is long enough. Raises VoiceError where all are shorter."""
    for clip in read_manifest(manifest):
        if clip.text and clip.duration >= seconds:
            return clip
    raise VoiceError(f"{manifest} has no recording of {seconds:g} s with a transcript; ask for fewer seconds")


def draw(axes: Axes, sound: Audio, title: str, seconds: float) -> None:
    """Draw a sound's log-mel spectrum, and over it its pitch, on a logarithmic scale of its own."""
    sound = audio.resample(sound, VOICE_RATE)
    mel, hertz = voice_log_mel(sound.samples), scores.hertz(sound)
    low = mel.max() - DYNAMICS
    across = (0, mel.shape[1] / FRAMES, 0, VOICE_BANDS)
    axes.imshow(mel, origin="lower", aspect="auto", extent=across, vmin=low, cmap="magma")
    axes.set_facecolor("black")
    axes.set(xlim=(0, seconds), ylim=(0, VOICE_BANDS), yticks=[])
    axes.set_title(title, fontsize=9)
    above = axes.twinx()
    curve = np.where(hertz > 0, hertz, np.nan)
    above.plot(np.arange(len(curve)) / FRAMES, curve, color="cyan", linewidth=1.2)
    above.set(yscale="log", ylim=(LOWEST, HIGHEST), xlim=(0, seconds), yticks=[100, 200, 400])
    above.set_yticklabels(["100", "200", "400 Hz"], fontsize=6)
    above.minorticks_off()
    axes.tick_params(labelsize=6)


def picture(options: Options) -> bytes:
    """PNG. Raises VoiceError."""
    from matplotlib.figure import Figure

    voices = {name: load_voice(name, threads=1) for name in options.voice}
    clips = [choose_clip(path, options.seconds) for path in options.manifest]
    figure = Figure(figsize=(2.6 * (len(voices) + 1), 2.1 * len(clips)), dpi=110, layout="constrained")
    grid = figure.subplots(len(clips), len(voices) + 1, squeeze=False)
    for clip, row in zip(clips, grid, strict=True):
        sounds = {f"{RECORDINGS[:-1]} ({clip.speaker})": audio.read(clip.audio)}
        sounds |= {name: join(voice.speak(clip.text or "")).audio for name, voice in voices.items()}
        longest = max(sound.duration for sound in sounds.values())
        for axes, (title, sound) in zip(row, sounds.items(), strict=True):
            draw(axes, sound, title, longest)
        row[0].set_xlabel(shorten(clip.text or "", 100, placeholder="…"), fontsize=7, loc="left")
    return _small(figure)


def _small(figure: Figure) -> bytes:
    """Return a figure as a PNG file of few colors."""
    from PIL import Image

    drawn, packed = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png")
    Image.open(drawn).convert("RGB").quantize(COLORS).save(packed, format="png", optimize=True)
    return packed.getvalue()


def main(options: Options) -> None:
    try:
        drawn = picture(options)
    except VoiceError as error:
        raise SystemExit(str(error)) from error
    options.out.write_bytes(drawn)
    print(f"{options.out}: {len(drawn) / 1000:.0f} kB")


if __name__ == "__main__":
    main(parse(Options, description=__doc__))
