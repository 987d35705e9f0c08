"""What people may type, read and spoken: strings of every Unicode block, of up to 5,000 characters.

    python -m benchmarks.typed [--count 5000] [--seed 11] [--voice heart] [--audio-seconds 300] [--json]

Every string goes through the front end, and the short ones, in a fixed order, through the voice until
`--audio-seconds` are over. A string fails if something raises, if a piece of it is skipped, repeated or
too long to be spoken at once, if readable text makes no sound, if what has no reading is not reported,
or if it takes more than SLOWEST seconds of processor time. What the voice refuses with a message, such as
broken markup, is counted. Exits with 1 if one fails.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
import unicodedata
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

import numpy as np

from voice.errors import VoiceError
from voice.text.english.language import ENGLISH
from voice.text.frontend import MOST_PHONEMES, read_aloud, spoken_sentences
from voice.text.reading import SpokenSentence

PAGE = 128  # code points; no block of Unicode that is in use spans less than a page in part
SLOWEST = 10.0  # seconds
AUDIBLE = 160  # characters; only strings as short as that are spoken
LENGTHS = (0, 1, 2, 3, 7, 20, 60, 150, 400, 1000, 2500, 5000)
LINES = (
    "Dr. Lee paid $5 million on 3/5/2024, i.e. a lot!", "HELLO THERE, I SAID", "https://example.com/a?b=1&c=%20#d",
    "for (int i = 0; i < 10; ++i) { x[i] += 3.5e-2; }", "jane.doe@example.org", "C:\\Users\\ann\\notes.txt",
    "<speak>Hi</speak> & so on", "[[HH AH0 L OW1]] *you*", "1,234.50 - 7/8 = 3:05 pm", "+1 (555) 123-4567 x9",
    "Yes... no?! (maybe) \"quoted\" 'single'", "A. B. C. 1. 2. 3.", "🙂👍🏽🇫🇷 ok", "naïve café Łódź",
)  # fmt: skip


@dataclass
class Summary:
    """What came of `strings` of them; processor time in seconds, at worst per 1,000 characters."""

    strings: int = 0
    characters: int = 0
    pages: int = 0
    reported: int = 0
    silent: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    slowest_per_thousand: float = 0.0
    spoken: int = 0
    refused: int = 0
    audio: float = 0.0
    speaking: float = 0.0
    failures: list[str] = field(default_factory=list)


def pages() -> list[int]:
    """Return where the pages of Unicode begin that hold a character, besides private ones."""
    return [
        start
        for start in range(0, 0x110000, PAGE)
        if any(unicodedata.category(chr(c)) not in ("Cn", "Co") for c in range(start, start + PAGE))
    ]


def typed_strings(count: int, seed: int) -> Iterator[str]:
    """Yield `count` strings; every page is drawn from in turn, so that 5,000 of them visit each of some
    1,200.
    """
    chance = random.Random(seed)
    starts = pages()
    for number in range(count):
        page = starts[number % len(starts)]
        length = chance.choice(LENGTHS[:9] if number % 4 else LENGTHS)
        yield _MAKERS[number % len(_MAKERS)](chance, page, length)[:5000]


def _of_page(chance: random.Random, page: int, length: int) -> str:
    return "".join(chr(page + chance.randrange(PAGE)) for _ in range(length))


def _among_words(chance: random.Random, page: int, length: int) -> str:
    found = ""
    while len(found) < length:
        found += chance.choice(LINES).split()[0] + " " + _of_page(chance, page, chance.randrange(1, 6)) + " "
    return found


def _mixed_lines(chance: random.Random, page: int, length: int) -> str:
    """Return lines with characters struck out, doubled and put in between."""
    letters = list(" ".join(chance.choice(LINES) for _ in range(length // 40 + 1)))[:length]
    for _ in range(len(letters) // 8):
        at = chance.randrange(len(letters))
        letters[at] = chance.choice(["", letters[at] * 2, letters[at] + chr(page + chance.randrange(PAGE))])
    return "".join(letters)


def _repeat_unit(chance: random.Random, page: int, length: int) -> str:
    """Repeat a few characters over and over, which slow patterns do not like."""
    signs = "aA1.,-_/@:'$% ()IVx+\n" + chr(page + chance.randrange(PAGE))
    unit = "".join(chance.choice(signs) for _ in range(chance.randrange(1, 5)))
    return (unit * length)[:length]


def _signs(chance: random.Random, page: int, length: int) -> str:
    either = ((chance.randrange(32, 127), page + chance.randrange(PAGE)) for _ in range(length))
    return "".join(chr(chance.choice(pair)) for pair in either)


def _anything(chance: random.Random, page: int, length: int) -> str:
    return "".join(chr(chance.randrange(0x110000)) for _ in range(length))


def _without_a_stop(chance: random.Random, page: int, length: int) -> str:
    words = "the quick brown fox and a lazy dog went along without stops".split()
    return " ".join(chance.choice(words) for _ in range(length // 3 + 1))[:length]


_MAKERS = (_of_page, _among_words, _mixed_lines, _repeat_unit, _signs, _anything, _without_a_stop)


def problem(text: str) -> tuple[str, bool, bool]:
    """Return what is wrong with how `text` is read; and whether something is reported, or silent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        readings = list(read_aloud(text, ENGLISH))
    unread = "".join("".join(reading.unread) for reading in readings)
    spoken = [reading for reading in readings if isinstance(reading, SpokenSentence)]
    flaws = []
    if "".join("".join(reading.text.split()) for reading in readings) != "".join(text.split()):
        flaws.append("a part is skipped or repeated")
    if any(len(reading.phonemes) > MOST_PHONEMES + 40 for reading in spoken):
        flaws.append("a piece is too long")
    for reading in spoken:
        if _without_spaces(*(word.text for word in reading.words)) != _without_spaces(reading.text):
            flaws.append("words do not add up to what is written")
    if not spoken and any(c.isascii() and c.isalnum() for c in text):
        flaws.append("readable text is silent")
    if not spoken and not unread and any(map(_needs_a_reading, text)):
        flaws.append("what has no reading is not reported")
    return ", ".join(dict.fromkeys(flaws)), bool(unread), not spoken


