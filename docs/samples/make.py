"""Make the sound samples of the README anew: `python docs/samples/make.py`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import voice
from voice.agent import Models, answers, start, talk
from voice.audio import resample
from voice.types import Audio

FOLDER = Path(__file__).parent
TEXT = "The ferry leaves at 7:30, from pier 9. Will you be there? Dr. Nguyen is bringing coffee."
QUESTIONS = ["How many kilometers is five miles?", "What is twelve times nine?"]


def main() -> None:
    for name in ("heart", "kathleen", "lj", "kumo"):
        voice.write(FOLDER / f"{name}.mp3", voice.speak(TEXT, voice=name).audio)
    voice.write(FOLDER / "conversation.mp3", conversation())


def conversation() -> Audio:
    """Return both sides of a conversation with the agent, whose person is the voice kumo."""
    models = Models.load(voice="heart")
    rate = models.synthesizer.rate
    track = np.zeros(0, np.float32)
    for question in QUESTIONS:
        asked = voice.speak(question, voice="kumo").audio
        side = answers(list(talk(asked, start(models))), rate).samples
        mixed = np.zeros(max(len(side), len(resample(asked, rate).samples)), np.float32)
        mixed[: len(side)] += side
        mixed[: len(resample(asked, rate).samples)] += resample(asked, rate).samples
        track = np.concatenate([track, mixed, np.zeros(rate // 2, np.float32)])
    return Audio(track, rate)


if __name__ == "__main__":
    main()
