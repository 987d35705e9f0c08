"""What is said and done to the agent in benchmarks.agent: recordings, and sounds made for it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.turn_taking.noises import MADE, RATE
from voice.audio import read, resample
from voice.errors import AudioError
from voice.loading import load_recognizer
from voice.types import Controls, Recognizer, Synthesizer

LEVEL = 0.06  # loudness of speech, root mean square
SENTENCES = ("kathleen", "ljspeech", "speechocean762", "asterisk_allison", "librispeech")
MARKED = ("kathleen", "ljspeech", "librispeech")  # prose; of prompts many have no mark at their end
SPOKEN_OVER = ("speechocean762", "kathleen", "wake_words", "speech_to_intent", "librispeech")
TURNS = {"dev": ("dev", "train", "untranscribed"), "test": ("test",)}
NOISES = {"dev": ("train",), "test": ("test",)}
ROOMS = ("doing_the_dishes", "running_tap", "exercise_bike", "room_bg_noise")  # recorded, without a voice
DISTRACTIONS = ("backchannels", *MADE, "rooms")  # spoken by our voice, made here, and recorded
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
        marked = (self.add_marks(row) for row in random.Random(1).sample(rows, len(rows)))
        said = (self.one(row) for row in marked if is_of_one_sentence(row) and is_whole(row))
        yield from islice((each for each in said if longest_pause(each.sound) < 1.2), count)

    def add_marks(self, row: dict) -> dict:
        """Return the row with marks in its text: capitals without any get those that whisper-base hears."""
        if row["corpus"] not in MARKED or not text_of(row).isupper():
            return row
        if row["id"] not in self._heard:
            sound = read(self._corpora / row["corpus"] / row["audio"], RATE)
            self._heard[row["id"]] = _whisper().transcribe(sound, language="en").text
        return row | {"text": self._heard[row["id"]]}

    def interruptions(self, count: int) -> Iterator[Said]:
        """Yield requests, and sentences of at least three words or of a name."""
        rows = [row for name in SPOKEN_OVER for row in self.rows(name) if row["duration"] > 0.8]
        yield from self._sample_speech(rows, count, longest=3.0)

    def distractions(self, kind: str, count: int) -> Iterator[np.ndarray]:
        """Yield sounds of a kind; see DISTRACTIONS."""
        draw = random.Random(kind)
        for number in range(count):
            if kind == "backchannels":
                yield self._synthesize(LISTENING[number % len(LISTENING)], 0.85 + 0.3 * draw.random())
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

    def _synthesize(self, text: str, speed: float) -> np.ndarray:
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

    def _sample_speech(self, rows: list[dict], count: int, longest: float = 12.0) -> Iterator[Said]:
        for row in random.Random(1).sample(rows, min(count, len(rows))):
            yield self.one(row, longest)

    def one(self, row: dict, longest: float = 12.0) -> Said:
        """Return the speech of a manifest's row."""
        return trim_recording(read(self._corpora / row["corpus"] / row["audio"], RATE).samples, row, longest)

    def noises(self, count: int) -> list[np.ndarray]:
        """Return noises to tune in, none of `test`."""
        rows = self.rows("noise", NOISES["dev"])[:count]
        return [read(self._corpora / "noise" / row["audio"], RATE).samples for row in rows]


def trim_recording(samples: np.ndarray, row: dict, longest: float) -> Said:
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
    return Said(sound, min(last - first, len(sound)) / RATE, text_of(row))


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
    return load_recognizer("whisper-base")


def text_of(row: dict) -> str:
    """Return the row's text without quotation marks at its end."""
    return (row["text"] or row.get("asr_text") or "").strip().rstrip("\"'”’")


def is_of_one_sentence(row: dict) -> bool:
    """Tell whether no sentence ends in the middle of the text, as far as its marks tell."""
    text = text_of(row).rstrip(".?!")
    return len(text.split()) >= 4 and not set(text) & set(".?!;:") and row["duration"] < 12


def is_whole(row: dict) -> bool:
    """Tell whether the text ends as a sentence does: books are cut at pauses of the reader too."""
    text = text_of(row)
    if row["corpus"] in MARKED:
        return text.endswith((".", "?", "!")) and not text.endswith("...")
    return not text.endswith((",", "...", "…"))
