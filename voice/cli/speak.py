"""`voice speak`: text of any length to a sound file, and subtitles for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voice.cli import interrupts, texts
from voice.cli.cluster import Cluster, Ray, Workers
from voice.cli.console import (
    Bar,
    Threads,
    VoiceName,
    encodable,
    note,
    plainly,
    progress,
    standard_input,
)
from voice.cli.spoken_languages import USUAL_VOICE, in_language, parse_choice, voice_for
from voice.cli.targets import check_sound, check_text, write_text
from voice.cli.wav_stream import write_stream
from voice.errors import TextError, VoiceError
from voice.media.formats import Encoding
from voice.places import remove_leftovers, unfinished_path

if TYPE_CHECKING:
    from voice.audio import Writer
    from voice.types import Audio, Controls, Mark, Segment, Speech, Synthesizer


@plainly
def command(
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="What to say.")] = None,
    input: Annotated[
        str | None,
        typer.Option(
            "--input",
            "-i",
            metavar="FILE",
            help="A text file or a folder of .txt instead; - is standard input.",
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="PATH", help=".wav, .mp3, .flac, .ogg, .opus, .m4a; - is a wav stream."
        ),
    ] = "out.wav",
    voice: VoiceName = USUAL_VOICE,
    language: Annotated[
        str | None,
        typer.Option(metavar="es|Spanish|auto", help="The text's language, if it is not the voice's own."),
    ] = None,
    speed: Annotated[float, typer.Option(help="2 is twice as fast (0.5 to 2).")] = 1.0,
    pitch: Annotated[float, typer.Option(help="Semitones higher (-12 to 12).")] = 0.0,
    energy: Annotated[float, typer.Option(help="dB louder (-24 to 12).")] = 0.0,
    pause: Annotated[float, typer.Option(help="Pauses so many times as long (0 to 5).")] = 1.0,
    clause_pause: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Pauses at commas and the like.")
    ] = None,
    sentence_pause: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Pauses between sentences.")
    ] = None,
    paragraph_pause: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Pauses between paragraphs.")
    ] = None,
    loudness: Annotated[
        float | None, typer.Option(metavar="LUFS", help="How loud all voices are (-40 to -10; usually -20).")
    ] = None,
    rate: Annotated[
        int | None, typer.Option(metavar="HZ", help="Samples per second of the file, such as 44100 or 48000.")
    ] = None,
    bit_rate: Annotated[
        int | None, typer.Option(metavar="KBIT", help="kbit/s of mp3, m4a and aac (96), ogg and opus (48).")
    ] = None,
    dates: Annotated[str | None, typer.Option(metavar="dmy|mdy", help="What 03/04/2025 is.")] = None,
    lexicon: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="How words are said, WORD = phones, /IPA/ or other words."),
    ] = None,
    ssml: Annotated[
        bool, typer.Option("--ssml", help="The text is SSML, as it is anyway if it begins with <speak>.")
    ] = False,
    subtitles: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Also write .srt, .vtt, .json, .tsv or .txt with the times."),
    ] = None,
    watermark: Annotated[
        bool, typer.Option("--watermark", help="Mark the sound itself, unheard; see voice models info perth.")
    ] = False,
    lines: Annotated[
        bool, typer.Option("--lines", help="Each line of FILE is a text of its own; --output is a folder.")
    ] = False,
    form: Annotated[
        str, typer.Option("--format", "-f", metavar="wav|mp3|…", help="What several texts are written as.")
    ] = "wav",
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", help="Of several texts, leave out what is in PATH already.")
    ] = False,
    ray: Ray = None,
    workers: Workers = 0,
    threads: Threads = None,
) -> None:
    """Speak a text: sentence by sentence, whatever its length.

    [[HH AH0 L OW1]] in it are phones. A document in SSML is spoken as it asks. Ctrl-C keeps what was
    spoken of a long text, in PATH as NAME.partial.wav.
    """
    controls = _controls(
        (speed, pitch, energy, pause),
        (clause_pause, sentence_pause, paragraph_pause),
        lexicon,
        loudness,
        dates,
    )
    encoding = Encoding(rate, bit_rate)
    if input and input != "-" and text is None and (lines or os.path.isdir(input)):
        if subtitles:
            raise VoiceError("--subtitles are those of one text; leave them out for several")
        jobs = texts.plan(Path(input), output, form, lines=lines)
        encoding.check(form)
        asked = texts.SpeakingRequest(voice, controls, ssml, watermark, lines, threads, encoding)
        where = Cluster(ray, workers, threads or 1, texts.WHAT, "speech") if ray else None
        texts.speak_all(jobs, asked, where, skip_existing)
        return
    if ray or lines or skip_existing:
        raise VoiceError(
            "--ray, --lines and --skip-existing are for several texts: give a folder or a file with -i"
        )
    spoken = _text(text, input, ssml)
    code = parse_choice(language, spoken)
    voice = voice_for(voice, code)
    subtitle_form = _subtitle_format(subtitles)
    check_sound(output, [input, lexicon], encoding)
    if subtitles:
        check_text(subtitles, [input, lexicon])
    places = [Path(each) for each in (output, subtitles) if each and each != "-"]
    remove_leftovers(places)
    said = _Said(subtitles, subtitle_form, code or "en")
    mark = _load_watermark() if watermark else None
    speech = in_language(_load_voice(voice, threads), code), spoken, controls
    _speak(*speech, output, said, _tags(voice), mark, encoding)
    said.write_subtitles(subtitles)
    for place in places:
        unfinished_path(place).unlink(missing_ok=True)
    if output != "-":
        note(f"{output}: {said.seconds:.1f} s")


@dataclass
class _Said:
    """What has been spoken so far, and how long that is; `subtitles` of it are written as `form`."""

    subtitles: Path | None
    form: str
    language: str = "en"
    segments: list[Segment] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    seconds: float = 0.0

    def write_subtitles(self, path: Path | None) -> None:
        """Write what was spoken when as subtitles, if there is a path for them."""
        from voice.text.subtitles import render
        from voice.types import Transcript

        if path:
            transcript = Transcript(tuple(self.segments), self.language, self.seconds, tuple(self.marks))
            write_text(path, render(transcript, self.form))

    def keep(self, writer: Writer, output: str) -> None:
        """Keep the speech of a text that is not spoken to its end, beside the place of the whole."""
        if not self.segments:
            return
        place = unfinished_path(Path(output))
        writer.keep(place)
        note(f"what was spoken by then, {self.seconds:.1f} s, is in {place}")
        if self.subtitles:
            self.write_subtitles(unfinished_path(self.subtitles))


def _text(text: str | None, path: str | None, ssml: bool) -> str:
    """Return the text to speak, from the argument, a file or standard input. Raises TextError."""
    if text is not None and path is not None:
        raise TextError(f"there is a text to speak, and a file as well (-i {path}); leave one of them out")
    if text is None and path is None:
        raise TextError('say what to speak: voice speak "Hello.", or voice speak -i FILE')
    if path is None:
        text = text or ""
        found = encodable(text, "the text")
        if os.path.isfile(text):
            note(f"{text} is a file here; -i {text} speaks what is in it")
    elif path == "-":
        found = standard_input().read().decode("utf-8", "replace")
    else:
        return texts.read_text(path, ssml)
    return texts.as_asked(found, ssml)


def _controls(
    scales: tuple[float, float, float, float],
    pauses: tuple[float | None, float | None, float | None],
    lexicon: Path | None,
    loudness: float | None,
    dates: str | None,
) -> Controls:
    """Return Controls from their scales and pauses, in their order. Raises VoiceError."""
    from voice.text.lexicon import read_lexicon
    from voice.types import Controls

    try:
        controls = Controls(*scales, *pauses, read_lexicon(lexicon) if lexicon else None, dates=dates)
        return controls if loudness is None else replace(controls, loudness=loudness)
    except ValueError as error:
        raise VoiceError(str(error)) from error


def _subtitle_format(path: Path | None) -> str:
    """Return the format of subtitles that the suffix names. Raises VoiceError for another one."""
    from voice.text.subtitles import FORMATS

    form = path.suffix.lstrip(".").lower() if path else "srt"
    if form not in FORMATS:
        raise VoiceError(f"{path}: subtitles are written as {', '.join('.' + each for each in FORMATS)}")
    return form


def _load_voice(name: str, threads: int | None) -> Synthesizer:
    """Load a voice and show the progress of its download."""
    from voice.loading import load_voice

    with progress(f"fetching {name}", "bytes") as report:
        return load_voice(name, threads=threads, progress=report)


def _load_watermark() -> Callable[[Audio], Audio]:
    """Load the watermark and return what marks a sound. Raises ModelMissing where it cannot be fetched."""
    from voice.loading import load_watermark

    with progress("fetching perth", "bytes") as report:
        return load_watermark(progress=report).mark


def _mark_each(speech: Iterator[Speech], mark: Callable[[Audio], Audio]) -> Iterator[Speech]:
    """Yield the same pieces with their sound marked, each by itself."""
    return (replace(piece, audio=mark(piece.audio)) for piece in speech)


def _tags(voice: str) -> Mapping[str, str]:
    from voice.tts.provenance import synthesis_tags

    return synthesis_tags(voice)


def _speak(
    voice: Synthesizer, text: str, controls: Controls, output: str, said: _Said, tags: Mapping[str, str],
    mark: Callable[[Audio], Audio] | None, encoding: Encoding,
) -> None:  # fmt: skip
    """Write the speech to `output` as it comes, tagged and marked; `said` collects what was spoken when."""
    from voice import audio

    with progress("speaking") as report:
        speech = voice.speak(text, controls)
        speech = _mark_each(speech, mark) if mark else speech
        pieces = _track_progress(speech, voice.rate, len(text), report, said)
        if output == "-":
            write_stream(pieces, voice.rate, tags.get("comment", ""), encoding.rate)
            return
        with (
            audio.Writer(output, voice.rate, tags, encoding) as writer,
            interrupts.keeping(lambda: said.keep(writer, output)),
        ):
            for piece in pieces:
                writer.write(piece.audio.samples)


def _track_progress(
    speech: Iterator[Speech], rate: int, length: int, report: Bar, said: _Said
) -> Iterator[Speech]:
    """Yield the same pieces; note in `said` what was spoken when, and call `report` with the progress."""
    from voice.text.subtitles import speech_segment

    spoken = samples = 0  # samples, so that hours of pieces do not drift
    for piece in speech:
        if piece.text.strip():
            said.segments.append(speech_segment(piece, said.seconds))
        said.marks += (mark.shifted(said.seconds) for mark in piece.marks)
        spoken, samples = spoken + len(piece.text) + 1, samples + len(piece.audio.samples)
        said.seconds = samples / rate
        report(min(spoken, length), length)
        yield piece
    if not said.segments:
        raise TextError("nothing in this text can be spoken")
