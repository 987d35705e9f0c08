"""What the page's handlers have in common: they yield steps, wait in a queue, and show what goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import gradio as gr

from page.guard import browser_key
from page.markup import problem_html, queue_status, sentence_html, status_html
from page.temporary_files import BrowserFiles, make_private
from page.work_queue import WorkQueue
from voice.errors import VoiceError
from voice.text.subtitles import render
from voice.types import Transcript

Step = tuple[Any, ...]  # a value for each of a handler's outputs
MakeFolder = Callable[[], Path]  # makes an empty folder for results
MIN_WIDTH = 200  # pixels; a narrower field stands below its neighbor, as on phones

_P = ParamSpec("_P")
_LOG = logging.getLogger("uvicorn.error")


def show_errors(handler: Callable[_P, Iterator[Step]]) -> Callable[_P, Iterator[Step]]:
    """Let a handler show the errors that it raises on purpose as messages, not as faults of the page."""

    @wraps(handler)
    def run_handler(*args: _P.args, **kwargs: _P.kwargs) -> Iterator[Step]:
        try:
            yield from handler(*args, **kwargs)
        except VoiceError as error:
            raise gr.Error(sentence_html(str(error)), print_exception=False) from error
        except OSError as error:
            reason = f"the server cannot keep its files: {error.strerror or error}"
            raise gr.Error(sentence_html(reason), print_exception=False) from error

    return run_handler


def run_in_turn(steps: Iterator[Step], at: int, width: int, queue: WorkQueue) -> Iterator[Step]:
    """Yield `steps` when it is their turn in the queue.

    Output `at` of `width` is the status, which says why they wait or failed.
    """

    def step(status: str) -> Step:
        return tuple(status if place == at else gr.skip() for place in range(width))

    try:
        with queue.position() as waiting:
            for ahead in waiting:
                yield step(status_html(queue_status(ahead)))
            yield from steps
    except gr.Error as error:
        yield step(problem_html(error.message))
    except Exception:
        _LOG.exception("a request of the page failed")
        reason = "Something failed here that should not have; the server's log says what."
        yield step(problem_html(reason))


def files_of(request: gr.Request) -> BrowserFiles:
    """Return the files of the browser that makes a request."""
    return BrowserFiles(browser_key(request.headers))


def download_buttons(forms: Sequence[str]) -> list[gr.DownloadButton]:
    """Place a row of download buttons, one for each format."""
    with gr.Row(elem_classes="downloads"):
        return [gr.DownloadButton(f".{form}", size="sm", interactive=False, min_width=60) for form in forms]


def empty_buttons(forms: Iterable[str]) -> list[dict[str, Any]]:
    """Return updates that leave nothing behind the download buttons."""
    return [gr.update(value=None, interactive=False) for _ in forms]


def transcript_buttons(transcript: Transcript, stem: Path, forms: Iterable[str]) -> list[dict[str, Any]]:
    """Write a transcript in each format, to `stem` with its ending, and return updates of the buttons."""
    buttons = []
    for form in forms:
        path = stem.parent / f"{stem.name}.{form}"
        path.write_text(render(transcript, form), "utf-8")
        buttons.append(gr.update(value=str(make_private(path)), interactive=True))
    return buttons
