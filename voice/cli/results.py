"""Where the transcript of a recording goes: text as it is heard, files when they are whole.

What was heard of a recording before an error or a signal is kept beside the place of the whole transcript,
as `name.partial.srt`; it goes when the transcript is complete.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from voice.cli import interrupts
from voice.cli.console import OutputError, escape_unprintable, note, put
from voice.cli.jobs import Job
from voice.cli.targets import write_text
from voice.errors import VoiceError
from voice.places import unfinished_path
from voice.text.languages import name_of
from voice.text.subtitles import render
from voice.types import Segment, Transcript


@dataclass
class Result:
    """One recording's transcript: `add` takes its parts as they are heard, `complete` the whole of it.

    `print` writes to standard output. With `at_once`, text goes there part by part; then the parts
    must be what the whole consists of. `titled` text begins with the recording's name.
    """

    job: Job
    form: str
    at_once: bool = False
    titled: bool = False
    print: Callable[[str], None] = put
    _heard: list[Segment] = field(default_factory=list)
    _language: str = "en"
    _begun: bool = False
    _unread: bool = False  # standard output takes nothing more

    def add(self, part: Transcript) -> None:
        """Take what comes next in the recording, and print it if it is to be printed at once."""
        self._heard += part.segments
        self._language = part.language if part.segments else self._language
        if self._prints_at_once and part.segments:
            self._print(render(part, self.form))

    def complete(self, transcript: Transcript) -> None:
        """Write the whole transcript or print it, and say what it is."""
        target = self.job.target
        if target:
            write_text(target, render(transcript, self.form))
            unfinished_path(target).unlink(missing_ok=True)
        elif not self._prints_at_once:
            self._print(render(transcript, self.form))
        elif self.titled and not self._begun:
            self._print("")
        what = _summary(transcript)
        if target:
            note(f"{target}: {what}")
        elif not transcript.segments:
            note(f"{self._name}: {what}")

    def keep(self) -> None:
        """Write or print what was heard so far, as the recording will not be heard to its end; say so."""
        heard = tuple(self._heard)
        if not heard or self._unread:
            return
        until = f"what was heard of {self._name}, up to {heard[-1].end:.1f} s of it,"
        if self._prints_at_once:
            note(f"{until} is printed")
            return
        text = self._render_partial(Transcript(heard, self._language, heard[-1].end))
        if not self.job.target:
            self._print(text)
            note(f"{until} is printed")
            return
        place = unfinished_path(self.job.target)
        try:
            write_text(place, text)
        except VoiceError as error:
            if interrupts.came():  # otherwise the reason why it broke off is told
                note(f"error: {until} is lost: {error}")
        else:
            note(f"{until} is in {place}")

    @property
    def _prints_at_once(self) -> bool:
        return self.at_once and self.form == "txt" and not self.job.target

    @property
    def _name(self) -> str:
        return "standard input" if self.job.source == "-" else self.job.source

    def _print(self, text: str) -> None:
        """Print a part of the result, the first one below the name of its source."""
        if self.titled and self.form == "txt" and not self._begun:
            text = f"{escape_unprintable(self.job.source)}:\n{text}"
        self._begun = True
        try:
            self.print(text)
        except (BrokenPipeError, OutputError):
            self._unread = True
            raise

    def _render_partial(self, transcript: Transcript) -> str:
        """Return a transcript that breaks off in the format of the result; JSON says that it is partial."""
        text = render(transcript, self.form)
        if self.form != "json":
            return text
        return json.dumps({**json.loads(text), "partial": True}, ensure_ascii=False, indent=2) + "\n"


def _summary(transcript: Transcript) -> str:
    if not transcript.segments:
        return f"no speech was found in {transcript.duration:.1f} s"
    return f"{transcript.duration:.1f} s of {name_of(transcript.language)}"
