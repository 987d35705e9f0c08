"""Old speech: what a tuned recognizer has to stay good at.

Of the corpora in VOICE_CORPORA those that are there, else sentences that the package's own voices read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

from data.batching import rng_for
from voice import audio
from voice.features import WHISPER_RATE
from voice.loading import load_voice
from voice.manifest import Clip, write_manifest
from voice.models import entries
from voice.tts.voice import join
from voice.types import Audio, Controls, Synthesizer

CORPORA = "VOICE_CORPORA"
LEARNED = ("librispeech/untranscribed.jsonl:150", "kathleen/train.jsonl:40", "ljspeech/train.jsonl:30")
WATCHED = ("librispeech/untranscribed.jsonl:-40", "kathleen/dev.jsonl", "ljspeech/dev.jsonl")
SENTENCES = Path(__file__).with_name("sentences.txt")
VOICES = 8  # that read, as each has to be opened
SPEEDS = (0.85, 1.15)
HISS = (-60.0, -35.0)  # dB beside full scale: synthetic speech is cleaner than any recording


@dataclass(frozen=True)
class GeneralSpeech:
    """Manifests of old speech to `learn` from and to `watch`, and where they come from."""

    learn: tuple[str, ...]
    watch: tuple[str, ...]
    origin: str


def general_speech(out: Path, language: str, tell: Callable[[str], None] = print) -> GeneralSpeech:
    """Return old speech in a language: of the corpora at hand, or read by voices into the folder `out`.

    There is none for languages that no voice speaks, and the origin says so.
    """
    root = os.environ.get(CORPORA)
    if root and language == "en":
        learn, watch = (_present(Path(root), names) for names in (LEARNED, WATCHED))
        if learn and watch:
            return GeneralSpeech(learn, watch, f"corpora in {root}")
    if language != "en":
        return GeneralSpeech((), (), f"none: no voice here speaks {language}; give recordings with --general")
    read_by_voices(out, tell)
    made = (str(out / "train.jsonl"),), (str(out / "dev.jsonl"),)
    return GeneralSpeech(*made, "sentences that voices read")


def _present(root: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Return the manifests of a folder of corpora that are there."""
    return tuple(str(root / name) for name in names if (root / name.partition(":")[0]).is_file())


def read_by_voices(out: Path, tell: Callable[[str], None] = print) -> None:
    """Write train.jsonl and dev.jsonl of sentences that voices here read, unless they are there."""
    if (out / "train.jsonl").exists():
        return
    sentences = [line for line in SENTENCES.read_text("utf-8").split("\n") if line]
    voices = speaking_voices()
    tell(f"{', '.join(voices)} read {len(sentences)} sentences, as there are no corpora of general speech")
    pairs = [(text, voices[place % len(voices)]) for place, text in enumerate(sentences)]
    clips = list(speak_texts(pairs, out / "audio", seed=11))
    write_manifest(out / "dev.jsonl", clips[::4])
    write_manifest(out / "train.jsonl", [clip for place, clip in enumerate(clips) if place % 4])


def speaking_voices(language: str = "en", count: int = VOICES) -> list[str]:
    """Return the names of at most `count` voices on this machine that speak a language, as unlike as can be.

    They are taken in turn from groups of one engine, accent and sex, always in the same order.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for each in entries().values():
        card = each.card
        if card.kind == "voice" and card.language == language and each.in_place:
            traits = (str(card.options.get(name, "")) for name in ("accent", "sex"))
            groups.setdefault((card.engine, *traits), []).append(each.name)
    rounds = zip_longest(*groups.values())
    return [name for turn in rounds for name in turn if name is not None][:count]


def speak_texts(pairs: Sequence[tuple[str, str]], folder: Path, *, seed: int) -> Iterator[Clip]:
    """Yield clips of texts read by voices, at different speeds, with some hiss, kept in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    voices = {name: load_voice(name, threads=1) for name in {voice for _, voice in pairs}}
    for number, (text, voice) in enumerate(pairs):
        sound = speak_text(voices[voice], text, rng_for(seed, number))
        path = folder / f"{voice}-{number:04d}.wav"
        audio.write(path, sound)
        yield Clip(path, text, sound.duration, voice, path.stem, WHISPER_RATE, "en")


def speak_text(voice: Synthesizer, text: str, rng: np.random.Generator) -> Audio:
    """Return a text as a voice reads it at a random speed, with some hiss, at 16 kHz."""
    speech = join(voice.speak(text, Controls(speed=float(rng.uniform(*SPEEDS)))))
    sound = audio.resample(speech.audio, WHISPER_RATE)
    level = 10 ** (float(rng.uniform(*HISS)) / 20)
    samples = sound.samples + level * rng.standard_normal(len(sound.samples), dtype=np.float32)
    return Audio(np.clip(samples, -1.0, 1.0).astype(np.float32), WHISPER_RATE)
