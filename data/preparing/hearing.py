"""What has no text is written down by a recognizer, what is long and has a text is aligned and cut by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from data.listening import Listener
from data.preparing.aligning import Gap, Piece, pieces_of
from data.preparing.settling import Ready, Unheard, clip_of, cut_rows
from data.rows import Fault, Row
from voice.errors import VoiceError
from voice.types import Transcript

TRANSCRIBED = "transcribed_by"  # in the row of a text that a recognizer wrote and nobody has corrected
ALIGNED = "aligned_by"


def hear(unheard: Unheard, listener: Listener, sounds: Path, longest: float) -> list[Ready | Fault]:
    """Return the clips of a recording that was listened to, and what of it cannot be used."""
    row = unheard.row
    try:
        heard = listener.hear(row.audio)
        if not heard.words and not heard.text.strip():
            return [Fault(row.id, f"{listener.name} hears no speech in it", "no speech")]
        if row.text is None and unheard.measured.seconds <= longest:
            return [_written_down(unheard, heard, listener)]
        return list(_cut(unheard, heard, listener, sounds))
    except VoiceError as error:
        return [Fault(row.id, str(error), "recording cannot be decoded")]


def _written_down(unheard: Unheard, heard: Transcript, listener: Listener) -> Ready:
    extra = {**unheard.row.extra, TRANSCRIBED: listener.name}
    row = replace(unheard.row, text=heard.text, language=unheard.row.language or heard.language, extra=extra)
    return Ready(clip_of(row, row.audio, unheard.measured), row.split)


def _cut(unheard: Unheard, heard: Transcript, listener: Listener, sounds: Path) -> Iterator[Ready | Fault]:
    """Yield the pieces of a long recording, each with its part of the text, and the gaps between them."""
    row = unheard.row
    rows = []
    for each in pieces_of(heard.text if row.text is None else row.text, heard.words):
        if isinstance(each, Gap):
            yield Fault(
                f"{row.id} from {each.start:.1f} to {each.end:.1f} s", each.reason, "text does not fit"
            )
        else:
            rows.append(_piece(row, each, heard, listener))
    if rows:
        yield from cut_rows(rows, unheard.measured, sounds)


def _piece(row: Row, piece: Piece, heard: Transcript, listener: Listener) -> Row:
    if row.text is None:
        told: dict[str, object] = {TRANSCRIBED: listener.name}
    else:
        told = {ALIGNED: listener.name, "agreement": piece.agreement}
    return replace(
        row,
        id=f"{row.id}@{piece.start:.2f}",
        text=piece.text,
        language=row.language or heard.language,
        start=round(piece.start, 3),
        end=round(piece.end, 3),
        extra={**row.extra, **told},
    )
