"""What is said and done to the agent in benchmarks.agent: recordings, sounds made for it, rooms."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np

from voice.audio import read, resample
from voice.errors import AudioError
from voice.loading import load
from voice.types import Controls, Recognizer, Synthesizer

RATE = 16_000
FRAME = RATE // 50
LEVEL = 0.06  # loudness of speech, root mean square
SENTENCES = ("kathleen", "ljspeech", "speechocean762", "asterisk_allison", "librispeech")
MARKED = ("kathleen", "ljspeech", "librispeech")  # prose; of prompts many have no mark at their end
SPOKEN_OVER = ("speechocean762", "kathleen", "wake_words", "speech_to_intent", "librispeech")
TURNS = {"dev": ("dev", "train", "untranscribed"), "test": ("test",)}
NOISES = {"dev": ("train",), "test": ("test",)}
ROOMS = ("doing_the_dishes", "running_tap", "exercise_bike", "room_bg_noise")  # recorded, without a voice
# Frames of 10 ms: a last sound after a longer silence, and shorter than that, is no word.
BREAK, CLICK = 25, 10
LISTENING = (
    "Mm-hm.",
    "Yeah.",
    "Okay.",
    "Right.",
    "Uh-huh.",
    "I see.",
    "Yes, yes.",
    "Oh, wow.",
    "Sure.",
    "Mm.",
)


@dataclass(frozen=True, eq=False)
class Said:
    """Speech that begins with the first sample; `end` is its last sound (s)."""

    sound: np.ndarray
    end: float
    text: str


class CaseSounds:
    """One split of the corpora; always the same in the same order."""

    def __init__(self, corpora: Path, split: str, synthesizer: Synthesizer | None = None) -> None:
        self._corpora, self._split, self._splits = corpora, split, TURNS[split]
        self._synthesizer = synthesizer
        self._noise = np.random.default_rng(0)
        self._heard: dict[str, str] = {}  # by row

    def sentences(self, count: int) -> Iterator[Said]:
        """Yield whole single sentences, in which every pause is inside of the sentence.

        Where the text has no marks, those that whisper-base hears decide, which may leave out some that are
        hard for a recognizer related to it.
        """
        rows = [row for name in SENTENCES for row in self.rows(name) if is_of_one_sentence(row)]
        marked = (self.marked(row) for row in random.Random(1).sample(rows, len(rows)))
        said = (self.one(row) for row in marked if is_of_one_sentence(row) and is_whole(row))
        yield from islice((each for each in said if longest_pause(each.sound) < 1.2), count)

    def marked(self, row: dict) -> dict:
        """Return the row with marks in its text: capitals without any get those that whisper-base hears."""
        if row["corpus"] not in MARKED or not said_in(row).isupper():
            return row
        if row["id"] not in self._heard:
            sound = read(self._corpora / row["corpus"] / row["audio"], RATE)
            self._heard[row["id"]] = _whisper().transcribe(sound, language="en").text
        return row | {"text": self._heard[row["id"]]}

    def interruptions(self, count: int) -> Iterator[Said]:
        """Yield requests, and sentences of at least three words or of a name."""
        rows = [row for name in SPOKEN_OVER for row in self.rows(name) if row["duration"] > 0.8]
        yield from self._said(rows, count, longest=3.0)

    def distractions(self, kind: str, count: int) -> Iterator[np.ndarray]:
        """Yield sounds of a kind; see DISTRACTIONS."""
        draw = random.Random(kind)
        for number in range(count):
            if kind == "backchannels":
                yield self._spoken(LISTENING[number % len(LISTENING)], 0.85 + 0.3 * draw.random())
            elif kind == "rooms":
                yield self._noise_of_a_room(number)
            else:
                yield MADE[kind](np.random.default_rng(number))

    def _noise_of_a_room(self, number: int) -> np.ndarray:
        """Return three seconds of a recording in which nobody speaks, at a fifth to all of the level of
        speech.
        """
        rows = sorted(self.rows("noise", NOISES[self._split]), key=lambda row: row["id"])
        recordings = [row for row in rows if any(name in row["id"] for name in ROOMS)]
        draw = random.Random(number)
        row = recordings[number % len(recordings)]
        samples = read(self._corpora / "noise" / row["audio"], RATE).samples
        start = draw.randrange(max(1, len(samples) - 3 * RATE))
        cut = samples[start : start + 3 * RATE]
        gain = LEVEL * draw.uniform(0.2, 1.0) / max(1e-4, float(np.sqrt(np.mean(cut**2))))
        return (cut * gain).astype(np.float32)

    def quiet(self, seconds: float) -> np.ndarray:
        """Return the sound of a quiet room."""
        return (2e-4 * self._noise.standard_normal(round(seconds * RATE))).astype(np.float32)

    def room(self, number: int) -> tuple[np.ndarray, float]:
        """Return what a Room is made of: (T,) response at -6 to -20 dB, 0.05 to 0.3 s late."""
        rows = sorted(self.rows("rir", ("train",)), key=lambda row: row["id"])
        draw = random.Random(number)
        response = read(self._corpora / "rir" / rows[number % len(rows)]["audio"], RATE).samples
        response = response[int(np.argmax(np.abs(response))) :]
        gain = 10 ** (-draw.uniform(6, 20) / 20) / np.sqrt(np.sum(response**2))
        return (response * gain).astype(np.float32), draw.uniform(0.05, 0.3)

    def _spoken(self, text: str, speed: float) -> np.ndarray:
        pieces = self._synthesizer.speak(text, Controls(speed))
        return level(np.concatenate([resample(piece.audio, RATE).samples for piece in pieces]))

    def rows(self, corpus: str, splits: tuple[str, ...] | None = None) -> list[dict]:
        """Return the rows of a corpus's manifest."""
        rows = []
        for split in splits or self._splits:
            path = self._corpora / corpus / f"{split}.jsonl"
            if path.exists():
                lines = path.read_text("utf-8").splitlines()
                rows += [json.loads(line) | {"corpus": corpus} for line in lines]
        return rows

    def _said(self, rows: list[dict], count: int, longest: float = 12.0) -> Iterator[Said]:
        for row in random.Random(1).sample(rows, min(count, len(rows))):
            yield self.one(row, longest)

    def one(self, row: dict, longest: float = 12.0) -> Said:
        """Return the speech of a manifest's row."""
        return said_by(read(self._corpora / row["corpus"] / row["audio"], RATE).samples, row, longest)

    def noises(self, count: int) -> list[np.ndarray]:
        """Return noises to tune in, none of `test`."""
        rows = self.rows("noise", NOISES["dev"])[:count]
        return [read(self._corpora / "noise" / row["audio"], RATE).samples for row in rows]


