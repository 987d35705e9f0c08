"""Show words while they are spoken: sound goes in as it comes, captions come out.

python examples/live_captions.py [RECORDING]
"""

import sys

import voice
from voice.asr.streaming import Live
from voice.audio import resample
from voice.silero import Silero

TEXT = "We will meet at the harbor on Thursday, and then take the boat to the island."


def main() -> None:
    audio = voice.read(sys.argv[1]) if len(sys.argv) > 1 else voice.speak(TEXT).audio
    samples = resample(audio, Live.rate).samples
    live = Live(voice.load("quick"), Silero.open())
    block = Live.rate // 10  # a microphone would give 100 ms at a time, too
    for start in range(0, len(samples), block):
        partial = live.feed(samples[start : start + block])
        if partial:  # `stable` words stay, the tail may still change
            print(f"{partial.until:5.1f} s  {partial.stable} | {partial.tail}")
    print("final:", live.finish().text)


if __name__ == "__main__":
    main()
