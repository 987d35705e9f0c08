"""The page: Transcribe, Voiceover and Talk in a browser, on this machine alone.

    python app.py [--port 7860] [--host 127.0.0.1]

No logic of its own: what happens is done by `voice`, here it is only shown. The same port serves
OpenAI's interfaces (see voice.serve); Talk in the browser is one of their clients. Models are loaded
when they are first used.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI

from page import markup as show
from page.browsers import Browsers
from page.guard import MAX_UPLOAD, Guard, browser_key
from page.policy import SecurityHeaders
from page.preloading import add_preloading
from page.signals import end_as_sigterm
from page.talk_files import add_files
from page.temporary_files import (
    BrowserFiles,
    SoundFiles,
    SoundPieces,
    make_private,
    new_folder,
    private_folder,
    remove_all,
)
from page.work_queue import WorkQueue
from voice import audio
from voice.agent.brains.choice import Choice
from voice.errors import VoiceError
from voice.models import entries, find
from voice.serve import Services
from voice.serve.settings import Settings, from_environment
from voice.text.english.coverage import reading_notes
from voice.text.english.language import ENGLISH
from voice.text.languages import languages_of, name_of
from voice.text.lexicon import parse_lexicon
from voice.text.markup import is_ssml, parse
from voice.text.subtitles import FORMATS, render, speech_segment
from voice.types import Controls, Recognizer, Segment, Speech, Synthesizer, Transcript

LANGUAGES = {
    "Detect": None, "English": "en", "Deutsch": "de", "Français": "fr", "Español": "es", "Italiano": "it",
    "Português": "pt", "Nederlands": "nl", "Polski": "pl", "Русский": "ru", "Türkçe": "tr", "中文": "zh",
    "日本語": "ja", "한국어": "ko", "हिन्दी": "hi", "العربية": "ar",
}  # fmt: skip
TEXTS = (
    "The quick brown fox jumps over the lazy dog. It was 7:30 on May 3rd, and 21 people saw it.",
    "Welcome back. Today we look at how a violin is made, from the first cut of spruce to the last varnish.",
    '<speak>I never said <emphasis>she</emphasis> took it. <break time="700ms"/> '
    '<prosody rate="80%" pitch="-2st">Slowly now, and a little lower.</prosody></speak>',
)

MAX_AT_ONCE, MAX_WAITING = 2, 20  # who are served at a time, and who may wait besides
MAX_STATES = 16  # whose last words and texts Gradio keeps in memory, beyond the life of their tabs
MIN_WIDTH = 200  # pixels; what has less stands below its neighbor, as on phones
PORT = "7860"

_LOG = logging.getLogger("uvicorn.error")
Progress = Callable[[float, str], None]  # a share of 1, and what is being done
MakeFolder = Callable[[], Path]  # an empty folder for what is made


# ---- what is shared by all who use the page


def model(services: Services, name: str, kind: str, progress: Progress = lambda share, what: None) -> Any:
    """A "recognizer" or "voice", the one that the interfaces have; fetched first if it has to be."""

    def fetched(done: int, size: int) -> None:
        progress(done / max(size, 1), f"fetching {name}: {done / 1e6:.0f} of {size / 1e6:.0f} MB")

    if name not in services.names(kind):
        find(name, kind=kind, progress=fetched)
    progress(0.0, f"loading {name}")
    return services.recognizer(name) if kind == "recognizer" else services.voice(name)


def names(services: Services, kind: str) -> list[tuple[str, str]]:
    """(what is shown, name) of each model of a kind, the default first."""
    known = {entry.name: entry for entry in entries().values() if entry.card.kind == kind}

    def shown(name: str) -> str:
        if name not in known:
            return Path(name).name
        entry = known[name]
        return name if entry.in_place else f"{name} (fetched first, {entry.size / 1e6:.0f} MB)"

    return [(shown(name), name) for name in dict.fromkeys([*services.names(kind), *known])]


def explained(handler: Callable) -> Callable:
    """What goes wrong on purpose is shown as a message, not as a fault of the page."""

    @wraps(handler)
    def shown(*values):
        try:
            yield from handler(*values)
        except VoiceError as error:
            raise gr.Error(show.sentence_html(str(error)), print_exception=False) from error
        except OSError as error:
            reason = f"the server cannot keep its files: {error.strerror or error}"
            raise gr.Error(show.sentence_html(reason), print_exception=False) from error

    return shown


def in_place(steps: Iterator[tuple], at: int, width: int, turns: WorkQueue) -> Iterator[tuple]:
    """What `steps` yields when it is their turn; why they wait or fail stands at `at`, as the status."""

    def say(markup: str) -> tuple:
        return tuple(markup if place == at else gr.skip() for place in range(width))

    try:
        with turns.taken() as waiting:
            for ahead in waiting:
                yield say(show.status(show.queue_status(ahead)))
            yield from steps
    except gr.Error as error:
        yield say(show.problem_html(error.message))
    except Exception:
        _LOG.exception("a request of the page failed")
        yield say(
            show.problem_html("Something failed here that should not have; the server's log says what.")
        )


# ---- Transcribe


@explained
def transcribe(
    services: Services, path: str | None, name: str, language: str, named: bool, progress: Progress,
    make_folder: MakeFolder = new_folder,
) -> Iterator[tuple]:  # fmt: skip
    """(words, status, a file in each format) as the segments are recognized; at the end `named`, if asked."""
    from voice.serve.openai.transcriptions import bounded
    from voice.transcription import Transcriber, TranscriptionRequest

    if not path:
        raise VoiceError("there is nothing to transcribe yet: drop a file or record one")
    yield show.NO_WORDS_YET, show.status(""), *emptied(FORMATS)  # what is shown is of another recording
    recognizer, detector = model(services, name, "recognizer", progress), services.detector()
    transcriber = Transcriber(recognizer, detector, services.speakers() if named else None)
    begun, length = time.perf_counter(), audio.length(path)
    heard: list[Segment] = []

    def listened(seconds: float) -> None:
        progress(*show.heard_so_far(heard[-1].end if heard else 0.0, seconds, length))

    notes: list[str] = []
    blocks = audio.blocks(path, transcriber.rate, tell=notes.append)
    if not services.settings.local:  # one's own computer may be busy with one's own recording for long
        blocks = bounded(blocks, transcriber.rate, services.settings.minutes)
    transcription = transcriber.stream(blocks, TranscriptionRequest(LANGUAGES.get(language)), listened)
    for part in transcription:
        heard += part.segments
        yield show.words(heard), gr.skip(), *(gr.skip() for _ in FORMATS)
    transcript = transcription.whole()
    took = time.perf_counter() - begun
    whole = show.clock(round(transcript.duration))  # as the player has it
    status = f"{len(transcript.words)} words in {whole} of sound, heard by {name} in {took:.1f} s"
    notes = [_language(recognizer, transcript, LANGUAGES.get(language)), *notes] if heard else notes
    downloads = files(transcript, make_folder() / Path(path).stem, FORMATS)
    yield show.words(transcript.segments), show.status(status, notes, legend=bool(heard)), *downloads


def emptied(forms: Iterable[str]) -> list[dict]:
    """Download buttons with nothing behind them."""
    return [gr.update(value=None, interactive=False) for _ in forms]


def _language(recognizer: Recognizer, transcript: Transcript, told: str | None) -> str:
    """What is to be said of the language; nothing where the person chose it."""
    if told:
        return ""
    if set(languages_of(recognizer) or ()) == {"en"}:
        return "This recognizer knows English alone; choose another model for other languages"
    return f"The language was taken for {name_of(transcript.language)}"


def files(transcript: Transcript, stem: Path, forms: Iterable[str]) -> list[dict]:
    """A transcript behind a download button for each format; the files are called `stem` and the format."""
    buttons = []
    for form in forms:
        path = stem.parent / f"{stem.name}.{form}"
        path.write_text(render(transcript, form), "utf-8")
        buttons.append(gr.update(value=str(make_private(path)), interactive=True))
    return buttons


# ---- Voiceover

SOUNDS, SUBTITLES = ("wav", "mp3"), ("srt", "vtt")


@explained
def voiceover(
    services: Services, text: str, name: str, controls: Controls, words: str, progress: Progress,
    make_folder: MakeFolder = new_folder,
) -> Iterator[tuple]:  # fmt: skip
    """(player, whole sound, status, downloads): pieces first, the whole at the end. `words` are a lexicon."""
    # What is shown so far belongs to another text.
    yield show.NO_SOUND, None, show.status(""), *emptied(SOUNDS + SUBTITLES)
    if not text.strip():
        raise VoiceError("there is no text to speak: write some or take an example")
    most = services.settings.characters
    if len(text) > most and not services.settings.local:
        raise VoiceError(f"the text has more than the {most} characters that are taken here; cut it")
    begun, first = time.perf_counter(), 0.0  # what is loaded first is waited for, too
    controls = replace(controls, lexicon=parse_lexicon(words) or None)
    problems = [
        *(parse(text, ENGLISH).problems if is_ssml(text) else ()),
        *reading_notes(text, controls.lexicon),
    ]
    voice = model(services, name, "voice", progress)
    stream, said, spoken = SoundPieces(make_folder()), [], 0
    waiting = (gr.skip(),) * (len(SOUNDS) + len(SUBTITLES))
    folder = make_folder()
    with SoundFiles(folder, voice.rate, SOUNDS) as written:
        for piece in _spoken(voice, text, controls):
            first = first or time.perf_counter() - begun
            if piece.text:
                said.append(speech_segment(piece, written.seconds))
            stream.add(piece.audio)
            written.add(piece.audio)
            spoken += len(piece.text)
            progress(min(0.99, spoken / len(text)), "speaking")
            yield stream.value(False), gr.skip(), show.status(f"first sound after {first:.2f} s"), *waiting
        if not said:
            raise VoiceError("nothing in this text can be spoken: give it words or figures")
    took = time.perf_counter() - begun
    length = show.clock(round(written.seconds))  # as the player has it
    status = f"{length} of speech made in {took:.1f} s; first sound after {first:.2f} s"
    sounds = [gr.update(value=str(path), interactive=True) for path in written.paths]
    subtitles = files(Transcript(tuple(said), "en", written.seconds), folder / "voiceover", SUBTITLES)
    yield stream.value(True), str(written.paths[0]), show.status(status, problems), *sounds, *subtitles


def _spoken(voice: Synthesizer, text: str, controls: Controls) -> Iterator[Speech]:
    """Speak `text`. A voice of ours keeps to itself what it leaves out, as the status says so already."""
    from voice.tts.voice import Voice

    if isinstance(voice, Voice):
        return voice.speak(text, controls, tell=lambda problem: None)
    return voice.speak(text, controls)


# ---- the page


def build(services: Services) -> gr.Blocks:
    """The page with its three tabs."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # which reports home otherwise, whatever Blocks is told
    # Gradio's own folder is one for all accounts, the first of which keeps the others out.
    os.environ["GRADIO_TEMP_DIR"] = gr.routes.DEFAULT_TEMP_DIR = str(private_folder())
    with gr.Blocks(title="Voice", analytics_enabled=False) as page:
        gr.Markdown(f"# Voice\n{show.privacy_statement(Choice.of())}", elem_id="title")
        gr.HTML(html_template=show.NOTICE, js_on_load=show.page_script(), elem_id="notice", padding=False)
        turns = WorkQueue(MAX_AT_ONCE)
        with gr.Tabs():
            with gr.Tab("Transcribe", id="transcribe"):
                _transcribe_tab(services, turns)
            with gr.Tab("Voiceover", id="voiceover"):
                _voiceover_tab(services, turns)
            with gr.Tab("Talk", id="talk"):
                _talk_tab()
    return page.queue(default_concurrency_limit=MAX_WAITING)


