"""Long recordings are cut where nobody speaks, and what is spoken stays with its sound."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from recipes.tts import corpus
from recipes.tts.corpus import Utterance
from recipes.tts.preparation.cutting import EDGE, SHORTEST_PART, cut_at_pauses
from voice.text.alphabet import BOUNDARY, SYMBOLS

WORD = "sˈOd"
FRAMES = {"s": 30, "O": 60, "d": 30, ",": 20, ".": 40, BOUNDARY: 30}


def utterance(phonemes: str) -> Utterance:
    """Speech in which each frame's loudness is its number."""
    durations = np.array([FRAMES.get(p, 0) for p in phonemes])
    count = int(durations.sum())
    tokens = corpus.tokens_of(phonemes)
    return Utterance("long", "ann", tokens, durations, np.ones(count), np.arange(count, dtype=np.float32))


def phonemes_of(part: Utterance) -> str:
    return "".join(SYMBOLS[token] for token in part.tokens)


def test_a_short_recording_stays_as_it_is():
    one = utterance(f"{BOUNDARY}{WORD}, {WORD}.{BOUNDARY}")
    assert cut_at_pauses(one, 1000) == [one]


def test_a_long_one_is_cut_at_its_longest_pauses():
    one = utterance(f"{BOUNDARY}{WORD}, {WORD}. {WORD}, {WORD}.{BOUNDARY}")
    first, second = cut_at_pauses(one, 400)
    assert phonemes_of(first) == f"{BOUNDARY}{WORD}, {WORD}.{BOUNDARY}" == phonemes_of(second)
    assert {first.clip, second.clip} == {"long"} and first.id != second.id


def test_parts_have_the_frames_of_what_they_say():
    one = utterance(f"{BOUNDARY}{WORD}, {WORD}. {WORD}, {WORD}.{BOUNDARY}")
    for part in cut_at_pauses(one, 400):
        assert part.durations.sum() == len(part.f0) == len(part.loud)
        np.testing.assert_array_equal(part.loud, np.arange(part.first, part.first + len(part.loud)))
        starts = np.cumsum(part.durations) - part.durations
        place = {phonemes_of(part).index("s"): int(part.loud[starts[1]])}
        assert one.loud[place[1]] in (30, 30 + 260 + 40)  # where a first word begins in the whole
        assert part.durations[0] <= max(EDGE, 30) and part.durations[-1] <= EDGE


def test_all_parts_together_say_all_of_it():
    one = utterance(BOUNDARY + " ".join([f"{WORD},"] * 30) + BOUNDARY)
    parts = cut_at_pauses(one, 500)
    assert sum(phonemes_of(part).count(WORD) for part in parts) == 30
    assert all(SHORTEST_PART <= len(part.f0) <= 500 for part in parts)


def test_a_stretch_without_a_pause_is_left_out_and_the_rest_kept():
    endless = WORD * 6
    one = utterance(f"{BOUNDARY}{WORD}. {endless}. {WORD}.{BOUNDARY}")
    parts = cut_at_pauses(one, 300)
    assert [phonemes_of(part).count(WORD) for part in parts] == [1, 1]
