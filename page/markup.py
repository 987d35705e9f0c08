"""What the page shows, as HTML: words with their times, status lines, the player."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from pathlib import Path

from voice.agent.brains.choice import Choice
from voice.agent.brains.server_address import host_of, split_address
from voice.media.container import RECORDINGS
from voice.serve.settings import LOOPBACK
from voice.types import Segment

HERE = Path(__file__).parent
FAIR_CONFIDENCE, POOR_CONFIDENCE = 0.8, 0.5  # a word less sure than this is marked

_FOLDERS = re.compile(r"(?<![\w:/.<])/(?:[^/\s'\":;,<>]+/)+")
NOTICE = '<div class="page-notice" role="alert"></div>'

NO_SOUND = {"id": "", "pieces": [], "done": True}
PLAYER = """<div class="player" data-state="idle" role="group" aria-label="Playback">
<button class="player-toggle" type="button" aria-label="Play" disabled>▶</button>
<div class="player-bar"><div class="player-fill"></div></div>
<span class="player-clock">0:00 / 0:00</span></div>"""
NO_WORDS_YET = (
    '<div class="words"><span class="empty">The words appear here, each with its time.</span></div>'
)
_NO_SPEECH = '<div class="words"><span class="empty">No speech was found.</span></div>'
_LEGEND = '<span class="legend"><i class="fair"></i>less sure <i class="poor"></i>unsure</span>'


def privacy_statement(choice: Choice) -> str:
    """Return what the page says of privacy, as Markdown, where this is the brain of *Talk*.

    Raises BrainError for the address of a server that is none.
    """
    if not choice.is_address:
        return "It hears, speaks and talks on this computer; nothing leaves it."
    host, name = _server_name(choice)
    if host in LOOPBACK:
        return f"It hears, speaks and talks on this computer, with the language model at `{name}`."
    return f"It hears and speaks on this computer; the words of *Talk* go to the language model at `{name}`."


def _server_name(choice: Choice) -> tuple[str, str]:
    """Return (host, host and port) of an address. Raises BrainError where it is none."""
    parts = split_address(choice.brain)
    return parts.hostname or "", host_of(parts)


def asset(name: str) -> str:
    """Return the text of a file beside this one."""
    return (HERE / name).read_text("utf-8")


def page_script() -> str:
    """Return the script around Gradio's components, which offers every kind of recording for upload."""
    return asset("page.js").replace("@recordings@", ",".join(sorted(RECORDINGS)))


def talk_html(choice: Choice) -> str:
    """Return the markup of Talk, whose usual brain is that of `choice`."""
    usual = "skills" if choice.is_offline else choice.brain
    usual = _server_name(choice)[1] if choice.is_address else usual
    return asset("talk/talk.html").replace("@brain@", html.escape(f"The usual one: {usual}"))


def words_html(segments: Sequence[Segment]) -> str:
    """Return segments as rows; each word shows its times, and a mark where it is unsure.

    A speaker is named where somebody else spoke before.
    """
    if not segments:
        return _NO_SPEECH
    before = [None, *(each.speaker for each in segments[:-1])]
    rows = (
        f"<p><time>{clock(each.start)}</time><span>{_speaker_html(each, last)}{_words_of(each)}</span></p>"
        for each, last in zip(segments, before, strict=True)
    )
    return f'<div class="words">{"".join(rows)}</div>'


def _speaker_html(segment: Segment, before: str | None) -> str:
    return f"<b>{html.escape(segment.speaker)}</b> " if segment.speaker not in (None, before) else ""


def _words_of(segment: Segment) -> str:
    """Return a segment's words as HTML, each marked with its confidence."""
    if not segment.words:
        return html.escape(segment.text)
    shown = []
    for word in segment.words:
        mark = (
            "poor"
            if word.confidence < POOR_CONFIDENCE
            else "fair"
            if word.confidence < FAIR_CONFIDENCE
            else "sure"
        )
        title = f"{word.start:.2f} to {word.end:.2f} s, {word.confidence:.0%} sure"
        shown.append(f'<span class="{mark}" title="{title}">{html.escape(word.text.strip())}</span>')
    return " ".join(shown)


def status_html(text: str, notes: Sequence[str] = (), *, legend: bool = False) -> str:
    """Return a status line, and notes in lines of their own."""
    lines = "".join(f'<div class="note">{sentence_html(note)}</div>' for note in notes if note)
    return f'<div class="status">{html.escape(text, quote=False)} {_LEGEND if legend else ""}</div>{lines}'


def transcription_progress(words: float, read: float, length: float | None) -> tuple[float, str]:
    """Return the share of a recording that is done, and a text that says it.

    There are words up to `words` seconds, and `read` seconds of `length` are read. Both count half: what is
    read has yet to be recognized, and where nothing is said there are no words.
    """
    of = f" of {clock(length)}" if length else ""
    share = min(1.0, (words + read) / (2 * length)) if length else 0.0
    return share, f"words up to {clock(words)}{of}"


def queue_status(ahead: int) -> str:
    """Say that others are served first, with so many `ahead` in the queue."""
    line = "you are next" if not ahead else f"{ahead} more {'is' if ahead == 1 else 'are'} before you"
    return f"Others are being served; {line} …"


def problem_html(markup: str) -> str:
    """Return the status line for an error, whose `markup` has what others wrote escaped."""
    return f'<div class="status problem" role="alert">{markup}</div>'


def sentence_html(message: str) -> str:
    """Return a message as a whole sentence in HTML, without the folders of files on the server."""
    begins_with_file = message.startswith("/")
    message = _FOLDERS.sub("", message).strip()
    if message.split(" ", 1)[0].isalpha() and not begins_with_file:  # and with no other name either
        message = message[0].upper() + message[1:]
    return html.escape(message if message.endswith((".", "!", "?")) else f"{message}.", quote=False)


def clock(seconds: float) -> str:
    """Write seconds as 0:07, 12:34 or 1:02:03."""
    minutes, second = divmod(int(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"
