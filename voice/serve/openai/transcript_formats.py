"""Transcripts in the forms of OpenAI's transcription interface."""

from __future__ import annotations

import math
import string
import zlib
from collections.abc import Collection
from typing import Any

from fastapi.responses import JSONResponse, PlainTextResponse, Response

from voice.text.subtitles import render
from voice.types import Segment, Transcript

_TEXT_TYPES = {"text": "text/plain", "srt": "text/plain", "vtt": "text/vtt"}  # as OpenAI has it


def render_response(transcript: Transcript, form: str, times: Collection[str], task: str) -> Response:
    """Return the response with a transcript; `times` are "word" and "segment", for verbose_json."""
    if form == "json":
        return JSONResponse({"text": transcript.text, "usage": usage(transcript)})
    if form == "verbose_json":
        return JSONResponse(_verbose_json(transcript, times, task))
    if form == "diarized_json":
        return JSONResponse(_diarized_json(transcript, task))
    text = f"{transcript.text}\n" if form == "text" else render(transcript, form)
    return PlainTextResponse(text, media_type=_TEXT_TYPES[form])


def usage(transcript: Transcript) -> dict[str, Any]:
    return {"type": "duration", "seconds": round(transcript.duration, 3)}


def _diarized_json(transcript: Transcript, task: str) -> dict[str, Any]:
    return {
        "task": task,
        "duration": round(transcript.duration, 3),
        "text": transcript.text,
        "segments": speaker_segments(transcript),
        "usage": usage(transcript),
    }


def speaker_segments(transcript: Transcript) -> list[dict[str, Any]]:
    """Return segments with their speakers, called A, B and so on in order of appearance."""
    speakers = [*dict.fromkeys(segment.speaker for segment in transcript.segments)]
    letters = string.ascii_uppercase
    names = {speaker: letters[n % 26] * (n // 26 + 1) for n, speaker in enumerate(speakers)}
    return [
        {
            "type": "transcript.text.segment",
            "id": f"seg_{number}",
            "start": round(segment.start, 3),
            "end": round(segment.end, 3),
            "speaker": names[segment.speaker],
            "text": segment.text,
        }
        for number, segment in enumerate(transcript.segments)
    ]


def _verbose_json(transcript: Transcript, times: Collection[str], task: str) -> dict[str, Any]:
    content = {
        "task": task,
        "language": transcript.language,
        "duration": round(transcript.duration, 3),
        "text": transcript.text,
        "usage": usage(transcript),
    }
    if "word" in times:
        content["words"] = [
            {"word": word.text, "start": round(word.start, 3), "end": round(word.end, 3)}
            for word in transcript.words
        ]
    if "segment" in times or not times:
        content["segments"] = [_segment_json(*each) for each in enumerate(transcript.segments)]
    return content


def _segment_json(number: int, segment: Segment) -> dict[str, Any]:
    """Return a segment with Whisper's fields; those of its search hold what is known here."""
    log_probs = [math.log(max(word.confidence, 1e-6)) for word in segment.words]
    text = segment.text.encode()
    return {
        "id": number,
        "seek": 0,
        "start": round(segment.start, 3),
        "end": round(segment.end, 3),
        "text": segment.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": round(sum(log_probs) / len(log_probs), 4) if log_probs else 0.0,
        "compression_ratio": round(len(text) / len(zlib.compress(text)), 4) if text else 0.0,
        "no_speech_prob": 0.0,
    }
