"""The formats that sound is written in, and the rates and bit rates that each of them takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from voice.errors import AudioError

_LOSSLESS: tuple[int, int] = (0, 0)


class Format(NamedTuple):
    """An FFmpeg container and encoder: kbit/s as a rule, the least and the most; rates, () for any."""

    container: str
    encoder: str
    bit_rate: int = 0
    bit_rates: tuple[int, int] = _LOSSLESS
    rates: tuple[int, ...] = ()


_OPUS = Format("ogg", "libopus", 48, (6, 256), (8_000, 12_000, 16_000, 24_000, 48_000))
_COMMON_RATES = (16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
FORMATS = {
    "wav": Format("wav", "pcm_s16le"),
    "flac": Format("flac", "flac"),
    "mp3": Format("mp3", "libmp3lame", 96, (32, 320), _COMMON_RATES),
    "ogg": _OPUS,
    "opus": _OPUS,
    "m4a": Format("ipod", "aac", 96, (16, 288), _COMMON_RATES),
    "aac": Format("adts", "aac", 96, (16, 288), _COMMON_RATES),
    "pcm": Format("s16le", "pcm_s16le"),
}
ENDINGS = tuple(f".{name}" for name in FORMATS)  # of what can be written
_BARE_RATE = 24_000  # of samples without a header to tell another rate, unless one is asked for
_RATES = (8_000, 192_000)  # Hz that can be asked for where the format takes any
_MP3_LOW_RATES = (24_000, 160)  # up to this rate, MP3 (MPEG-2) has at most so many kbit/s
_AAC_BITS = 6  # a sample at most


@dataclass(frozen=True)
class Encoding:
    """How sound is written: at `rate` Hz and with `bit_rate` kbit/s, None for what is usual in a format.

    Usual are the rate of the sound, and 96 kbit/s in MP3, M4A and AAC, 48 in Opus.
    """

    rate: int | None = None
    bit_rate: int | None = None

    def rate_of(self, form: str, rate: int) -> int:
        """Return the rate that sound of `rate` Hz is written at in a format ("mp3")."""
        return self.rate or _usual_rate(form, rate)

    def check(self, form: str, rate: int | None = None) -> None:
        """Raise AudioError where sound of `rate` Hz, or of any, cannot be written so in a format."""
        kind, least = FORMATS[form], FORMATS[form].bit_rates[0]
        if self.rate is not None and not _takes(kind, self.rate):
            known = ", ".join(map(str, kind.rates)) or f"{_RATES[0]} to {_RATES[1]}"
            raise AudioError(f"{form} cannot have {self.rate} Hz; it takes {known}")
        if self.bit_rate is None:
            return
        if kind.bit_rates == _LOSSLESS:
            raise AudioError(f"{form} has no bit rate, as it keeps every sample; leave it out or choose mp3")
        written_at = self.rate_of(form, rate) if rate else self.rate
        most = _most_kilobits(kind, written_at)
        if not least <= self.bit_rate <= most:
            at = f" at {written_at} Hz" if written_at else ""
            raise AudioError(f"{form}{at} takes {least} to {most} kbit/s, not {self.bit_rate}")


def _most_kilobits(kind: Format, rate: int | None) -> int:
    """Return the kbit/s that an encoder takes at most at a rate, or at any."""
    most, (low_rate, low_most) = kind.bit_rates[1], _MP3_LOW_RATES
    if rate and kind.encoder == "aac":
        return min(most, _AAC_BITS * rate // 1000)
    return low_most if rate and kind.encoder == "libmp3lame" and rate <= low_rate else most


def _takes(kind: Format, rate: int) -> bool:
    return rate in kind.rates if kind.rates else _RATES[0] <= rate <= _RATES[1]


def format_of(target: str | Path | BinaryIO) -> str:
    """Return the format of a target by its suffix. Raises AudioError for an unknown one."""
    if not isinstance(target, (str, Path)):
        return "wav"
    suffix = Path(target).suffix.lower().lstrip(".")
    if suffix not in FORMATS:
        raise AudioError(f"{target}: sound can have the endings {', '.join(ENDINGS)}; choose one")
    return suffix


def _usual_rate(form: str, rate: int) -> int:
    """Return the rate that sound of `rate` Hz is written at: the lowest that loses nothing, if it has one."""
    if form == "pcm":
        return _BARE_RATE
    rates = FORMATS[form].rates
    if not rates or rate in rates:
        return rate
    return min((known for known in rates if known > rate), default=max(rates))