def _room(request: gr.Request) -> BrowserFiles:
    """The room of the browser that asks for something."""
    return BrowserFiles(browser_key(request.headers))


def _player(name: str) -> gr.HTML:
    script = show.asset("player.js")
    return gr.HTML(
        show.NO_SOUND, html_template=show.PLAYER, js_on_load=script, elem_id=name, apply_default_css=False
    )


def _downloads(forms: Sequence[str]) -> list[gr.DownloadButton]:
    with gr.Row(elem_classes="downloads"):
        return [gr.DownloadButton(f".{form}", size="sm", interactive=False, min_width=60) for form in forms]


def _transcribe_tab(services: Services, turns: WorkQueue) -> None:
    sound = gr.Audio(type="filepath", label="Recording", elem_id="recording", buttons=[])
    film = gr.File(
        label="Video or other recording", elem_id="film"
    )  # shown by page.js, which puts there what is no sound
    film._process_single_file = lambda file: file.path  # Gradio's leaves an empty file behind each time
    gr.HTML('<div id="film-player"></div>', padding=False)
    gr.HTML(show.NOTICE, elem_id="recording-notice", padding=False)
    with gr.Row():
        usual = services.settings.model
        name = gr.Dropdown(names(services, "recognizer"), value=usual, label="Model", min_width=MIN_WIDTH)
        language = gr.Dropdown(list(LANGUAGES), value="Detect", label="Language", min_width=MIN_WIDTH)
    named = gr.Checkbox(False, label="Tell speakers apart", elem_id="named", container=False)
    go = gr.Button("Transcribe", variant="primary", elem_id="transcribe-go")
    words = gr.HTML(show.NO_WORDS_YET, elem_id="words", container=True, padding=True)
    status = gr.HTML("", elem_id="transcribe-status")
    downloads = _downloads(tuple(FORMATS))

    outputs = [words, status, *downloads]

    def run(sound, film, name, language, named, request: gr.Request, progress=gr.Progress()):
        make_folder = _room(request).new_folder
        steps = transcribe(services, film or sound, name, language, named, progress, make_folder)
        yield from in_place(steps, outputs.index(status), len(outputs), turns)

    go.click(
        run, [sound, film, name, language, named], outputs, api_visibility="private", show_progress_on=status
    )


