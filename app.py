"""The page: Transcribe, Voiceover and Talk in a browser, on this machine alone.

    python app.py [--port 7860] [--host 127.0.0.1]

No logic of its own: what happens is done by `voice`, here it is only shown. Models are loaded when
they are first used.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, wraps
from pathlib import Path

import gradio as gr

from page import show
from page.shelf import Stream, clear, new_folder, shelf
from voice import audio
from voice.agent import Heard, Latency, Models, Reply, Speaking, Spoken, Trouble, TurnByTurn
from voice.agent.opening import default_recognizer, start
from voice.agent.patience import WhenTold
from voice.errors import VoiceError
from voice.loading import load
from voice.models import entries
from voice.simple import detector
from voice.text.subtitles import FORMATS, render, spoken_segment
from voice.tts.voice import join
from voice.types import Audio, Controls, Speech, Transcript

LANGUAGES = {
    "Detect": None, "English": "en", "Deutsch": "de", "Français": "fr", "Español": "es", "Italiano": "it",
    "Português": "pt", "Nederlands": "nl", "Polski": "pl", "Русский": "ru", "Türkçe": "tr", "中文": "zh",
    "日本語": "ja", "한국어": "ko", "हिन्दी": "hi", "العربية": "ar",
}  # fmt: skip
TEXTS = (
    "The quick brown fox jumps over the lazy dog. It was 7:30 on May 3rd, and 21 people saw it.",
    "Welcome back. Today we look at how a violin is made, from the first cut of spruce to the last varnish.",
)
QUESTIONS = (
    "What is twelve times seven?",
    "What time is it?",
    "How many feet are in a mile?",
    "Set a timer for ten seconds.",
    "How do you spell rhythm?",
    "What can you do?",
)


Progress = Callable[[float, str], None]  # a share of 1, and what is being done


# ---- what is shared by all who use the page


@lru_cache(maxsize=6)
def model(name: str, kind: str):
    """A model, loaded when it is first asked for."""
    return load(name, kind=kind)


def names(kind: str) -> list[tuple[str, str]]:
    """(what is shown, name) of each model of a kind."""
    known = [entry for entry in entries().values() if entry.card.kind == kind]
    return [
        (
            entry.name if entry.in_place else f"{entry.name} (fetched first, {entry.size / 1e6:.0f} MB)",
            entry.name,
        )
        for entry in known
    ]


def explained(handler: Callable) -> Callable:
    """What goes wrong on purpose is shown as a message, not as a fault of the page."""

    @wraps(handler)
    def shown(*values):
        try:
            yield from handler(*values)
        except VoiceError as error:
            raise gr.Error(str(error), duration=12, print_exception=False) from error

    return shown


# ---- Transcribe


@explained
def transcribe(path: str | None, name: str, language: str, progress: Progress) -> Iterator[tuple]:
    """(words, status, a file in each format) as the segments are recognized."""
    from voice.asr import longform

    if not path:
        raise VoiceError("there is nothing to transcribe yet: drop a file or record one")
    progress(0.0, f"loading {name}")
    recognizer, begun, read = model(name, "recognizer"), time.perf_counter(), [0.0]
    told, length, heard = LANGUAGES.get(language), audio.length(path), []

    def listened(seconds: float) -> None:
        read[0] = seconds
        of = f" of {show.clock(length)}" if length else ""
        progress(min(1.0, seconds / length) if length else 0.0, f"{show.clock(seconds)}{of}")

    blocks, packing = audio.blocks(path, recognizer.rate), longform.Packing()
    for part in longform.transcripts(
        blocks, recognizer, detector(), told, (), "transcribe", packing, listened
    ):
        heard += part.segments
        told = part.language
        yield show.words(heard), gr.skip(), *(gr.skip() for _ in FORMATS)
    transcript, took = Transcript(tuple(heard), told or "en", read[0]), time.perf_counter() - begun
    status = (
        f"{len(transcript.words)} words in {show.clock(read[0])} of sound, heard by {name} in {took:.1f} s"
    )
    yield show.words(heard), show.status(status, legend=True), *files(transcript, Path(path).stem, FORMATS)


def files(transcript: Transcript, stem: str, forms: Iterable[str]) -> list[dict]:
    """A transcript behind a download button for each format."""
    folder, buttons = new_folder(), []
    for form in forms:
        path = folder / f"{stem}.{form}"
        path.write_text(render(transcript, form), "utf-8")
        buttons.append(gr.update(value=str(path), interactive=True))
    return buttons


# ---- Voiceover

SOUNDS, SUBTITLES = ("wav", "mp3"), ("srt", "vtt")


@explained
def voiceover(text: str, name: str, speed: float, progress: Progress) -> Iterator[tuple]:
    """(player, whole sound, status, downloads): pieces first, the whole at the end."""
    if not text.strip():
        raise VoiceError("there is no text to speak: write some or take an example")
    progress(0.0, f"loading {name}")
    voice, begun, first = model(name, "voice"), time.perf_counter(), 0.0
    stream, pieces = Stream(), []
    waiting = (gr.skip(),) * (len(SOUNDS) + len(SUBTITLES))
    for piece in voice.speak(text, Controls(speed=speed)):
        first = first or time.perf_counter() - begun
        pieces.append(piece)
        stream.add(piece.audio)
        progress(min(0.99, sum(len(each.text) for each in pieces) / len(text)), "speaking")
        yield stream.value(False), gr.skip(), show.status(f"first sound after {first:.2f} s"), *waiting
    whole, took = join(pieces), time.perf_counter() - begun
    status = (
        f"{show.clock(whole.audio.duration)} of speech made in {took:.1f} s; first sound after {first:.2f} s"
    )
    sounds = saved(whole.audio)
    subtitles = files(transcript_of(pieces), "voiceover", SUBTITLES)
    yield stream.value(True), sounds[0]["value"], show.status(status), *sounds, *subtitles


def saved(sound: Audio) -> list[dict]:
    """A voiceover behind a download button for each format of sound."""
    folder = new_folder()
    paths = [folder / f"voiceover.{form}" for form in SOUNDS]
    for path in paths:
        audio.write(path, sound)
    return [gr.update(value=str(path), interactive=True) for path in paths]


def transcript_of(pieces: Iterable[Speech]) -> Transcript:
    """The pieces of a voiceover as segments, with the times of the whole."""
    segments, at = [], 0.0
    for piece in pieces:
        segments.append(spoken_segment(piece, at))
        at += piece.audio.duration
    return Transcript(tuple(segments), "en", at)


# ---- Talk

LONGEST_TURN = 300.0  # seconds; a turn is held in memory


def session_for(session: tuple | None, recognizer: str, voice: str, speed: float) -> tuple:
    """(the conversation going on, the names of its models), begun anew where the models were changed."""
    if session is None or session[1] != (recognizer, voice):
        models = Models(detector(), model(recognizer, "recognizer"), model(voice, "voice"), WhenTold())
        session = TurnByTurn(start(models)), (recognizer, voice)
    session[0].conversation.use(Controls(speed=speed))
    return session


@explained
def turn(path: str | None, session: tuple | None, chat: list, recognizer: str, voice: str, speed: float):
    """(session, chat, player, status, microphone, bell) while a recorded turn is answered."""
    if not path:
        raise VoiceError("nothing was recorded: press Record, speak, then press Stop")
    if audio.length(path) > LONGEST_TURN:
        raise VoiceError("a turn lasts five minutes at most: for a recording there is Transcribe")
    yield session, chat, show.SILENT, show.status("listening …"), None, gr.skip()
    session = session_for(session, recognizer, voice, speed)
    yield from told(session[0].turn(audio.read(path)), session, chat)


@explained
def bell(session: tuple | None, chat: list):
    """The same each second while a timer runs."""
    events = session[0].bell() if session else []
    if events:
        yield from told(iter(events), session, chat)
    elif session is None or not session[0].waiting:
        yield (gr.skip(),) * 5 + (gr.update(active=False),)


def told(events: Iterator, session: tuple, chat: list) -> Iterator[tuple]:
    """Events as the page shows them."""
    stream, chat, status, replying = Stream(), list(chat), "", False
    begun = time.perf_counter()
    for event in events:
        match event:
            case Heard(text=text):
                chat.append({"role": "user", "content": text or "(no words)"})
                status = "thinking …" if text else "I heard no words in that"
            case Reply(text=text) if replying:
                chat[-1] = {"role": "assistant", "content": chat[-1]["content"] + text}
            case Reply(text=text):
                chat.append({"role": "assistant", "content": text})
            case Speaking(speech=speech):
                stream.add(speech.audio)
            case Latency():
                status = f"answered {time.perf_counter() - begun:.2f} s after you stopped"
            case Trouble(message=message):
                gr.Warning(message)
            case Spoken():
                replying = False
                continue
            case _:
                continue
        replying = isinstance(event, Reply | Speaking | Latency)
        yield session, list(chat), stream.value(False), show.status(status), gr.skip(), gr.skip()
    running = gr.update(active=session[0].waiting)
    yield session, chat, stream.value(True), show.status(status), gr.skip(), running


# ---- the page


def build() -> gr.Blocks:
    """The page with its three tabs."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # which reports home otherwise, whatever Blocks is told
    with gr.Blocks(title="Voice", analytics_enabled=False) as page:
        gr.Markdown(f"# Voice\n{show.promise(os.environ.get('VOICE_LLM_URL', ''))}", elem_id="title")
        with gr.Tabs():
            with gr.Tab("Transcribe", id="transcribe"):
                _transcribe_tab()
            with gr.Tab("Voiceover", id="voiceover"):
                _voiceover_tab()
            with gr.Tab("Talk", id="talk"):
                _talk_tab()
    return page.queue(default_concurrency_limit=2)


