"""The values of SSML's `<prosody>`, `<emphasis>` and `<break>`, as numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from voice.text.reading import Style

RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.3, "x-fast": 1.7}
PITCHES = {"x-low": -6.0, "low": -3.0, "medium": 0.0, "default": 0.0, "high": 3.0, "x-high": 6.0}  # semitones
VOLUMES = {  # dB
    "silent": -96.0, "x-soft": -12.0, "soft": -6.0, "medium": 0.0, "default": 0.0, "loud": 4.0, "x-loud": 8.0,
}  # fmt: skip
LEVELS = {
    "strong": Style(0.72, 3.5, 4.5),
    "moderate": Style(0.82, 2.0, 3.0),
    "none": Style(),
    "reduced": Style(1.15, -1.5, -3.0),
}  # of emphasis: longer, higher and louder
SLOWEST, FASTEST, WIDEST, LOUDEST = 0.5, 2.0, 12.0, 12.0
_SIGNED_DECIMAL = r"([+-]?(?:\d{1,9}(?:\.\d*)?|\.\d+))"
LONGEST_BREAK = 60.0  # seconds, also of several that follow one another
STRENGTHS = {"none": 0.0, "x-weak": 0.1, "weak": 0.15, "medium": 0.3, "strong": 0.5, "x-strong": 0.8}
BREAKS = f"time is up to {LONGEST_BREAK:g}s, as 500ms or 1.5s; strength {', '.join(STRENGTHS)}"


def seconds(text: str) -> float | None:
    """Turn '500ms' or '1.5s' into seconds, None if it is neither."""
    match = re.fullmatch(r"\+?(\d{1,9}(?:\.\d*)?|\.\d+) ?(ms|s)", text.strip())
    return None if not match else float(match[1]) / (1000 if match[2] == "ms" else 1)


def emphasis(attributes: Mapping[str, str]) -> tuple[Style, list[str]]:
    """Return the style of an emphasis, and what is not understood of it."""
    level = attributes.get("level", "moderate")
    if level not in LEVELS:
        return LEVELS["moderate"], [f'<emphasis level="{level}"> is taken as moderate']
    return LEVELS[level], []


def prosody(attributes: Mapping[str, str]) -> tuple[Style, list[str]]:
    """Return the style of a prosody, and what is not understood of it."""
    found, problems = Style(), []
    readers = {"rate": _rate, "pitch": _pitch, "volume": _volume}
    values = {}
    for name, text in attributes.items():
        value = readers[name](text.strip()) if name in readers else None
        if value is None:
            problems.append(f'<prosody {name}="{text}"> is not supported, and has no effect')
        else:
            values[name] = value
    limits = {"rate": (SLOWEST, FASTEST), "pitch": (-WIDEST, WIDEST), "volume": (-96.0, LOUDEST)}
    for name, value in values.items():
        lowest, highest = limits[name]
        if not lowest <= value <= highest:
            problems.append(f'<prosody {name}="{attributes[name]}"> is out of reach; the nearest is taken')
            values[name] = min(highest, max(lowest, value))
    found = Style(values.get("rate", 1.0), values.get("pitch", 0.0), values.get("volume", 0.0))
    return found, problems


def _rate(text: str) -> float | None:
    """Read a word, a factor, '80%' of the usual or '+20%' more."""
    if text in RATES:
        return RATES[text]
    match = re.fullmatch(_SIGNED_DECIMAL + "(%?)", text)
    if not match:
        return None
    value = float(match[1]) / (100 if match[2] else 1)
    return 1 + value if match[1][0] in "+-" else value


def _pitch(text: str) -> float | None:
    """Read a word, '+2st' or '+10%'; hertz would need to know the voice."""
    if text in PITCHES:
        return PITCHES[text]
    match = re.fullmatch(_SIGNED_DECIMAL + "(st|%)", text)
    if not match:
        return None
    value = float(match[1])
    if match[2] == "st":
        return value
    ratio = 1 + value / 100 if match[1][0] in "+-" else value / 100
    return 12 * math.log2(max(ratio, 0.01))


def _volume(text: str) -> float | None:
    """Read a word, '+6dB', or 0 to 100, which is the usual."""
    if text in VOLUMES:
        return VOLUMES[text]
    match = re.fullmatch(_SIGNED_DECIMAL + r"\s*(dB)?", text)
    if not match:
        return None
    value = float(match[1])
    if match[2]:
        return max(-96.0, value)
    return None if match[1][0] in "+-" or value > 100 else 20 * math.log10(max(value / 100, 1e-4))


def break_length(attributes: Mapping[str, str]) -> float | None:
    """Return the seconds of a `<break>`, None where it is no pause or more than LONGEST_BREAK."""
    strength = attributes.get("strength", "medium")
    length = seconds(attributes["time"]) if "time" in attributes else STRENGTHS.get(strength)
    return None if length is None or length > LONGEST_BREAK else length