def said_by(samples: np.ndarray, row: dict, longest: float) -> Said:
    """Return a recording from its first sound on, at an even level."""
    loudness = _loudness(samples) / np.percentile(_loudness(samples), 95)
    # The first 30 ms that are no click; the last sound may be as soft as an ending is, but no noise.
    sure = np.flatnonzero(np.convolve(loudness > 0.2, np.ones(3), "valid") == 3)
    soft = max(0.05, 2.5 * float(np.percentile(loudness, 5)))
    if not sure.size:
        raise AudioError(f"nothing is said in {row['id']}; leave it out of the manifest")
    begin = max(0, int(sure[0]) - 2)
    first, last = begin * 160, (begin + last_spoken(loudness[begin:] > soft) + 1) * 160
    sound = level(samples[first:][: round(longest * RATE)])
    return Said(sound, min(last - first, len(sound)) / RATE, said_in(row))


def last_spoken(loud: np.ndarray) -> int:
    """Return the last of the frames of 10 ms that are `loud` (F,), without the click of a button long after
    it.
    """
    frames = np.flatnonzero(loud)
    parts = np.split(frames, np.flatnonzero(np.diff(frames) > BREAK) + 1)
    clicked = len(parts) > 1 and parts[-1][-1] - parts[-1][0] + 1 < CLICK
    return int(parts[-2 if clicked else -1][-1])


def longest_pause(samples: np.ndarray) -> float:
    """Return the seconds of the longest pause; who pauses for longer than a breath has begun another
    sentence.
    """
    loud = np.flatnonzero(_loudness(samples) > 0.1 * np.percentile(_loudness(samples), 95))
    return float(np.diff(loud).max(initial=0)) / 100


def level(samples: np.ndarray) -> np.ndarray:
    """Return speech at the loudness of speech."""
    spoken = samples[np.abs(samples) > 0.1 * np.abs(samples).max()]
    return (samples * LEVEL / np.sqrt(np.mean(spoken**2))).astype(np.float32)


def _loudness(samples: np.ndarray) -> np.ndarray:
    """Return the root mean square of each 10 ms."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    return np.sqrt((frames**2).mean(axis=1))


@lru_cache(1)
def _whisper() -> Recognizer:
    return load("whisper-base", kind="recognizer")


def said_in(row: dict) -> str:
    """Return the row's text without quotation marks at its end."""
    return (row["text"] or row.get("asr_text") or "").strip().rstrip("\"'”’")


def is_of_one_sentence(row: dict) -> bool:
    """Tell whether no sentence ends in the middle of the text, as far as its marks tell."""
    text = said_in(row).rstrip(".?!")
    return len(text.split()) >= 4 and not set(text) & set(".?!;:") and row["duration"] < 12


def is_whole(row: dict) -> bool:
    """Tell whether the text ends as a sentence does: books are cut at pauses of the reader too."""
    text = said_in(row)
    if row["corpus"] in MARKED:
        return text.endswith((".", "?", "!")) and not text.endswith("...")
    return not text.endswith((",", "...", "…"))


# ---- sounds that are made