def _player(name: str) -> gr.HTML:
    script = show.asset("player.js")
    return gr.HTML(
        show.SILENT, html_template=show.PLAYER, js_on_load=script, elem_id=name, apply_default_css=False
    )


def _downloads(forms: Sequence[str]) -> list[gr.DownloadButton]:
    with gr.Row(elem_classes="downloads"):
        return [gr.DownloadButton(f".{form}", size="sm", interactive=False, min_width=60) for form in forms]


def _transcribe_tab() -> None:
    sound = gr.Audio(type="filepath", label="Recording", elem_id="recording", buttons=[])
    with gr.Row():
        name = gr.Dropdown(names("recognizer"), value="whisper-base", label="Model")
        language = gr.Dropdown(list(LANGUAGES), value="Detect", label="Language")
    with gr.Row():
        go = gr.Button("Transcribe", variant="primary", elem_id="transcribe-go", scale=3, min_width=140)
        video = gr.UploadButton(
            "Open video", elem_id="video", file_types=["video", "audio"], scale=1, min_width=140
        )
    words = gr.HTML(show.NO_WORDS_YET, elem_id="words", container=True, padding=True)
    status = gr.HTML("", elem_id="transcribe-status")
    downloads = _downloads(tuple(FORMATS))

    def run(path, name, language, progress=gr.Progress()):
        yield from transcribe(path, name, language, progress)

    outputs = [words, status, *downloads]
    go.click(run, [sound, name, language], outputs)
    video.upload(run, [video, name, language], outputs)