def _voiceover_tab(services: Services, turns: WorkQueue) -> None:
    text = gr.Textbox(TEXTS[0], lines=5, max_lines=14, label="Text", elem_id="text")
    gr.Examples([[each] for each in TEXTS], [text], label="Examples")
    with gr.Row():
        usual = services.settings.voice
        name = gr.Dropdown(names(services, "voice"), value=usual, label="Voice", min_width=MIN_WIDTH)
        speed = gr.Slider(0.5, 2.0, 1.0, step=0.05, label="Speed", min_width=MIN_WIDTH)
    with gr.Accordion("Pitch, loudness, pauses, words", open=False, elem_id="controls"):
        with gr.Row():
            pitch = gr.Slider(-12.0, 12.0, 0.0, step=0.5, label="Pitch (semitones)")
            energy = gr.Slider(-12.0, 12.0, 0.0, step=0.5, label="Loudness (dB)")
            pause = gr.Slider(0.0, 3.0, 1.0, step=0.1, label="Pauses (times as long)")
        lexicon = gr.Textbox(
            "", lines=2, max_lines=8, label="How words are said, one a line", elem_id="lexicon",
            placeholder="Nguyen = W IH1 N\nSQL = sequel",
        )  # fmt: skip
    go = gr.Button("Speak", variant="primary", elem_id="speak-go")
    player = _player("voiceover-player")
    status = gr.HTML("", elem_id="voiceover-status")
    whole = gr.Audio(label="Voiceover", interactive=False, elem_id="voiceover-whole", buttons=[])
    downloads = _downloads(SOUNDS + SUBTITLES)

    outputs = [player, whole, status, *downloads]

    def run(text, name, speed, pitch, energy, pause, lexicon, request: gr.Request, progress=gr.Progress()):
        controls, make_folder = Controls(speed, pitch, energy, pause), _room(request).new_folder
        steps = voiceover(services, text, name, controls, lexicon, progress, make_folder)
        yield from in_place(steps, outputs.index(status), len(outputs), turns)

    inputs = [text, name, speed, pitch, energy, pause, lexicon]
    go.click(run, inputs, outputs, api_visibility="private", show_progress_on=status)


