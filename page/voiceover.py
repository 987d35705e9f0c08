"""The tab Voiceover: a text in, speech that plays while it is made, and files out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from page import markup
from page.models import Progress, model_choices, open_voice
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
from page.temporary_files import SoundFiles, SoundPieces, new_folder
from page.work_queue import WorkQueue
from voice.errors import VoiceError
from voice.media.formats import Encoding
from voice.serve.services import Services
from voice.text.english.coverage import reading_notes
from voice.text.english.language import ENGLISH
from voice.text.lexicon import parse_lexicon
from voice.text.markup import is_ssml, parse
from voice.text.subtitles import speech_segment
from voice.tts.provenance import synthesis_tags
from voice.types import LOUDNESS, RANGES, Controls, Segment, Speech, Synthesizer, Transcript

SOUND_FORMATS, SUBTITLE_FORMATS = ("wav", "mp3"), ("srt", "vtt")
RATES = (("the voice's own", 0), ("44100 Hz", 44_100), ("48000 Hz", 48_000))
DATES = (("as the voice's country has it", ""), ("day first", "dmy"), ("month first", "mdy"))
BIT_RATES = (("usual", 0), *((f"{rate} kbit/s", rate) for rate in (64, 128, 160)))
EXAMPLES = (
    "The quick brown fox jumps over the lazy dog. It was 7:30 on May 3rd, and 21 people saw it.",
    "Welcome back. Today we look at how a violin is made, from the first cut of spruce to the last varnish.",
    '<speak>I never said <emphasis>she</emphasis> took it. <break time="700ms"/> '
    '<prosody rate="80%" pitch="-2st">Slowly now, and a little lower.</prosody></speak>',
)


@show_errors
def voiceover(
    services: Services, text: str, name: str, controls: Controls, words: str, progress: Progress,
    make_folder: MakeFolder = new_folder, encoding: Encoding = Encoding(),
) -> Iterator[Step]:  # fmt: skip
    """Yield (player, whole sound, status, downloads): pieces first, the whole at the end.

    `words` is a lexicon, one word a line; `encoding` is that of the files.
    """
    # What is shown so far belongs to another text.
    forms = SOUND_FORMATS + SUBTITLE_FORMATS
    yield markup.NO_SOUND, None, markup.status_html(""), *empty_buttons(forms)
    _check_length(services, text)
    begun, first = time.perf_counter(), 0.0  # which counts the loading of models too
    controls = replace(controls, lexicon=parse_lexicon(words) or None)
    problems = _reading_problems(text, controls)
    voice = open_voice(services, name, progress)
    tags = synthesis_tags(name)
    pieces, folder = SoundPieces(make_folder(), tags), make_folder()
    segments: list[Segment] = []
    spoken = 0
    encodings = dict(zip(SOUND_FORMATS, (replace(encoding, bit_rate=None), encoding), strict=True))
    with SoundFiles(folder, voice.rate, encodings, tags) as files:
        for speech in _speak(voice, text, controls):
            first = first or time.perf_counter() - begun
            if speech.text:
                segments.append(speech_segment(speech, files.seconds))
            pieces.add(speech.audio)
            files.add(speech.audio)
            spoken += len(speech.text)
            progress(min(0.99, spoken / len(text)), "speaking")
            status = markup.status_html(f"first sound after {first:.2f} s")
            yield pieces.value(False), gr.skip(), status, *(gr.skip() for _ in forms)
        if not segments:
            raise VoiceError("nothing in this text can be spoken: give it words or figures")
    took = time.perf_counter() - begun
    duration = markup.clock(round(files.seconds))  # as the player has it
    summary = f"{duration} of speech made in {took:.1f} s; first sound after {first:.2f} s"
    status = markup.status_html(summary, problems)
    transcript = Transcript(tuple(segments), "en", files.seconds)
    sounds = [gr.update(value=str(path), interactive=True) for path in files.paths]
    subtitles = transcript_buttons(transcript, folder / "voiceover", SUBTITLE_FORMATS)
    yield pieces.value(True), str(files.paths[0]), status, *sounds, *subtitles


def _check_length(services: Services, text: str) -> None:
    """Raise VoiceError for a text without words, or with more characters than are allowed."""
    if not text.strip():
        raise VoiceError("there is no text to speak: write some or take an example")
    most = services.settings.characters
    if len(text) > most and not services.settings.local:
        raise VoiceError(f"the text has more than the {most} characters that are taken here; cut it")


def _reading_problems(text: str, controls: Controls) -> list[str]:
    """Return what of the text will not be spoken as it is written, in sentences."""
    markup_problems = parse(text, ENGLISH).problems if is_ssml(text) else ()
    return [*markup_problems, *reading_notes(text, controls.lexicon)]


def _speak(voice: Synthesizer, text: str, controls: Controls) -> Iterator[Speech]:
    """Speak `text`. A voice of ours does not warn of what it leaves out, because the status does."""
    from voice.tts.voice import Voice

    if isinstance(voice, Voice):
        return voice.speak(text, controls, tell=lambda problem: None)
    return voice.speak(text, controls)


def voiceover_tab(services: Services, queue: WorkQueue) -> None:
    """Place the tab's components, and connect them."""
    text = gr.Textbox(EXAMPLES[0], lines=5, max_lines=14, label="Text", elem_id="text")
    gr.Examples([[each] for each in EXAMPLES], [text], label="Examples")
    with gr.Row():
        choices, default = model_choices(services, "voice"), services.settings.voice
        name = gr.Dropdown(choices, value=default, label="Voice", min_width=MIN_WIDTH)
        speed = gr.Slider(0.5, 2.0, 1.0, step=0.05, label="Speed", min_width=MIN_WIDTH)
    with gr.Accordion("Pitch, loudness, pauses, files, words", open=False, elem_id="controls"):
        with gr.Row():
            pitch = gr.Slider(-12.0, 12.0, 0.0, step=0.5, label="Pitch (semitones)")
            loudness = gr.Slider(*RANGES["loudness"][:2], LOUDNESS, step=0.5, label="Loudness (LUFS)")
            pause = gr.Slider(0.0, 3.0, 1.0, step=0.1, label="Pauses (times as long)")
        with gr.Row():
            rate = gr.Dropdown(RATES, value=0, label="Sampling rate of the files", elem_id="rate")
            dates = gr.Dropdown(DATES, value="", label="Dates such as 03/04/2025", elem_id="dates")
            bit_rate = gr.Dropdown(BIT_RATES, value=0, label="MP3, kbit/s", elem_id="bit-rate")
        lexicon = gr.Textbox(
            "", lines=2, max_lines=8, label="How words are said, one a line", elem_id="lexicon",
            placeholder="Nguyen = W IH1 N\nSQL = sequel",
        )  # fmt: skip
    start = gr.Button("Speak", variant="primary", elem_id="speak-go")
    player = gr.HTML(
        markup.NO_SOUND, html_template=markup.PLAYER, js_on_load=markup.asset("player.js"),
        elem_id="voiceover-player", apply_default_css=False,
    )  # fmt: skip
    status = gr.HTML("", elem_id="voiceover-status")
    whole = gr.Audio(label="Voiceover", interactive=False, elem_id="voiceover-whole", buttons=[])
    downloads = download_buttons(SOUND_FORMATS + SUBTITLE_FORMATS)

    outputs = [player, whole, status, *downloads]

    def run(
        text: str,
        name: str,
        speed: float,
        pitch: float,
        loudness: float,
        pause: float,
        dates: str,
        rate: int,
        bit_rate: int,
        lexicon: str,
        request: gr.Request,
        progress: Any = gr.Progress(),
    ) -> Iterator[Step]:
        controls = Controls(speed, pitch, pause=pause, loudness=loudness, dates=dates or None)
        make_folder = files_of(request).new_folder
        encoding = Encoding(rate or None, bit_rate or None)
        steps = voiceover(services, text, name, controls, lexicon, progress, make_folder, encoding)
        yield from run_in_turn(steps, outputs.index(status), len(outputs), queue)

    inputs = [text, name, speed, pitch, loudness, pause, dates, rate, bit_rate, lexicon]
    start.click(run, inputs, outputs, api_visibility="private", show_progress_on=status)