def _voiceover_tab() -> None:
    text = gr.Textbox(TEXTS[0], lines=5, max_lines=14, label="Text", elem_id="text")
    gr.Examples([[each] for each in TEXTS], [text], label="Examples")
    with gr.Row():
        name = gr.Dropdown(names("voice"), value="heart", label="Voice")
        speed = gr.Slider(0.5, 2.0, 1.0, step=0.05, label="Speed")
    go = gr.Button("Speak", variant="primary", elem_id="speak-go")
    player = _player("voiceover-player")
    status = gr.HTML("", elem_id="voiceover-status")
    whole = gr.Audio(label="Voiceover", interactive=False, elem_id="voiceover-whole", buttons=[])
    downloads = _downloads(SOUNDS + SUBTITLES)

    def run(text, name, speed, progress=gr.Progress()):
        yield from voiceover(text, name, speed, progress)

    go.click(run, [text, name, speed], [player, whole, status, *downloads])


def _talk_tab() -> None:
    session, ringing = gr.State(None, time_to_live=3600), gr.Timer(1.0, active=False)
    hints = " · ".join(f"“{each}”" for each in QUESTIONS)
    chat = gr.Chatbot(
        label="Conversation", height=320, elem_id="chat", buttons=[], render_markdown=False,
        placeholder=f"### Ask something\n{hints}",
    )  # fmt: skip
    player = _player("talk-player")
    status = gr.HTML("", elem_id="talk-status")
    microphone = gr.Audio(
        sources=["microphone", "upload"], type="filepath", label="Your turn", elem_id="microphone", buttons=[]
    )
    with gr.Accordion("Settings", open=False), gr.Row():
        recognizer = gr.Dropdown(names("recognizer"), value=default_recognizer(), label="Model")
        name = gr.Dropdown(names("voice"), value="heart", label="Voice")
        speed = gr.Slider(0.5, 2.0, 1.0, step=0.05, label="Speed")
    again = gr.Button("New conversation", size="sm", variant="secondary")
    inputs = [microphone, session, chat, recognizer, name, speed]
    outputs = [session, chat, player, status, microphone, ringing]
    for sent in (microphone.stop_recording, microphone.upload):
        sent(turn, inputs, outputs, show_progress="hidden")
    microphone.start_recording(None, js="() => (window.voicePlayers || []).forEach((silence) => silence())")
    ringing.tick(bell, [session, chat], outputs, show_progress="hidden")
    for afresh in (again.click, chat.clear):
        afresh(lambda: (None, [], show.SILENT, "", None, gr.update(active=False)), None, outputs)


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
        button_primary_background_fill="*primary_700", button_primary_background_fill_hover="*primary_600",
    )  # fmt: skip


def launch(page: gr.Blocks, host: str, port: int, *, block: bool = True) -> str:
    """Serves the page; the address once it is there."""
    _, address, _ = page.launch(
        server_name=host, server_port=port, theme=theme(), css=show.asset("page.css"),
        allowed_paths=[str(shelf())], prevent_thread_lock=not block, quiet=not block, share=False,
        footer_links=["settings"], max_file_size="2gb",
    )  # fmt: skip
    return address


def main() -> None:
    parser = argparse.ArgumentParser(description="The page: transcribe, voiceover, talk.")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "7860")))
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 lets other machines in")
    options = parser.parse_args()
    try:
        launch(build(), options.host, options.port)
    except OSError as error:
        parser.exit(1, f"{error}. Is the page running already? Choose another --port.\n")
    finally:
        clear()


if __name__ == "__main__":
    main()