def cough(draw: np.random.Generator) -> np.ndarray:
    """Return one to three bursts of throaty noise, each with a sharp beginning and a voiced end."""
    bursts = []
    for _ in range(draw.integers(1, 4)):
        length = int(RATE * draw.uniform(0.12, 0.3))
        time = np.arange(length) / RATE
        noise = _resonant(draw.standard_normal(length), (600, 1400, 2800), draw)
        voice = np.sign(np.sin(2 * np.pi * draw.uniform(90, 180) * time)) * np.linspace(0, 0.4, length)
        burst = (noise / np.abs(noise).max() + 0.3 * voice) * np.exp(-time / draw.uniform(0.04, 0.09))
        bursts += [burst, np.zeros(int(RATE * draw.uniform(0.08, 0.2)))]
    return _peak(np.concatenate(bursts), draw.uniform(0.2, 0.6))


def clap(draw: np.random.Generator) -> np.ndarray:
    """Return one to four claps in a small room."""
    claps = []
    for _ in range(draw.integers(1, 5)):
        length = int(RATE * draw.uniform(0.15, 0.4))
        decay = np.exp(-np.arange(length) / RATE / draw.uniform(0.008, 0.04))
        claps.append(_resonant(draw.standard_normal(length), (1100, 2300), draw) * decay)
    return _peak(np.concatenate(claps), draw.uniform(0.3, 0.9))


def typing(draw: np.random.Generator) -> np.ndarray:
    """Return three seconds at a keyboard."""
    sound = np.zeros(3 * RATE)
    at = 0.0
    while (at := at + draw.exponential(0.13) + 0.04) < 2.9:
        length = int(RATE * draw.uniform(0.01, 0.03))
        click = draw.standard_normal(length) * np.exp(-np.arange(length) / RATE / 0.004)
        sound[int(at * RATE) :][:length] += draw.uniform(0.3, 1) * click
    return _peak(sound, draw.uniform(0.05, 0.25))


def music(draw: np.random.Generator) -> np.ndarray:
    """Return three seconds of plucked chords over a bass."""
    sound = np.zeros(3 * RATE)
    root = 110 * 2 ** (draw.integers(12) / 12)
    for beat, at in enumerate(np.arange(0, 2.8, draw.uniform(0.25, 0.45))):
        chord = (0, 4, 7) if beat // 4 % 2 == 0 else (5, 9, 12)
        for step in (*chord, -12):
            sound[int(at * RATE) :] += _string(root * 2 ** (step / 12), 3 * RATE - int(at * RATE), draw)
    return _peak(sound, draw.uniform(0.1, 0.4))


def _string(pitch: float, length: int, draw: np.random.Generator) -> np.ndarray:
    """Return one plucked note: harmonics, the higher the softer and the sooner gone."""
    time = np.arange(length) / RATE
    parts = [
        np.sin(2 * np.pi * pitch * number * time + draw.uniform(0, 6)) * np.exp(-time * number * 2) / number
        for number in range(1, 9)
    ]
    return np.sum(parts, axis=0) * np.minimum(1, time / 0.005)


def _resonant(noise: np.ndarray, formants: tuple[int, ...], draw: np.random.Generator) -> np.ndarray:
    """Return noise with more energy around some frequencies (Hz)."""
    spectrum = np.fft.rfft(noise)
    frequencies = np.fft.rfftfreq(len(noise), 1 / RATE)
    gain = 0.1 + sum(np.exp(-(((frequencies - at * draw.uniform(0.8, 1.2)) / 250) ** 2)) for at in formants)
    return np.fft.irfft(spectrum * gain, len(noise))


def _peak(sound: np.ndarray, peak: float) -> np.ndarray:
    return (sound * peak / np.abs(sound).max()).astype(np.float32)


MADE = {"coughs": cough, "claps": clap, "typing": typing, "music": music}
DISTRACTIONS = ("backchannels", *MADE, "rooms")  # spoken by our voice, made here, and recorded


class Room:
    """From the loudspeaker to the microphone: (T,) impulse response, and a delay (s) before it.

    A frame in, a frame out: the response in parts of a frame, each multiplied in the frequency domain
    (uniformly partitioned overlap-save).
    """

    def __init__(self, response: np.ndarray, delay: float) -> None:
        whole = np.concatenate((np.zeros(round(delay * RATE), np.float32), response))
        parts = np.pad(whole, (0, -len(whole) % FRAME)).reshape(-1, FRAME)
        self._parts = np.fft.rfft(parts, 2 * FRAME).astype(np.complex64)
        self._past = np.zeros_like(self._parts)  # spectra of what was played, the newest first
        self._before = np.zeros(FRAME, np.float32)

    def __call__(self, played: np.ndarray) -> np.ndarray:
        self._past = np.roll(self._past, 1, axis=0)
        self._past[0] = np.fft.rfft(np.concatenate((self._before, played)))
        self._before = played
        return np.fft.irfft((self._parts * self._past).sum(axis=0))[FRAME:].astype(np.float32)
