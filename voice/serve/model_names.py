"""Names that clients of other servers use, and what they stand for on this one.

Clients come with the names of OpenAI's, Whisper's and Kokoro's models built in, and new ones appear
every few months; so a family is known by its pattern. Whoever runs the server can add aliases.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from voice.errors import VoiceError
from voice.places import expand_home

DEFAULT = "default"
# gpt-4o-transcribe-2025-12-15, whisper-1, whisper-large-v3, Systran/faster-whisper-small, tts-1-hd …
_ORGANIZATION = r"(?:[a-z0-9][\w.-]*/)?"
_FAMILIES = {
    "recognizer": rf"gpt-[\w.-]*transcribe[\w.-]*|{_ORGANIZATION}(?:faster-)?(?:distil-)?whisper-[\w.-]+",
    "voice": rf"gpt-[\w.-]*tts[\w.-]*|tts-[\w.-]+|{_ORGANIZATION}kokoro(?:-[\w.-]+)?",
    "live": r"gpt-[\w.-]*realtime[\w.-]*",
}
# OpenAI's voices by sex and character: kumo is the man. `alloy` is what clients send that do not care.
OPENAI_VOICES = {
    "alloy": DEFAULT,
    "ash": "kumo",
    "ballad": "kumo",
    "cedar": "kumo",
    "coral": "kathleen",
    "echo": "kumo",
    "fable": "kumo",
    "marin": "heart",
    "nova": "lj",
    "onyx": "kumo",
    "sage": "kathleen",
    "shimmer": "lj",
    "verse": "kumo",
}
_SAME = {"af_heart": "heart"}  # Kokoro's name of a voice that is here


def in_family(name: str, *families: str) -> bool:
    """Whether `name` is of a family ("recognizer", "voice", "live"), whose default it then stands for."""
    known = (re.fullmatch(_FAMILIES[family], name.lower()) for family in families)
    return name == DEFAULT or any(known)


def similar_voice(voice: str) -> str:
    """Our name for a voice that OpenAI or Kokoro named, or else the name itself."""
    return OPENAI_VOICES.get(voice) or _SAME.get(voice) or voice


def read_aliases(given: str) -> Mapping[str, str]:
    """Name → model or voice, from "name=model, name=model" or from a TOML or JSON file of such pairs.

    Raises VoiceError where it can be read as neither.
    """
    path = Path(given.strip())
    if path.suffix.lower() in (".toml", ".json") and "=" not in given:
        pairs = _from_file(path)
    else:
        parts = (part.partition("=") for part in given.split(",") if part.strip())
        pairs = {name.strip(): target.strip() for name, _, target in parts}
    wrong = [name for name, target in pairs.items() if not name or not isinstance(target, str) or not target]
    if wrong:
        raise VoiceError(f"VOICE_ALIASES: {wrong[0]!r} stands for nothing; write name=model, name=model")
    return pairs


def _from_file(path: Path) -> Mapping[str, str]:
    try:
        text = expand_home(path).read_text("utf-8")
        pairs = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise VoiceError(f"VOICE_ALIASES: {path} cannot be read ({error})") from error
    if not isinstance(pairs, dict):
        raise VoiceError(f"VOICE_ALIASES: {path} is no table of names; write name = model pairs")
    return pairs
