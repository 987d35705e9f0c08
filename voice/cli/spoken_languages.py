"""The language that `voice speak` reads, and the voice that speaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voice.types import Synthesizer

USUAL_VOICE = "heart"


def parse_choice(given: str | None, text: str) -> str | None:
    """Return the code of the language to read, found in the text for "auto"; None for the voice's own.

    Raises VoiceError for a language that cannot be read aloud.
    """
    from voice.text.detection import foreign_language
    from voice.text.registry import can_read, parse_spoken_language

    if given is None or given.strip().lower() != "auto":
        return parse_spoken_language(given) if given is not None else None
    found = foreign_language(text) or "en"
    return found if can_read(found) else parse_spoken_language(found)


def voice_for(name: str, code: str | None) -> str:
    """Return the voice to speak a language: the one that its card names in place of the usual one."""
    from voice.text.registry import language_cards

    return language_cards()[code].voice if code and code != "en" and name == USUAL_VOICE else name


def in_language(voice: Synthesizer, code: str | None) -> Synthesizer:
    """Return a voice that reads the language `code`. Raises ModelError for one that does not speak it."""
    from voice.tts.voice import Voice

    return voice.in_language(code) if code and isinstance(voice, Voice) else voice
