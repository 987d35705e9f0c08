"""What was decoded of a file and what of it was lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from voice.errors import AudioError

Tell = Callable[[str], None]  # what is told a sentence that a person should read
SILENCE_LIMIT = 12 * 3600.0  # seconds of holes in a file that are filled; beyond it a time is damaged
_LOST = 0.05  # share of the track that may be lost without a warning


@dataclass
class DecodingReport:
    """What was heard of a file, in seconds."""

    called: str
    end: float = 0.0  # of all that was given out
    sound: float = 0.0  # that was decoded
    lost: float = 0.0
    tail: float = 0.0  # that is lost behind what was decoded so far
    room: float = SILENCE_LIMIT  # of silence that may still be filled in
    jumped: float = 0.0  # in times that were not believed
    complaint: str = "not one sample could be decoded"
    unended: bool = False  # the file has no end, and nothing tells how much of it is missing
    next_link: int | None = None  # where the next file begins, of Ogg files that were joined

    def report(self, tell: Tell) -> None:
        """Tell of a loss; raise AudioError where nothing is left."""
        if not self.sound:
            raise AudioError(f"{self.called} holds no sound that can be used: {self.complaint}; get it anew")
        if self.jumped:
            left_out = f"{self.jumped / 3600:.1f} hours without sound are left out"
            tell(f"{self.called} has damaged times: {left_out}")
        lost = self.lost + self.tail
        whole = max(self.end, self.sound + lost)
        if self.unended:
            where = f"breaks off after {self.end:.1f} s, and nothing tells how much of its sound is lost"
            tell(f"{self.called} is damaged: it {where}")
        elif lost >= _LOST * whole:
            share = f"{lost:.1f} s of {whole:.1f} s of its sound are lost"
            tell(f"{self.called} is damaged: {share}")
