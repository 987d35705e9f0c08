"""A sample of each voice, made once where it is asked for and kept in the cache, and how fast it was made."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from voice import audio
from voice.models.cache import home
from voice.models.card import Card
from voice.places import partial_path
from voice.tts.loudness import CALIBRATION
from voice.tts.provenance import synthesis_tags
from voice.tts.voice import join
from voice.types import Synthesizer


@dataclass(frozen=True)
class Sample:
    """A sound file with a voice, and how many seconds of it took one second of wall time on this machine."""

    path: Path
    speed: float


def kept_sample(card: Card) -> Sample | None:
    """Return the sample of a voice if it has been made."""
    path = _place(card)
    try:
        found = json.loads(path.with_suffix(".json").read_text("utf-8"))
        return Sample(path, float(found["speed"])) if path.is_file() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def make_sample(card: Card, load: Callable[[], Synthesizer]) -> Sample:
    """Return the sample of a voice, made with what `load` returns if there is none. Raises ModelError."""
    found = kept_sample(card)
    if found:
        return found
    path = _place(card)
    path.parent.mkdir(parents=True, exist_ok=True)
    voice = load()
    join(voice.speak("Ready."))  # what is slow the first time is no part of the speed
    began = time.perf_counter()
    sound = join(voice.speak(CALIBRATION)).audio
    made = Sample(path, round(sound.duration / (time.perf_counter() - began), 1))
    audio.write(path, sound, synthesis_tags(card.name))
    beside = partial_path(path.with_suffix(".json"))
    beside.write_text(json.dumps({"speed": made.speed}), "utf-8")
    beside.replace(path.with_suffix(".json"))
    return made


def _place(card: Card) -> Path:
    """Return where the sample of a voice is kept; other files or options of its card make another one."""
    facts = json.dumps([dict(card.files), dict(card.options)], sort_keys=True)
    version = hashlib.sha256(facts.encode()).hexdigest()[:12]
    return home() / "samples" / f"{card.name.replace('+', '-').replace(':', '_')[:80]}-{version}.flac"
