"""Words that recognizers find where nobody speaks: silence, noise, hum, tones, breath, keys and rooms.

    python -m benchmarks.silence [--model whisper-base] [--minutes 60] [--corpora ../shared/corpora]

Each kind of sound gets its share of the time, at loudnesses that change every half minute; far babble lies 20
to 30 dB below where speech usually is. Loud babble is listed for itself, after the sum: it is made of speech.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from voice import audio
from voice.loading import load_recognizer
from voice.manifest import read_manifest
from voice.silero import Silero
from voice.transcription import Transcriber

RATE = 16_000
BLOCK = 30  # seconds
MODELS = ("whisper-base", "quick", "whisper-tiny.en")
SPEECH = 0.07  # root mean square of speech as it is usually recorded
FAR = "far babble"
NOTES = 110 * 2 ** (np.arange(36) / 12)  # Hz, three octaves from A2

Draw = np.random.Generator


def silence(draw: Draw) -> np.ndarray:
    """Return digital silence."""
    return np.zeros(BLOCK * RATE)


def white_noise(draw: Draw) -> np.ndarray:
    """Return white noise."""
    return draw.normal(size=BLOCK * RATE)


def hum(draw: Draw) -> np.ndarray:
    """Return the hum of mains and its harmonics, with a little hiss."""
    hertz, clock = draw.choice((50, 60)), np.arange(BLOCK * RATE) / RATE
    waves = [np.sin(2 * np.pi * hertz * n * clock) * draw.random() / n for n in range(1, 9)]
    return sum(waves) + 0.02 * draw.normal(size=len(clock))


def music(draw: Draw) -> np.ndarray:
    """Return chords of three plucked notes with harmonics, of 0.2 to 1.5 s."""
    parts, length = [], 0
    while length < BLOCK * RATE:
        clock = np.arange(int(draw.uniform(0.2, 1.5) * RATE)) / RATE
        chord = sum(
            np.sin(2 * np.pi * f * n * clock) / n for f in draw.choice(NOTES, 3) for n in (1, 2, 3, 4)
        )
        parts.append(chord * np.exp(-clock * draw.uniform(1, 6)))
        length += len(clock)
    return np.concatenate(parts)[: BLOCK * RATE]


def breath(draw: Draw) -> np.ndarray:
    """Return the breath of somebody at a microphone: noise below 3 kHz that swells and fades, in and out."""
    parts, length = [], 0
    while length < BLOCK * RATE:
        count = int(draw.uniform(0.6, 1.6) * RATE)
        spectrum = np.fft.rfft(draw.normal(size=count))
        hertz = np.fft.rfftfreq(count, 1 / RATE)
        colored = np.fft.irfft(spectrum / (1 + (hertz / draw.uniform(700, 3000)) ** 2), count)
        parts += [colored * np.hanning(count), np.zeros(int(draw.uniform(0.2, 1.5) * RATE))]
        length += sum(map(len, parts[-2:]))
    return np.concatenate(parts)[: BLOCK * RATE] + 0.001 * draw.normal(size=BLOCK * RATE)


def keyboard(draw: Draw) -> np.ndarray:
    """Return the sound of typing: a click as a key goes down and a softer one as it comes up."""
    sound = 0.002 * draw.normal(size=BLOCK * RATE)
    clock = np.arange(RATE // 25) / RATE
    at = 0.0  # seconds
    while at < BLOCK - 0.5:
        for late, loud in ((0.0, 1.0), (draw.uniform(0.06, 0.12), 0.4)):
            ring = np.sin(2 * np.pi * draw.uniform(300, 3500) * clock) + draw.normal(size=len(clock))
            first = int((at + late) * RATE)
            sound[first : first + len(clock)] += loud * ring * np.exp(-clock * draw.uniform(150, 500))
        at += draw.uniform(0.06, 0.25) if draw.random() < 0.85 else draw.uniform(0.3, 2.0)
    return sound


def play_recordings(paths: list[Path]) -> Callable[[Draw], np.ndarray]:
    """Return a kind of sound that plays recordings one after the other, in a random order."""
    sounds = [audio.read(path, RATE).samples for path in paths]

    def play(draw: Draw) -> np.ndarray:
        order = draw.permutation(len(sounds))
        return np.resize(np.concatenate([sounds[i] for i in order]), BLOCK * RATE)

    return play


def blocks(kind: Callable[[Draw], np.ndarray], minutes: float, *, far: bool) -> Iterator[np.ndarray]:
    """Yield (30 s,) float32 each, scaled to a peak between 0.003 and 0.9; `far`: 20 to 30 dB below speech."""
    draw = np.random.default_rng(7)
    for _ in range(max(1, round(minutes * 60 / BLOCK))):
        sound, position = kind(draw), draw.random()
        if far:
            scale = SPEECH * 10 ** (-1 - position / 2) / np.sqrt(np.mean(sound**2))
        else:
            scale = 0.003 * 300**position / max(1e-9, np.abs(sound).max())
        yield (sound * scale).astype(np.float32)


def kinds(corpora: Path) -> dict[str, Callable[[Draw], np.ndarray]]:
    """Return the kinds of sound by name; those of recordings only if the corpus is there."""
    made: dict[str, Callable[[Draw], np.ndarray]] = {
        "silence": silence,
        "white noise": white_noise,
        "hum": hum,
        "music-like": music,
    }
    made |= {"breath": breath, "keyboard": keyboard}
    manifests = [corpora / "noise" / f"{split}.jsonl" for split in ("train", "test")]
    clips = [clip for path in manifests if path.exists() for clip in read_manifest(path)]
    babble = [clip.audio for clip in clips if "babble" in clip.id]
    rooms = [clip.audio for clip in clips if "babble" not in clip.id]
    if clips:
        made |= {
            "rooms, machines": play_recordings(rooms),
            FAR: play_recordings(babble),
            "babble": play_recordings(babble),
        }
    return made


def main(
    model: Annotated[list[str], typer.Option(help="A recognizer; repeatable.")] = list(MODELS),
    minutes: Annotated[float, typer.Option(help="Of sound for each recognizer, babble left out.")] = 60.0,
    corpora: Annotated[Path, typer.Option()] = Path(os.environ.get("VOICE_CORPORA", "../shared/corpora")),
) -> None:
    detector, sounds = Silero.open(), kinds(corpora)
    share = minutes / len(sounds.keys() - {"babble"})
    typer.echo("| recognizer | " + " | ".join(f"{name}, words" for name in sounds) + " | × real time |")
    typer.echo("|" + "---|" * (len(sounds) + 2))
    for name in model:
        recognizer, begun, counts = load_recognizer(name), time.perf_counter(), []
        for kind, sound in sounds.items():
            transcript = Transcriber(recognizer, detector).transcribe(blocks(sound, share, far=kind == FAR))
            counts.append(f"{len(transcript.words)} in {share:.0f} min")
        speed = len(sounds) * share * 60 / (time.perf_counter() - begun)
        typer.echo(f"| {name} | {' | '.join(counts)} | {speed:.0f} |")


if __name__ == "__main__":
    typer.run(main)
