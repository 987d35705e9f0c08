"""What a person decides of a new voice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recipes.options import option
from recipes.publishing import check_target
from recipes.tts.preparation.consent import read_consent
from voice.errors import VoiceError
from voice.media.container import RECORDINGS

RUNS = Path("runs/voices")


@dataclass(frozen=True)
class Options:
    source: Path = option(
        Path("recordings"), "a folder of recordings with transcripts, a table or a manifest"
    )
    name: str = option("", "what the voice is called")
    consent: str | None = option(None, "a statement, or a file that states it or in which it is spoken")
    speaker: str | None = option(None, "whose recordings, where there are several people's")
    out: Path | None = option(None, "the voice's model folder; by default one among your own models")
    run: Path | None = option(None, "the run's folder, by default runs/voices/NAME")
    minutes: float | None = option(None, "for all of it: fewer steps where they do not suffice")
    base: str = option("voices", 'what it begins with: "voices", our own; "hibari"; or a run\'s last.pt')
    beside: float = option(30.0, "minutes of the teacher's speech beside the recordings")
    license: str = option("", "of the voice, for its card")
    description: str = option("", "who speaks, for its card")
    recognizer: str = option("quick", "what hears the voice when it is scored")
    threads: int | None = option(None, "CPU threads; all cores if not given")
    sounds_steps: int = option(900, "steps of sounds, if there is time")
    prosody_steps: int = option(600, "steps of prosody, if there is time")
    command: str = option("", "how this was asked for, for the card")
    smoke: bool = option(False, "a minute on data/tiny with some steps, to see that all of it works")


def check_options(options: Options) -> None:
    """Raise VoiceError, with what to do, before anything is read."""
    check_target(options.name, options.out)
    if not options.source.exists():
        raise VoiceError(f"{options.source} is not there: give a folder of recordings with transcripts")
    if not is_spoken(options.consent):
        read_consent(options.consent)


def is_spoken(given: str | None) -> bool:
    """Tell whether a consent is a recording."""
    return given is not None and Path(given).suffix.lower() in RECORDINGS and Path(given).is_file()
