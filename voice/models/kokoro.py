"""The voices of Kokoro-82M: what their names say of them, and mixtures such as af_heart+bf_emma:0.3.

They share the files of one model of the catalog, `kokoro`. The first letter of a name is the language and
accent, the second the sex. `kokoro_voices.toml` lists them, each with what was measured of it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from voice.errors import ModelMissing
from voice.models.card import Card

MODEL = "kokoro"
DEFAULT_VOICE = "af_heart"
MOST_PARTS = 8  # voices in a mixture
ACCENTS = {
    "a": ("en", "American"), "b": ("en", "British"), "e": ("es", "Spanish"), "f": ("fr", "French"),
    "h": ("hi", "Hindi"), "i": ("it", "Italian"), "j": ("ja", "Japanese"), "p": ("pt", "Brazilian"),
    "z": ("zh", "Mandarin"),
}  # fmt: skip  # by the first letter: ISO 639-1 and the accent
SEXES = {"f": "woman", "m": "man"}  # by the second
_PART = r"\s*[a-z]{2}_[a-z]+\s*"
_MIXTURE = re.compile(rf"{_PART}:[^+]*|{_PART}(?::[^+]*)?(?:\+{_PART}(?::[^+]*)?)+")


@cache
def names() -> tuple[str, ...]:
    """Return the names of all voices."""
    return tuple(_table()["names"])


@cache
def loudness() -> Mapping[str, float]:
    """Return how loud voices speak, in LUFS by name, as far as that was measured."""
    return {name: float(value) for name, value in _table()["loudness"].items()}


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("kokoro_voices.toml").read_text("utf-8"))


def parse_mixture(name: str) -> dict[str, float]:
    """Return the share of each voice in a mixture, together 1; of a single voice it is 1.

    Voices are joined by "+", each with ":WEIGHT" after it or with weight 1. Raises ModelMissing for a voice
    that Kokoro does not have or a weight that is no positive number.
    """
    weights: dict[str, float] = {}
    for part in name.split("+"):
        voice, colon, given = (each.strip() for each in part.partition(":"))
        weights[voice] = weights.get(voice, 0.0) + (_weight(given, name) if colon else 1.0)
        if voice not in names():
            close = get_close_matches(voice, names(), n=1, cutoff=0.6)
            near = f"; did you mean {close[0]}?" if close else "; voice voices lists them"
            raise ModelMissing(f"Kokoro has no voice {voice[:40]!r}{near}")
    if len(weights) > MOST_PARTS:
        raise ModelMissing(f"{name[:80]} mixes {len(weights)} voices; give at most {MOST_PARTS}")
    total = sum(weights.values())
    return {voice: weight / total for voice, weight in weights.items()}


def _weight(given: str, name: str) -> float:
    """Return the weight that is written after a voice. Raises ModelMissing for one that makes no sense."""
    try:
        weight = float(given)
    except ValueError:
        weight = 0.0
    if not 0 < weight < 1000:
        raise ModelMissing(
            f"the weight {given[:20]!r} in {name[:80]} is no number above 0; "
            "write a mixture as af_heart+bf_emma:0.3"
        )
    return weight


def is_mixture(name: str) -> bool:
    """Tell whether a name is written as a mixture of voices, known or not."""
    return _MIXTURE.fullmatch(name) is not None


def voice_card(base: Card, name: str) -> Card:
    """Return the card of a voice or a mixture, from that of the model whose files it is spoken with.

    Raises ModelMissing for a name that is neither.
    """
    shares = parse_mixture(name)
    leading = max(shares, key=lambda voice: shares[voice])
    language, accent = ACCENTS[leading[0]]
    about: dict[str, str | float] = {"speaker": name, "accent": accent}
    if all(voice in loudness() for voice in shares):
        about["loudness"] = round(sum(share * loudness()[voice] for voice, share in shares.items()), 1)
    if len(shares) == 1:
        about["sex"] = SEXES[leading[1]]
        description = f"{_article(accent)} {accent} {about['sex']}, one of Kokoro's voices"
    else:
        description = f"A mixture of Kokoro's voices {', '.join(shares)}"
    return replace(
        base, name=name, language=language, description=description, options={**base.options, **about}
    )


def _article(word: str) -> str:
    return "An" if word[0] in "AEIOU" else "A"
