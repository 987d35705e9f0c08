"""The page: Transcribe, Voiceover and Talk in a browser, on this machine alone.

    python app.py [--port 7860] [--host 127.0.0.1]

The page has no logic of its own: `voice` does the work, and the modules of page/ show it. The same port
serves OpenAI's interfaces (see voice.serve); Talk in the browser is one of their clients. Models are
loaded when they are first used.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import gradio as gr
from fastapi import FastAPI
from starlette.routing import Mount

from page import markup
from page.browsers import Browsers
from page.guard import Guard
from page.policy import SecurityHeaders
from page.preloading import add_preloading
from page.signals import end_as_sigterm
from page.talk_files import add_files
from page.temporary_files import private_folder, remove_all
from page.theme import theme
from page.transcribe import transcribe_tab
from page.uploads import MAX_UPLOAD
from page.voiceover import voiceover_tab
from page.work_queue import WorkQueue
from voice.agent.brains.choice import Choice
from voice.errors import VoiceError
from voice.serve.services import Services
from voice.serve.settings import Settings, from_environment

MAX_AT_ONCE, MAX_WAITING = 2, 20  # requests that are worked on at a time, and that may wait besides
MAX_STATES = 16  # browser sessions whose last words and texts Gradio keeps in memory after their tabs close
PORT = "7860"


def build(services: Services) -> gr.Blocks:
    """Return the page with its three tabs."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # which reports home otherwise, whatever Blocks is told
    # Gradio's own folder is shared by all accounts, and the first of them locks the others out.
    os.environ["GRADIO_TEMP_DIR"] = str(private_folder())
    gr.routes.DEFAULT_TEMP_DIR = str(private_folder())  # type: ignore[attr-defined]  # Gradio reads it there
    page: gr.Blocks = gr.Blocks(title="Voice", analytics_enabled=False)
    with page:
        gr.Markdown(f"# Voice\n{markup.privacy_statement(Choice.of())}", elem_id="title")
        gr.HTML(html_template=markup.NOTICE, js_on_load=markup.page_script(), elem_id="notice", padding=False)
        queue = WorkQueue(MAX_AT_ONCE)
        with gr.Tabs():
            with gr.Tab("Transcribe", id="transcribe"):
                transcribe_tab(services, queue)
            with gr.Tab("Voiceover", id="voiceover"):
                voiceover_tab(services, queue)
            with gr.Tab("Talk", id="talk"):
                _talk_tab()
    page.queue(default_concurrency_limit=MAX_WAITING)
    return page


def _talk_tab() -> None:
    gr.HTML(
        html_template=markup.talk_html(Choice.of()),
        js_on_load=markup.asset("load_talk.js"),
        elem_id="talk",
        apply_default_css=False,
    )


def mount(server: FastAPI, services: Services) -> None:
    """Add the page to a server at "/", below the routes of the server itself."""
    server.state.preloading = add_preloading(server, services)  # before the files, which answer every name
    add_files(server)
    page = build(services)
    services.other_work.append(lambda: any(page._queue.active_jobs))  # which may end when the server stops
    page.state_session_capacity = MAX_STATES
    page.has_launched = True  # without which Gradio takes every path of this machine for an upload
    gr.mount_gradio_app(
        server, page, "/", theme=theme(), css=markup.asset("page.css") + markup.asset("talk/talk.css"),
        footer_links=[], max_file_size=MAX_UPLOAD, run_history=False, enable_monitoring=False, pwa=False,
        ssr_mode=False, mcp_server=False, favicon_path=str(markup.HERE / "icon.svg"),
    )  # fmt: skip
    inputs = {number: len(function.inputs) for number, function in page.fns.items()}
    gradio_app = cast(FastAPI, cast(Mount, server.routes[-1]).app)
    gradio_app.add_middleware(Guard, browsers=Browsers(), inputs=inputs)
    server.add_middleware(SecurityHeaders)


def server(services: Services) -> FastAPI:
    """Return a server of the page and OpenAI's interfaces, which share their models."""
    from voice.serve.app import build as build_server

    both = build_server(services)
    mount(both, services)
    return both


def serve(settings: Settings) -> None:
    """Serve until the process is told to stop. Raises VoiceError where the address cannot be had."""
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
    """Return the address for a browser on this machine; `host` may stand for all addresses."""
    here = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{here}:{port}"


def settings_in(environment: Mapping[str, str]) -> Settings:
    """Return the server's settings; its port is VOICE_PORT or else PORT or else the page's own.

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
    """Run the page from the command line."""
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
