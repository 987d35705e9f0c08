"""The tab Transcribe: a recording in, words with their times and files out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from page import markup
from page.models import Progress, model_choices, open_recognizer
from page.steps import (
    MIN_WIDTH,
    MakeFolder,
    Step,
    download_buttons,
    empty_buttons,
    files_of,
    run_in_turn,
    show_errors,
    transcript_buttons,
)
from page.temporary_files import new_folder
from page.work_queue import WorkQueue
from voice import audio
from voice.errors import VoiceError
from voice.serve.services import Services
from voice.text.languages import languages_of, name_of
from voice.text.subtitles import FORMATS
from voice.types import Recognizer, Segment, Transcript

LANGUAGES = {
    "Detect": None, "English": "en", "Deutsch": "de", "Français": "fr", "Español": "es", "Italiano": "it",
    "Português": "pt", "Nederlands": "nl", "Polski": "pl", "Русский": "ru", "Türkçe": "tr", "中文": "zh",
    "日本語": "ja", "한국어": "ko", "हिन्दी": "hi", "العربية": "ar",
}  # fmt: skip


@show_errors
def transcribe(
    services: Services, path: str | None, name: str, language: str, diarized: bool, progress: Progress,
    make_folder: MakeFolder = new_folder,
) -> Iterator[Step]:  # fmt: skip
    """Yield (words, status, a file in each format) as segments are recognized.

    The speakers are named at the end, if `diarized`.
    """
    from voice.serve.openai.transcriptions import limit_length
    from voice.transcription import Transcriber, TranscriptionRequest

    if not path:
        raise VoiceError("there is nothing to transcribe yet: drop a file or record one")
    # What is shown so far belongs to another recording.
    yield markup.NO_WORDS_YET, markup.status_html(""), *empty_buttons(FORMATS)
    recognizer, detector = open_recognizer(services, name, progress), services.detector()
    transcriber = Transcriber(recognizer, detector, services.speakers() if diarized else None)
    begun, length = time.perf_counter(), audio.length(path)
    segments: list[Segment] = []

    def report(seconds: float) -> None:
        progress(*markup.transcription_progress(segments[-1].end if segments else 0.0, seconds, length))

    notes: list[str] = []
    blocks = audio.blocks(path, transcriber.rate, tell=notes.append)
    if not services.settings.local:  # the owner of the computer may transcribe for as long as it takes
        blocks = limit_length(blocks, transcriber.rate, services.settings.minutes)
    transcription = transcriber.stream(blocks, TranscriptionRequest(LANGUAGES.get(language)), report)
    for part in transcription:
        segments += part.segments
        yield markup.words_html(segments), gr.skip(), *(gr.skip() for _ in FORMATS)
    transcript = transcription.whole()
    took = time.perf_counter() - begun
    duration = markup.clock(round(transcript.duration))  # as the player has it
    status = f"{len(transcript.words)} words in {duration} of sound, heard by {name} in {took:.1f} s"
    if segments and not LANGUAGES.get(language):
        notes = [_language_note(recognizer, transcript), *notes]
    downloads = transcript_buttons(transcript, make_folder() / Path(path).stem, FORMATS)
    shown = markup.status_html(status, notes if segments else (), legend=bool(segments))
    yield markup.words_html(transcript.segments), shown, *downloads


def _language_note(recognizer: Recognizer, transcript: Transcript) -> str:
    """Say which language was heard, where the person chose none."""
    if set(languages_of(recognizer) or ()) == {"en"}:
        return "This recognizer knows English alone; choose another model for other languages"
    return f"The language was taken for {name_of(transcript.language)}"


def transcribe_tab(services: Services, queue: WorkQueue) -> None:
    """Place the tab's components, and connect them."""
    sound = gr.Audio(type="filepath", label="Recording", elem_id="recording", buttons=[])
    film = gr.File(label="Video or other recording", elem_id="film")  # shown by page.js for what is no sound
    # Gradio's own method leaves an empty file behind each time.
    film._process_single_file = lambda file: file.path  # type: ignore[method-assign,assignment,return-value]  # only the path is used
    gr.HTML('<div id="film-player"></div>', padding=False)
    gr.HTML(markup.NOTICE, elem_id="recording-notice", padding=False)
    with gr.Row():
        choices, default = model_choices(services, "recognizer"), services.settings.model
        name = gr.Dropdown(choices, value=default, label="Model", min_width=MIN_WIDTH)
        language = gr.Dropdown(list(LANGUAGES), value="Detect", label="Language", min_width=MIN_WIDTH)
    diarized = gr.Checkbox(False, label="Tell speakers apart", elem_id="named", container=False)
    start = gr.Button("Transcribe", variant="primary", elem_id="transcribe-go")
    words = gr.HTML(markup.NO_WORDS_YET, elem_id="words", container=True, padding=True)
    status = gr.HTML("", elem_id="transcribe-status")
    downloads = download_buttons(tuple(FORMATS))

    inputs, outputs = [sound, film, name, language, diarized], [words, status, *downloads]

    def run(
        sound: str | None,
        film: str | None,
        name: str,
        language: str,
        diarized: bool,
        request: gr.Request,
        progress: Any = gr.Progress(),
    ) -> Iterator[Step]:
        make_folder = files_of(request).new_folder
        steps = transcribe(services, film or sound, name, language, diarized, progress, make_folder)
        yield from run_in_turn(steps, outputs.index(status), len(outputs), queue)

    start.click(run, inputs, outputs, api_visibility="private", show_progress_on=status)
