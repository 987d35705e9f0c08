"""Whether the controls are real: what is asked of each voice, and what is measured in its sound.

    python -m benchmarks.controls [--voice heart --voice kathleen] [--mos]

Every control is set by itself, on the same sentences; given are the median over the sentences of what
changed beside plain speech (pitch frame by frame, in semitones; duration from the first word's start to the
last one's end; level in dB; the break as the silence 50 dB below the peak), and the worst departure from
what was asked. Emphasis is that of one word. `--mos` adds Distill-MOS, the mean over the sentences.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import typer

from voice.loading import load_voice
from voice.pitch import f0
from voice.text.english.language import ENGLISH
from voice.text.frontend import read_aloud
from voice.text.markup import as_ssml, parse
from voice.text.passages import read_passages
from voice.tts.prosody_targets import QUESTION_RISE
from voice.tts.voice import Voice, join
from voice.types import Controls, Speech

TEXTS = (
    "We will meet at the harbor on Thursday morning.",
    "The old lighthouse keeper rarely spoke about the winter storm.",
    "Where did you put my yellow umbrella?",
    "Every morning the baker carries warm bread across the narrow bridge.",
    "Nobody believed that a river could run dry in a single summer.",
    "Please remember to water the garden while we are away.",
)
QUESTIONS = (
    "Have you seen the garden?", "Will she come on Monday?", "Are they ready to go?", "Is this your brother?",
    "Can we leave tomorrow?", "Did he like the music?", "Is there more coffee?", "Could you open the window?",
)  # fmt: skip
HOP, RATE = 300, 24_000
PITCHES, SPEEDS, ENERGIES = (-12, -6, -3, 3, 6, 12), (0.5, 0.75, 1.5, 2.0), (-12, -6, 3, 6)
BREAKS = (0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Row:
    """One control of one voice: what was asked, what came of it, and how natural it sounds."""

    voice: str
    control: str
    asked: float
    found: tuple[float, ...]  # for each sentence
    speeches: tuple[Speech, ...]


def main(
    voice: Annotated[list[str] | None, typer.Option(help="repeatable; default heart and kathleen")] = None,
    mos: Annotated[bool, typer.Option("--mos", help="Distill-MOS too; slow")] = False,
) -> None:
    """Measure every control of every voice and print one table."""
    print("| voice | control | asked | measured, median | worst |" + (" Distill-MOS |" if mos else ""))
    print("|---|---|---|---|---|" + ("---|" if mos else ""))
    for name in voice or ["heart", "kathleen"]:
        for row in measure(name, load_voice(name, threads=1)):
            print(line(row, opinion_score(row.speeches) if mos else None), flush=True)


def line(row: Row, mos: float | None) -> str:
    worst = max((value - row.asked for value in row.found), key=abs)
    cells = [row.voice, row.control, f"{row.asked:g}", f"{statistics.median(row.found):.2f}", f"{worst:+.2f}"]
    return f"| {' | '.join(cells + ([f'{mos:.2f}'] if mos is not None else []))} |"


def measure(name: str, voice: Voice) -> Iterator[Row]:
    plain = [speak_untrimmed(voice, text) for text in TEXTS]
    yield Row(name, "none, duration × ", 1.0, (1.0,) * len(TEXTS), tuple(plain))
    settings: list[tuple[str, tuple[float, ...], str, Callable[[Speech, Speech], float]]] = [
        ("pitch, semitones", PITCHES, "pitch", semitones),
        ("speed, times as fast", SPEEDS, "speed", lambda after, before: span(before) / span(after)),
        ("energy, dB", ENERGIES, "energy", lambda after, before: decibels(after) - decibels(before)),
    ]
    for label, values, field, compare in settings:
        for value in values:
            made = [speak_untrimmed(voice, text, Controls(**{field: value})) for text in TEXTS]
            found = tuple(compare(after, before) for after, before in zip(made, plain, strict=True))
            yield Row(name, label, value, found, tuple(made))
    for seconds in BREAKS:
        made = [speak_with_break(voice, text, seconds) for text in TEXTS]
        yield Row(name, "break, s", seconds, tuple(map(silence, made)), tuple(made))
    yield from emphasis(name, voice, plain)
    asking = [speak_untrimmed(voice, text) for text in QUESTIONS]
    yield Row(
        name,
        "questions' ends over their medians, semitones",
        QUESTION_RISE,
        tuple(map(final_rise, asking)),
        tuple(asking),
    )


def speak_untrimmed(voice: Voice, text: str, controls: Controls = Controls()) -> Speech:
    """Return a sentence as the engine gives it, untrimmed, so that its frames stay in place."""
    (reading,) = read_aloud(text, ENGLISH)
    return voice.engine.render(reading, controls)


def speak_with_break(voice: Voice, text: str, seconds: float) -> Speech:
    """Return a sentence with a break before its fourth word."""
    words = text.split()
    tag = f'<break time="{seconds}s"/>'
    return join(voice.speak(as_ssml(" ".join([*words[:3], tag, *words[3:]]))))


def silence(speech: Speech) -> float:
    """Return the seconds of the longest stretch between sounds that lies 50 dB below the peak."""
    samples = np.abs(speech.audio.samples)
    return float(np.diff(np.flatnonzero(samples > 10 ** (-50 / 20) * samples.max())).max()) / RATE


def emphasis(name: str, voice: Voice, plain: list[Speech]) -> Iterator[Row]:
    """Return how much longer, louder and higher the fourth word is when strongly emphasized."""
    made = []
    for text in TEXTS:
        words = text.split()
        words[3] = f'<emphasis level="strong">{words[3]}</emphasis>'
        (reading,) = read_passages(parse(as_ssml(" ".join(words)), ENGLISH).passages, ENGLISH)
        made.append(voice.engine.render(reading, Controls()))
    before, after = ([fourth(speech) for speech in speeches] for speeches in (plain, made))
    pairs = list(zip(after, before, strict=True))
    longer = tuple(a.audio.duration / b.audio.duration for a, b in pairs)
    yield Row(name, "strong emphasis, duration ×", 1.39, longer, tuple(made))
    louder = tuple(decibels(a) - decibels(b) for a, b in pairs)
    yield Row(name, "strong emphasis, dB", 4.5, louder, tuple(made))
    higher = tuple(12 * float(np.log2(median_pitch(a) / median_pitch(b))) for a, b in pairs)
    yield Row(name, "strong emphasis, semitones", 3.5, higher, tuple(made))


def fourth(speech: Speech) -> Speech:
    """Return the samples of the fourth word alone."""
    word = speech.words[3]
    return Speech(speech.audio.cut(word.start, word.end), word.text)


def median_pitch(speech: Speech) -> float:
    """Return the median pitch in Hz."""
    hertz = f0(speech.audio.samples, RATE, HOP)
    return float(np.median(hertz[hertz > 0])) if hertz.any() else float("nan")


def final_rise(speech: Speech) -> float:
    """Return how many semitones the last tenth of the voiced frames lies above the median."""
    hertz = f0(speech.audio.samples, RATE, HOP)
    melody = 12 * np.log2(hertz[hertz > 0])
    return float(np.mean(melody[-max(1, len(melody) // 10) :]) - np.median(melody))


def semitones(after: Speech, before: Speech) -> float:
    """Return the median rise in pitch, in semitones, over the frames that are voiced in both sounds."""
    high, low = (f0(each.audio.samples, RATE, HOP, 45.0, 900.0) for each in (after, before))
    voiced = (high > 0) & (low > 0)
    return float(np.median(12 * np.log2(high[voiced] / low[voiced])))


def span(speech: Speech) -> float:
    return speech.words[-1].end - speech.words[0].start


def decibels(speech: Speech) -> float:
    return float(10 * np.log10(np.mean(np.square(speech.audio.samples, dtype=np.float64))))


def opinion_score(speeches: tuple[Speech, ...]) -> float:
    """Return the mean opinion score of Distill-MOS."""
    from recipes.vocoder.scores import distill_mos

    return statistics.mean(distill_mos(speech.audio.samples) for speech in speeches)


if __name__ == "__main__":
    typer.run(main)
