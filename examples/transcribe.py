"""Transcribe a recording and print each word with its time and confidence.

python examples/transcribe.py [RECORDING]
"""

import sys

import voice


def main() -> None:
    recording = sys.argv[1] if len(sys.argv) > 1 else voice.speak("The boat leaves at half past seven.").audio
    transcript = voice.transcribe(recording, model="quick")
    print(transcript.text)
    for word in transcript.words:
        print(f"{word.start:6.2f}–{word.end:.2f} s  {word.confidence:4.0%}  {word.text.strip()}")


if __name__ == "__main__":
    main()