def _needs_a_reading(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] in "LN" or category in ("Cn", "Cs", "Co")


def _without_spaces(*texts: str) -> str:
    return "".join("".join(texts).split())


def read_all(strings: list[str], summary: Summary) -> None:
    """Put every string through the front end."""
    from voice.text.english.pronunciation import prepare

    prepare()
    for number, text in enumerate(strings):
        began = time.process_time()
        try:
            flaw, reported, silent = problem(text)
        except Exception as error:
            flaw, reported, silent = f"{type(error).__name__}: {error}", False, True
        took = time.process_time() - began
        _count(summary, text, took, flaw or ("it takes too long" if took > SLOWEST else ""))
        summary.reported += reported
        summary.silent += silent
        if number % 500 == 499:
            print(f"{number + 1:,} strings read", file=sys.stderr)


def _count(summary: Summary, text: str, took: float, flaw: str) -> None:
    summary.strings += 1
    summary.characters += len(text)
    summary.seconds += took
    summary.slowest = max(summary.slowest, took)
    if len(text) >= 1000:
        summary.slowest_per_thousand = max(summary.slowest_per_thousand, took / len(text) * 1000)
    if flaw:
        summary.failures.append(f"{text[:60]!r}, {len(text)} characters: {flaw}")


def speak_some(strings: list[str], name: str, seconds: float, summary: Summary) -> None:
    """Speak strings of at most AUDIBLE characters until `seconds` of processor time are over."""
    import voice

    speaker = voice.load_voice(name)
    began = time.process_time()
    short = sorted({text for text in strings if 0 < len(text) <= AUDIBLE}, key=lambda text: hash_of(text))
    for text in short:
        if time.process_time() - began > seconds:
            break
        try:
            flaw, length = spoken_problem(speaker, text)
        except VoiceError:  # with a message that says what to do: <speak> that is no SSML
            flaw, length = "", 0.0
            summary.refused += 1
        except Exception as error:
            flaw, length = f"{type(error).__name__}: {error}", 0.0
        summary.spoken += 1
        summary.audio += length
        if flaw:
            summary.failures.append(f"{text[:60]!r}, spoken: {flaw}")
        if summary.spoken % 200 == 0:
            print(f"{summary.spoken:,} strings spoken", file=sys.stderr)
    summary.speaking = time.process_time() - began


def hash_of(text: str) -> int:
    """Return a sort key that mixes the kinds and is always the same."""
    return random.Random(text.encode("utf-8", "surrogatepass")).randrange(1 << 30)


def spoken_problem(speaker, text: str) -> tuple[str, float]:
    """Return what is wrong with the sound of a text, or nothing; and its seconds."""
    phonemes = sum(len(reading.phonemes) for reading in spoken_sentences(text, ENGLISH))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = [speech.audio for speech in speaker.speak(text)]
    seconds = sum(len(part.samples) / part.rate for part in parts)
    if not all(np.isfinite(part.samples).all() for part in parts):
        return "samples that are no numbers", seconds
    loud = max((float(np.abs(part.samples).max(initial=0.0)) for part in parts), default=0.0)
    if phonemes and loud < 1e-3:
        return "no sound", seconds
    if seconds > 1.5 + 0.5 * phonemes:
        return f"{seconds:.1f} s for {phonemes} phonemes", seconds
    return "", seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--voice", default="heart")
    parser.add_argument("--audio-seconds", type=float, default=300.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    strings = list(typed_strings(options.count, options.seed))
    summary = Summary(pages=min(len(pages()), options.count))
    read_all(strings, summary)
    if options.audio_seconds:
        speak_some(strings, options.voice, options.audio_seconds, summary)
    print(json.dumps(asdict(summary)) if options.json else report(summary))
    sys.exit(bool(summary.failures))


def report(summary: Summary) -> str:
    lines = [
        f"strings               {summary.strings:,}, of {summary.characters:,} characters",
        f"pages of Unicode      {summary.pages:,}",
        f"failures              {len(summary.failures)}",
        f"with a report         {summary.reported:,} (something in them has no reading)",
        f"without sound         {summary.silent:,}",
        f"time                  {summary.seconds:.1f} s; the slowest {summary.slowest:.2f} s;"
        f" at worst {summary.slowest_per_thousand:.2f} s per 1,000 characters",
        f"spoken                {summary.spoken:,}, {summary.refused} of them refused,"
        f" {summary.audio:.0f} s of sound in {summary.speaking:.0f} s",
    ]
    return "\n".join([*lines, *summary.failures[:20]])


if __name__ == "__main__":
    main()
