"""Teachers: what they say is varied and follows from the seed; their manifests grow where they stopped."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from recipes.tts import align, prepare, teach, texts
from recipes.tts.teachers import Kokoro, Taught
from voice.errors import VoiceError
from voice.manifest import read_manifest
from voice.text.alphabet import BOUNDARY


def beeper(phonemes):
    """A teacher that beeps four frames a phoneme, between long silences."""
    durations = np.array([30, *[4] * len(phonemes), 40])
    samples = np.zeros(int(durations.sum()) * 300, np.float32)
    first = 30 * 300
    samples[first : first + 1200 * len(phonemes)] = 0.3 * np.sin(np.arange(1200 * len(phonemes)) * 0.05)
    return Taught(samples, durations)


@pytest.fixture
def options(tmp_path, monkeypatch):
    monkeypatch.setattr(teach, "teacher", lambda name: beeper)
    return teach.Options(speaker="beeper", minutes=0.3, out=tmp_path, manifest=())


def rows(folder):
    return [clip for name in ("train", "dev") for clip in _clips(folder / "beeper" / f"{name}.jsonl")]


def _clips(path):
    return read_manifest(path) if path.exists() else []


def test_sentences_ask_exclaim_and_list_and_are_the_same_every_time():
    some = list(islice(texts.invent_sentences(), 200))
    assert some == list(islice(texts.invent_sentences(), 200))
    assert sum(text.endswith("?") for text in some) > 40 and sum("!" in text for text in some) > 30
    assert not any("{" in text or "}" in text for text in some)


def test_a_teacher_goes_on_where_it_stopped(options):
    teach.main(options)
    before = rows(options.out)
    teach.main(replace(options, minutes=0.6))
    after = rows(options.out)
    assert sum(clip.duration for clip in after) >= 0.6 * 60 > sum(clip.duration for clip in before)
    assert [clip.id for clip in after][: len(before)] == [clip.id for clip in before]
    assert len({clip.id for clip in after}) == len(after)


def test_what_is_written_is_as_long_as_its_phonemes_without_long_silences(options):
    teach.main(options)
    for clip in rows(options.out):
        durations = np.array(clip.extra["durations"])
        assert clip.duration == pytest.approx(durations.sum() * 300 / 24000)
        assert durations[0] == durations[-1] == teach.EDGE
        assert len(durations) == len(clip.extra["phonemes"]) + 2


def test_a_teachers_durations_are_taken_as_they_are(options):
    teach.main(options)
    clip = rows(options.out)[0]
    made = prepare.guess(clip, None).utterance
    phonemes = BOUNDARY + clip.extra["phonemes"] + BOUNDARY
    expected = align.spread(phonemes, align.unit_frames(phonemes, np.array(clip.extra["durations"])))
    np.testing.assert_array_equal(made.durations, expected)
    assert len(made.loud) == len(made.f0) == expected.sum()


class Session:
    """Takes the style for the samples, and three of its frames a token."""

    def run(self, outputs, given):
        count = given["tokens"].shape[1]
        return np.full((1, count * 1800), given["style"].mean()), np.full((1, count), 3.0)


def test_averages_of_voices_are_further_speakers_and_unknown_symbols_take_no_time():
    styles = {"low": np.zeros((5, 1, 4)), "high": np.ones((5, 1, 4))}
    kokoro = Kokoro(Session(), {"a": 1, "b": 2}, styles)
    made = kokoro.teacher("low+high")("a?b")
    assert made.samples.mean() == pytest.approx(0.5)
    np.testing.assert_array_equal(made.durations, [6, 6, 0, 6, 6])
    assert len(made.samples) == made.durations.sum() * 300
    with pytest.raises(VoiceError, match="no teacher is called eve: heart, low, high are"):
        kokoro.teacher("eve")
