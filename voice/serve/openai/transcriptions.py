"""POST /v1/audio/transcriptions and /v1/audio/translations: recordings as text, at the end or meanwhile."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from typing import BinaryIO, Literal, cast

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from voice import audio
from voice.asr.ctc.hotwords import parse_terms
from voice.errors import TextError, VoiceError
from voice.serve import errors
from voice.serve.errors import ClientGone, TooLarge
from voice.serve.openai.speech_encoding import server_event
from voice.serve.openai.transcript_formats import render_response, speaker_segments, usage
from voice.serve.services import Services
from voice.serve.streaming import StopSignal, StreamedResponse, run_in_thread
from voice.text.languages import parse_language
from voice.transcription import Task, Transcriber, TranscriptionRequest, TranscriptionStream
from voice.types import Samples, Transcript

TRANSCRIPTIONS, TRANSLATIONS = "/v1/audio/transcriptions", "/v1/audio/translations"
FIELDS = 64  # in a form at most
FIELD = 65_536  # bytes of one at most
IGNORED = "known_speaker_references"  # a field whose samples are not compared
HOTWORD = 4  # words that a term has at most
BLOCK = 10.0  # seconds that are read at a time
Begin = Callable[[StopSignal], TranscriptionStream]


class TranscriptionForm(BaseModel):
    """What a client asks for besides the file; `temperature` is taken and has no effect.

    `speakers` is how many there are, where they are to be told apart; None if that is to be found out.
    """

    model: str = "default"
    language: str | None = Field(None, max_length=64)
    prompt: str = ""
    hotwords: str = ""
    response_format: Literal["json", "text", "srt", "vtt", "verbose_json", "diarized_json"] = "json"
    speakers: int | None = Field(None, ge=1, le=64)
    timestamp_granularities: list[Literal["word", "segment"]] = []
    stream: bool = False
    temperature: float = Field(0.0, ge=0.0, le=1.0)

    @property
    def diarized(self) -> bool:
        """Whether it is to be told who says what."""
        return self.response_format == "diarized_json"

    @property
    def expected_terms(self) -> list[str]:
        """Names and terms to expect."""
        given = (line.strip() for line in re.split(r"[,\n]", self.hotwords))
        return [*(line for line in given if line), *terms(self.prompt)]


class Upload:
    """A file of a form under the name that the client gave it, for messages."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.name = name
        self.read, self.seek, self.tell, self.close = file.read, file.seek, file.tell, file.close

    def seekable(self) -> bool:
        return True


def router(services: Services) -> APIRouter:
    routes = APIRouter()
    schema = {"schema": {"$ref": "#/components/schemas/Transcription"}}
    described = {"requestBody": {"content": {"multipart/form-data": schema}, "required": True}}

    @routes.post(TRANSCRIPTIONS, openapi_extra=described, response_class=Response)
    async def transcriptions(request: Request) -> Response:
        return await _answer(request, services, "transcribe")

    @routes.post(TRANSLATIONS, openapi_extra=described, response_class=Response)
    async def translations(request: Request) -> Response:
        return await _answer(request, services, "translate")

    return routes


async def _answer(request: Request, services: Services, task: Task) -> Response:
    form = await parse_form(request)
    streaming = False
    try:
        file, wanted = read(form)
        begin = partial(transcription, file, wanted, task, services, request.url.path)
        if wanted.stream:
            streaming = True
            return StreamedResponse(
                partial(events, begin, file, wanted), "text/event-stream", services.settings.idle
            )
        transcript = await run_in_thread(request, lambda stop: whole(begin(stop), stop))
        return render_response(transcript, wanted.response_format, wanted.timestamp_granularities, task)
    finally:
        if not streaming:
            await form.close()


class Parser(MultiPartParser):
    """Starlette's parser of forms, for which the samples of known speakers do not count: they are dropped.

    They may be of any size up to that of the whole request, and would lie in memory.
    """

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if not self._current_part.field_name.startswith(IGNORED):
            super().on_part_data(data, start, end)


