"""What is in manifests: hours, speakers, levels, noise, bandwidth, phones, how texts are written.

Every row counts; sound and phones are measured of a sample of the rows, drawn evenly, the same each time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from data.checks.lists import Style, add_styles, style_of
from data.parallel import in_order
from data.preparing.hearing import TRANSCRIBED
from data.sounds import SoundFacts, measure_sound
from voice.errors import AudioError
from voice.manifest import Clip, read_rows

SAMPLE = 2_000  # rows that are opened
PERCENTILES = (5, 50, 95)
# Vowels and consonants of American English in voice.text.alphabet, without reduced variants.
ENGLISH_PHONES = "AIOWYæɑɔəɛɜɪʊʌiu" + "bdfhjklmnpstvwzðŋɡɹTʃʒθʤʧ"


@dataclass(frozen=True)
class Statistics:
    """What a list of recordings holds.

    `durations` are seconds of all rows, `speakers` seconds by speaker (None is unknown), `facts` the sound of
    the sampled rows and `unreadable` how many of them cannot be opened. `phones` counts the phonemes of the
    sampled English texts, `letters` those of all texts.
    """

    rows: int
    unusable: int
    durations: np.ndarray
    speakers: Mapping[str | None, float]
    languages: Mapping[str | None, int]
    rates: Mapping[int | None, int]
    words: int
    vocabulary: int
    letters: Mapping[str, int]
    style: Style
    transcribed: int
    facts: tuple[SoundFacts, ...]
    unreadable: int
    phones: Mapping[str, int]

    @property
    def hours(self) -> float:
        """Return the length of all rows."""
        return float(self.durations.sum()) / 3600

    @property
    def missing_phones(self) -> str:
        """Return the English phonemes that no sampled text has."""
        return "".join(phone for phone in ENGLISH_PHONES if not self.phones.get(phone)) if self.phones else ""


def statistics(
    manifests: Sequence[Path],
    *,
    sample: int = SAMPLE,
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, rows: None,
) -> Statistics:
    """Return what the rows of some manifests are; `sample` of them are opened, 0 are all.

    Raises ManifestError where a manifest cannot be read as text.
    """
    tally = _Tally()
    for clip in _clips(manifests):
        tally.take(clip)
    chosen = _sample_clips(manifests, tally.rows, sample)
    facts: list[SoundFacts] = []
    total = min(tally.rows, sample or tally.rows)
    phones: Counter[str] = Counter()
    for number, (found, spoken) in enumerate(in_order(chosen, _look, workers), 1):
        facts += [found] * (found is not None)  # type: ignore[list-item]  # None is not added
        phones += spoken
        progress(number, total)
    return tally.statistics(tuple(facts), total - len(facts), phones)


def _clips(manifests: Sequence[Path]) -> Iterator[Clip | None]:
    """Yield the clips of manifests, None for a row that is none."""
    for path in manifests:
        for _, row in read_rows(path):
            yield row if isinstance(row, Clip) else None


def _sample_clips(manifests: Sequence[Path], rows: int, sample: int) -> Iterator[Clip]:
    """Yield `sample` clips that are spread evenly over all rows."""
    step, place = max(1.0, rows / sample) if sample else 1.0, 0.0
    clips = (clip for clip in _clips(manifests) if clip is not None)
    for number, clip in enumerate(clips):
        if number >= place:
            place += step
            yield clip


def _look(clip: Clip) -> tuple[SoundFacts | None, Counter[str]]:
    """Return the sound of a clip, None where it cannot be opened, and the phonemes of its text."""
    try:
        facts = measure_sound(clip.audio)
        highest = (clip.sample_rate or facts.rate) / 2  # Opus decodes to 48 kHz whatever it was made of
        facts = replace(facts, bandwidth=min(facts.bandwidth, highest))
    except AudioError:
        facts = None
    return facts, _phones(clip)


def _phones(clip: Clip) -> Counter[str]:
    if not clip.text or not (clip.language or "en").startswith("en"):
        return Counter()
    from voice.text.english.language import ENGLISH
    from voice.text.frontend import spoken_sentences

    spoken = spoken_sentences(clip.extra.get("text_normalized") or clip.text, ENGLISH)
    return Counter(phone for sentence in spoken for phone in sentence.phonemes)


class _Tally:
    """What was counted so far."""

    def __init__(self) -> None:
        self.rows = self._unusable = self._words = self._transcribed = 0
        self._durations: list[float] = []
        self._speakers: Counter[str | None] = Counter()
        self._languages: Counter[str | None] = Counter()
        self._rates: Counter[int | None] = Counter()
        self._letters: Counter[str] = Counter()
        self._vocabulary: set[str] = set()
        self._style = Style()

    def take(self, clip: Clip | None) -> None:
        """Count the next row; None is one that cannot be read."""
        if clip is None:
            self._unusable += 1
            return
        self.rows += 1
        self._durations.append(clip.duration)
        self._speakers[clip.speaker] += clip.duration  # type: ignore[assignment]  # seconds, not whole ones
        self._languages[clip.language] += 1
        self._rates[clip.sample_rate] += 1
        self._transcribed += TRANSCRIBED in clip.extra
        if clip.text is not None:
            words = clip.text.split()
            self._words += len(words)
            self._vocabulary.update(word.strip(".,;:!?\"'()").casefold() for word in words)
            self._letters.update(letter for letter in clip.text.casefold() if letter.isalpha())
            self._style = add_styles(self._style, style_of(clip.text))

    def statistics(self, facts: tuple[SoundFacts, ...], unreadable: int, phones: Counter[str]) -> Statistics:
        """Return all that was counted."""
        return Statistics(
            self.rows,
            self._unusable,
            np.array(self._durations, np.float32),
            dict(self._speakers.most_common()),
            dict(self._languages.most_common()),
            dict(self._rates.most_common()),
            self._words,
            len(self._vocabulary - {""}),
            dict(self._letters.most_common()),
            self._style,
            self._transcribed,
            facts,
            unreadable,
            dict(phones.most_common()),
        )


def table(found: Statistics) -> list[tuple[str, str]]:
    """Return the rows of a table: what it is, and the figures."""
    shares = found.style
    texts = max(1, shares.texts)
    rows = [
        (
            "recordings",
            f"{found.rows:,}" + (f", {found.unusable:,} rows cannot be read" if found.unusable else ""),
        ),
        ("hours", f"{found.hours:.2f}"),
        ("seconds each", _spread(found.durations, "{:.1f}")),
        ("speakers", _speakers(found)),
        ("languages", _counts(found.languages)),
        ("rates (Hz)", _counts(found.rates)),
        ("texts", f"{shares.texts:,} of {found.words:,} words, {found.vocabulary:,} different ones"),
        ("in capitals", f"{shares.capitals / texts:.0%}"),
        ("without capitals", f"{shares.small / texts:.0%}"),
        ("without punctuation", f"{shares.without_marks / texts:.0%}"),
        ("with figures", f"{shares.with_figures / texts:.0%}"),
    ]
    if found.transcribed:
        rows.append(("written by a recognizer", f"{found.transcribed:,}, to be corrected"))
    return rows + _sound_rows(found) + _phone_rows(found)


def _sound_rows(found: Statistics) -> list[tuple[str, str]]:
    """Return what was measured of the sampled recordings."""
    facts = found.facts
    if not facts:
        return [("sound", "no recording could be opened")]
    measured = f"{len(facts):,} recordings" + (
        f", {found.unreadable:,} cannot be opened" * bool(found.unreadable)
    )
    return [
        ("measured", measured),
        ("level (dBFS)", _spread([each.level for each in facts], "{:.0f}")),
        ("noise (dBFS)", _spread([each.noise for each in facts], "{:.0f}")),
        ("above noise (dB)", _spread([each.snr for each in facts], "{:.0f}")),
        ("bandwidth (kHz)", _spread([each.bandwidth / 1000 for each in facts], "{:.1f}")),
        ("clipped", f"{sum(each.clipped > 0.001 for each in facts):,} recordings"),
    ]


def _phone_rows(found: Statistics) -> list[tuple[str, str]]:
    if not found.phones:
        return [("letters", f"{len(found.letters)} different ones")]
    missing = found.missing_phones
    have = len(ENGLISH_PHONES) - len(missing)
    return [
        (
            "English phonemes",
            f"{have} of {len(ENGLISH_PHONES)}" + (f"; none of {' '.join(missing)}" * bool(missing)),
        )
    ]


def _spread(values: Sequence[float] | np.ndarray, form: str) -> str:
    """Return the median of some values, and the range of nine in ten."""
    if not len(values):
        return "–"
    low, middle, high = (form.format(float(each)) for each in np.percentile(values, PERCENTILES))
    return f"{middle} ({low} to {high})"


def _speakers(found: Statistics) -> str:
    known = [seconds for speaker, seconds in found.speakers.items() if speaker is not None]
    unknown = found.speakers.get(None, 0.0)
    parts = [f"{len(known):,}"]
    if known:
        parts.append(f"{_spread([each / 60 for each in known], '{:.1f}')} minutes each")
    if unknown:
        parts.append(f"{unknown / 3600:.2f} hours of nobody known")
    return ", ".join(parts)


def _counts(counts: Mapping[str | None, int] | Mapping[int | None, int]) -> str:
    shown = [f"{'unknown' if name is None else name}: {count:,}" for name, count in list(counts.items())[:6]]
    return ", ".join(shown) + (", …" if len(counts) > 6 else "")
