"""Makes the tiny corpus: a minute of speech by the voice `heart`, for smoke runs and tests.

    python -m data.tiny.make

The sentences were written for this project and `heart` is Apache-2.0, so the result is too. The
same samples come out each time; the Ogg container's serial number is the only thing that differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from voice.manifest import Clip, write_manifest
from voice.tts.heart import Heart
from voice.tts.voice import Voice, join
from voice.types import Audio, Controls, Speech

FOLDER = Path(__file__).parent
SPEEDS = (0.92, 1.0, 1.08)  # so that durations vary beyond their words
OPUS_COMPRESSION = 0.85  # libsndfile's scale; about 45 kbit/s of mono

TRAIN = (
    "Good morning.",
    "Can you hear me?",
    "The kettle boils at seven, and the bus leaves at eight.",
    "Turn left after the bridge.",
    "She paid twelve dollars and fifty cents for three old books.",
    "No, thank you!",
    "Our garden grows beans, thyme, and far too many weeds.",
    "Who measured the width of that valley?",
    "A young fox jumped over the shallow ditch and vanished.",
    "Please spell your name, then say the code.",
    "It rained through June; July was no better.",
    "The choir joined in with a loud, joyful noise.",
    "Does the engine usually sound like this?",
    "Charles bought cheese, sugar, and a huge pie.",
    "Nothing about the weather surprises sailors.",
    "Put the azure vase beside the window.",
    "Meet me at 7:30 by gate 12.",
    "Dr. Brown saw 140 patients in 2019, which cost $36.50 each.",
    "The door was open. Nobody had touched the coats, the boots, or the small brass key on the shelf.",
    "Yes.",
)
DEV = (
    "The train to the coast departs at nine.",
    "Would you water the plants while we are away?",
    "He thought the question over and smiled.",
    "Five boys shared the measure of good luck.",
    "Ask for room 215 on the 3rd floor.",
)


def main() -> None:
    heart = Voice(Heart.open(threads=1))
    for split, sentences in (("train", TRAIN), ("dev", DEV)):
        write_manifest(FOLDER / f"{split}.jsonl", _speak_sentences(heart, split, sentences))


def _speak_sentences(heart: Voice, split: str, sentences: Iterable[str]) -> Iterator[Clip]:
    """Synthesize each sentence, write its file, and yield its clip."""
    for number, text in enumerate(sentences):
        name = f"{split}_{number + 1:02d}"
        speech = join(heart.speak(text, Controls(speed=SPEEDS[number % len(SPEEDS)])))
        path = FOLDER / "audio" / f"{name}.opus"
        _write(path, speech.audio)
        yield _clip(path, name, text, speech)


def _clip(path: Path, name: str, text: str, speech: Speech) -> Clip:
    """Return the manifest's row of a synthesized sentence."""
    words = [[word.text, round(word.start, 3), round(word.end, 3)] for word in speech.words]
    return Clip(
        audio=path,
        text=text,
        duration=round(speech.audio.duration, 3),
        speaker="heart",
        id=f"tiny-{name}",
        sample_rate=speech.audio.rate,
        language="en",
        extra={"source": "heart", "licence": "Apache-2.0", "words": words},
    )


def _write(path: Path, audio: Audio) -> None:
    """Write a sentence as an Opus file."""
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(
        path,
        audio.samples,
        audio.rate,
        format="OGG",
        subtype="OPUS",
        compression_level=OPUS_COMPRESSION,
    )


if __name__ == "__main__":
    main()
