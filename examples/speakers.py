"""Tell who says what in a conversation.

python examples/speakers.py [RECORDING [NUMBER_OF_PEOPLE]]
"""

import sys

import numpy as np

import voice

LINES = [
    ("kathleen", "When does the boat to the island leave in the morning?"),
    ("kumo", "It leaves at half past seven, from the old harbor behind the station."),
    ("kathleen", "Then we should be there a little earlier. Shall we have breakfast on board?"),
    ("kumo", "Yes, they have coffee and fresh bread, and it is not expensive."),
]


def main() -> None:
    people = int(sys.argv[2]) if len(sys.argv) > 2 else True  # True: count them
    recording = sys.argv[1] if len(sys.argv) > 1 else conversation()
    for segment in voice.transcribe(recording, model="quick", speakers=people).segments:
        print(f"{segment.start:6.2f} s  {segment.speaker}: {segment.text.strip()}")


def conversation() -> voice.Audio:
    """Return a conversation of two voices, with half a second between their turns."""
    turns = [voice.speak(text, voice=name).audio for name, text in LINES]
    pause = np.zeros(turns[0].rate // 2, np.float32)
    samples = np.concatenate([part for turn in turns for part in (turn.samples, pause)])
    return voice.Audio(samples, turns[0].rate)


if __name__ == "__main__":
    main()
