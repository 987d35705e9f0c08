"""Write SubRip and WebVTT subtitles for a recording.

python examples/subtitles.py [RECORDING]
"""

import sys
from pathlib import Path

import voice
from voice.text.subtitles import render

TEXT = "Good morning. The boat to the island leaves at half past seven, and it comes back in the evening."


def main() -> None:
    recording = sys.argv[1] if len(sys.argv) > 1 else voice.speak(TEXT).audio
    transcript = voice.transcribe(recording)
    for form in ("srt", "vtt"):
        path = Path(f"subtitles.{form}")
        path.write_text(render(transcript, form), encoding="utf-8")
        print(f"{path}: {len(transcript.segments)} sentences")


if __name__ == "__main__":
    main()
