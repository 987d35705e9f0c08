"""POST /dev/captioned_speech: speech with the time of every word, as Kokoro-FastAPI's clients ask for it."""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Iterable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from voice.serve.openai.speech import SpeechRequest, Voiceover, open_voiceover, request_of
from voice.serve.openai.speech_encoding import MEDIA_TYPES, EncodedPiece, as_base64, timestamps
from voice.serve.services import Services
from voice.serve.streaming import StopSignal, StreamedResponse, run_in_thread
from voice.types import RANGES

CAPTIONED_PATH = "/dev/captioned_speech"


class CaptionedSpeechRequest(SpeechRequest):
    """What a client asks for, beside the fields of /v1/audio/speech.

    With `stream` the answer is a line of JSON for each piece of the speech, else one object. `lang_code`,
    `normalization_options` and `return_download_link` are taken and have no effect.
    """

    stream: bool = True
    return_timestamps: bool = True
    volume_multiplier: float = Field(1.0, gt=0, le=8, allow_inf_nan=False)

    @property
    def level(self) -> float:
        """The energy in dB, the volume included, as far as the voices go."""
        lowest, highest, _ = RANGES["energy"]
        return min(highest, max(lowest, self.energy + 20 * math.log10(self.volume_multiplier)))


def router(services: Services) -> APIRouter:
    routes = APIRouter()

    @routes.post(CAPTIONED_PATH, openapi_extra=request_of("CaptionedSpeech"), response_class=Response)
    async def captioned_speech(request: Request) -> Response:
        wanted = CaptionedSpeechRequest.model_validate_json(await request.body())
        opened = await open_voiceover(wanted, services)
        if not wanted.stream:
            pieces = await run_in_thread(request, lambda stop: [*opened.pieces(stop)])
            return JSONResponse(_caption(opened, pieces), headers=dict(opened.headers))

        def make(stop: StopSignal) -> Generator[bytes, None, None]:
            for piece in opened.pieces(stop):
                yield json.dumps(_caption(opened, [piece]), ensure_ascii=False).encode() + b"\n"

        answer = StreamedResponse(make, "application/json", services.settings.idle)
        answer.headers.update(opened.headers)
        return answer

    return routes


def _caption(opened: Voiceover, pieces: Iterable[EncodedPiece]) -> dict[str, Any]:
    """Return pieces of speech as one object; the times count from the start of the whole."""
    wanted, pieces = opened.wanted, [*pieces]
    assert isinstance(wanted, CaptionedSpeechRequest)
    words = (word for piece in pieces for word in piece.words)
    return {
        "audio": as_base64(b"".join(piece.sound for piece in pieces)),
        "audio_format": MEDIA_TYPES[wanted.response_format].split(";")[0],
        "timestamps": timestamps(words) if wanted.return_timestamps else None,
    }
