"""POST /v1/audio/speech: a text as speech, sent piece by piece while it is made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, Field

from voice.errors import TextError
from voice.serve.encode import MEDIA, encoded, events
from voice.serve.errors import TooMuch
from voice.serve.services import SPEAKING, Services
from voice.serve.work import Stop, Streamed
from voice.tts.streaming import pieces
from voice.types import Audio, Controls, Synthesizer

PATH = "/v1/audio/speech"


class VoiceId(BaseModel):
    id: str


class Wish(BaseModel):
    """What a client asks for; `instructions` are taken and have no effect on the voices of today."""

    input: str
    model: str = "default"
    voice: str | VoiceId = "default"
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    speed: float = Field(1.0, ge=0.5, le=2.0)
    stream_format: Literal["audio", "sse"] = "audio"
    instructions: str | None = None

    @property
    def name(self) -> str:
        """The voice: that which `voice` names, or `model` where it names one of ours."""
        voice = self.voice.id if isinstance(self.voice, VoiceId) else self.voice
        return voice if self.model in SPEAKING else self.model


def router(services: Services) -> APIRouter:
    routes = APIRouter()
    schema = {"content": {"application/json": {"schema": Wish.model_json_schema()}}, "required": True}

    @routes.post(PATH, openapi_extra={"requestBody": schema}, response_class=Response)
    async def speech(request: Request) -> Response:
        wish = Wish.model_validate_json(await request.body())
        if len(wish.input) > services.settings.characters:
            raise TooMuch(
                f"the text has more than {services.settings.characters} characters; send it in parts"
            )
        voice = await run_in_threadpool(services.voice, wish.name)

        def make(stop: Stop) -> Iterator[bytes]:
            sound = encoded(spoken(voice, wish, services, stop), wish.response_format, voice.rate)
            return events(sound) if wish.stream_format == "sse" else sound

        media = "text/event-stream" if wish.stream_format == "sse" else MEDIA[wish.response_format]
        return Streamed(make, media, services.settings.idle)

    return routes


def spoken(voice: Synthesizer, wish: Wish, services: Services, stop: Stop) -> Iterator[Audio]:
    """The sentences of a wish. Raises TextError where there is nothing to be said."""
    silent = True
    for piece in pieces(voice, wish.input, Controls(speed=wish.speed)):
        stop.check()
        silent = False
        services.metrics.spoken.labels(PATH).inc(piece.audio.duration)
        yield piece.audio
    if silent:
        raise TextError("there is nothing in the input that can be read aloud; give it words or figures")
