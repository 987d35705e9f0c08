"""Voice: it hears, speaks and talks, offline, on an ordinary computer.

    import voice

    print(voice.transcribe("talk.mp3").text)
    voice.write("hello.wav", voice.speak("Hello, world.").audio)

Importing this package imports next to nothing, and turns off ONNX Runtime's telemetry; each name is
loaded when it is first used.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

# ONNX Runtime since 1.29 reports what it runs to its maker unless this is set before it is loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.2.0"

_HOMES = {
    "voice.types": (
        "Audio Word Segment Transcript Speech Controls Message "
        "Recognizer Synthesizer SpeechDetector TurnDetector Brain"
    ),
    "voice.errors": (
        "VoiceError AudioError ModelError ModelMissing ModelDamaged TextError ManifestError BrainError"
    ),
    "voice.audio": "read write",
    "voice.loading": "load load_recognizer load_voice load_turn_detector load_speakers load_vocoder",
    "voice.simple": "transcribe speak",
}
_OWNERS = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = ["__version__", "models", *_OWNERS]


def __getattr__(name: str) -> Any:
    if name == "models":
        return import_module("voice.models")
    if name not in _OWNERS:
        raise AttributeError(f"module 'voice' has no attribute {name!r}")
    value = getattr(import_module(_OWNERS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