def _talk_tab() -> None:
    gr.HTML(
        html_template=show.talk_html(Choice.of()),
        js_on_load=show.asset("begin.js"),
        elem_id="talk",
        apply_default_css=False,
    )


def theme() -> gr.Theme:
    """Fonts of the system only, so that the page needs no network; plain labels."""
    plain = gr.themes.Soft(
        primary_hue="teal", neutral_hue="slate", radius_size="lg",
        font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"],
    )  # fmt: skip
    label = {
        "text_color": "*neutral_600",
        "text_color_dark": "*neutral_300",
        "text_weight": "500",
        "text_size": "*text_sm",
    }
    both = {f"block_{part}_{name}": value for part in ("label", "title") for name, value in label.items()}
    clear = {
        f"block_{part}_background_fill{dark}": "none" for part in ("label", "title") for dark in ("", "_dark")
    }
    return plain.set(
        **both, **clear, block_label_shadow="none", block_label_border_width="0px",
        body_text_color_subdued="*neutral_500", body_background_fill="*neutral_50",
        block_background_fill="white", block_shadow="none",
        block_border_width="1px", block_border_color="*neutral_200", block_border_color_dark="*neutral_700",
        checkbox_border_color="*neutral_500", checkbox_border_color_dark="*neutral_400",
        button_primary_background_fill="*primary_700", button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_800",
    )  # fmt: skip