async def parse_form(request: Request) -> FormData:
    """Return the form of a request. Raises HTTPException for none, and for too much besides the file."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return await request.form(max_fields=FIELDS, max_part_size=FIELD)
    parser = Parser(request.headers, request.stream(), max_files=1, max_fields=FIELDS, max_part_size=FIELD)
    try:
        return await parser.parse()
    except MultiPartException as error:
        raise HTTPException(400, error.message) from error


def read(form: FormData) -> tuple[Upload, TranscriptionForm]:
    """Return the file and the fields of a form.

    Raises VoiceError where the file is missing or the language unknown, ValidationError where another
    field is wrong.
    """
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise VoiceError("the form has no file; send the recording as the part named file")
    fields = {name: value for name, value in form.items() if isinstance(value, str) and value != ""}
    times = [form.getlist(name) for name in ("timestamp_granularities[]", "timestamp_granularities")]
    wanted = TranscriptionForm.model_validate({**fields, "timestamp_granularities": sum(times, [])})
    wanted = wanted.model_copy(update={"language": parse_language(wanted.language)})
    return Upload(file.file, (file.filename or "the file")[:80]), wanted


def terms(text: str) -> list[str]:
    """Return the hotwords of a prompt: its terms between commas, or the names in its prose."""
    parts = [part.strip(" .") for part in re.split(r"[,;\n]", text)]
    short = [part for part in parts if part and len(part.split()) <= HOTWORD]
    prose = [part for part in parts if len(part.split()) > HOTWORD]
    names = [name for part in prose for name in re.findall(r"(?<=[^.?!:]\s)[A-Z]\w*[\w.-]*\w", part)]
    return [term for term in dict.fromkeys([*short, *names]) if _can_be_spotted(term)]


def _can_be_spotted(term: str) -> bool:
    try:
        return bool(parse_terms([term]))
    except TextError:
        return False


def transcription(
    file: Upload, wanted: TranscriptionForm, task: Task, services: Services, path: str, stop: StopSignal
) -> TranscriptionStream:
    """Begin to transcribe the recording; the seconds that are read are counted in the metrics of `path`."""
    recognizer = services.recognizer(wanted.model)
    seconds = 0.0

    def count(read: float) -> None:
        nonlocal seconds
        services.metrics.heard.labels(path).inc(read - seconds)
        seconds = read

    speakers = services.speakers() if wanted.diarized else None
    transcriber = Transcriber(recognizer, services.detector(), speakers, batch=1)
    request = TranscriptionRequest(wanted.language, wanted.expected_terms, task, wanted.speakers)
    return transcriber.stream(_blocks(file, transcriber.rate, services, stop), request, count)


def until(parts: Iterator[Transcript], stop: StopSignal) -> Iterator[Transcript]:
    """Yield the parts while the client waits for them. Raises Vanished."""
    for part in parts:
        stop.check()
        yield part


def whole(begun: TranscriptionStream, stop: StopSignal) -> Transcript:
    """Return the whole transcript. Raises Vanished once the client has gone."""
    deque(until(begun, stop), maxlen=0)
    return begun.whole()


def _blocks(file: Upload, rate: int, services: Services, stop: StopSignal) -> Iterator[Samples]:
    """Yield a recording at `rate` Hz.

    Raises TooLarge for more than the server takes, before anything is recognized if the header says so.
    """
    minutes = services.settings.minutes

    def checked_blocks() -> Iterator[Samples]:
        blocks = audio.blocks(cast(BinaryIO, file), rate, BLOCK)
        return _until_stopped(limit_length(blocks, rate, minutes), stop)

    if audio.length(cast(BinaryIO, file)) > 60 * minutes:  # what recorders write there is sometimes not true
        deque(checked_blocks(), maxlen=0)
        file.seek(0)
    yield from checked_blocks()


def _until_stopped(blocks: Iterator[Samples], stop: StopSignal) -> Iterator[Samples]:
    """Yield the same blocks while somebody waits for them."""
    for block in blocks:
        stop.check()
        yield block


def limit_length(blocks: Iterator[Samples], rate: int, minutes: float) -> Iterator[Samples]:
    """Pass on (T,) blocks at `rate` Hz. Raises TooLarge after `minutes` of them."""
    samples = 0
    for block in blocks:
        samples += len(block)
        if samples > minutes * 60 * rate:
            raise TooLarge(
                f"the recording is longer than the {minutes:g} minutes that are taken here; cut it"
            )
        yield block


def events(
    begin: Begin, file: Upload, wanted: TranscriptionForm, stop: StopSignal
) -> Generator[bytes, None, None]:
    """Yield the text as server-sent events, window by window; an error on the way is one too.

    With diarization all text comes at the end, because speakers can only be told apart then.
    """
    texts: list[str] = []
    try:
        with closing(begin(stop)) as begun:
            for part in [whole(begun, stop)] if wanted.diarized else until(begun, stop):
                if part.text:
                    texts.append(part.text)
                    delta = " " * (len(texts) > 1) + part.text
                    yield server_event({"type": "transcript.text.delta", "delta": delta})
                    segments = speaker_segments(part) if wanted.diarized else []
                    yield from (server_event(segment) for segment in segments)
            end = {"type": "transcript.text.done", "text": " ".join(texts), "usage": usage(begun.whole())}
            yield server_event(end)
    except VoiceError as error:
        if not texts or isinstance(error, ClientGone):
            raise
        yield server_event(errors.error_body(400, str(error)))
    finally:
        file.close()
