"""What can be wrong with a data set: the kinds, how grave each is, and what mends it.

This is the one list of them; the tests go through all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Kind:
    """A kind of problem.

    An error keeps a row from being used, a warning is worth a look, a note is only counted.
    """

    severity: Severity
    mend: str


KINDS: Mapping[str, Kind] = {
    # the list
    "bad json": Kind("error", "write the line again, one JSON object a line"),
    "no object": Kind("error", 'write the row as {"audio": …, "text": …, "duration": …, "id": …}'),
    "column missing": Kind("error", "add it, or make the list again with `voice data prepare`"),
    "wrong type": Kind("error", "write the value again"),
    "id occurs again": Kind("error", "--fix numbers it"),
    "recording occurs again": Kind("warning", "keep one of the rows"),
    "no transcript": Kind("warning", "transcribe it, or leave the row out"),
    "recording in two splits": Kind("error", "keep it in one of them: `voice data split`"),
    "sentence in two splits": Kind("warning", "keep it in one of them: `voice data split`"),
    "speaker in two splits": Kind("note", "`voice data split --apart speakers`"),
    # the file
    "missing": Kind("error", "check the path, or copy the recording there"),
    "found elsewhere": Kind("error", "--fix writes the path where it is"),
    "link in a circle": Kind("error", "copy the recording there"),
    "no permission": Kind("error", "change its permissions (chmod u+r)"),
    "not a file": Kind("error", "name a recording"),
    "cannot be decoded": Kind("error", "copy or export it again"),
    "truncated": Kind("error", "copy or export it again"),
    "video without sound": Kind("error", "name the recording that has the sound"),
    "zero length": Kind("error", "record or copy it again"),
    # the sound
    "not finite": Kind("error", "export it again; some samples are NaN or infinite"),
    "silent": Kind("error", "record it again, or leave it out"),
    "opposite phase": Kind("error", "keep one channel: ffmpeg -i IN -af 'pan=mono|c0=c0' OUT"),
    "empty channel": Kind("warning", "keep the other channel: ffmpeg -i IN -af 'pan=mono|c0=c0' OUT"),
    "wrong rate": Kind("error", "--fix writes the right one"),
    "wrong duration": Kind("error", "--fix writes the right one"),
    "very short": Kind("error", "leave it out; nothing can be learned from it"),
    "long without times": Kind("error", "cut it: `voice data prepare` aligns it with its text"),
    "clipped": Kind("warning", "record it again with less gain"),
    "offset": Kind("warning", "remove it: ffmpeg -i IN -af highpass=f=20 OUT"),
    "very quiet": Kind("warning", "amplify it, or record it again with more gain"),
    # the text
    "empty text": Kind("error", "write what is said, or null for none"),
    "nothing spoken": Kind("error", "write words, or null for none"),
    "very long text": Kind("error", "cut the recording and its text: `voice data prepare`"),
    "text too long": Kind("error", "check whether the text belongs to this recording"),
    "text too short": Kind("warning", "check whether all that is said is in the text"),
    "words repeat": Kind(
        "warning", "keep it if it is said so; else it is a recognizer's loop: write it again"
    ),
    "markup": Kind(
        "warning", "--fix removes tags and entities; write brackets as what is said, or leave them out"
    ),
    "placeholder": Kind("warning", "write what is said, or null for none"),
    "figures": Kind("note", "write them as words where it matters how they are read"),
    "other script": Kind("error", "leave it out, or write its language into the row"),
    "mixed scripts": Kind("warning", "write the word in one alphabet: letters that look alike are others"),
    "other language": Kind("warning", "write its language into the row, or leave it out"),
    "wrong encoding": Kind("error", "--fix decodes it again"),
    "lost characters": Kind("error", "write it again: an encoding has lost letters"),
    "control characters": Kind("warning", "--fix removes them"),
    "another text": Kind("error", "check whether the text belongs to this recording"),
}


@dataclass(frozen=True)
class Finding:
    """A problem of one row.

    The number of its line, its id, the kind, why, and new values that mend it safely.
    """

    line: int
    id: str
    kind: str
    message: str
    change: Mapping[str, Any] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """Return how grave it is."""
        return KINDS[self.kind].severity

    @property
    def mend(self) -> str:
        """Return what to do about it."""
        return KINDS[self.kind].mend