def mount(server: FastAPI, services: Services) -> None:
    """The page at "/" of a server, below whatever the server answers itself."""
    server.state.preloading = add_preloading(server, services)  # before the files, which answer every name
    add_files(server)
    page = build(services)
    services.other_work.append(lambda: any(page._queue.active_jobs))  # they have their time when it ends
    page.state_session_capacity = MAX_STATES
    page.has_launched = True  # without which Gradio takes every path of this machine for an upload
    gr.mount_gradio_app(
        server, page, "/", theme=theme(), css=show.asset("page.css") + show.asset("talk/talk.css"),
        footer_links=[], max_file_size=MAX_UPLOAD, run_history=False, enable_monitoring=False, pwa=False,
        ssr_mode=False, mcp_server=False, favicon_path=str(show.HERE / "icon.svg"),
    )  # fmt: skip
    inputs = {number: len(function.inputs) for number, function in page.fns.items()}
    server.routes[-1].app.add_middleware(Guard, visitors=Browsers(), inputs=inputs)
    server.add_middleware(SecurityHeaders)


def server(services: Services) -> FastAPI:
    """The page and OpenAI's interfaces, on the same models."""
    from voice.serve import build

    both = build(services)
    mount(both, services)
    return both


def serve(settings: Settings) -> None:
    """Serves until it is stopped. Raises VoiceError where the address cannot be had."""
    from voice.serve import running

    listening = running.listen(settings)
    running.spare_memory()
    app = server(Services(settings))
    if settings.warning:
        print(settings.warning, file=sys.stderr, flush=True)

    def ready() -> None:
        print(f"The page is on {_address(settings.host, listening.getsockname()[1])}", flush=True)
        app.state.preloading.begin()  # the models are there before somebody talks

    running.run(app, listening, ready)


def _address(host: str, port: int) -> str:
    """Where a browser on this machine finds what listens at `host`, which may stand for all addresses."""
    here = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{here}:{port}"


def settings_in(environment: Mapping[str, str]) -> Settings:
    """The server's, but at PORT where there is no VOICE_PORT, or else at the page's own port.

    Raises VoiceError, naming the variable, for a value that is none.
    """
    settings = from_environment(environment)
    if environment.get("VOICE_PORT", "").strip():
        return settings
    port = environment.get("PORT", "").strip() or PORT
    try:
        return replace(settings, port=int(port))
    except ValueError:
        raise VoiceError(f"PORT is {port!r}; it is a number") from None


def main() -> None:
    parser = argparse.ArgumentParser(description="The page: transcribe, voiceover, talk.")
    parser.add_argument("--port", type=int, help=f"{PORT} if not given")
    parser.add_argument("--host", help="127.0.0.1 if not given; 0.0.0.0 lets other machines in")
    given = {name: value for name, value in vars(parser.parse_args()).items() if value is not None}
    end_as_sigterm()
    try:
        serve(replace(settings_in(os.environ), **given))
    except VoiceError as error:
        parser.exit(1, f"{error}\n")
    except KeyboardInterrupt:  # before it serves, or a second one
        parser.exit(130)
    finally:
        remove_all()


if __name__ == "__main__":
    main()
