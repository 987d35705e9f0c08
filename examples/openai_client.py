"""Use the server through OpenAI's client: speech and a transcription.

voice serve                        # in another terminal; or set VOICE_URL to a server that runs
python examples/openai_client.py
"""

import os

from openai import OpenAI


def main() -> None:
    client = OpenAI(base_url=os.environ.get("VOICE_URL", "http://127.0.0.1:8000/v1"), api_key="none")
    speech = client.audio.speech.create(model="tts-1", voice="nova", input="The boat leaves at seven.")
    speech.write_to_file("boat.mp3")
    with open("boat.mp3", "rb") as file:
        transcript = client.audio.transcriptions.create(
            model="whisper-1", file=file, response_format="verbose_json", timestamp_granularities=["word"]
        )
    print(transcript.text)
    for word in transcript.words or []:
        print(f"{word.start:6.2f} s  {word.word}")


if __name__ == "__main__":
    main()
