from __future__ import annotations

from pathlib import Path

import pytest

from recipes.asr.tuning.split import split_set
from voice.errors import ManifestError
from voice.manifest import Clip


def clips(count: int, *, speakers: int, sentences: int | None = None, seconds: float = 5.0) -> list[Clip]:
    sentences = sentences or count
    return [
        Clip(
            Path(f"{n}.wav"),
            f"sentence {n % sentences}",
            seconds,
            f"speaker {n % speakers}",
            str(n),
            16_000,
            "en",
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("speakers", [1, 3, 20])
def test_no_speaker_of_many_and_no_sentence_is_on_both_sides(speakers):
    train, dev = split_set(clips(100, speakers=speakers))
    assert not {each.text for each in train} & {each.text for each in dev}
    if speakers >= 5:
        assert not {each.speaker for each in train} & {each.speaker for each in dev}
    assert 15 <= len(dev) <= 30 and len(train) + len(dev) == 100


def test_a_larger_share_of_a_small_set_is_held_out():
    small, large = (len(split_set(clips(n, speakers=1))[1]) / n for n in (60, 2000))
    assert small == pytest.approx(0.25, abs=0.02) and large == pytest.approx(0.05, abs=0.02)


def test_where_everybody_reads_the_same_other_speakers_do():
    train, dev = split_set(clips(200, speakers=20, sentences=10))
    assert train and dev and not {each.speaker for each in train} & {each.speaker for each in dev}


def test_the_same_clips_are_held_out_whatever_their_order():
    some = clips(50, speakers=1)
    assert {each.id for each in split_set(some)[1]} == {each.id for each in split_set(some[::-1])[1]}


def test_too_few_recordings_are_refused_with_what_is_needed():
    with pytest.raises(ManifestError, match="3 recordings are too few"):
        split_set(clips(3, speakers=1))
