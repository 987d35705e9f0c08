"""How good the finished voice is beside the recordings: the same measures as in `recipes.tts.evaluate`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recipes.own_voice import listening
from recipes.own_voice.choosing import pick_sentences
from recipes.own_voice.learning import TEACHER
from recipes.tts.evaluate import RECORDINGS, Row, row
from recipes.tts.judging import Item, Judge, Judged, items_of
from recipes.tts.systems import Made
from recipes.vocoder.scores import distill_mos
from voice.errors import TextError
from voice.loading import load_voice
from voice.tts.voice import join
from voice.types import Speech, Synthesizer

INVENTED = "invented"
SEED = 1  # of the invented sentences; those that contrast is chosen on have another


@dataclass(frozen=True)
class Extent:
    """How much is judged, and by whom: at most `own` recordings, which the voice is held against, at most as
    many test sentences, `invented` further sentences; `recognizer` is the model that hears them."""

    own: int = 20
    invented: int = 30
    recognizer: str = "quick"


@dataclass(frozen=True, eq=False)
class Spoken:
    """A sentence as the voice says it, and how that was judged."""

    item: Item
    speech: Speech
    judged: Judged

    @property
    def hypothesis(self) -> str:
        """Return the hypothesis of the first recognizer."""
        return self.judged.hypotheses[0]


@dataclass(frozen=True, eq=False)
class Scored:
    """The table, and every sentence of it that the voice called `name` speaks."""

    name: str
    rows: tuple[Row, ...]
    spoken: tuple[Spoken, ...]

    def worst(self, count: int = 10) -> list[Spoken]:
        """Return the sentences with the most word errors, then those that sound worst."""
        return sorted(self.spoken, key=_how_bad, reverse=True)[:count]

    def summary(self) -> str:
        """Return a line on each row of the table, one after the other."""
        shown = []
        for each in self.rows:
            mos = f", Distill-MOS {each.mos:.2f}" if each.mos is not None else ""
            shown.append(f"{each.system} ({each.test}, {each.sentences} sentences) {each.rate:.1%} WER{mos}")
        return "; ".join(shown)

    def table(self) -> dict[str, Any]:
        """Return what the card keeps of it."""
        found: dict[str, Any] = {}
        for each in self.rows:
            title = each.test if each.system == self.name else each.system
            found[f"{title} WER"] = round(each.rate, 4)
            if each.mos is not None:
                found[f"{title} Distill-MOS"] = round(each.mos, 2)
            if each.own is not None and each.system == self.name:
                found[f"{title} likeness"] = round(each.own, 2)
        return found


def _how_bad(spoken: Spoken) -> tuple[float, float]:
    return spoken.judged.errors.rate, -(spoken.judged.mos or 0.0)


def score_voice(
    name: str, voice: Synthesizer, recordings: Sequence[Path], test: Path, extent: Extent, threads: int
) -> Scored:
    """Judge the voice called `name` beside its `recordings` and beside the teacher's voice.

    It speaks the sentences of `test`, a manifest too, and invented ones. The same networks on the same
    recordings have the same scores. Raises ModelError.
    """
    judge = Judge([listening.open_recognizer(extent.recognizer, threads)], distill_mos)
    voices = {name: voice, TEACHER: load_voice(TEACHER, threads=threads)}
    invented = pick_sentences((), extent.invented, SEED)
    return score(voices, recordings, test, invented, judge, extent.own)


def score(
    voices: Mapping[str, Synthesizer], recordings: Sequence[Path], test: Path, invented: Sequence[str],
    listen: Judge, most: int,
) -> Scored:  # fmt: skip
    """Judge a voice on the sentences of `test` and on `invented` ones, and at most `most` of the recordings.

    It is the first of `voices`; the others are put beside it on the invented sentences.
    """
    own = list(_own_items(recordings, most))
    real = [listen(item, Made(item.recording, 0.0, 0.0)) for item in own if item.recording is not None]
    vectors = [one.voice for one in real if one.voice is not None]
    rows = [row(("some of all", RECORDINGS), real, vectors, vectors)]
    spoken: list[Spoken] = []
    for title, items in (("test", _items(test, most)), (INVENTED, [Item(text) for text in invented])):
        for number, (name, voice) in enumerate(voices.items()):
            if not items or (number and title != INVENTED):
                continue
            said = [_say(voice, item, listen) for item in items]
            rows.append(row((title, name), [each.judged for each in said], vectors, vectors))
            spoken += [] if number else said
    return Scored(next(iter(voices)), tuple(rows), tuple(spoken))


def _own_items(recordings: Sequence[Path], most: int) -> Iterator[Item]:
    """Yield some of all recordings, spread evenly."""
    every = [item for path in recordings for item in _items(path, most)]
    if every:
        for place in np.linspace(0, len(every) - 1, min(most, len(every))).astype(int).tolist():
            yield every[place]


def _items(path: Path, most: int) -> list[Item]:
    try:
        return items_of(path, most)
    except TextError:  # a manifest without sentences
        return []


def _say(voice: Synthesizer, item: Item, listen: Judge) -> Spoken:
    speech = join(voice.speak(item.text))
    return Spoken(item, speech, listen(item, Made(speech.audio, 0.0, 0.0)))
