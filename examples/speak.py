"""Speak a text to a file, with a lexicon and longer pauses, and print when each word is spoken.

python examples/speak.py [TEXT]
"""

import sys

import voice
from voice.text.lexicon import parse_lexicon
from voice.tts.voice import join

TEXT = "Ask for Nguyen at the front desk. The meeting begins at 9:30, on the 2nd floor."
LEXICON = "Nguyen = W IH1 N"  # phones of ARPAbet, as in CMUdict; /IPA/ and other words work too


def main() -> None:
    text = sys.argv[1] if len(sys.argv) > 1 else TEXT
    controls = voice.Controls(speed=0.95, sentence_pause=0.8, lexicon=parse_lexicon(LEXICON))
    speech = join(voice.load("kathleen").speak(text, controls))
    voice.write("speech.mp3", speech.audio)
    for word in speech.words:
        print(f"{word.start:6.2f} s  {word.text}")
    print(f"speech.mp3: {speech.audio.duration:.1f} s")


if __name__ == "__main__":
    main()
