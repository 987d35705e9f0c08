"""Get speech in pieces while it is made: play the first piece long before the last one exists.

python examples/stream_speech.py
"""

import time

import voice

TEXT = """It was a bright cold day in April, and the ferry was late again, as it had been for most of the
week. Nobody on the quay complained. They had brought books and bread, and they had time."""


def main() -> None:
    synthesizer = voice.load("kathleen")
    begun, made = time.perf_counter(), 0.0
    for piece in synthesizer.stream(TEXT):  # give piece.audio to your sound card here
        made += piece.audio.duration
        waited = 1000 * (time.perf_counter() - begun)
        print(f"after {waited:4.0f} ms: {made:5.2f} s of speech: {piece.text.strip()}")


if __name__ == "__main__":
    main()
