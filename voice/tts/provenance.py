"""What a sound file says of itself: that its speech was synthesized, by which program and which voice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from voice import __version__
from voice.errors import ModelError
from voice.models import lookup

SYNTHESIZED = "synthesized by voice {version}, voice {name}"
LONGEST_NAME = 100


def synthesis_tags(voice: str) -> Mapping[str, str]:
    """Return the tags of a file with speech of `voice`, a name or a folder.

    Of a folder the name on its card is told, not where it lies.
    """
    try:
        name = lookup.find_stored(voice).card.name
    except ModelError:
        name = Path(voice).name
    return {"comment": SYNTHESIZED.format(version=__version__, name=name[:LONGEST_NAME])}
