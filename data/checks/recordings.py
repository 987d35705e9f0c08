"""What is wrong with the recording of a row: its file, its sound, and what the row says about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from data.alike import alike
from data.checks.findings import Finding
from data.locating import Locator
from data.measuring import Unusable, check_file
from data.sounds import SoundFacts, measure_sound
from voice.errors import AudioError, ManifestError
from voice.manifest import DURATION_TOLERANCE, OPUS_RATES, SILENT_PEAK, Clip

LONGEST = 30.0  # seconds that recognizers take at once
SHORTEST = 0.1
CLIPPED = 0.001  # share of the samples at the peak, three or more in a row
OFFSET = 0.03  # of full scale
QUIET = -50.0  # dB below full scale of the loudest twentieth of the frames
OPPOSITE = -0.5  # correlation of two channels that cancel each other when they are mixed
_KINDS = {
    "recording cannot be found": "missing",
    "link in a circle": "link in a circle",
    "no permission": "no permission",
    "not a file": "not a file",
    "name is not UTF-8": "missing",
}


def recording_findings(line: int, clip: Clip, folder: Path) -> Iterator[Finding]:
    """Yield the problems of a clip's recording; `folder` is that of its manifest."""
    try:
        check_file(clip.audio)
    except Unusable as error:
        kind = _KINDS[error.kind]
        elsewhere = _elsewhere(clip.audio, folder) if kind == "missing" else None
        if elsewhere is None:
            yield Finding(line, clip.id, kind, str(error))
        else:
            message = f"{clip.audio} is missing, but there is {elsewhere}"
            yield Finding(line, clip.id, "found elsewhere", message, {"audio": elsewhere})
        return
    try:
        facts = measure_sound(clip.audio, spectrum=False)
    except AudioError as error:
        yield Finding(line, clip.id, _kind_of_error(str(error)), str(error))
        return
    for kind, message, change in (*_row(clip, facts), *_sound(facts), *_length(clip, facts)):
        yield Finding(line, clip.id, kind, message, change)


def _kind_of_error(message: str) -> str:
    """Return the kind of problem that an AudioError's sentence tells of."""
    if "no sound track" in message:
        return "video without sound"
    if "not numbers" in message:
        return "not finite"
    if "is empty" in message or "not one sample" in message:
        return "zero length"
    return "cannot be decoded"


def _elsewhere(audio: Path, folder: Path) -> Path | None:
    """Return where a missing recording may have been meant: of another system, or counted from elsewhere."""
    try:
        name = audio.relative_to(folder).as_posix()
    except ValueError:
        name = audio.as_posix()
    try:
        found = Locator(folder, Path(audio.anchor))(name)
    except ManifestError:
        return None
    if found.is_file():
        return found.absolute()
    siblings = audio.parent.iterdir() if audio.parent.is_dir() else iter(())
    same = (path for path in siblings if alike(path.name) == alike(audio.name))
    return next((path for path in same if path.is_file()), None)  # a link to nothing is called so itself


Problem = tuple[str, str, dict[str, object]]


def _row(clip: Clip, facts: SoundFacts) -> Iterator[Problem]:
    """Yield what a row says that its recording contradicts."""
    opus = facts.rate == 48_000 and clip.sample_rate in OPUS_RATES
    if clip.sample_rate not in (None, facts.rate) and not opus:
        change: dict[str, object] = {"sample_rate": facts.rate}
        yield "wrong rate", f"the rate is {facts.rate} Hz, the row says {clip.sample_rate}", change
    if abs(facts.seconds - clip.duration) > DURATION_TOLERANCE and not facts.lost:
        message = f"the audio lasts {facts.seconds:.2f} s, the row says {clip.duration:.2f}"
        yield "wrong duration", message, {"duration": round(facts.seconds, 4)}


def _sound(facts: SoundFacts) -> Iterator[Problem]:
    """Yield what is wrong with the sound itself."""
    if facts.lost:
        yield "truncated", facts.lost, {}
    if not facts.is_finite:
        yield "not finite", "some samples are not numbers (NaN or infinite)", {}
        return
    if facts.correlation is not None and facts.correlation < OPPOSITE:
        yield "opposite phase", "its channels cancel each other when they are mixed", {}
        return
    if facts.peak < SILENT_PEAK:
        yield "silent", "the audio is silent", {}
        return
    if facts.empty_channel:
        yield "empty channel", "one of its channels is empty, so that the mix is half as loud", {}
    if facts.clipped > CLIPPED:
        yield "clipped", f"{facts.clipped:.1%} of its samples are cut off at the peak", {}
    if abs(facts.offset) > OFFSET:
        yield "offset", f"it swings around {facts.offset:+.2f} of full scale instead of 0", {}
    if facts.level < QUIET:
        yield "very quiet", f"its loudest parts are {-facts.level:.0f} dB below full scale", {}


def _length(clip: Clip, facts: SoundFacts) -> Iterator[Problem]:
    """Yield whether the recording is too short or too long to be learned from."""
    if 0 < facts.seconds < SHORTEST:
        yield "very short", f"it lasts {facts.seconds:.2f} s", {}
    if facts.seconds > LONGEST and clip.text is not None:
        yield "long without times", f"it lasts {facts.seconds:.0f} s; recognizers take {LONGEST:.0f}", {}
