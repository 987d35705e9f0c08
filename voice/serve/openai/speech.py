"""POST /v1/audio/speech: a text as speech, sent piece by piece while it is made."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, Field

from voice.errors import TextError
from voice.media.formats import Encoding
from voice.serve.errors import TooLarge
from voice.serve.openai.speech_encoding import (
    MEDIA_TYPES,
    EncodedPiece,
    encode_stream,
    sound_only,
    speech_events,
)
from voice.serve.services import Services
from voice.serve.streaming import StopSignal, StreamedResponse
from voice.text.english.coverage import reading_notes
from voice.text.english.language import ENGLISH
from voice.text.lexicon import parse_entry
from voice.text.markup import is_ssml, parse
from voice.tts.provenance import synthesis_tags
from voice.tts.streaming import pieces
from voice.types import LOUDNESS, RANGES, Controls, Speech, Synthesizer

PATH = "/v1/audio/speech"
MAX_NOTES = 1000  # characters of the header that says what was not understood


def _within(name: str, default: float | None) -> Any:
    """Return a field with the range of Controls."""
    lowest, highest, _ = RANGES[name]
    return Field(default, ge=lowest, le=highest, allow_inf_nan=False)


class VoiceId(BaseModel):
    id: str


class SpeechRequest(BaseModel):
    """What a client asks for; `instructions` are taken and have no effect on the voices of today.

    Beyond OpenAI's fields there are those of Controls; `input` may be SSML, and `lexicon` says how words
    are spoken: phones, /IPA/ or other words; `dates` what 03/04/2025 is. `sample_rate` (Hz) and `bit_rate`
    (kbit/s) are those of the sound that is sent.
    """

    input: str
    model: str = "default"
    voice: str | VoiceId = "default"
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    speed: float = Field(1.0, ge=0.25, le=4.0, allow_inf_nan=False)  # OpenAI's; see `pace`
    pitch: float = _within("pitch", 0.0)
    energy: float = _within("energy", 0.0)
    pause: float = _within("pause", 1.0)
    clause_pause: float | None = _within("clause_pause", None)
    sentence_pause: float | None = _within("sentence_pause", None)
    paragraph_pause: float | None = _within("paragraph_pause", None)
    loudness: float | None = _within("loudness", LOUDNESS)
    dates: Literal["dmy", "mdy"] | None = None
    lexicon: dict[str, str] = Field(default_factory=dict, max_length=1000)
    sample_rate: int | None = None  # Hz
    bit_rate: int | None = None  # kbit/s
    stream_format: Literal["audio", "sse"] = "audio"
    timestamps: bool = False  # of words, in the events of "sse"
    instructions: str | None = None

    @property
    def voice_name(self) -> str:
        """The name of the voice."""
        return self.voice.id if isinstance(self.voice, VoiceId) else self.voice

    @property
    def pace(self) -> float:
        """The speed, as far as the voices go."""
        lowest, highest, _ = RANGES["speed"]
        return min(highest, max(lowest, self.speed))

    @property
    def level(self) -> float:
        """The energy in dB."""
        return self.energy

    @property
    def encoding(self) -> Encoding:
        """How the sound is written."""
        return Encoding(self.sample_rate, self.bit_rate)

    @property
    def controls(self) -> Controls:
        """How to speak. Raises TextError for a lexicon that cannot be read."""
        lexicon = dict(parse_entry(word, said) for word, said in self.lexicon.items())
        return Controls(
            self.pace, self.pitch, self.level, self.pause,
            self.clause_pause, self.sentence_pause, self.paragraph_pause, lexicon or None, self.loudness,
            self.dates,
        )  # fmt: skip


@dataclass(frozen=True)
class Voiceover:
    """A request for speech with all that it needs: `headers` name what is not spoken as asked."""

    wanted: SpeechRequest
    services: Services
    voice: Synthesizer
    tags: Mapping[str, str]
    headers: Mapping[str, str]

    def pieces(self, stop: StopSignal) -> Generator[EncodedPiece, None, None]:
        """Yield the speech, encoded, as it is made."""
        spoken = speak(self.voice, self.wanted, self.services, stop)
        wanted = self.wanted
        return encode_stream(spoken, wanted.response_format, self.voice.rate, self.tags, wanted.encoding)


async def open_voiceover(wanted: SpeechRequest, services: Services) -> Voiceover:
    """Load the voice of a request. Raises VoiceError for what cannot be spoken or written so."""
    if len(wanted.input) > services.settings.characters:
        raise TooLarge(f"the text has more than {services.settings.characters} characters; send it in parts")
    name = services.voice_name(wanted.voice_name, wanted.model)
    voice = await run_in_threadpool(services.voice, name)
    wanted.encoding.check(wanted.response_format, voice.rate)
    tags = await run_in_threadpool(synthesis_tags, name)
    return Voiceover(wanted, services, voice, tags, await run_in_threadpool(_notes, wanted))


def router(services: Services) -> APIRouter:
    routes = APIRouter()

    @routes.post(PATH, openapi_extra=request_of("Speech"), response_class=Response)
    async def speech(request: Request) -> Response:
        wanted = SpeechRequest.model_validate_json(await request.body())
        sends_events = wanted.stream_format == "sse"
        if wanted.timestamps and not sends_events:
            raise TextError('timestamps come with events; ask for "stream_format": "sse" as well')
        opened = await open_voiceover(wanted, services)

        def make(stop: StopSignal) -> Generator[bytes, None, None]:
            pieces = opened.pieces(stop)
            return speech_events(pieces, timed=wanted.timestamps) if sends_events else sound_only(pieces)

        media = "text/event-stream" if sends_events else MEDIA_TYPES[wanted.response_format]
        answer = StreamedResponse(make, media, services.settings.idle)
        answer.headers.update(opened.headers)
        return answer

    return routes


def request_of(schema: str) -> dict[str, Any]:
    """Return the description of a request whose body is one of the components of the API's description."""
    reference = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    return {"requestBody": {"content": {"application/json": reference}, "required": True}}


def _notes(wanted: SpeechRequest) -> dict[str, str]:
    """Return a header that names what is not spoken as asked: speed, SSML, what the voice cannot read.

    What is not ASCII stands as \\uXXXX in it. Raises TextError where SSML is malformed.
    """
    problems = [f"speed {wanted.speed:g} is spoken at {wanted.pace:g}"] if wanted.pace != wanted.speed else []
    problems += parse(wanted.input, ENGLISH).problems if is_ssml(wanted.input) else ()
    problems += reading_notes(wanted.input, wanted.controls.lexicon)
    notes = "; ".join(problems).encode("ascii", "backslashreplace").decode()[:MAX_NOTES]
    return {"x-voice-notes": notes} if notes else {}


def speak(
    voice: Synthesizer, wanted: SpeechRequest, services: Services, stop: StopSignal
) -> Iterator[Speech]:
    """Yield the speech of a request. Raises TextError where there is nothing to say."""
    silent, longest = True, 60 * services.settings.minutes
    for piece in pieces(voice, wanted.input, wanted.controls):
        stop.check()
        silent = False
        longest -= piece.audio.duration
        if longest < 0:
            raise TooLarge(
                f"this is more than {services.settings.minutes:g} minutes of speech; send it in parts"
            )
        services.metrics.spoken.labels(PATH).inc(piece.audio.duration)
        yield piece
    if silent:
        raise TextError("there is nothing in the input that can be read aloud; give it words or figures")
